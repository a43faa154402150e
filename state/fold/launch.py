"""Events of the launch itself: what was declared, who is attached, holds and endings."""

from __future__ import annotations

from dataclasses import replace

from state.base.json import decimal, flag, integer, items, obj, objs, opt_text, text, texts
from state.events.event import Event, Kind
from state.fold.step import Steps
from state.view.enums import ConditionState, LaunchState
from state.view.launch import (
    CandidateView,
    ConditionView,
    ConsoleView,
    DeviationView,
    EnvironmentView,
    GraphView,
    HoldView,
    LaunchView,
    OperationSpecView,
    PersonView,
    ScopeView,
    SeriesView,
    StageView,
)


def pairs(value: object) -> tuple[tuple[str, str], ...]:
    """Return a list of two-text lists as pairs."""
    rows = [texts(row) for row in items(value)]
    return tuple((row[0], row[1]) for row in rows if len(row) == 2)


def numbers(value: object) -> tuple[int, ...]:
    """Return the whole numbers in a list."""
    return tuple(one for one in items(value) if isinstance(one, int) and not isinstance(one, bool))


def deviate(view: LaunchView, event: Event, what: str) -> LaunchView:
    """Return the view with one more deviation (item 10.3)."""
    return replace(
        view, deviations=(*view.deviations, DeviationView(event.seq, what, event.actor, event.wall_us))
    )


def _log_opened(view: LaunchView, event: Event) -> LaunchView:
    return replace(view, log_id=text(event.body, "log_id"))


def _doubted(view: LaunchView, event: Event) -> LaunchView:
    reason = text(event.body, "reason")
    return replace(deviate(view, event, f"the log is in doubt: {reason}"), doubt=reason)


def _redacted(view: LaunchView, event: Event) -> LaunchView:
    return deviate(view, event, f"event {integer(event.body, 'seq')} redacted: {text(event.body, 'reason')}")


