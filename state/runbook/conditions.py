"""Stop conditions and the bake as a runbook states them (docs/stop-conditions.md)."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator, model_validator

from state.runbook.promql import problem_of
from state.runbook.rate_windows import window_problem
from state.runbook.units import Model, Seconds, Threshold
from state.view.enums import Tier


class OnTrip(StrEnum):
    """What a tripped condition asks for."""

    HOLD = "hold"
    ASK = "ask"
    ROLLBACK = "rollback"


class SecondSource(Model):
    """Another source of the same truth, for example the ingress. Where the two disagree nobody knows: a hold."""

    bad: str | None = None
    good: str | None = None
    total: str | None = None
    value: str | None = None
    bad_absent_is_zero: bool = False

    @property
    def main(self) -> str:
        """The query that is held against the limit, or against total."""
        return self.bad or self.good or self.value or ""


class Baseline(Model):
    """What a condition is compared with: its own queries, earlier. The threshold is then a floor.

    Fewer than ``min_events`` there, or no number: not comparable, which is blind and never a pass.
    """

    offset: Seconds | Literal["launch"] = "launch"
    """``1d`` or ``7d`` for the same time a day or a week ago; ``launch`` for the time before the launch."""
    factor: float = Field(default=2.0, gt=1)
    """Breached when over the threshold and over this many times the baseline."""
    span: Seconds = 1800.0
    """How long the time is that the baseline is taken from."""


class StopCondition(Model):
    """A ratio or a value over Prometheus history, with a threshold and a duration."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    title: str
    env: Tier = Tier.PRODUCTION
    bad: str | None = None
    good: str | None = None
    """In place of ``bad:``, with ``below:``, for a share of successes."""
    total: str | None = None
    """For a ratio: events per second that were bad, and all of them. With ``increase()`` in both: events."""
    value: str | None = None
    """For a value: one number, such as a latency in seconds."""
    unit: Literal["ratio", "seconds", "count"] = "ratio"
    threshold: Threshold | None = None
    """Breached when strictly greater."""
    below: Threshold | None = None
    """In place of ``threshold``: a lower bound (orders per minute, a share of successes); less is a breach."""
    warn: Threshold | None = None
    """A level before the limit, shown beside the condition. It has no power."""
    for_: Seconds = Field(alias="for")
    window: Seconds = 60.0
    """The rate window of the queries: at least four scrapes, at most a quarter of ``for`` or those four scrapes."""
    scrape: Seconds = 15.0
    """How often Prometheus scrapes what the queries read."""
    min_events: int = 20
    """Fewer events in the window are NO_TRAFFIC."""
    bad_absent_is_zero: bool = False
    reduce: Literal["max", "min", "sum", "any", "all"] | None = None
    max_age: Seconds = 60.0
    warmup: Seconds = 60.0
    min_coverage: float = Field(default=0.8, gt=0, le=1)
    """How much of a breach must be seen for lost scrapes to count; with 1 only seen time does."""
    on_trip: OnTrip = OnTrip.ASK
    rollback_after: Seconds = 30.0
    """With ``on_trip: rollback``: a visible countdown, which a hold stops."""
    blind_grace: Seconds = 120.0
    second: SecondSource | None = None
    """A second source that must agree."""
    baseline: Baseline | None = None
    """What the values are compared with, where the condition is relative."""
    shadow: bool = False
    """Evaluated and shown, without power: for a condition that is new."""

    @property
    def main(self) -> str:
        """The query that is held against the limit, or against total."""
        return self.bad or self.good or self.value or ""

    @property
    def query(self) -> str:
        """Its queries as one text."""
        return self.value or f"{self.main} / {self.total}"

    @property
    def limit(self) -> float:
        """What a value must not go beyond: above it, or below where it is a lower bound."""
        return self.threshold if self.threshold is not None else self.below or 0.0

    @model_validator(mode="after")
    def _shape(self) -> StopCondition:
        _parts(self, "a condition", "value: (with total: left out)")
        if (self.threshold is None) == (self.below is None):
            raise ValueError("a condition has either threshold: or below:")
        if self.good is not None and (self.below is None or self.bad_absent_is_zero):
            raise ValueError(
                "good: is a share of successes: it goes with below:, and not with bad_absent_is_zero:"
            )
        if problem := window_problem(self.window, self.scrape, self.for_):
            raise ValueError(problem)
        return self

    @model_validator(mode="after")
    def _second(self) -> StopCondition:
        two = self.second
        if two is None:
            return self
        _parts(two, "second:", "value:, as the condition itself has")
        if (two.value is None) != (self.value is None) or (two.good is None) != (self.good is None):
            raise ValueError("second: has bad: and total:, or value:, as the condition itself has")
        return self


def _parts(told: StopCondition | SecondSource, who: str, alone: str) -> None:
    """Refuse anything but a share of two queries or one value."""
    share = (told.bad is None) != (told.good is None) and told.total is not None and told.value is None
    value = told.value is not None and told.bad is None and told.good is None and told.total is None
    if not (share or value):
        raise ValueError(f"{who} has either bad: (or good:) and total:, or {alone}")


class Monitors(Model):
    """What must hold of the Prometheus that judges production: monitor the monitors, all the time.

    While it doesn't, no stop condition is OK: what they see can't be trusted. Item 5.3 judges the same once.
    """

    up: str
    """The release's scrape targets: ``up{namespace="..."}``. Each must be 1."""
    canary: str
    """A query that must give a number above zero while the platform has any traffic."""
    counters: tuple[str, ...] = ()
    """Counters, as selectors, which must not jump back and forth: several processes behind one target."""
    skew: Seconds = 2.0
    """How far the clocks of console and Prometheus may be apart."""
    max_age: Seconds = 60.0
    """How old the newest scrape may be."""
    scrape: Seconds = 15.0
    span: Seconds = 600.0
    """How far back counters are looked at."""
    every: Seconds = 30.0
    """How often the engine looks. What two looks in a row find wrong is told."""
    rules_every: Seconds = 300.0
    """How often the metrics of the alert rules are looked for."""
    ignored_metrics: tuple[str, ...] = ()
    """Metrics of alert rules that exist only after their first event, such as an error."""

    @field_validator("up", "canary", "counters")
    @classmethod
    def _promql(cls, told: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for query in (told,) if isinstance(told, str) else told:
            if problem := problem_of(query):
                raise ValueError(f"PromQL: {problem}")
        return told


class Bake(Model):
    """The watch after the production release (SOP item 9.4)."""

    minimum: Seconds = 1800.0
    maximum: Seconds = 3600.0
    """After this long without the minimum seen good, the captain is asked to extend or to finish."""
    interval: Seconds = 15.0
    """Seconds between two evaluations."""
    settle: Seconds = 300.0
    """How long the clock stands still after a pod restarted or was killed."""
    ignored_alerts: dict[str, str] = {}
    """Labels of alerts that say nothing bad: one that fits is enough."""
    monitors: Monitors | None = None
    """What watches production's Prometheus; without it nobody does."""

    @model_validator(mode="after")
    def _order(self) -> Bake:
        if self.maximum < self.minimum:
            raise ValueError("the maximum of the bake is at least its minimum")
        return self
