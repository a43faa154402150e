"""The facts of a launch from its events: the log is folded once, and what a report tells is gathered on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from state.base.frozen import remake
from state.base.numbers import plural
from state.events.bake import (
    BakeExtended,
    BakeProgress,
    BakeStarted,
    ConditionChanged,
    ConditionCountdown,
    ConditionSamples,
)
from state.events.bodies import body_of
from state.events.event import REDACTED_BODY, Body, Event
from state.events.gates import CheckStarted
from state.events.log import LogRedacted
from state.events.operations import OperationIntended, OperationOutput, OperationStep
from state.events.world import PodChanged, PodGone
from state.fold import apply, line_of
from state.fold.severity import milestone, severity
from state.log.verify import VerifyReport
from state.report.attendance import Attendance
from state.report.facts import LaunchReport, Moment, Proof, Scope
from state.report.judged import Judged, stages_of
from state.report.measured import Measured
from state.report.outcome import summary, ways_back
from state.report.run_facts import Mark, OperationFacts, OverrideFacts, StepFacts
from state.report.watch_course import Course
from state.view.enums import ConditionState
from state.view.launch import LaunchView, OperationView
from state.view.polls import PollView
from state.view.requests import RequestView

_ALSO = frozenset(
    {
        *(OperationIntended.KIND, BakeStarted.KIND, BakeExtended.KIND, ConditionCountdown.KIND),
        *(LogRedacted.KIND,),
    }
)
"""What the timeline has beside milestones: what the engine began by itself."""
_PASSED_OVER = frozenset(
    one.KIND for one in (ConditionSamples, PodChanged, PodGone, CheckStarted, OperationOutput)
)
"""Most of a log: a report has nothing of them but what the view keeps."""


@dataclass(slots=True)
class _Gathered:
    """What was met so far."""

    judged: Judged = field(default_factory=Judged)
    course: Course = field(default_factory=Course)
    attendance: Attendance = field(default_factory=Attendance)
    measured: Measured = field(default_factory=Measured)
    timeline: list[Moment] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    intents: dict[int, OperationIntended] = field(default_factory=dict)
    steps: dict[int, list[StepFacts]] = field(default_factory=dict)
    """By operation, every step in each of its states."""
    requests: dict[int, RequestView] = field(default_factory=dict)
    polls: dict[int, PollView] = field(default_factory=dict)

    def take(self, before: LaunchView, event: Event, after: LaunchView) -> None:
        """Take in one more event."""
        # A view keeps the newest of these alone.
        if after.requests is not before.requests:
            self.requests.update((one.seq, one) for one in after.requests)
        if after.polls is not before.polls:
            self.polls.update((one.seq, one) for one in after.polls)
        if event.kind in _PASSED_OVER:
            return
        body = body_of(event)
        self.measured.take(event, body)
        self.judged.take(before, event, body, after)
        self.course.take(before, event, body, after)
        self.attendance.take(before, event, body)
        if isinstance(body, OperationIntended):
            self.intents[event.seq] = body
        if isinstance(body, OperationStep) and event.ref in self.intents:
            step = remake(StepFacts, body, at_us=event.wall_us)
            self.steps.setdefault(event.ref, []).append(step)
        if after.marks is not before.marks and after.marks:
            mark = after.marks[-1]
            self.marks.append(remake(Mark, mark, severity=severity(body)))
        self._moment(before, event, body)

    def _moment(self, before: LaunchView, event: Event, body: Body) -> None:
        if not _tells(before, event, body):
            return
        gone = event.body == REDACTED_BODY
        line = line_of(event, before)
        words = "taken out of the log" if gone else line.words
        self.timeline.append(remake(Moment, line, at_us=event.wall_us, words=words))


def _tells(before: LaunchView, event: Event, body: Body) -> bool:
    """Return whether an event is a moment of the timeline."""
    if isinstance(body, ConditionChanged):
        known = before.condition(body.id)
        tripped = body.state is ConditionState.TRIPPED
        return tripped and (known is None or known.state is not ConditionState.TRIPPED)
    return event.kind in _ALSO or (event.kind != BakeProgress.KIND and milestone(event))


def launch_report(events: Iterable[Event], verified: VerifyReport) -> LaunchReport:
    """Return what a report tells of a launch, from its events alone, judged at the newest one."""
    view, found = LaunchView(), _Gathered()
    for event in events:
        before, view = view, apply(view, event)
        found.take(before, event, view)
    course, attendance = found.course, found.attendance
    scope = _scope(view, attendance.ended_us)
    course.end(scope.ended_us)
    attendance.end(view.wall_us)
    gates, accounts = found.judged.gates(view), attendance.accounts(view)
    backs, conditions = ways_back(view, course.trips.values()), course.conditions()
    held_s = attendance.held_s()
    lines = summary(
        view,
        scope,
        gates=gates,
        backs=backs,
        accounts=accounts,
        consoles=attendance.consoles,
        holds=attendance.holds,
        held_s=held_s,
        bakes=course.bakes,
    )
    return LaunchReport(
        log_id=view.log_id,
        state=view.state,
        at_us=view.wall_us,
        scope=scope,
        summary=lines,
        way_back=backs,
        timeline=tuple(found.timeline),
        gates=gates,
        gate_changes=tuple(found.judged.gate_changes),
        recyclings=tuple(found.judged.recyclings),
        elsewhere=found.judged.elsewhere(view),
        stages=stages_of(view),
        holds=tuple(attendance.holds),
        held_s=held_s,
        take_overs=tuple(attendance.take_overs),
        notes=tuple(attendance.notes),
        waivers=found.judged.waived(view.wall_us),
        requests=tuple(found.requests.values()),
        request_states=tuple((seq, one.at(view.wall_us)) for seq, one in found.requests.items()),
        polls=tuple(found.polls.values()),
        operations=tuple(_operation(run, found) for run in view.operations),
        conditions=conditions,
        bakes=tuple(course.bakes),
        blindness=course.blindness(),
        blind_s=course.blind_s(),
        curves=found.measured.curves(conditions),
        marks=tuple(found.marks),
        pods=tuple(view.pods.values()),
        ingresses=tuple(view.ingresses.values()),
        deviations=view.deviations,
        runbook_changes=tuple(attendance.runbook_changes),
        accounts=accounts,
        consoles=tuple(attendance.consoles),
        engines=tuple(attendance.engines),
        anchored=tuple(attendance.anchored),
        proof=_proof(view, verified),
    )


def _scope(view: LaunchView, ended_us: int) -> Scope:
    return remake(
        Scope,
        view.scope,
        ended_us=ended_us or view.wall_us,
        environments=tuple((one.tier, one.title) for one in view.environments),
        candidate=view.candidate,
        people=view.people,
    )


def _operation(run: OperationView, found: _Gathered) -> OperationFacts:
    intent = found.intents.get(run.seq)
    override = intent.override if intent is not None else None
    return remake(
        OperationFacts,
        run,
        steps=tuple(found.steps.get(run.seq, ())),
        diff_sha=intent.diff_sha if intent is not None else "",
        inputs_sha=intent.inputs_sha if intent is not None else "",
        parts=intent.parts if intent is not None else (),
        override=remake(OverrideFacts, override) if override is not None else None,
    )


def _proof(view: LaunchView, verified: VerifyReport) -> Proof:
    words = verified.signatures
    return Proof(
        head=view.head,
        events=view.seq,
        unanchored=verified.unanchored,
        signed=words.signed,
        self_declared=words.self_declared,
        keys=tuple(sorted(words.keys.items())),
        closed=verified.closed is not None,
        doubt=view.doubt,
        unknown_kinds=view.unknown_kinds,
        unknown_words=tuple(view.unknown_words.items()),
        strange_fields=tuple(view.strange_fields.items()),
        proves=_proves(verified),
        proves_not=_proves_not(verified),
    )


def _proves(verified: VerifyReport) -> tuple[str, ...]:
    told = ["Whoever kept this head can tell whether any event up to it was changed, left out or put in."]
    if not verified.unanchored:
        told.append("An anchor or a signature covers every event.")
    if verified.signatures.signed:
        told.append(f"{plural(verified.signatures.signed, 'word')} can't come from anybody without the key.")
    return tuple(told)


def _proves_not(verified: VerifyReport) -> tuple[str, ...]:
    told = []
    if verified.unanchored:
        said = plural(verified.unanchored, "newest event is", "newest events are")
        told.append(f"{said} not anchored: compare the head with one that was kept elsewhere.")
    if verified.signatures.self_declared:
        words = plural(verified.signatures.self_declared, "word is", "words are")
        told.append(f"{words} not signed: they are what an account said, whoever sat at it.")
    told.append("That what was written is true: the log has what was seen and said, not what was.")
    return tuple(told)
