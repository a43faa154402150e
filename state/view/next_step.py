"""What comes next: the one thing that brings a launch on, from its first moment to its end.

A pure function of the view. It says what to do, and how a console offers it: a command of the registry (a *safe* one
is run, all others show what they would do first), an item or a screen to look at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from state.base.numbers import plural
from state.base.times import stopwatch
from state.view.enums import (
    ConditionState,
    GateStatus,
    LaunchState,
    Look,
    OperationKind,
    OperationState,
    RequestState,
    Tier,
    Verdict,
)
from state.view.first_launch import is_first, way_out
from state.view.gates import PASSES, CheckView, GateView, ItemView
from state.view.launch import LaunchView, OperationSpecView, RequestView
from state.view.locks import WAYS_BACK, Lock, LockKind, locks
from state.view.people import grant_problem, same_person
from state.view.requests import open_requests
from state.view.rollbacks import rollback_of, unanswered
from state.view.seats import open_poll, seat_problem
from state.view.trips import taken_back, unverified


class Place(StrEnum):
    """Where it is to be seen."""

    GATE = "gate"
    OPERATIONS = "deploy"
    BAKE = "bake"
    HERE = "here"
    """On whatever screen is shown."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """The next step: its words, where it is to be seen, and the command that takes it."""

    words: str
    place: Place = Place.HERE
    gate: int = 0
    item: str = ""
    command: str = ""
    args: tuple[tuple[str, str], ...] = field(default=())
    waits: bool = False
    """Whether there is nothing to do but to wait."""


def next_step(view: LaunchView, now_us: int, account: str = "") -> NextStep | None:
    """Return what comes next for somebody; None where the launch is over, or nothing is known of it yet."""
    if view.state not in {LaunchState.RUNNING, LaunchState.HELD} or not view.gates:
        return None
    return next(
        (
            step
            for step in (
                *_trouble(view),
                *_requests(view, now_us, account),
                *_poll(view, now_us, account),
                *_under_way(view),
            )
        ),
        None,
    ) or _of_gates(view, now_us)


# what goes before everything else


def _trouble(view: LaunchView) -> Iterator[NextStep]:
    tripped = [c for c in view.conditions if c.state is ConditionState.TRIPPED]
    running = view.running()
    for condition in unanswered(view, tripped) if running is None else ():
        back = way_out(view, condition.env) or rollback_of(view, condition.env)
        if back is not None:
            yield _operation(back, f"{condition.title} tripped: {back.title}")
    newest = view.operations[-1] if view.operations else None
    if newest is not None and newest.state is OperationState.UNKNOWN:
        yield NextStep(
            f"resolve {newest.id}: nobody saw its end", Place.OPERATIONS, command="operation.recover"
        )
    back_failed = unverified(view, Tier.PRODUCTION)
    if back_failed is not None:
        yield NextStep(
            f"{back_failed.id} is not verified: look at what runs",
            Place.OPERATIONS,
            command="operation.recover",
        )
    for condition in tripped if running is None else ():
        args = (("condition", condition.id),)
        yield NextStep(
            f"acknowledge the trip of {condition.title}", command="condition.acknowledge", args=args
        )


def _requests(view: LaunchView, now_us: int, account: str) -> Iterator[NextStep]:
    for one in open_requests(view.requests, now_us):
        mine = bool(account) and same_person(view, one.by, account)
        if mine and one.at(now_us) is RequestState.GRANTED:
            yield NextStep(
                f"carry out: {one.title}, granted by {one.answered_by}", command=one.command, args=one.args
            )
        elif not mine and not grant_problem(view, one.by, account) and one.at(now_us) is RequestState.WAITING:
            yield _answer(one)


def _answer(one: RequestView) -> NextStep:
    args = (("request", str(one.seq)),)
    return NextStep(f"{one.by} asks for a second person: {one.title}", command="request.grant", args=args)


def _poll(view: LaunchView, now_us: int, account: str) -> Iterator[NextStep]:
    poll = open_poll(view)
    if poll is None or not account or now_us >= poll.until_us or seat_problem(view, poll, account, go=True):
        return
    yield NextStep(f"your answer: {poll.about}", command="poll.answer", args=(("poll", str(poll.seq)),))


def _under_way(view: LaunchView) -> Iterator[NextStep]:
    running = view.running()
    if running is not None:
        yield NextStep(f"{running.id} is running", Place.OPERATIONS, waits=True)
    if view.state is LaunchState.HELD:
        yield NextStep("release the hold", command="launch.release")
    bake = view.bake
    if bake is not None and bake.under_way:
        good = f"{stopwatch(bake.good_s)} of {stopwatch(bake.minimum_s)} healthy"
        yield NextStep(f"bake: {good}{f', paused: {bake.why}' if bake.why else ''}", Place.BAKE, waits=True)


# the gates, one after another


def _of_gates(view: LaunchView, now_us: int) -> NextStep:
    begun = _left_of_release(view)
    first = _towards(view, begun, now_us, frozenset()) if begun is not None else None
    if first is not None and not first.waits:
        return first
    waiting: NextStep | None = None
    for gate in view.gates:
        if gate.status(now_us) in {GateStatus.GO, GateStatus.DEFERRED}:
            continue
        step = _of_gate(view, gate, now_us, frozenset())
        if step is not None and not step.waits:
            return step
        waiting = waiting or step
    return waiting or _closing(view)


def _of_gate(view: LaunchView, gate: GateView, now_us: int, seen: frozenset[int]) -> NextStep | None:
    """Return what brings a gate on. ``seen``: the gates that wait for it, so that none waits for itself."""
    for spec in view.operation_specs:
        # Before its gate's checks: those judge what it makes, and would fail without it.
        if spec.gate == gate.number and wanted(view, spec):
            return _towards(view, spec, now_us, seen | {gate.number})
    left = [item for item in gate.items if item.verdict(now_us) not in {*PASSES, Verdict.DEFERRED}]
    release = _release_for(view, left, now_us)
    if release is not None:
        return _towards(view, release, now_us, seen | {gate.number})
    unrun = [c for item, c in _checks(gate) if c.at(now_us) is Verdict.PENDING and not _by_itself(item, c)]
    if unrun and not _runs(gate):
        count = plural(len(unrun), "check", "checks")
        args = (("gate", str(gate.number)),)
        return NextStep(
            f"run {count} of gate {gate.number}", Place.GATE, gate.number, command="gate.run", args=args
        )
    for item in left:
        if not _judged_soon(gate, item, now_us):
            return _of_item(gate, item, now_us)
    return (
        NextStep(f"the checks of gate {gate.number} are running", Place.GATE, gate.number, waits=True)
        if left
        else None
    )


def _checks(gate: GateView) -> Iterator[tuple[ItemView, CheckView]]:
    return ((item, c) for item in gate.items for c in item.checks if c.counts and not item.not_applicable)


def _runs(gate: GateView) -> bool:
    """Return whether checks of a gate run: others of it may only wait for their turn then."""
    return any(c.verdict is Verdict.RUNNING for _, c in _checks(gate))


def _by_itself(item: ItemView, check: CheckView) -> bool:
    """Return whether the engine runs a check again without being asked: something happened since it was judged.

    Not where it could not be judged, which a person has to see, nor where a promotion used what it saw of staging.
    """
    used = check.look is Look.CANDIDATE and bool(item.used_us)
    return bool(check.since) and check.verdict is not Verdict.UNKNOWN and not used


def _judged_soon(gate: GateView, item: ItemView, now_us: int) -> bool:
    """Return whether an item's checks run, wait for their turn, or are run by themselves; not where one failed."""
    if item.verdict(now_us) is Verdict.FAIL:
        return False
    moving, counting = _runs(gate), [c for c in item.checks if c.counts]
    return any(
        c.verdict is Verdict.RUNNING or _by_itself(item, c) or (moving and c.at(now_us) is Verdict.PENDING)
        for c in counting
    )