def _opened(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    candidate = obj(body.get("candidate"))
    scope = ScopeView(
        text(body, "launch_id"),
        text(body, "title"),
        integer(body, "window_start_us"),
        integer(body, "window_end_us"),
        texts(body.get("modules")),
        texts(body.get("regions")),
        text(body, "runbook_digest"),
        event.wall_us,
    )
    people = tuple(
        PersonView(
            text(p, "id"),
            text(p, "name"),
            texts(p.get("roles")),
            texts(p.get("accounts")),
            texts(p.get("signing_keys")),
        )
        for p in objs(body.get("people"))
    )
    return replace(
        view,
        scope=scope,
        people=people,
        candidate=CandidateView(
            text(candidate, "version"),
            text(candidate, "commit"),
            text(candidate, "chart"),
            pairs(candidate.get("images")),
            text(candidate, "migration_head"),
            flag(candidate, "backward_compatible"),
        ),
    )


def _environment(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    older = tuple((key, text(body, key)) for key in ("api", "admin") if key in body)  # logs of version 1.0
    new = EnvironmentView(
        text(body, "tier"),
        text(body, "title"),
        text(body, "namespace"),
        text(body, "release"),
        text(body, "context"),
        pairs(body.get("hosts")) or older,
    )
    kept = tuple(e for e in view.environments if e.tier != new.tier)
    return replace(view, environments=(*kept, new))


def _condition(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    new = ConditionView(
        text(body, "id"),
        text(body, "title"),
        text(body, "env"),
        text(body, "unit"),
        decimal(body, "threshold") or 0.0,
        integer(body, "for_s"),
        text(body, "on_trip"),
        text(body, "query"),
        shadow=flag(body, "shadow"),
    )
    kept = tuple(c for c in view.conditions if c.id != new.id)
    return replace(view, conditions=(*kept, new))


def _graph(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    series = tuple(SeriesView(text(s, "id"), text(s, "label")) for s in objs(body.get("series")))
    new = GraphView(
        text(body, "id"), text(body, "title"), text(body, "env"), text(body, "unit"),
        opt_text(body, "condition"), series,
    )  # fmt: skip
    return replace(view, graphs=(*(g for g in view.graphs if g.id != new.id), new))


def _operation(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    new = OperationSpecView(
        text(body, "id"), text(body, "kind"), text(body, "env"), text(body, "title"),
        integer(body, "gate"), numbers(body.get("gates")), texts(body.get("items")),
    )  # fmt: skip
    kept = tuple(o for o in view.operation_specs if o.id != new.id)
    return replace(view, operation_specs=(*kept, new))


def _stage(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    new = StageView(text(body, "id"), text(body, "title"), texts(body.get("steps")), texts(body.get("parts")))
    return replace(view, stages=(*(s for s in view.stages if s.id != new.id), new))


def _engine_started(view: LaunchView, event: Event) -> LaunchView:
    return replace(view, engine=event.session, consoles=())


def _engine_stopped(view: LaunchView, event: Event) -> LaunchView:
    return replace(view, engine="", consoles=())


def _console_opened(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    new = ConsoleView(text(body, "id"), event.actor, text(body, "tty"), event.wall_us, flag(body, "drives"))
    return replace(view, consoles=(*(c for c in view.consoles if c.id != new.id), new))


def _console_closed(view: LaunchView, event: Event) -> LaunchView:
    gone = text(event.body, "id")
    return replace(view, consoles=tuple(c for c in view.consoles if c.id != gone))


def _console_took_over(view: LaunchView, event: Event) -> LaunchView:
    driver = text(event.body, "id")
    return replace(view, consoles=tuple(replace(c, drives=c.id == driver) for c in view.consoles))


def _held(view: LaunchView, event: Event) -> LaunchView:
    hold = HoldView(event.actor, text(event.body, "reason"), event.wall_us)
    return replace(view, state=LaunchState.HELD, hold=hold)


def _released(view: LaunchView, event: Event) -> LaunchView:
    return replace(view, state=LaunchState.RUNNING, hold=None)


def _scrubbed(view: LaunchView, event: Event) -> LaunchView:
    view = deviate(view, event, f"launch scrubbed: {text(event.body, 'reason')}")
    return replace(view, state=LaunchState.SCRUBBED, hold=None)


def _closed(view: LaunchView, event: Event) -> LaunchView:
    return replace(view, state=LaunchState.CLOSED, hold=None)


def _runbook_changed(view: LaunchView, event: Event) -> LaunchView:
    view = deviate(view, event, "the runbook changed during the launch")
    gone = frozenset(texts(event.body.get("gone")))
    return replace(
        view,
        scope=replace(view.scope, runbook_digest=text(event.body, "digest")),
        conditions=tuple(c for c in view.conditions if f"condition {c.id}" not in gone),
        graphs=tuple(g for g in view.graphs if f"graph {g.id}" not in gone),
        operation_specs=tuple(o for o in view.operation_specs if f"operation {o.id}" not in gone),
        stages=tuple(s for s in view.stages if f"stage {s.id}" not in gone),
    )


def _clock_rate(view: LaunchView, event: Event) -> LaunchView:
    return replace(view, clock_rate=decimal(event.body, "rate") or 1.0)


def _same(view: LaunchView, event: Event) -> LaunchView:
    return view


def mark(before: LaunchView, event: Event) -> str:
    """Return the label of a moment worth jumping to, or nothing; ``before`` is the view that it changed."""
    body = event.body
    match event.kind:
        case Kind.GATE_CHANGED:
            return f"gate {int((event.gate or 'g00')[1:])} {text(body, 'to')}"
        case Kind.OPERATION_INTENDED:
            return text(body, "id")
        case Kind.OPERATION_FINISHED:
            return f"{text(body, 'id')} {text(body, 'state')}"
        case Kind.CONDITION_CHANGED if text(body, "state") == ConditionState.TRIPPED:
            old = before.condition(text(body, "id"))
            known = old is not None and old.state is ConditionState.TRIPPED
            return "" if known else f"{text(body, 'id')} TRIPPED"
        case Kind.BAKE_STARTED:
            return "bake"
        case Kind.BAKE_FINISHED:
            return f"bake {text(body, 'outcome')}"
        case Kind.LAUNCH_HELD:
            return "hold"
        case Kind.LAUNCH_SCRUBBED:
            return "scrub"
        case _:
            return ""


STEPS: Steps = {
    Kind.LOG_OPENED: _log_opened,
    Kind.LOG_CLOSED: _same,
    Kind.LOG_ANCHORED: _same,
    Kind.CANDIDATE_SEEN: _same,
    Kind.LOG_REDACTED: _redacted,
    Kind.LOG_DOUBTED: _doubted,
    Kind.LOG_WRITE_FAILED: _same,
    Kind.LOG_RECOVERED: _same,
    Kind.LAUNCH_OPENED: _opened,
    Kind.ENVIRONMENT_DECLARED: _environment,
    Kind.CONDITION_DECLARED: _condition,
    Kind.GRAPH_DECLARED: _graph,
    Kind.OPERATION_DECLARED: _operation,
    Kind.STAGE_DECLARED: _stage,
    Kind.ENGINE_STARTED: _engine_started,
    Kind.ENGINE_STOPPED: _engine_stopped,
    Kind.CONSOLE_OPENED: _console_opened,
    Kind.CONSOLE_CLOSED: _console_closed,
    Kind.CONSOLE_TOOK_OVER: _console_took_over,
    Kind.COMMAND_REFUSED: _same,
    Kind.LAUNCH_HELD: _held,
    Kind.LAUNCH_RELEASED: _released,
    Kind.LAUNCH_SCRUBBED: _scrubbed,
    Kind.LAUNCH_CLOSED: _closed,
    Kind.RUNBOOK_CHANGED: _runbook_changed,
    Kind.CLOCK_JUMPED: _same,
    Kind.CLOCK_RATE: _clock_rate,
    Kind.NOTE_ADDED: _same,
}

__all__ = ["STEPS", "deviate", "mark", "numbers", "pairs"]
