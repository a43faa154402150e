"""Events of the launch itself: what was declared, who is attached, holds and endings."""

from __future__ import annotations

from dataclasses import fields
from typing import Protocol, TypeVar

from state.base.frozen import remake, replace
from state.events.bake import BakeFinished, BakeStarted, ConditionChanged
from state.events.declared import (
    ConditionDeclared,
    EnvironmentDeclared,
    GraphDeclared,
    OperationDeclared,
    StageDeclared,
)
from state.events.event import Body, Event, gate_number
from state.events.gates import GateChanged
from state.events.launch import (
    CommandRefused,
    ConsoleClosed,
    ConsoleOpened,
    ConsoleTookOver,
    DeviationFollowedUp,
    EngineStarted,
    EngineStopped,
    LaunchClosed,
    LaunchHeld,
    LaunchOpened,
    LaunchReleased,
    LaunchScrubbed,
    RunbookChanged,
)
from state.events.log import (
    ClockJumped,
    ClockRate,
    LogAnchored,
    LogClosed,
    LogDoubted,
    LogOpened,
    LogRecovered,
    LogRedacted,
    LogWriteFailed,
    NoteAdded,
)
from state.events.operations import OperationFinished, OperationIntended
from state.fold.outdated import second_look
from state.fold.step import no_effect, step
from state.view import attestations
from state.view.enums import ConditionState, LaunchState, Tier
from state.view.launch import (
    CheckView,
    ConditionView,
    ConsoleView,
    DeviationView,
    GraphView,
    HoldView,
    ItemView,
    LaunchView,
    ScopeView,
    SeriesView,
    StageView,
)
from state.view.rollbacks import newest_deploy


class _Named(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Named)

_DECLARED = tuple(one.name for one in fields(ConditionDeclared))

no_effect(LogClosed, LogAnchored, LogWriteFailed, LogRecovered)
no_effect(CommandRefused, ClockJumped, NoteAdded)


def deviate(view: LaunchView, event: Event, what: str) -> LaunchView:
    """Return the view with one more deviation."""
    return replace(
        view, deviations=(*view.deviations, DeviationView(event.seq, what, event.actor, event.wall_us))
    )


def _with(known: tuple[N, ...], new: N) -> tuple[N, ...]:
    """Return what is known with one more, or with it in place of the one of its name; it is the last then."""
    return (*(one for one in known if one.id != new.id), new)


@step(LogOpened)
def _log_opened(view: LaunchView, _event: Event, body: LogOpened) -> LaunchView:
    return replace(view, log_id=body.log_id)


@step(LogDoubted)
def _doubted(view: LaunchView, event: Event, body: LogDoubted) -> LaunchView:
    return replace(deviate(view, event, f"the log is in doubt: {body.reason}"), doubt=body.reason)


@step(LogRedacted)
def _redacted(view: LaunchView, event: Event, body: LogRedacted) -> LaunchView:
    return deviate(view, event, f"event {body.seq} redacted: {body.reason}")


@step(LaunchOpened)
def _opened(view: LaunchView, event: Event, body: LaunchOpened) -> LaunchView:
    scope = remake(ScopeView, body, opened_us=event.wall_us)
    if view.scope.launch_id and body.candidate != view.candidate:
        view = second_look(view, due=False)  # another candidate was promoted, not this one
    return replace(view, scope=scope, people=body.people, candidate=body.candidate)


@step(EnvironmentDeclared)
def _environment(view: LaunchView, _event: Event, body: EnvironmentDeclared) -> LaunchView:
    older = tuple((word, host) for word, host in (("api", body.api), ("admin", body.admin)) if host)
    new = replace(body, hosts=body.hosts or older, api="", admin="")
    known = view.environment(new.tier)
    view = replace(view, environments=(*(e for e in view.environments if e.tier != new.tier), new))
    if known is None or replace(known, title=new.title) == new:
        return view

    def about(item: ItemView) -> bool:
        return new.tier == Tier.PRODUCTION or any(c.counts and c.env == new.tier for c in item.checks)

    return attestations.void(view, about, f"{new.tier} is another place than before")


@step(ConditionDeclared)
def _condition(view: LaunchView, _event: Event, body: ConditionDeclared) -> LaunchView:
    old = view.condition(body.id)
    new = remake(ConditionView, body)
    if old is not None and old.state is ConditionState.TRIPPED:
        # A runbook that was changed takes no trip back: only a person does, or a new release.
        new = replace(old, **{name: getattr(body, name) for name in _DECLARED})
    deploy = newest_deploy(view, body.env)
    new = replace(new, release=deploy.seq if deploy is not None else 0)
    return replace(view, conditions=_with(view.conditions, new))


@step(GraphDeclared)
def _graph(view: LaunchView, _event: Event, body: GraphDeclared) -> LaunchView:
    series = tuple(SeriesView(one.id, one.label) for one in body.series)
    return replace(view, graphs=_with(view.graphs, remake(GraphView, body, series=series)))