def _of_item(gate: GateView, item: ItemView, now_us: int) -> NextStep:
    args = (("item", item.id),)
    if _judged_soon(gate, item, now_us):
        return NextStep(f"the checks of {item.id} are running", Place.GATE, gate.number, item.id, waits=True)
    if any(c.at(now_us) is Verdict.PENDING for c in item.checks if c.counts):
        return NextStep(f"{item.id} run its checks", Place.GATE, gate.number, item.id, "check.run", args)
    stale = next((c for c in item.checks if c.counts and c.at(now_us) is Verdict.STALE), None)
    if stale is not None:
        why = stale.since or "its evidence is old"
        words = f"{item.id} run its checks again: {why}"
        return NextStep(words, Place.GATE, gate.number, item.id, "check.run", args)
    bad = next((c for c in item.checks if c.counts and c.at(now_us) in {Verdict.FAIL, Verdict.UNKNOWN}), None)
    if bad is not None:
        mended = "fix it, then " if bad.at(now_us) is Verdict.FAIL else ""
        words = f"{item.id} {mended}run its checks again: {bad.summary}"
        return NextStep(words, Place.GATE, gate.number, item.id, "check.run", args)
    if any(not word.go for word in item.words):
        who = next(word.actor for word in item.words if not word.go)
        return NextStep(f"{item.id} {who} said NO-GO: {item.text}", Place.GATE, gate.number, item.id)
    return NextStep(f"{item.id} attest: {item.text}", Place.GATE, gate.number, item.id, "attest.sign", args)


