"""Events of operations: intent, start, steps, output, abort, end."""

from __future__ import annotations

from collections.abc import Callable

from state.base.frozen import remake, replace
from state.base.maps import with_item
from state.events.event import Event
from state.events.operations import (
    CandidateSeen,
    OperationAborted,
    OperationFinished,
    OperationIntended,
    OperationOutput,
    OperationStarted,
    OperationStep,
    OperationUnknown,
)
from state.fold.first_launch import follow_release, note_deferred
from state.fold.launch import deviate
from state.fold.outdated import outdate, outdate_words, second_look, use_gates, use_stages
from state.fold.requests import used
from state.fold.step import step
from state.view import attestations
from state.view.enums import After, OperationKind, OperationState, Tier
from state.view.launch import ItemView, LaunchView, OperationView, StepView
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
    view = attestations.void_excluded(view, f"ran {body.id}", event.actor)
    view = note_deferred(view, event, body)
    if body.kind == OperationKind.DEPLOY:
        view = _armed(view, event, body.env)
    if body.override is None:
        return view
    view = used(view, body.override.request)
    said = f"{body.id} overridden with {body.override.second}: {body.override.reason}"
    return deviate(view, event, said)


@step(CandidateSeen)
def _seen(view: LaunchView, event: Event, body: CandidateSeen) -> LaunchView:
    """What would be deployed is another thing than before: words that locked its deploy were about the old one."""
    before = view.parts.get(body.env)
    view = replace(view, parts=with_item(view.parts, body.env, body.parts))
    changed = [what for what, digest in body.parts if before is not None and (what, digest) not in before]
    if not changed:
        return view
    specs = [spec for spec in view.operation_specs if spec.env == body.env]
    gates = {number for spec in specs for number in spec.gates}
    locking = {name for spec in specs for name in spec.items}
    locking |= {item.id for gate in view.gates if gate.number in gates for item in gate.items}

    def about(item: ItemView) -> bool:
        return item.id in locking and not item.used_us

    # With a word that found them changed: that one, and those after it, are about the new parts.
    return attestations.void(view, about, f"{body.env}: {', '.join(changed)} changed", before=event.ref)


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
    if ended is None:
        return view
    if ended.kind == OperationKind.ROLLBACK or ended.state is not OperationState.SUCCEEDED:
        view = deviate(view, event, f"{ended.id} {ended.state}: {ended.verdict}")
    return _judge_again(view, event, ended)


def _judge_again(view: LaunchView, event: Event, ended: OperationView) -> LaunchView:
    """Return the view in which what an operation changed has to be judged again.

    A promotion that succeeded uses the gates that locked it, and begins the second look; a way back ends both.
    """
    cause = _cause(ended)
    if cause is None:
        return follow_release(view, event, ended)
    ran = f"{ended.id} ran"
    view = follow_release(outdate(view, event, ended.env, cause, ran), event, ended)
    spec = next((s for s in view.operation_specs if s.id == ended.id), None)
    gate = spec.gate if cause is After.MIGRATE and spec is not None else 0
    return outdate_words(_uses(view, ended, cause), ended.env, cause, ran, gate)


def _uses(view: LaunchView, ended: OperationView, cause: After) -> LaunchView:
    """Return the view in which a promotion used its gates, or a way back gave up what one had used."""
    if ended.env != Tier.PRODUCTION or ended.state is not OperationState.SUCCEEDED:
        return view
    spec = next((s for s in view.operation_specs if s.id == ended.id), None)
    if cause is After.DEPLOY and spec is not None:
        view = use_stages(view, spec.stages, ended.intended_us)
        return second_look(use_gates(view, spec.gates, ended.intended_us), due=True)
    if cause is After.ROLLBACK:
        view = use_stages(view, (s.id for s in view.stages), 0)
        return second_look(use_gates(view, (g.number for g in view.gates), 0), due=False)
    return view


def _cause(ended: OperationView) -> After | None:
    """Return as what an operation makes evidence out of date: what is uninstalled is away, as after a rollback."""
    if ended.kind == OperationKind.UNINSTALL:
        return After.ROLLBACK
    return next((a for a in After if a == ended.kind), None)


@step(OperationUnknown)
def _unknown(view: LaunchView, event: Event, body: OperationUnknown) -> LaunchView:
    view = _ended(view, event, body, OperationState.UNKNOWN)
    lost = next((o for o in view.operations if o.seq == event.ref), None)
    view = _judge_again(view, event, lost) if lost is not None else view
    return deviate(view, event, f"an operation's end was not seen: {body.verdict}")
