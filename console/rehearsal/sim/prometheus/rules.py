"""Alerting rules: their states are worked out from history when somebody asks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from console.rehearsal.sim.prometheus.answers import number, stamp
from console.rehearsal.sim.prometheus.columns import Row, Scalar, Vector, nameless
from console.rehearsal.sim.prometheus.evaluate import at_steps
from console.rehearsal.sim.prometheus.series import Labels, SampleSource, label, labels_of
from console.rehearsal.sim.prometheus.tree import QueryError
from state.base.json import Json

_FIRST_LOOK_BACK_MS = 600_000
_LONGEST_STRETCH_STEPS = 2_000


class AlertState(Enum):
    """What a rule or one of its alerts is."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A rule as its file gives it; ``for_s`` in seconds."""

    name: str
    expr: str
    for_s: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    group: str = "rules"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of a rule: pending or firing since ``active_at_ms``."""

    labels: Labels
    annotations: Mapping[str, str]
    state: AlertState
    active_at_ms: int
    value: float

    def to_json(self) -> Json:
        """Return the alert as ``/api/v1/alerts`` shows it."""
        return {
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "state": self.state.value,
            "activeAt": stamp(self.active_at_ms),
            "value": number(self.value),
        }


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """A rule with what it came to at the last evaluation."""

    rule: AlertRule
    alerts: tuple[Alert, ...]
    error: str
    evaluated_ms: int

    @property
    def state(self) -> AlertState:
        """Return the worst state of the rule's alerts."""
        states = {alert.state for alert in self.alerts}
        if AlertState.FIRING in states:
            return AlertState.FIRING
        return AlertState.PENDING if states else AlertState.INACTIVE

    def to_json(self) -> Json:
        """Return the rule as ``/api/v1/rules`` shows it."""
        return {
            "state": self.state.value,
            "name": self.rule.name,
            "query": self.rule.expr,
            "duration": self.rule.for_s,
            "keepFiringFor": 0,
            "labels": dict(self.rule.labels),
            "annotations": dict(self.rule.annotations),
            "alerts": [alert.to_json() for alert in self.alerts],
            "health": "err" if self.error else "ok",
            **({"lastError": self.error} if self.error else {}),
            "evaluationTime": 0.0004,
            "lastEvaluation": stamp(self.evaluated_ms),
            "type": "alerting",
        }


_Active = dict[Labels, tuple[int, float]]
"""By the labels of a series: since when it is there, in milliseconds, and its newest value."""


class RuleBook:
    """Rules with their states, brought up to date to the time at which they are asked for.

    A rule is evaluated at every multiple of ``interval_ms``, as the real server would have done meanwhile:
    a state doesn't depend on how often somebody asks. The first question looks back ten minutes more than
    the longest ``for``.
    """

    def __init__(self, source: SampleSource, rules: Iterable[AlertRule], interval_ms: int = 15_000) -> None:
        self._source = source
        self._interval_ms = interval_ms
        self._rules: list[AlertRule] = list(rules)
        self._active: list[_Active] = [{} for _ in self._rules]
        self._errors = [""] * len(self._rules)
        self._evaluated_ms: int | None = None

    def at(self, now_ms: int) -> list[RuleStatus]:
        """Return every rule's state at ``now_ms``; a time that lies back starts over."""
        last = now_ms // self._interval_ms * self._interval_ms
        if self._evaluated_ms is None or last < self._evaluated_ms:
            self._active = [{} for _ in self._rules]
            longest = max((rule.for_s for rule in self._rules), default=0.0)
            self._evaluated_ms = last - _FIRST_LOOK_BACK_MS - round(longest * 1000)
        earliest = last - _LONGEST_STRETCH_STEPS * self._interval_ms
        first = max(self._evaluated_ms, earliest) + self._interval_ms
        steps = range(first, last + 1, self._interval_ms)
        if steps:
            for index, rule in enumerate(self._rules):
                self._advance(index, rule, steps)
        self._evaluated_ms = last
        return [self._status(index, rule, last) for index, rule in enumerate(self._rules)]

    def _advance(self, index: int, rule: AlertRule, steps: range) -> None:
        try:
            value = at_steps(self._source, rule.expr, steps)
        except QueryError as problem:
            self._errors[index] = str(problem)
            return
        self._errors[index] = ""
        rows: list[Row] = value.rows if isinstance(value, Vector) else []
        if isinstance(value, Scalar):
            rows = [Row((), list(value.values))]
        active = self._active[index]
        known = {nameless(row.labels): row.values for row in rows}
        for labels in [one for one in active if one not in known]:
            del active[labels]
        for labels, values in known.items():
            since, newest = active.get(labels, (0, None))
            for step, one in zip(steps, values, strict=True):
                since, newest = (since if newest is not None else step, one) if one is not None else (0, None)
            if newest is None:
                active.pop(labels, None)
            else:
                active[labels] = (since, newest)

    def _status(self, index: int, rule: AlertRule, now_ms: int) -> RuleStatus:
        alerts: list[Alert] = []
        for labels, (since, value) in self._active[index].items():
            firing = now_ms - since >= rule.for_s * 1000
            own = dict(labels) | {k: _filled(v, labels, value) for k, v in rule.labels.items()}
            alerts.append(
                Alert(
                    labels_of([*own.items(), ("alertname", rule.name)]),
                    {k: _filled(v, labels, value) for k, v in rule.annotations.items()},
                    AlertState.FIRING if firing else AlertState.PENDING,
                    since,
                    value,
                )
            )
        return RuleStatus(rule, tuple(alerts), self._errors[index], now_ms)


_TEMPLATE = re.compile(r"\{\{\s*\$(value|labels\.(\w+))\s*(?:\|\s*(\w+)\s*)?\}\}")


def _filled(template: str, labels: Labels, value: float) -> str:
    """Return a template with ``$value`` and ``$labels.x``; of the filters only percentages are known."""

    def value_of(match: re.Match[str]) -> str:
        if match[2]:
            return label(labels, match[2])
        return f"{value * 100:.4g}%" if match[3] == "humanizePercentage" else f"{value:.4g}"

    return _TEMPLATE.sub(value_of, template)


def rules_json(statuses: Iterable[RuleStatus], interval_ms: int) -> Json:
    """Return the data of ``/api/v1/rules``."""
    groups: dict[str, list[RuleStatus]] = {}
    for status in statuses:
        groups.setdefault(status.rule.group, []).append(status)
    return {
        "groups": [
            {
                "name": name,
                "file": f"/etc/prometheus/rules/{name}.yml",
                "rules": [member.to_json() for member in members],
                "interval": interval_ms / 1000,
                "limit": 0,
                "evaluationTime": 0.002,
                "lastEvaluation": stamp(members[0].evaluated_ms),
            }
            for name, members in groups.items()
        ]
    }


def posts(statuses: Iterable[RuleStatus], now_ms: int) -> list[Json]:
    """Return firing alerts as Prometheus posts them to Alertmanager, valid for four minutes."""
    return [
        {
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "startsAt": stamp(alert.active_at_ms),
            "endsAt": stamp(now_ms + 240_000),
            "generatorURL": "",
        }
        for status in statuses
        for alert in status.alerts
        if alert.state is AlertState.FIRING
    ]
