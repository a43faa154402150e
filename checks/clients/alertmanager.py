"""Alertmanager's API v2, and its own metrics, which tell whether notifications leave it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from checks.clients.errors import Where, WrongContentError
from checks.clients.wire import Wire
from state.base.json import JsonObject, items, obj, objs, path, text
from state.base.times import moment

if TYPE_CHECKING:
    from checks.clients.endpoint_login import Secret
    from state.runbook.environment import Endpoint

# The text exposition of Prometheus and OpenMetrics: braces may stand in a value, blanks before the labels, and a name
# that is not of the old alphabet stands in quotes, first among the labels.
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_METRIC: Final = re.compile(
    rf"^[ \t]*([a-zA-Z_:][\w:]*)?[ \t]*(?:\{{((?:[^\"{{}}\n]|{_QUOTED})*)\}})?[ \t]+([^\s#]+)", re.MULTILINE
)
_LABEL: Final = re.compile(rf"\s*({_QUOTED}|[a-zA-Z_][\w]*)\s*(?:=\s*({_QUOTED}))?\s*(?:,|$)")
_ESCAPES: Final = {"n": "\n"}


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver of the configuration and what it notifies."""

    name: str
    kinds: tuple[str, ...]
    """For example ``webhook`` and ``email``; none: everything sent to it is dropped."""
    urls: tuple[str, ...]
    """Where its webhooks go."""


class AlertmanagerClient:
    """One Alertmanager."""

    def __init__(
        self, endpoint: Endpoint, environment: str, *, token: Secret = "", password: Secret = ""
    ) -> None:
        self.where = Where("Alertmanager", environment)
        self._wire = Wire.to(endpoint, self.where, token=token, password=password)

    async def ready(self) -> None:
        """Return when it says that it is ready; otherwise raise."""
        expected = "200 from /-/ready"
        reply = await self._wire.send("GET", "/-/ready", expected=expected)
        if reply.status in {400, 403, 404, 405} or "html" in (reply.header("content-type") or ""):
            # A store's own (Mimir, Cortex) has no such page; whoever answers the API is as ready as can be told.
            if "versionInfo" not in await self.status():
                raise WrongContentError(f"{self.where} told no versionInfo; is this Alertmanager's API v2?")
            return
        reply.need_success(expected=expected)

    async def status(self) -> JsonObject:
        """Return the status with its configuration's text."""
        return obj(await self._wire.get_json("/api/v2/status", expected="Alertmanager's status"))

    async def alerts(self, filters: Mapping[str, str] | None = None) -> list[JsonObject]:
        """Return the alerts with these labels, each with ``receivers``.

        Silenced and inhibited ones are included.
        """
        params = [("filter", f'{name}="{value}"') for name, value in (filters or {}).items()]
        found = await self._wire.get_json("/api/v2/alerts", params, expected="a list of alerts")
        if not isinstance(found, list):
            raise WrongContentError(f"{self.where} answered something else than a list of alerts")
        return objs(found)

    async def silences(self) -> list[JsonObject]:
        """Return every silence that it keeps, also those that are over."""
        found = await self._wire.get_json("/api/v2/silences", expected="a list of silences")
        if not isinstance(found, list):
            raise WrongContentError(f"{self.where} answered something else than a list of silences")
        return objs(found)

    async def post_alert(
        self, labels: Mapping[str, str], annotations: Mapping[str, str], *, starts_us: int, ends_us: int
    ) -> None:
        """Send one alert; sent again with an end in the past it resolves.

        Times are microseconds since 1970, UTC.
        """
        alert: JsonObject = {
            "labels": dict(labels),
            "annotations": dict(annotations),
            "startsAt": _rfc3339(starts_us),
            "endsAt": _rfc3339(ends_us),
        }
        expected = "200 to a posted alert"
        reply = await self._wire.send("POST", "/api/v2/alerts", json=[alert], expected=expected)
        reply.need_success(expected=expected, permission="post alerts")

    async def receivers(self) -> tuple[Receiver, ...]:
        """Return the receivers of the running configuration.

        Raises WrongContentError where the configuration is not given or not YAML.
        """
        return receivers_of(await self.config())

    async def config(self) -> JsonObject:
        """Return the running configuration, parsed. It can hold secrets.

        Alertmanager hides them, but show no part of it.
        """
        import yaml

        original = text(obj((await self.status()).get("config")), "original")
        try:
            parsed = yaml.safe_load(original)
        except yaml.YAMLError:
            parsed = None
        if not isinstance(parsed, Mapping):
            raise WrongContentError(
                f"{self.where} did not tell its configuration; expected config.original as YAML"
            )
        return parsed

    async def notifications(self) -> dict[str, tuple[float, float]]:
        """Return, for each integration, how many notifications were sent and how many of them failed."""
        expected = "Alertmanager's own /metrics"
        reply = await self._wire.send("GET", "/metrics", expected=expected)
        metrics = parse_metrics(reply.need_success(expected=expected).text)
        counts: dict[str, tuple[float, float]] = {}
        for name, labels, value in metrics:
            kind = labels.get("integration", "")
            sent, bad = counts.get(kind, (0.0, 0.0))
            if name == "alertmanager_notifications_total":
                counts[kind] = (sent + value, bad)
            elif name == "alertmanager_notifications_failed_total":
                counts[kind] = (sent, bad + value)
        return counts

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()


def receivers_of(config: JsonObject) -> tuple[Receiver, ...]:
    """Return the receivers of an Alertmanager configuration."""
    found = []
    for receiver in objs(config.get("receivers")):
        kinds = [key for key, value in receiver.items() if key.endswith("_configs") and items(value)]
        urls = [text(hook, "url") for hook in objs(receiver.get("webhook_configs"))]
        names = tuple(sorted(kind.removesuffix("_configs") for kind in kinds))
        found.append(Receiver(text(receiver, "name"), names, tuple(url for url in urls if url)))
    return tuple(found)


def routed_receivers(config: JsonObject) -> set[str]:
    """Return the names of the receivers that a route leads to."""
    names: set[str] = set()
    todo = [obj(config.get("route"))]
    while todo:
        route = todo.pop()
        if name := text(route, "receiver"):
            names.add(name)
        todo.extend(objs(path(route, ("routes",))))
    return names


def parse_metrics(exposition: str) -> list[tuple[str, dict[str, str], float]]:
    """Return the samples of a text exposition as (name, labels, value); what is no number is left out."""
    found = []
    for plain, inside, value in _METRIC.findall(exposition):
        name, labels = plain, {}
        for key, quoted in _LABEL.findall(inside):
            if quoted:
                labels[_unquoted(key)] = _unquoted(quoted)
            elif key.startswith('"'):
                name = name or _unquoted(key)
        try:
            if name:
                found.append((name, labels, float(value)))
        except ValueError:
            continue
    return found


def _unquoted(word: str) -> str:
    if not word.startswith('"'):
        return word
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), word[1:-1])


def _rfc3339(at_us: int) -> str:
    return moment(at_us).isoformat(timespec="milliseconds")
