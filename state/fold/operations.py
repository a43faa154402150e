"""Events of operations: intent, start, steps, output, abort, end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from state.base.json import integer, obj, text, texts
from state.events.event import Event, Kind
from state.fold.launch import deviate, pairs
from state.fold.step import Steps
from state.view.enums import OperationKind, OperationState
from state.view.launch import GoodRevision, LaunchView, OperationView, StepView

OUTPUT_LINES = 200


def _intended(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    good = obj(body.get("good"))
    operation = OperationView(
        seq=event.seq,
        id=text(body, "id"),
        kind=text(body, "kind"),
        env=text(body, "env"),
        title=text(body, "title"),
        actor=event.actor,
        state=OperationState.INTENDED,
        commands=texts(body.get("commands")),
        from_what=text(body, "from"),
        to_what=text(body, "to"),
        intended_us=event.wall_us,
        timeout_s=integer(body, "timeout_s"),
        good=GoodRevision(
            integer(good, "number"),
            text(good, "status"),
            text(good, "manifest_sha"),
            pairs(good.get("images")),
        )
        if good
        else None,
    )
    view = replace(view, operations=(*view.operations, operation))
    override = obj(body.get("override"))
    if override:
        view = deviate(
            view,
            event,
            f"{operation.id} overridden with {text(override, 'second')}: {text(override, 'reason')}",
        )
    return view


def _change(view: LaunchView, event: Event, change: Callable[[OperationView], OperationView]) -> LaunchView:
    return replace(view, operations=tuple(change(o) if o.seq == event.ref else o for o in view.operations))


def _started(view: LaunchView, event: Event) -> LaunchView:
    return _change(
        view,
        event,
        lambda o: replace(
            o, state=OperationState.RUNNING, pid=integer(event.body, "pid"), started_us=event.wall_us
        ),
    )


def _step(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    step = StepView(text(body, "name"), text(body, "state"), text(body, "detail"), event.wall_us)

    def put(operation: OperationView) -> OperationView:
        names = [s.name for s in operation.steps]
        if step.name in names:
            steps = tuple(step if s.name == step.name else s for s in operation.steps)
        else:
            steps = (*operation.steps, step)
        return replace(operation, steps=steps)

    return _change(view, event, put)


def _output(view: LaunchView, event: Event) -> LaunchView:
    lines = texts(event.body.get("lines"))
    return _change(view, event, lambda o: replace(o, output=(*o.output, *lines)[-OUTPUT_LINES:]))


def _aborted(view: LaunchView, event: Event) -> LaunchView:
    view = deviate(view, event, "operation aborted")
    return _change(view, event, lambda o: replace(o, abort_by=event.actor))


def _finished(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    state = OperationState(text(body, "state", "unknown"))
    view = _change(
        view,
        event,
        lambda o: replace(
            o,
            state=state,
            verdict=text(body, "verdict"),
            revision=integer(body, "revision"),
            offers=texts(body.get("offers")),
            finished_us=event.wall_us,
        ),
    )
    ended = next((o for o in view.operations if o.seq == event.ref), None)
    if ended is not None and (ended.kind == OperationKind.ROLLBACK or state is not OperationState.SUCCEEDED):
        view = deviate(view, event, f"{ended.id} {state}: {ended.verdict}")
    return view


def _unknown(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    view = _change(
        view,
        event,
        lambda o: replace(
            o,
            state=OperationState.UNKNOWN,
            verdict=text(body, "verdict"),
            revision=integer(body, "revision"),
            offers=texts(body.get("offers")),
            finished_us=event.wall_us,
        ),
    )
    return deviate(view, event, f"an operation's end was not seen: {text(body, 'verdict')}")


STEPS: Steps = {
    Kind.OPERATION_INTENDED: _intended,
    Kind.OPERATION_STARTED: _started,
    Kind.OPERATION_STEP: _step,
    Kind.OPERATION_OUTPUT: _output,
    Kind.OPERATION_ABORTED: _aborted,
    Kind.OPERATION_FINISHED: _finished,
    Kind.OPERATION_UNKNOWN: _unknown,
}