# operations


def _release_for(view: LaunchView, items: Sequence[ItemView], now_us: int) -> OperationSpecView | None:
    """Return what brings the candidate to where checks judge it, where one of them waits for that.

    In staging its migrations go before the judging too: they would make all of that evidence stale.
    """
    waiting = {
        c.env
        for item in items
        for c in item.checks
        if c.look is Look.CANDIDATE and c.counts and c.at(now_us) is not Verdict.PASS
    }
    return next(
        (
            spec
            for spec in view.operation_specs
            if spec.env in waiting and _brings(spec) and wanted(view, spec)
        ),
        None,
    )


def _left_of_release(view: LaunchView) -> OperationSpecView | None:
    """Return the migrations of staging, where this launch brought the candidate there and left them out so far.

    Whatever the gates ask for then, and whatever was judged already: they would make all of that stale.
    """
    specs = view.operation_specs
    brought = {
        spec.env
        for spec in specs
        if spec.kind == OperationKind.DEPLOY and spec.env == Tier.STAGING and not wanted(view, spec)
    }
    return next(
        (
            spec
            for spec in specs
            if spec.kind == OperationKind.MIGRATE and spec.env in brought and wanted(view, spec)
        ),
        None,
    )


def _brings(spec: OperationSpecView) -> bool:
    return spec.kind == OperationKind.DEPLOY or (
        spec.kind == OperationKind.MIGRATE and spec.env == Tier.STAGING
    )


def wanted(view: LaunchView, spec: OperationSpecView) -> bool:
    """Return whether an operation is still to be run in this launch."""
    if spec.kind in WAYS_BACK or (spec.kind == OperationKind.PREPARE and not is_first(view)):
        return False
    run = view.last_operation(spec.id)
    if run is None or run.state is not OperationState.SUCCEEDED:
        return True
    return spec.kind == OperationKind.DEPLOY and taken_back(view, run) is not None


def _towards(view: LaunchView, spec: OperationSpecView, now_us: int, seen: frozenset[int]) -> NextStep | None:
    """Return the operation, or what opens its lock first."""
    for lock in locks(view, spec, now_us):
        step = _unlocking(view, lock, now_us, seen)
        if step is not None:
            return step
    return _operation(spec, spec.title)


def _unlocking(view: LaunchView, lock: Lock, now_us: int, seen: frozenset[int]) -> NextStep | None:
    if lock.kind is LockKind.STAGE:
        stage = next((one for one in view.stages if one.id == lock.what), None)
        if stage is None or not stage.checks:
            return None
        if any(c.verdict is Verdict.RUNNING for c in stage.checks):
            return NextStep(f"the checks of stage {stage.title} are running", waits=True)
        if any(c.verdict is not Verdict.PENDING for c in stage.checks):
            return None
        args = (("stage", stage.id),)
        return NextStep(f"run the checks of stage {stage.title}", command="stage.run", args=args)
    if lock.kind is LockKind.CANDIDATE:
        return NextStep(
            "the candidate was rolled back: fix it and launch anew, or scrub", command="launch.scrub"
        )
    if lock.kind is LockKind.WINDOW:
        return NextStep(lock.words, waits=True)
    if lock.kind is LockKind.ITEM:
        gate = view.gate(int(lock.what.partition(".")[0]))
        item = gate.item(lock.what) if gate is not None else None
        return _of_item(gate, item, now_us) if gate is not None and item is not None else None
    gate = view.gate(int(lock.what)) if lock.kind is LockKind.GATE else None
    return _of_gate(view, gate, now_us, seen) if gate is not None and gate.number not in seen else None


def _operation(spec: OperationSpecView, words: str) -> NextStep:
    args = (("operation", spec.id),)
    return NextStep(words, Place.OPERATIONS, command="operation.run", args=args)


# the end


def _closing(view: LaunchView) -> NextStep:
    lacking = [one for one in view.deviations if not one.followed]
    if lacking:
        args = (("deviation", str(lacking[0].seq)),)
        more = f" (1 of {len(lacking)})" if len(lacking) > 1 else ""
        return NextStep(
            f"name who follows up deviation #{lacking[0].seq}{more}", command="deviation.follow_up", args=args
        )
    return NextStep("every gate is GO: close the launch", command="launch.close")
