"""Prometheus, through prometheus-api-client on a session of our own.

The library builds the queries. What it gets wrong is fixed underneath it, in the session that it calls: it
would retry outages for seconds, hide warnings, know no cap, and turn a proxy's HTML page or a cut-off body
into exceptions of three families. It blocks, so it runs in a few daemon threads.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from checks.clients.answers import BODY_LIMIT, read_object, refuse_status, too_large
from checks.clients.endpoint_login import EndpointLogin, Secret, present
from checks.clients.errors import (
    ForbiddenError,
    NotFoundError,
    PartialError,
    RejectedError,
    Where,
    WrongContentError,
    from_transport,
)
from checks.clients.kubeconfig.connection import is_loopback
from checks.clients.user_agent import USER_AGENT
from checks.clients.wire import own_headers
from checks.clients.workers import Workers
from state.base.json import Json, JsonObject, items, obj, objs, text, texts
from state.base.text import line

if TYPE_CHECKING:
    from state.runbook.environment import Endpoint

T = TypeVar("T")

# Graphs, conditions and checks query concurrently, and a hung query must not block the rest.
_THREADS: Final = 6


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an instant query."""

    labels: Mapping[str, str]
    time_s: float
    value: float
    """May be NaN or infinite."""


@dataclass(frozen=True, slots=True)
class RangeSeries:
    """One series of a range query: (seconds since 1970, value), in order; a value may be NaN or infinite."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


class PrometheusClient:
    """One Prometheus server. No call is retried.

    Each raises an error of ``checks.clients.errors`` where it could not look.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        environment: str,
        *,
        token: Secret = "",
        password: Secret = "",
        workers: Workers | None = None,
    ) -> None:
        self.where = Where("Prometheus", environment)
        self._endpoint = endpoint
        self._login = EndpointLogin(endpoint, self.where, token, password)
        self._workers = workers or Workers("prometheus", _THREADS)
        self._connection: tuple[Any, Any] | None = None
        self._connecting = threading.Lock()

    async def query(self, promql: str, at_s: float | None = None) -> list[Sample]:
        """Return the value of every series now, or at ``at_s`` seconds since 1970.

        A scalar is one series without labels.
        """
        params = {} if at_s is None else {"time": f"{at_s:.3f}"}
        expected = "the value of a query"

        def work() -> list[Sample]:
            library, _ = self._connect()
            return _samples(self.where, library.custom_query(promql, params=params), expected)

        return await self._run(work, expected)

    async def query_range(
        self, promql: str, start_s: float, end_s: float, step_s: float
    ) -> list[RangeSeries]:
        """Return every series between two times (whole seconds since 1970), one point per ``step_s``."""
        start, end = (datetime.fromtimestamp(int(at), UTC) for at in (start_s, end_s))
        expected = "the values of a range query"

        def work() -> list[RangeSeries]:
            library, _ = self._connect()
            return _ranges(
                self.where, library.custom_query_range(promql, start, end, f"{step_s:g}"), expected
            )

        return await self._run(work, expected)

    async def rules(self) -> list[JsonObject]:
        """Return all alerting and recording rules, each with its group's name as ``group``."""
        data = await self._data("/api/v1/rules", "the rules")
        return [
            {**rule, "group": text(group, "name")}
            for group in objs(data.get("groups"))
            for rule in objs(group.get("rules"))
        ]

    async def targets(self) -> list[JsonObject]:
        """Return the active scrape targets."""
        return objs((await self._data("/api/v1/targets", "the scrape targets")).get("activeTargets"))

    async def alertmanagers(self) -> list[str]:
        """Return the URLs of the Alertmanagers that this server sends alerts to."""
        data = await self._data("/api/v1/alertmanagers", "the alertmanagers")
        return [text(alertmanager, "url") for alertmanager in objs(data.get("activeAlertmanagers"))]

    async def ready(self) -> None:
        """Return when the server says that it is ready; otherwise raise.

        A store that only speaks Prometheus' API (Mimir, a hosted one) has no ``/-/ready``: where the page isn't
        there, an answered query says it.
        """
        expected = "200 from /-/ready"

        def work() -> None:
            _, session = self._connect()
            session.request(
                "GET", f"{self._endpoint.url.rstrip('/')}/-/ready", timeout=None, reads_json=False
            )

        try:
            await self._run(work, expected)
        except (NotFoundError, ForbiddenError, RejectedError, WrongContentError):
            answer = await self.query("vector(1)")
            if [sample.value for sample in answer] != [1.0]:
                raise WrongContentError(f"{self.where} doesn't answer vector(1) with 1") from None

    async def aclose(self) -> None:
        """Close the connections and let the threads end."""
        self._workers.close(self._shut)

    def _shut(self) -> None:
        with self._connecting:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection[1].close()

    async def _data(self, path: str, expected: str) -> JsonObject:
        def work() -> JsonObject:
            _, session = self._connect()
            session.request("GET", f"{self._endpoint.url.rstrip('/')}{path}", timeout=None)
            return obj(session.told.get("data"))

        return await self._run(work, expected)

    async def _run(self, work: Callable[[], T], expected: str) -> T:
        timeout = self._endpoint.timeout
        try:
            return await self._workers.run(work, timeout)
        except Exception as error:
            raise from_transport(
                self.where, error, address=self._endpoint.url, expected=expected, timeout=timeout
            ) from None

    def _connect(self) -> tuple[Any, Any]:
        """Return the library's object and the session below it, made by the first thread that asks."""
        with self._connecting:
            if self._connection is None:
                self._connection = self._open()
            return self._connection

    def _open(self) -> tuple[Any, Any]:
        from prometheus_api_client import PrometheusConnect
        from urllib3.util.retry import Retry

        session = _guarded_session(self.where, self._endpoint.timeout, self._login)
        session.trust_env = not is_loopback(self._endpoint.url)
        session.verify = str(self._endpoint.ca_file) if self._endpoint.ca_file else True
        session.headers["User-Agent"] = USER_AGENT
        session.headers.update(own_headers(self._endpoint, self.where))
        if self._endpoint.cert_file is not None:
            present(
                ssl.create_default_context(), self._endpoint, self.where
            )  # requests would only say "SSLError"
            key = self._endpoint.key_file or self._endpoint.cert_file
            session.cert = (str(self._endpoint.cert_file), str(key))
        # No retries: by default the library takes 6 s to report a refused connection.
        library = PrometheusConnect(
            url=self._endpoint.url.rstrip("/"), session=session, retry=Retry(total=0, redirect=False)
        )
        return library, session


