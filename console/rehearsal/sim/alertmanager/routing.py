"""Who is told of an alert: receivers, routes, and the configuration as Alertmanager shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from console.rehearsal.sim.prometheus.series import Labels, Matcher, MatchOp, label
from state.base.json import Json


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where notifications go; ``integration`` is webhook, pagerduty, slack, email, or empty for nowhere."""

    name: str
    integration: str = "webhook"


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the routing tree: the first child that matches takes the alert; times in seconds."""

    receiver: str
    matchers: tuple[Matcher, ...] = ()
    routes: tuple[Route, ...] = ()
    group_by: tuple[str, ...] = ("alertname",)
    group_wait_s: float = 30.0
    group_interval_s: float = 300.0
    repeat_interval_s: float = 14_400.0

    def find(self, labels: Labels) -> Route:
        """Return the deepest route that takes an alert."""
        for route in self.routes:
            if all(matcher.matches(label(labels, matcher.name)) for matcher in route.matchers):
                return route.find(labels)
        return self

    def walk(self) -> Iterator[Route]:
        """Return this route and all below it."""
        yield self
        for route in self.routes:
            yield from route.walk()

    def to_yaml(self) -> Json:
        """Return the route as the configuration file writes it."""
        out: dict[str, Json] = {
            "receiver": self.receiver,
            "group_by": list(self.group_by),
            "group_wait": f"{self.group_wait_s:g}s",
            "group_interval": f"{self.group_interval_s:g}s",
            "repeat_interval": f"{self.repeat_interval_s:g}s",
        }
        if self.matchers:
            out["matchers"] = [
                f'{matcher.name}{matcher.op.value}"{matcher.value}"' for matcher in self.matchers
            ]
        if self.routes:
            out["routes"] = [route.to_yaml() for route in self.routes]
        return out


_SETTINGS: dict[str, dict[str, Json]] = {
    "webhook": {"url": "<secret>", "send_resolved": True},
    "pagerduty": {"routing_key": "<secret>"},
    "slack": {"api_url": "<secret>", "channel": "#launch"},
    "email": {"to": "oncall@example.com"},
}


def severity(value: str) -> Matcher:
    """Return the matcher of one severity."""
    return Matcher("severity", MatchOp.EQUAL, value)


@dataclass(frozen=True, slots=True)
class Config:
    """Receivers and the root of the routing tree."""

    receivers: tuple[Receiver, ...] = field(
        default=(Receiver("oncall-pager"), Receiver("team-chat", "slack"), Receiver("event-log"))
    )
    route: Route = field(
        default=Route(
            receiver="event-log",
            routes=(
                Route("oncall-pager", (severity("critical"),), group_wait_s=10.0),
                Route("oncall-pager", (severity("page"),), group_wait_s=10.0),
                Route("team-chat", (severity("warning"),)),
            ),
        )
    )

    def receiver(self, name: str) -> Receiver:
        """Return a receiver, one that goes nowhere where the name is unknown."""
        return next((one for one in self.receivers if one.name == name), Receiver(name, ""))

    def original(self) -> str:
        """Return the configuration file, with its secrets hidden as Alertmanager hides them."""
        receivers: list[Json] = []
        for receiver in self.receivers:
            settings: dict[str, Json] = {"name": receiver.name}
            if receiver.integration:
                settings[f"{receiver.integration}_configs"] = [_SETTINGS.get(receiver.integration, {})]
            receivers.append(settings)
        body = {"global": {"resolve_timeout": "5m"}, "route": self.route.to_yaml(), "receivers": receivers}
        return yaml.safe_dump(body, sort_keys=False)
