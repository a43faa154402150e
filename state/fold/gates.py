"""Events of gates and items: checks, attestations, waivers, recycling."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from state.base.json import flag, integer, obj, objs, opt_text, text
from state.base.maps import with_item
from state.events.event import Event, Kind, gate_number
from state.fold.launch import deviate, numbers
from state.fold.step import Steps
from state.view.enums import GateStatus, Verdict
from state.view.launch import AttestationView, CheckView, GateView, ItemView, LaunchView, WaiverView


def _declared(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    items = tuple(
        ItemView(
            text(i, "id"),
            text(i, "text"),
            opt_text(i, "question"),
            tuple(
                CheckView(
                    text(c, "id"),
                    text(c, "kind"),
                    text(c, "env"),
                    integer(c, "ttl_s"),
                    flag(c, "writes"),
                )
                for c in objs(i.get("checks"))
            ),
        )
        for i in objs(body.get("items"))
    )
    gate = GateView(integer(body, "number"), text(body, "title"), items)
    others = [g for g in view.gates if g.number != gate.number]
    return replace(view, gates=tuple(sorted([*others, gate], key=lambda g: g.number)))


def _changed(view: LaunchView, event: Event) -> LaunchView:
    number = gate_number(event.gate)
    if number is None:
        return view
    return replace(
        view,
        statuses=with_item(view.statuses, number, GateStatus(text(event.body, "to", "OPEN"))),
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


def _change_check(view: LaunchView, event: Event, change: Callable[[CheckView], CheckView]) -> LaunchView:
    check_id = text(event.body, "check")

    def in_item(item: ItemView) -> ItemView:
        return replace(item, checks=tuple(change(c) if c.id == check_id else c for c in item.checks))

    return change_item(view, text(event.body, "item"), in_item)


def _started(view: LaunchView, event: Event) -> LaunchView:
    return _change_check(
        view,
        event,
        lambda c: replace(c, verdict=Verdict.RUNNING, started_us=event.wall_us, actor=event.actor),
    )


def _finished(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    evidence = (
        json.dumps(body.get("evidence"), sort_keys=True, ensure_ascii=False) if body.get("evidence") else ""
    )
    return _change_check(
        view,
        event,
        lambda c: replace(
            c,
            verdict=Verdict(text(body, "verdict", "unknown")),
            summary=text(body, "summary"),
            evidence=evidence,
            finished_us=event.wall_us,
            seq=event.seq,
        ),
    )


def _signed(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    word = AttestationView(
        event.seq,
        event.actor,
        text(body, "how_known"),
        flag(body, "go"),
        text(body, "comment"),
        text(body, "link"),
        event.wall_us,
        numbers(body.get("evidence")),
    )
    view = change_item(view, text(body, "item"), lambda i: replace(i, attestation=word))
    if not word.go:
        view = deviate(view, event, f"{text(body, 'item')} attested NO-GO: {word.comment}")
    return view


def _withdrawn(view: LaunchView, event: Event) -> LaunchView:
    return change_item(view, text(event.body, "item"), lambda i: replace(i, attestation=None))


def _waived(view: LaunchView, event: Event) -> LaunchView:
    body = event.body
    waiver = WaiverView(
        event.seq,
        event.actor,
        text(body, "reason"),
        text(body, "second"),
        event.wall_us,
        integer(body, "until_us"),
    )
    view = change_item(view, text(body, "item"), lambda i: replace(i, waiver=waiver))
    return deviate(view, event, f"{text(body, 'item')} waived: {waiver.reason}")


def _recycled(view: LaunchView, event: Event) -> LaunchView:
    number = gate_number(event.gate) or 1

    def stale(check: CheckView) -> CheckView:
        return check if check.verdict is Verdict.PENDING else replace(check, verdict=Verdict.STALE)

    def again(item: ItemView) -> ItemView:
        return replace(item, checks=tuple(stale(c) for c in item.checks), attestation=None, waiver=None)

    gates = tuple(
        replace(g, items=tuple(again(i) for i in g.items)) if g.number >= number else g for g in view.gates
    )
    return deviate(
        replace(view, gates=gates), event, f"recycled to gate {number}: {text(obj(event.body), 'reason')}"
    )


STEPS: Steps = {
    Kind.GATE_DECLARED: _declared,
    Kind.GATE_CHANGED: _changed,
    Kind.GATE_RECYCLED: _recycled,
    Kind.ITEM_WAIVED: _waived,
    Kind.CHECK_STARTED: _started,
    Kind.CHECK_FINISHED: _finished,
    Kind.ATTEST_SIGNED: _signed,
    Kind.ATTEST_WITHDRAWN: _withdrawn,
}
