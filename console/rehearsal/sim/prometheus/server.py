"""The HTTP API of Prometheus (version 1) over a source of samples."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from aiohttp import web

from console.rehearsal.sim.hooks import Before, guarded
from console.rehearsal.sim.prometheus.answers import (
    failure,
    invalid,
    metric,
    point,
    points,
    read_step,
    read_time,
    seconds,
    stamp,
    success,
)
from console.rehearsal.sim.prometheus.columns import Scalar, Value
from console.rehearsal.sim.prometheus.evaluate import Scope, evaluate, ranges
from console.rehearsal.sim.prometheus.rules import AlertRule, RuleBook, posts, rules_json
from console.rehearsal.sim.prometheus.series import Labels, SampleSource, Target, TargetSource, label
from console.rehearsal.sim.prometheus.tree import QueryError, RangeSelector, Selector, Subquery, Text, parse
from state.base.clock import Clock
from state.base.json import Json

_VERSION = "3.5.0"
_MOST_POINTS = 11_000
_SERIES_LOOK_BACK_MS = 3_600_000

Endpoint = Callable[[dict[str, list[str]]], Json]


class Prometheus:
    """A Prometheus server without storage.

    ``hooks`` may answer a request before it does; ``rules`` are its alerting rules; ``targets`` tells what
    is scraped, ``alertmanagers`` the addresses that alerts go to.
    """

    def __init__(
        self,
        source: SampleSource,
        clock: Clock,
        *,
        rules: Iterable[AlertRule] = (),
        targets: TargetSource | None = None,
        alertmanagers: Sequence[str] = (),
        interval_s: float = 15.0,
    ) -> None:
        self.hooks: list[Before] = []
        self.alertmanagers = list(alertmanagers)
        self._source = source
        self._clock = clock
        self._targets = targets
        self._interval_ms = round(interval_s * 1000)
        self._rules = RuleBook(source, rules, self._interval_ms)
        self._started_ms = self._now()

    def set_rules(self, rules: Iterable[AlertRule]) -> None:
        """Load other alerting rules, as a reload of the configuration does."""
        self._rules = RuleBook(self._source, rules, self._interval_ms)

    def firing(self) -> list[Json]:
        """Return the firing alerts as they are to be posted to Alertmanager now."""
        now = self._now()
        return posts(self._rules.at(now), now)

    def application(self) -> web.Application:
        """Return the server as an application of aiohttp."""
        app = guarded(self.hooks)
        endpoints: dict[str, Endpoint] = {
            "query": self._query,
            "query_range": self._query_range,
            "series": self._series,
            "labels": self._label_names,
        }
        for name, endpoint in endpoints.items():
            app.router.add_get(f"/api/v1/{name}", _handler(endpoint))
            app.router.add_post(f"/api/v1/{name}", _handler(endpoint))
        getters: dict[str, Endpoint] = {
            "targets": self._target_list,
            "rules": lambda _: rules_json(self._rules.at(self._now()), self._interval_ms),
            "alerts": self._alerts,
            "alertmanagers": self._alertmanager_list,
            "metadata": self._metadata,
            "status/buildinfo": _build_info,
            "status/runtimeinfo": self._runtime_info,
        }
        for name, endpoint in getters.items():
            app.router.add_get(f"/api/v1/{name}", _handler(endpoint))
        app.router.add_get("/api/v1/label/{label}/values", self._label_values)
        app.router.add_get("/", _front_page)
        app.router.add_get("/query", _plain("<!doctype html><title>Prometheus</title>", "text/html"))
        app.router.add_get("/-/ready", _plain("Prometheus Server is Ready.\n"))
        app.router.add_get("/-/healthy", _plain("Prometheus Server is Healthy.\n"))
        return app

    def _now(self) -> int:
        return self._clock.wall_us() // 1000

    def _scope(self, steps: Sequence[int]) -> Scope:
        return Scope(self._source, tuple(steps), steps[0], steps[-1], interval_ms=self._interval_ms)

    def _query(self, params: dict[str, list[str]]) -> Json:
        at = _time(params, "time", self._now())
        try:
            tree = parse(_one(params, "query"))
        except QueryError as problem:
            raise invalid("query", str(problem)) from None
        scope = self._scope([at])
        if isinstance(tree, RangeSelector | Subquery):
            return {"resultType": "matrix", "result": _raw(tree, scope)}
        return _instant_json(evaluate(tree, scope), at)

    def _query_range(self, params: dict[str, list[str]]) -> Json:
        start, end = _time(params, "start", None), _time(params, "end", None)
        if end < start:
            raise invalid("end", "end timestamp must not be before start time")
        step = read_step(_one(params, "step"))
        if step <= 0:
            problem = "zero or negative query resolution step widths are not accepted. Try a positive integer"
            raise invalid("step", problem)
        if (end - start) // step > _MOST_POINTS:
            raise QueryError(
                "bad_data",
                "exceeded maximum resolution of 11,000 points per timeseries."
                " Try decreasing the query resolution (?step=XX)",
            )
        try:
            tree = parse(_one(params, "query"))
        except QueryError as problem:
            raise invalid("query", str(problem)) from None
        if isinstance(tree, RangeSelector | Subquery | Text):
            kind = "string" if isinstance(tree, Text) else "range vector"
            raise invalid(
                "query",
                f'invalid expression type "{kind}" for range query, must be Scalar or instant Vector',
            )
        steps = range(start, end + 1, step)
        return {"resultType": "matrix", "result": _matrix(evaluate(tree, self._scope(steps)), steps)}

    def _found(self, params: dict[str, list[str]], *, required: bool) -> list[Labels]:
        expected = params.get("match[]", [])
        if required and not expected:
            raise QueryError("bad_data", "no match[] parameter provided")
        end = _time(params, "end", self._now())
        start = _time(params, "start", end - _SERIES_LOOK_BACK_MS)
        if not expected:
            return [one.labels for one in self._source.series(None, (), start, end)]
        found: dict[Labels, None] = {}
        for text in expected:
            try:
                tree = parse(text)
            except QueryError as problem:
                raise invalid("match[]", str(problem)) from None
            if not isinstance(tree, Selector):
                raise invalid("match[]", "a series selector was expected")
            for matchers in tree.alternatives:
                found |= {one.labels: None for one in self._source.series(tree.name, matchers, start, end)}
        return list(found)

    def _series(self, params: dict[str, list[str]]) -> Json:
        return [metric(labels) for labels in sorted(self._found(params, required=True))]

    def _label_names(self, params: dict[str, list[str]]) -> Json:
        found = self._found(params, required=False)
        return sorted({name for labels in found for name, _ in labels})

    async def _label_values(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["label"]
        try:
            found = self._found(await _params(request), required=False)
        except QueryError as problem:
            return failure(problem)
        values = {value for labels in found if (value := label(labels, name))}
        return success(sorted(values))

    def _target_list(self, _: dict[str, list[str]]) -> Json:
        targets = self._targets.targets(self._now()) if self._targets else []
        shown = [_target_json(target, f"{self._interval_ms // 1000}s") for target in targets]
        return {"activeTargets": shown, "droppedTargets": [], "droppedTargetCounts": {}}

    def _alerts(self, _: dict[str, list[str]]) -> Json:
        statuses = self._rules.at(self._now())
        return {"alerts": [alert.to_json() for status in statuses for alert in status.alerts]}

    def _alertmanager_list(self, _: dict[str, list[str]]) -> Json:
        active = [{"url": f"{url.rstrip('/')}/api/v2/alerts"} for url in self.alertmanagers]
        return {"activeAlertmanagers": active, "droppedAlertmanagers": []}

    def _metadata(self, params: dict[str, list[str]]) -> Json:
        known = self._targets.metadata() if self._targets else {}
        expected = params.get("metric", [""])[0]
        return {
            name: [{"type": kind, "help": text, "unit": ""}]
            for name, (kind, text) in sorted(known.items())
            if not expected or name == expected
        }

    def _runtime_info(self, _: dict[str, list[str]]) -> Json:
        return {
            "startTime": stamp(self._started_ms),
            "CWD": "/prometheus",
            "reloadConfigSuccess": True,
            "lastConfigTime": stamp(self._started_ms),
            "corruptionCount": 0,
            "storageRetention": "15d",
        }


def _target_json(target: Target, interval: str) -> Json:
    return {
        "discoveredLabels": {"__address__": label(target.labels, "instance")},
        "labels": dict(target.labels),
        "scrapePool": label(target.labels, "job"),
        "scrapeUrl": target.scrape_url,
        "globalUrl": target.scrape_url,
        "lastError": target.last_error,
        "lastScrape": stamp(target.last_scrape_ms),
        "lastScrapeDuration": 0.012,
        "health": "up" if target.healthy else "down",
        "scrapeInterval": interval,
        "scrapeTimeout": "10s",
    }


def _handler(endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return success(endpoint(await _params(request)))
        except QueryError as problem:
            return failure(problem)

    return handle


async def _front_page(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/query")


def _plain(
    text: str, content_type: str = "text/plain"
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(text=text, content_type=content_type)

    return handle


async def _params(request: web.Request) -> dict[str, list[str]]:
    """Return the parameters of the address and of a posted form."""
    params: dict[str, list[str]] = {}
    for name, value in request.query.items():
        params.setdefault(name, []).append(value)
    if request.method == "POST":
        for name, field in (await request.post()).items():
            if isinstance(field, str):
                params.setdefault(name, []).append(field)
    return params


def _one(params: dict[str, list[str]], name: str) -> str:
    return params.get(name, [""])[0]


def _time(params: dict[str, list[str]], name: str, default: int | None) -> int:
    text = _one(params, name)
    return default if default is not None and not text else read_time(text, name)


def _build_info(_: dict[str, list[str]]) -> Json:
    return {
        "version": _VERSION,
        "revision": "0" * 40,
        "branch": "HEAD",
        "buildUser": "root@rehearsal",
        "buildDate": "20250714-16:15:23",
        "goVersion": "go1.24.5",
    }


def _instant_json(value: Value, at: int) -> Json:
    if isinstance(value, str):
        return {"resultType": "string", "result": [seconds(at), value]}
    if isinstance(value, Scalar):
        return {"resultType": "scalar", "result": point(at, value.values[0])}
    result: list[Json] = [
        {"metric": metric(row.labels), "value": point(at, one)}
        for row in value.rows
        if (one := row.values[0]) is not None
    ]
    return {"resultType": "vector", "result": result}


def _matrix(value: Value, steps: Sequence[int]) -> list[Json]:
    if isinstance(value, str):
        return []
    if isinstance(value, Scalar):
        return [{"metric": {}, "values": points(steps, list(value.values))}]
    rows = sorted(value.rows, key=lambda row: row.labels)
    columns = ((row.labels, points(steps, row.values)) for row in rows)
    return [{"metric": metric(labels), "values": found} for labels, found in columns if found]


def _raw(tree: RangeSelector | Subquery, scope: Scope) -> list[Json]:
    """Return the samples of a range selector that stands alone."""
    shown: list[Json] = []
    for row in ranges(tree, scope):
        low, high = row.windows.bounds[0]
        if high > low:
            pairs = zip(row.windows.times[low:high], row.values[low:high], strict=True)
            shown.append({"metric": metric(row.labels), "values": [point(at, value) for at, value in pairs]})
    return shown