def _guarded_session(where: Where, timeout: float, login: EndpointLogin) -> Any:
    """Return a requests session whose answers are complete, capped, in time, JSON, and a success.

    Anything else is an error of ours.
    """
    import requests

    local = threading.local()

    class Guarded(requests.Session):
        @property
        def told(self) -> JsonObject:
            """The whole JSON of this thread's last answer."""
            found: JsonObject = local.told
            return found

        def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]  # a subset
            wants_json = options.pop("reads_json", True)
            expected = f"JSON from {url.partition('/api/')[2] or url}" if wants_json else "200"
            # Overrides what the library passes: it sets no timeout and follows redirects.
            options.update(stream=True, allow_redirects=False, timeout=(timeout, timeout))
            # requests' timeout applies per read; this one is for the whole answer.
            deadline = time.monotonic() + timeout
            authorization = login.header()
            response, body = self._asked(method, url, options, authorization, deadline, expected)
            if response.status_code == 401 and (renewed := login.header(fresh=True)) != authorization:
                response, body = self._asked(method, url, options, renewed, deadline, expected)
            response._content = body  # noqa: SLF001  what the library reads as .json(), after our cap
            headers = {key.lower(): value for key, value in response.headers.items()}
            refuse_status(
                where, response.status_code, headers, body, expected=expected, permission="read metrics"
            )
            if not wants_json and "html" in headers.get("content-type", ""):
                raise WrongContentError(
                    f"{where} answered HTML (a proxy or login page?); expected {expected}"
                )
            if wants_json:
                local.told = _success(where, read_object(where, headers, body, expected=expected))
            return response

        def _asked(
            self,
            method: str,
            url: str,
            options: Mapping[str, Any],
            authorization: str,
            deadline: float,
            expected: str,
        ) -> tuple[requests.Response, bytes]:
            def signed(request: requests.PreparedRequest) -> requests.PreparedRequest:
                if authorization:
                    request.headers["Authorization"] = authorization
                return request

            response = super().request(method, url, **{**options, "auth": signed})
            with response:
                return response, _read(where, response, deadline, expected)

    return Guarded()


def _read(where: Where, response: Any, deadline: float, expected: str) -> bytes:
    body = bytearray()
    for piece in response.iter_content(64 * 1024):
        body += piece
        if len(body) > BODY_LIMIT:
            raise too_large(where, expected)
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(body)


def _success(where: Where, answer: JsonObject) -> JsonObject:
    if text(answer, "status") != "success":
        reason = line(text(answer, "error") or "no reason given", 200)
        raise WrongContentError(f"{where} reported an error with 200 ({reason}); expected status success")
    if answer.get("data") is None:
        raise WrongContentError(f"{where} answered success without data; is this the Prometheus HTTP API?")
    if answer.get("isPartial") not in {None, False}:  # VictoriaMetrics
        raise PartialError(f"{where}: the store says that its answer is partial (isPartial)")
    # Prometheus' and Thanos' warnings; infos are remarks about a query whose answer is whole.
    warnings = texts(answer.get("warnings"))
    if warnings:
        raise PartialError(f"{where}: the answer may be incomplete ({line('; '.join(warnings), 200)})")
    return answer


def _samples(where: Where, result: Json, expected: str) -> list[Sample]:
    found = items(result)
    if len(found) == 2 and isinstance(found[0], int | float):
        return [Sample({}, *_point(where, found, expected))]
    for one in objs(result):
        _need_floats(where, one, expected)
    return [Sample(_labels(one), *_point(where, items(one.get("value")), expected)) for one in objs(result)]


def _need_floats(where: Where, series: JsonObject, expected: str) -> None:
    """Refuse a series of native histograms: its floats, where it has some too, are not the whole of it."""
    if "histogram" in series or "histograms" in series:
        raise WrongContentError(
            f"{where} answered a native histogram instead of numbers; expected {expected} "
            "(histogram_quantile, histogram_count or histogram_sum makes numbers of it)"
        )
    if "value" not in series and not items(series.get("values")):
        raise WrongContentError(f"{where} answered a series without values; expected {expected}")


def _ranges(where: Where, result: Json, expected: str) -> list[RangeSeries]:
    for one in objs(result):
        _need_floats(where, one, expected)
    return [
        RangeSeries(
            _labels(one), tuple(_point(where, items(point), expected) for point in items(one.get("values")))
        )
        for one in objs(result)
    ]


def _labels(series: JsonObject) -> dict[str, str]:
    return {key: value for key, value in obj(series.get("metric")).items() if isinstance(value, str)}


def _point(where: Where, pair: object, expected: str) -> tuple[float, float]:
    both = items(pair)
    if len(both) == 2 and isinstance(both[0], int | float) and isinstance(both[1], str):
        with suppress(ValueError):
            return float(both[0]), float(both[1])
    raise WrongContentError(f"{where} answered something that is not a number; expected {expected}")
