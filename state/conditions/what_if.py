"""A recorded launch judged again by other stop conditions: what they would have done, from the log alone.

The same evaluator, latch, mutes and release times as in the launch; only thresholds, durations and the like are
the other runbook's. What the log doesn't hold samples of can't be judged again, and is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from state.conditions.evaluate import SECOND_US
from state.conditions.look_back import began_earlier, reach_us
from state.conditions.points import ConditionSpec, Source
from state.conditions.release import Gathered, changed_body, distrust, judge, release_of, replaced, spec_of
from state.conditions.samples import Moment, read, source_of
from state.events.bake import ConditionAcknowledged, ConditionChanged, ConditionMuted, ConditionSamples
from state.events.bodies import body_of
from state.events.event import Event
from state.fold import apply
from state.runbook.conditions import StopCondition
from state.view.enums import ConditionState
from state.view.launch import ConditionView, LaunchView
from state.view.trips import armed


@dataclass(frozen=True, slots=True)
class Turn:
    """A state that a condition entered."""

    at_us: int
    state: ConditionState
    value: float | None
    reason: str


@dataclass(slots=True)
class Course:
    """How one condition went through a launch."""

    turns: list[Turn] = field(default_factory=list)
    blind_us: int = 0
    longest_s: int = 0
    """The longest breach."""
    highest: float | None = None
    _last_us: int = 0
    _blind: bool = False

    def note(
        self, at_us: int, state: ConditionState, value: float | None, elapsed_s: int, reason: str
    ) -> None:
        """Take in what was judged at a moment of a release."""
        self.go_on(at_us)
        self._blind = state.blind
        self.longest_s = max(self.longest_s, elapsed_s)
        if value is not None:
            self.highest = value if self.highest is None else max(self.highest, value)
        if not self.turns or self.turns[-1].state is not state:
            self.turns.append(Turn(at_us, state, value, reason))

    def go_on(self, at_us: int) -> None:
        """Let it stay as it is until a moment."""
        if self._blind:
            self.blind_us += max(0, at_us - self._last_us)
        self._last_us = max(self._last_us, at_us)

    def trips(self) -> list[Turn]:
        """Return when it tripped."""
        return [turn for turn in self.turns if turn.state is ConditionState.TRIPPED]


@dataclass(frozen=True, slots=True)
class Again:
    """A condition as it was, and as it would have been."""

    condition: StopCondition
    recorded: Course | None
    """None where the launch didn't have it."""
    judged: Course
    problem: str = ""
    """Why it can't be judged again."""

    @property
    def differs(self) -> bool:
        """Whether it would have tripped at another time, or not, or at all."""
        before = [] if self.recorded is None else [t.at_us for t in self.recorded.trips()]
        return before != [t.at_us for t in self.judged.trips()]


def rejudge(events: Iterable[Event], conditions: Sequence[StopCondition], step_s: float) -> list[Again]:
    """Judge a launch's samples by ``conditions``; ``step_s`` is the interval at which they were taken."""
    work = _Work(conditions, step_s)
    for event in events:
        work.take(event)
    return [work.result(condition) for condition in conditions]


