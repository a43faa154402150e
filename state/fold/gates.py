"""Events of gates and items: checks, attestations, waivers, recycling."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from state.base.frozen import remake, replace
from state.base.maps import with_item
from state.events.declared import GateDeclared
from state.events.event import Event, gate_number
from state.events.gates import (
    AttestSigned,
    AttestWithdrawn,
    CheckFinished,
    CheckStarted,
    GateChanged,
    GateRecycled,
    ItemWaived,
)
from state.fold.launch import deviate
from state.fold.outdated import use_stages
from state.fold.requests import used
from state.fold.step import step
from state.view import attestations
from state.view.enums import Verdict
from state.view.first_launch import is_first
from state.view.launch import AttestationView, CheckView, GateView, ItemView, LaunchView, WaiverView


@step(GateDeclared)
def _declared(view: LaunchView, _event: Event, body: GateDeclared) -> LaunchView:
    items = tuple(
        remake(ItemView, item, checks=tuple(remake(CheckView, check) for check in item.checks))
        for item in body.items
    )
    gate = GateView(body.number, body.title, items)
    others = [g for g in view.gates if g.number != gate.number]
    return replace(view, gates=tuple(sorted([*others, gate], key=lambda g: g.number)))


@step(GateChanged)
def _changed(view: LaunchView, event: Event, body: GateChanged) -> LaunchView:
    number = gate_number(event.gate)
    if number is None:
        return view
    return replace(
        view,
        statuses=with_item(view.statuses, number, body.to),
        decided_us=with_item(view.decided_us, number, event.wall_us),
    )


def change_item(view: LaunchView, item_id: str, change: Callable[[ItemView], ItemView]) -> LaunchView:
    """Return the view in which one item is changed."""
    gates = tuple(
        replace(gate, items=tuple(change(i) if i.id == item_id else i for i in gate.items))
        if gate.item(item_id) is not None
        else gate
        for gate in view.gates
    )
    return replace(view, gates=gates)


def _change_check(
    view: LaunchView, body: CheckStarted | CheckFinished, change: Callable[[CheckView], CheckView]
) -> LaunchView:
    def in_item(item: ItemView) -> ItemView:
        return replace(item, checks=tuple(change(c) if c.id == body.check else c for c in item.checks))

    if any(stage.id == body.item for stage in view.stages):
        return _change_stages(view, lambda c: change(c) if c.id == body.check else c)
    return change_item(view, body.item, in_item)


def _change_stages(view: LaunchView, change: Callable[[CheckView], CheckView]) -> LaunchView:
    stages = (replace(s, checks=tuple(change(c) for c in s.checks)) if s.checks else s for s in view.stages)
    return replace(view, stages=tuple(stages))


@step(CheckStarted)
def _started(view: LaunchView, event: Event, body: CheckStarted) -> LaunchView:
    return _change_check(
        view,
        body,
        lambda c: replace(c, verdict=Verdict.RUNNING, started_us=event.wall_us, actor=event.actor),
    )


def _since(check: CheckView, event: Event, body: CheckFinished) -> str:
    """Return what happened since that makes a result stale.

    It stands where the check began before that, and where its engine ended while it ran: nothing says when it began.
    """
    if event.ref is None:
        return check.since if body.verdict is Verdict.UNKNOWN else ""
    return check.since if event.ref < check.since_seq else ""


@step(CheckFinished)
def _finished(view: LaunchView, event: Event, body: CheckFinished) -> LaunchView:
    evidence = json.dumps(body.evidence, sort_keys=True, ensure_ascii=False) if body.evidence else ""
    view = settle(view, [body.check]) if body.verdict is Verdict.PASS else view
    view = _change_check(
        view,
        body,
        lambda c: replace(
            c,
            verdict=_admitted(view, c, body.verdict),
            summary=body.summary,
            evidence=evidence,
            ways=body.ways,
            finished_us=event.wall_us,
            since=_since(c, event, body),
            seq=event.seq,
        ),
    )
    return change_item(view, body.item, lambda i: _heard(i, body.check))


def _heard(item: ItemView, name: str) -> ItemView:
    """Return an item whose words know of a check's new verdict."""
    check = next((one for one in item.checks if one.id == name), None)
    return item if check is None else attestations.judged(item, check)


def _admitted(view: LaunchView, check: CheckView, verdict: Verdict) -> Verdict:
    """Return a verdict as it counts: nothing is deferred for a release that is there, or that can't be seen."""
    if verdict is Verdict.DEFERRED and not is_first(view, check.env):
        return Verdict.UNKNOWN
    return verdict


def settle(view: LaunchView, checks: Iterable[str]) -> LaunchView:
    """Return the view in which checks that a first deploy deferred are owed no more."""
    settled = frozenset(checks)
    if not any(settled.intersection(gate.owed) for gate in view.gates):
        return view
    gates = (replace(g, owed=tuple(c for c in g.owed if c not in settled)) for g in view.gates)
    return replace(view, gates=tuple(gates))


@step(AttestSigned)
def _signed(view: LaunchView, event: Event, body: AttestSigned) -> LaunchView:
    known = view.item(body.item)
    word = remake(
        AttestationView,
        body,
        seq=event.seq,
        actor=event.actor,
        at_us=event.wall_us,
        seen=attestations.seen_of(known) if known is not None else (),
    )
    view = attestations.signed_by(view, body.key, event.seq)
    view = change_item(view, body.item, lambda i: attestations.with_word(view, i, word))
    view = attestations.void_excluded(view, f"signed {body.item}", event.actor, body.key)
    if not body.go:
        return deviate(view, event, f"{body.item} attested NO-GO: {body.comment}")
    if not body.cautions:
        return view
    return deviate(view, event, f"{body.item} attested GO, though {', '.join(body.cautions)}")


@step(AttestWithdrawn)
def _withdrawn(view: LaunchView, event: Event, body: AttestWithdrawn) -> LaunchView:
    view = attestations.signed_by(view, body.key, event.seq)
    return change_item(view, body.item, lambda i: attestations.without_word(i, event.actor, body.key))


@step(ItemWaived)
def _waived(view: LaunchView, event: Event, body: ItemWaived) -> LaunchView:
    waiver = remake(WaiverView, body, seq=event.seq, actor=event.actor, at_us=event.wall_us)
    view = used(change_item(view, body.item, lambda i: replace(i, waiver=waiver)), body.request)
    item = view.item(body.item)
    view = settle(view, [check.id for check in item.checks]) if item is not None else view
    second = f" with {body.second}" if body.request else ""
    return deviate(view, event, f"{body.item} waived{second}: {body.reason}")


@step(GateRecycled)
def _recycled(view: LaunchView, event: Event, body: GateRecycled) -> LaunchView:
    number = gate_number(event.gate) or 1

    def stale(check: CheckView) -> CheckView:
        return check if check.verdict is Verdict.PENDING else replace(check, verdict=Verdict.STALE)

    def again(item: ItemView) -> ItemView:
        checks = tuple(stale(c) for c in item.checks)
        return replace(item, checks=checks, attestation=None, others=(), waiver=None, used_us=0)

    gates = tuple(
        replace(g, items=tuple(again(i) for i in g.items)) if g.number >= number else g for g in view.gates
    )
    view = _change_stages(replace(view, gates=gates), stale)
    view = use_stages(view, (stage.id for stage in view.stages), 0)
    recycled = view.recycled_us
    for later in (gate.number for gate in gates if gate.number >= number):
        recycled = with_item(recycled, later, event.wall_us)
    view = replace(view, recycled_us=recycled)
    return deviate(view, event, f"recycled to gate {number}: {body.reason}")