@step(OperationDeclared)
def _operation(view: LaunchView, _event: Event, body: OperationDeclared) -> LaunchView:
    return replace(view, operation_specs=_with(view.operation_specs, body))


@step(StageDeclared)
def _stage(view: LaunchView, _event: Event, body: StageDeclared) -> LaunchView:
    checks = tuple(remake(CheckView, check) for check in body.checks)
    return replace(view, stages=_with(view.stages, remake(StageView, body, checks=checks)))


@step(EngineStarted)
def _engine_started(view: LaunchView, event: Event, body: EngineStarted) -> LaunchView:
    return replace(view, engine=event.session, consoles=(), lacks=body.lacks)


@step(EngineStopped)
def _engine_stopped(view: LaunchView, _event: Event, _body: EngineStopped) -> LaunchView:
    return replace(view, engine="", consoles=(), lacks=())


@step(ConsoleOpened)
def _console_opened(view: LaunchView, event: Event, body: ConsoleOpened) -> LaunchView:
    new = ConsoleView(body.id, event.actor, body.tty, since_us=event.wall_us, drives=body.drives)
    return replace(view, consoles=_with(view.consoles, new))


@step(ConsoleClosed)
def _console_closed(view: LaunchView, _event: Event, body: ConsoleClosed) -> LaunchView:
    return replace(view, consoles=tuple(c for c in view.consoles if c.id != body.id))


@step(ConsoleTookOver)
def _console_took_over(view: LaunchView, _event: Event, body: ConsoleTookOver) -> LaunchView:
    return replace(view, consoles=tuple(replace(c, drives=c.id == body.id) for c in view.consoles))


@step(LaunchHeld)
def _held(view: LaunchView, event: Event, body: LaunchHeld) -> LaunchView:
    return replace(view, state=LaunchState.HELD, hold=HoldView(event.actor, body.reason, event.wall_us))


@step(LaunchReleased)
def _released(view: LaunchView, _event: Event, _body: LaunchReleased) -> LaunchView:
    return replace(view, state=LaunchState.RUNNING, hold=None)


@step(LaunchScrubbed)
def _scrubbed(view: LaunchView, event: Event, body: LaunchScrubbed) -> LaunchView:
    view = deviate(view, event, f"launch scrubbed: {body.reason}")
    return replace(view, state=LaunchState.SCRUBBED, hold=None)


@step(LaunchClosed)
def _closed(view: LaunchView, _event: Event, _body: LaunchClosed) -> LaunchView:
    return replace(view, state=LaunchState.CLOSED, hold=None)


@step(DeviationFollowedUp)
def _followed_up(view: LaunchView, _event: Event, body: DeviationFollowedUp) -> LaunchView:
    def follow(one: DeviationView) -> DeviationView:
        if one.seq != body.deviation:
            return one
        return replace(one, owner=body.owner, follow_up=body.text, link=body.link)

    return replace(view, deviations=tuple(follow(one) for one in view.deviations))


_SCOPE = ("scope:", "condition ")
"""What a line of a runbook's difference begins with where window, modules, regions or stop conditions changed."""


def _about_the_scope(item: ItemView) -> bool:
    return any(check.kind.startswith("scope.") for check in item.checks)


@step(RunbookChanged)
def _runbook_changed(view: LaunchView, event: Event, body: RunbookChanged) -> LaunchView:
    view = deviate(view, event, "the runbook changed during the launch")
    if any(line.startswith(_SCOPE) for line in body.diff):
        view = attestations.void(view, _about_the_scope, "the runbook's scope or stop conditions changed")
    gone = frozenset(body.gone)
    return replace(
        view,
        scope=replace(view.scope, runbook_digest=body.digest),
        conditions=tuple(c for c in view.conditions if f"condition {c.id}" not in gone),
        graphs=tuple(g for g in view.graphs if f"graph {g.id}" not in gone),
        operation_specs=tuple(o for o in view.operation_specs if f"operation {o.id}" not in gone),
        stages=tuple(s for s in view.stages if f"stage {s.id}" not in gone),
    )


@step(ClockRate)
def _clock_rate(view: LaunchView, _event: Event, body: ClockRate) -> LaunchView:
    return replace(view, clock_rate=body.rate or 1.0)


def mark(before: LaunchView, event: Event, body: Body) -> str:
    """Return the label of a moment worth jumping to, or nothing; ``before`` is the view that it changed."""
    match body:
        case GateChanged():
            return f"gate {gate_number(event.gate) or 0} {body.to}"
        case OperationIntended():
            return body.id
        case OperationFinished():
            return f"{body.id} {body.state}"
        case ConditionChanged(state=ConditionState.TRIPPED):
            old = before.condition(body.id)
            late = old is not None and 0 < body.release < old.release
            known = late or (old is not None and old.state is ConditionState.TRIPPED)
            return "" if known else f"{body.id} TRIPPED"
        case BakeStarted():
            return "bake"
        case BakeFinished():
            return f"bake {body.outcome}"
        case LaunchHeld():
            return "hold"
        case LaunchScrubbed():
            return "scrub"
        case _:
            return ""