class _Work:
    def __init__(self, conditions: Sequence[StopCondition], step_s: float) -> None:
        self._conditions = conditions
        self._step_us = int(step_s * SECOND_US)
        self._specs = {c.id: spec_of(c, step_s) for c in conditions}
        self._view = LaunchView()
        self._again: dict[str, ConditionView] = {c.id: _view_of(c) for c in conditions}
        self._moments: dict[str, dict[int, Moment]] = {c.id: {} for c in conditions}
        self._recorded: dict[str, Course] = {}
        self._courses = {c.id: Course() for c in conditions}

    def take(self, event: Event) -> None:
        self._view = apply(self._view, event)
        match body_of(event):
            case ConditionSamples() as body:
                self._sampled(event, body)
            case ConditionChanged() as body:
                self._was(body)
            case ConditionAcknowledged() as body:
                self._acknowledged(event, body)
            case ConditionMuted() as body:
                self._muted(event, body)

    def _was(self, body: ConditionChanged) -> None:
        known = self._view.condition(body.id)
        if known is not None and known.active:
            course = self._recorded.setdefault(known.id, Course())
            course.note(known.evaluated_us, known.state, known.value, known.elapsed_s, known.reason)

    def _sampled(self, event: Event, body: ConditionSamples) -> None:
        at_us = body.at_us
        # The engine judges after the newest of its samples, with the time at which it looks.
        now_us = max(at_us, min(event.wall_us, at_us + self._step_us))
        for course in self._recorded.values():
            course.go_on(now_us)
        for name, moment in read(body.values).items():
            if name in self._moments:
                self._moments[name][at_us] = moment
                self._judge(name, at_us, now_us)

    def _judge(self, name: str, at_us: int, now_us: int) -> None:
        old, spec = self._again[name], self._specs[name]
        release = release_of(self._view, old.env, now_us)
        if old.release != release.seq:
            old = armed(old, release.seq, now_us)
        gathered = _gathered(spec, self._moments[name], at_us, now_us)
        judged = judge(spec, old, release, gathered, now_us, doubt=distrust(self._view, old.env))
        if release.active:
            self._courses[name].note(now_us, judged.state, judged.value, judged.elapsed_s, judged.reason)
        self._again[name] = replaced(old, changed_body(old.id, old, judged, now_us, release))

    def _acknowledged(self, event: Event, body: ConditionAcknowledged) -> None:
        old = self._again.get(body.id)
        if old is not None and old.state is ConditionState.TRIPPED:
            now_us = event.wall_us
            self._again[old.id] = replace(
                old, state=ConditionState.OK, since_us=now_us, acknowledged_us=now_us
            )

    def _muted(self, event: Event, body: ConditionMuted) -> None:
        old = self._again.get(body.id)
        if old is not None:
            self._again[old.id] = replace(
                old, muted_until_us=body.until_us, muted_by=event.actor, muted_why=body.reason
            )

    def result(self, condition: StopCondition) -> Again:
        return Again(
            condition, self._recorded.get(condition.id), self._courses[condition.id], self._problem(condition)
        )

    def _problem(self, condition: StopCondition) -> str:
        was = self._view.condition(condition.id)
        moments = self._moments[condition.id]
        if was is None:
            return "the launch had no condition of this id: nothing was recorded for it"
        if not moments:
            return "the log holds no samples of it"
        query = condition.query
        if query != was.query:
            return "its queries are not those that were recorded: the samples answer another question"
        newest = moments[max(moments)]
        if condition.baseline is not None and not newest.relative:
            return "no baseline was recorded for it"
        if condition.second is not None and newest.second is None:
            return "no second source was recorded for it"
        return ""


def _view_of(condition: StopCondition) -> ConditionView:
    return ConditionView(
        id=condition.id,
        title=condition.title,
        env=condition.env.value,
        unit=condition.unit,
        threshold=condition.limit,
        for_s=round(condition.for_),
        on_trip=condition.on_trip.value,
        query="",
        shadow=condition.shadow,
        below=condition.below is not None,
        warn=condition.warn,
    )


def _gathered(spec: ConditionSpec, moments: dict[int, Moment], at_us: int, now_us: int) -> Gathered:
    """Return the recorded samples until ``at_us`` as far back as they matter, as the engine asks for them.

    Later ones may be there already: what a failed query couldn't tell is recorded once more when it is known.
    """
    oldest_us, since_us = min(moments), now_us - reach_us(spec)
    from_us = since_us
    while True:
        recent = {at: moments[at] for at in sorted(moments) if from_us <= at <= at_us}
        found = _from(recent)
        if from_us <= oldest_us or not began_earlier(spec, found):
            return replace(found, since_us=since_us)
        from_us -= 2 * (now_us - from_us)


def _from(recent: dict[int, Moment]) -> Gathered:
    ratio = any(moment.ratio for moment in recent.values())
    source = source_of({at: (m.main, m.total) for at, m in recent.items()}, ratio=ratio)
    seconds = {at: m.second for at, m in recent.items() if m.second is not None}
    second: Source | None = source_of(seconds, ratio=ratio) if seconds else None
    baseline = {at: m.baseline if isinstance(m.baseline, float) else None for at, m in recent.items()}
    return Gathered(source, second, baseline)
