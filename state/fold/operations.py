"""Events of operations: intent, start, steps, output, abort, end."""

from __future__ import annotations

from collections.abc import Callable

from state.base.frozen import remake, replace
from state.events.event import Event
from state.events.operations import (
    OperationAborted,
    OperationFinished,
    OperationIntended,
    OperationOutput,
    OperationStarted,
    OperationStep,
    OperationUnknown,
)
from state.fold.launch import deviate
from state.fold.requests import used
from state.fold.step import step
from state.view.enums import OperationKind, OperationState
from state.view.launch import LaunchView, OperationView, StepView
from state.view.trips import armed, images_of

OUTPUT_LINES = 200


@step(OperationIntended)
def _intended(view: LaunchView, event: Event, body: OperationIntended) -> LaunchView:
    operation = remake(
        OperationView,
        body,
        seq=event.seq,
        actor=event.actor,
        state=OperationState.INTENDED,
        from_what=body.from_,
        to_what=body.to,
        intended_us=event.wall_us,
        images=images_of(view) if body.kind == OperationKind.DEPLOY else (),
    )
    view = replace(view, operations=(*view.operations, operation))
    if body.kind == OperationKind.DEPLOY:
        view = _armed(view, event, body.env)
    if body.override is None:
        return view
    view = used(view, body.override.request)
    said = f"{body.id} overridden with {body.override.second}: {body.override.reason}"
    return deviate(view, event, said)


def _armed(view: LaunchView, event: Event, env: str) -> LaunchView:
    """Return the view in which a deploy's conditions judge it, and nothing that was before."""
    again = (armed(c, event.seq, event.wall_us) if c.env == env else c for c in view.conditions)
    return replace(view, conditions=tuple(again))


def _change(view: LaunchView, event: Event, change: Callable[[OperationView], OperationView]) -> LaunchView:
    return replace(view, operations=tuple(change(o) if o.seq == event.ref else o for o in view.operations))


@step(OperationStarted)
def _started(view: LaunchView, event: Event, body: OperationStarted) -> LaunchView:
    return _change(
        view,
        event,
        lambda o: replace(o, state=OperationState.RUNNING, pid=body.pid, started_us=event.wall_us),
    )


@step(OperationStep)
def _step(view: LaunchView, event: Event, body: OperationStep) -> LaunchView:
    new = StepView(body.name, body.state, body.detail, event.wall_us)

    def put(operation: OperationView) -> OperationView:
        names = [s.name for s in operation.steps]
        if new.name in names:
            steps = tuple(new if s.name == new.name else s for s in operation.steps)
        else:
            steps = (*operation.steps, new)
        return replace(operation, steps=steps)

    return _change(view, event, put)


@step(OperationOutput)
def _output(view: LaunchView, event: Event, body: OperationOutput) -> LaunchView:
    return _change(view, event, lambda o: replace(o, output=(*o.output, *body.lines)[-OUTPUT_LINES:]))


@step(OperationAborted)
def _aborted(view: LaunchView, event: Event, _body: OperationAborted) -> LaunchView:
    view = deviate(view, event, "operation aborted")
    return _change(view, event, lambda o: replace(o, abort_by=event.actor))


def _ended(
    view: LaunchView, event: Event, body: OperationFinished | OperationUnknown, state: OperationState
) -> LaunchView:
    return _change(
        view,
        event,
        lambda o: replace(
            o,
            state=state,
            verdict=body.verdict,
            revision=body.revision,
            offers=body.offers,
            finished_us=event.wall_us,
        ),
    )


@step(OperationFinished)
def _finished(view: LaunchView, event: Event, body: OperationFinished) -> LaunchView:
    view = _ended(view, event, body, body.state)
    ended = next((o for o in view.operations if o.seq == event.ref), None)
    if ended is not None and (
        ended.kind == OperationKind.ROLLBACK or ended.state is not OperationState.SUCCEEDED
    ):
        view = deviate(view, event, f"{ended.id} {ended.state}: {ended.verdict}")
    return view


@step(OperationUnknown)
def _unknown(view: LaunchView, event: Event, body: OperationUnknown) -> LaunchView:
    view = _ended(view, event, body, OperationState.UNKNOWN)
    return deviate(view, event, f"an operation's end was not seen: {body.verdict}")
