"""Alerts, silences and groups of Alertmanager, and when a group is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from console.rehearsal.sim.alertmanager.routing import Config, Receiver, Route
from console.rehearsal.sim.prometheus.answers import stamp
from console.rehearsal.sim.prometheus.series import Labels, Matcher, MatchOp, label, only
from state.base.json import Json

_MATCHER = re.compile(r'\s*([a-zA-Z_][\w.]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"{}]*?))\s*')


def read_matcher(text: str) -> Matcher:
    """Read ``name="value"``; the quotes may be missing.

    Raises ValueError.
    """
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise ValueError(f"bad matcher format: {text}")
    value = found[4] if found[3] is None else re.sub(r"\\(.)", r"\1", found[3])
    if found[2] in {"=~", "!~"}:
        re.compile(value)
    return Matcher(found[1], MatchOp(found[2]), value)


def fingerprint(labels: Labels) -> str:
    """Return the 64-bit FNV-1a hash of sorted labels, as Prometheus' common library makes it."""
    digest = 0xCBF29CE484222325
    for name, value in labels:
        for byte in name.encode() + b"\xff" + value.encode() + b"\xff":
            digest = ((digest ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


@dataclass(slots=True)
class Alert:
    """An alert as it was posted last; times in milliseconds."""

    labels: Labels
    annotations: dict[str, str]
    starts_ms: int
    ends_ms: int
    updated_ms: int
    generator_url: str = ""

    def to_json(self, receiver: str, silenced_by: Sequence[str]) -> Json:
        """Return the alert as ``/api/v2/alerts`` shows it."""
        return {
            "annotations": self.annotations,
            "endsAt": stamp(self.ends_ms),
            "fingerprint": fingerprint(self.labels),
            "receivers": [{"name": receiver}],
            "startsAt": stamp(self.starts_ms),
            "status": {
                "inhibitedBy": [],
                "mutedBy": [],
                "silencedBy": list(silenced_by),
                "state": "suppressed" if silenced_by else "active",
            },
            "updatedAt": stamp(self.updated_ms),
            "generatorURL": self.generator_url,
            "labels": dict(self.labels),
        }

    def to_webhook(self, at_ms: int) -> Json:
        """Return the alert as a notification tells it."""
        resolved = self.ends_ms <= at_ms
        return {
            "status": "resolved" if resolved else "firing",
            "labels": dict(self.labels),
            "annotations": self.annotations,
            "startsAt": stamp(self.starts_ms),
            "endsAt": stamp(self.ends_ms) if resolved else "0001-01-01T00:00:00Z",
            "generatorURL": self.generator_url,
            "fingerprint": fingerprint(self.labels),
        }


@dataclass(slots=True)
class Silence:
    """A silence; times in milliseconds."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_ms: int
    ends_ms: int
    updated_ms: int
    created_by: str
    comment: str

    def state(self, now_ms: int) -> str:
        """Return pending, active or expired."""
        if now_ms >= self.ends_ms:
            return "expired"
        return "active" if now_ms >= self.starts_ms else "pending"

    def covers(self, labels: Labels, now_ms: int) -> bool:
        """Return whether an alert is silenced now."""
        matching = all(matcher.matches(label(labels, matcher.name)) for matcher in self.matchers)
        return matching and self.state(now_ms) == "active"

    def to_json(self, now_ms: int) -> Json:
        """Return the silence as ``/api/v2/silences`` shows it."""
        return {
            "id": self.id,
            "status": {"state": self.state(now_ms)},
            "updatedAt": stamp(self.updated_ms),
            "comment": self.comment,
            "createdBy": self.created_by,
            "endsAt": stamp(self.ends_ms),
            "matchers": [
                {
                    "isEqual": matcher.op in {MatchOp.EQUAL, MatchOp.REGEX},
                    "isRegex": matcher.op in {MatchOp.REGEX, MatchOp.NOT_REGEX},
                    "name": matcher.name,
                    "value": matcher.value,
                }
                for matcher in self.matchers
            ],
            "startsAt": stamp(self.starts_ms),
        }


@dataclass(frozen=True, slots=True)
class Notification:
    """What a receiver was told, or was to be told, at a time in milliseconds."""

    receiver: Receiver
    at_ms: int
    delivered: bool
    body: Json


@dataclass(slots=True)
class Group:
    """Alerts of one route that share the labels they are grouped by; ``due_ms`` is the next time it is looked at.

    ``notified`` holds the labels of those that the receiver believes to be firing.
    """

    route: Route
    labels: Labels
    due_ms: int
    alerts: dict[Labels, Alert] = field(default_factory=dict)
    notified: set[Labels] = field(default_factory=set)
    notified_ms: int | None = None

    def news(self, at_ms: int, silences: Sequence[Silence]) -> list[Alert]:
        """Return what is to be sent now: all firing alerts and those just resolved, or nothing."""
        spoken = [
            alert
            for alert in self.alerts.values()
            if not any(silence.covers(alert.labels, at_ms) for silence in silences)
        ]
        firing = {alert.labels for alert in spoken if alert.ends_ms > at_ms}
        resolved = {alert.labels for alert in spoken if alert.ends_ms <= at_ms} & self.notified
        repeated = (
            self.notified_ms is not None and at_ms - self.notified_ms >= self.route.repeat_interval_s * 1000
        )
        if not resolved and (not firing or (firing <= self.notified and not repeated)):
            return []
        return [alert for alert in spoken if alert.labels in firing | resolved]

    def note_sent(self, at_ms: int, alerts: Sequence[Alert]) -> None:
        """Note what was sent to the receiver."""
        self.notified |= {alert.labels for alert in alerts}
        self.notified -= {alert.labels for alert in alerts if alert.ends_ms <= at_ms}
        self.notified_ms = at_ms

    def webhook(self, at_ms: int, alerts: Sequence[Alert], external_url: str) -> Json:
        """Return the body of a notification, version 4."""
        common = set(alerts[0].labels).intersection(*(alert.labels for alert in alerts))
        firing = any(alert.ends_ms > at_ms for alert in alerts)
        first = alerts[0].annotations.items()
        shared = [pair for pair in first if all(pair in one.annotations.items() for one in alerts)]
        names = ", ".join(f'{name}="{value}"' for name, value in self.labels)
        return {
            "receiver": self.route.receiver,
            "status": "firing" if firing else "resolved",
            "alerts": [alert.to_webhook(at_ms) for alert in alerts],
            "groupLabels": dict(self.labels),
            "commonLabels": dict(sorted(common)),
            "commonAnnotations": dict(shared),
            "externalURL": external_url,
            "version": "4",
            "groupKey": f"{{}}:{{{names}}}",
            "truncatedAlerts": 0,
        }


class Groups:
    """All groups; alerts are sorted into them as they come."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.groups: dict[tuple[str, Labels, Labels], Group] = {}

    def add(self, alert: Alert, now_ms: int) -> None:
        """Put a new or changed alert into its group, which is made where there is none."""
        route = self.config.route.find(alert.labels)
        labels = only(alert.labels, route.group_by)
        key = (route.receiver, labels, tuple((matcher.name, matcher.value) for matcher in route.matchers))
        group = self.groups.get(key)
        if group is None:
            if alert.ends_ms <= now_ms:
                return
            due = now_ms + round(route.group_wait_s * 1000)
            group = self.groups[key] = Group(route, labels, due)
        group.alerts[alert.labels] = alert

    def due(self, now_ms: int) -> Group | None:
        """Return the group that is due first, or None where none is due yet."""
        waiting = [group for group in self.groups.values() if group.due_ms <= now_ms]
        return min(waiting, key=lambda group: group.due_ms, default=None)

    def settle(self, group: Group) -> None:
        """Set when the group is looked at next; forget what has been resolved, and an empty group."""
        at_ms = group.due_ms
        group.due_ms = at_ms + round(group.route.group_interval_s * 1000)
        for labels, alert in list(group.alerts.items()):
            if alert.ends_ms <= at_ms and labels not in group.notified:
                del group.alerts[labels]
        if not group.alerts:
            self.groups = {key: one for key, one in self.groups.items() if one is not group}
