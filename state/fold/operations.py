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
from state.fold.outdated import outdate, second_look, use_gates
from state.fold.step import step
from state.view.enums import After, OperationKind, OperationState, Tier
from state.view.launch import LaunchView, OperationView, StepView

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
    )
    view = replace(view, operations=(*view.operations, operation))
    if body.override is None:
        return view
    said = f"{body.id} overridden with {body.override.second}: {body.override.reason}"
    return deviate(view, event, said)


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
    if ended is None:
        return view
    if ended.kind == OperationKind.ROLLBACK or ended.state is not OperationState.SUCCEEDED:
        view = deviate(view, event, f"{ended.id} {ended.state}: {ended.verdict}")
    return _judge_again(view, event, ended)


def _judge_again(view: LaunchView, event: Event, ended: OperationView) -> LaunchView:
    """Return the view in which what an operation changed has to be judged again.

    A promotion that succeeded uses the gates that locked it, and begins the second look; a way back ends both.
    """
    cause = next((a for a in After if a == ended.kind), None)
    if cause is not None:
        view = outdate(view, event, ended.env, cause, f"{ended.id} ran")
    if ended.env != Tier.PRODUCTION or ended.state is not OperationState.SUCCEEDED:
        return view
    spec = next((s for s in view.operation_specs if s.id == ended.id), None)
    if cause is After.DEPLOY and spec is not None:
        return second_look(use_gates(view, spec.gates, ended.intended_us), due=True)
    if cause is After.ROLLBACK:
        return second_look(use_gates(view, (g.number for g in view.gates), 0), due=False)
    return view


@step(OperationUnknown)
def _unknown(view: LaunchView, event: Event, body: OperationUnknown) -> LaunchView:
    view = _ended(view, event, body, OperationState.UNKNOWN)
    lost = next((o for o in view.operations if o.seq == event.ref), None)
    view = _judge_again(view, event, lost) if lost is not None else view
    return deviate(view, event, f"an operation's end was not seen: {body.verdict}")
