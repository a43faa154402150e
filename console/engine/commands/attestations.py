"""What people say: attestations, their withdrawal, waivers, notes."""

from __future__ import annotations

from console.engine.commands.handler import (
    Desk,
    Effect,
    Order,
    RefusedError,
    gate_of,
    is_captain,
    phrase_of,
    plain_preview,
)
from console.engine.commands.signatures import word_of
from state.base.numbers import plural
from state.base.times import SECOND_US, stamp
from state.commands import Reply
from state.events.event import Body, Draft, gate_key
from state.events.gates import AttestWithdrawn, ItemWaived
from state.events.log import NoteAdded
from state.view.launch import ItemView
from state.view.people import second_problem
from state.view.preview import Preview

LONGEST_WAIVER_MIN = 24 * 60


async def _plan_sign(desk: Desk, order: Order) -> Preview:
    item = order.item(desk.view)
    now = desk.clock.wall_us()
    seen = tuple(f"{check.kind} ({check.env}): {check.at(now)} {check.summary}" for check in item.checks)
    verdict = _verdict(order) if order.text("verdict") else ""
    if verdict == "GO" and item.question is None:
        raise RefusedError(f"item {item.id} is judged by its checks alone: only a NO-GO can be added")
    return plain_preview(
        order, from_what=item.verdict(now).value, to_what=verdict, blast=(item.question or "",), checks=seen
    )


def _verdict(order: Order) -> str:
    verdict = order.need("verdict", "GO or NO-GO").upper()
    if verdict not in {"GO", "NO-GO"}:
        raise RefusedError(f"a verdict is GO or NO-GO, not {verdict[:20]!r}")
    return verdict


async def _sign(desk: Desk, order: Order) -> Reply:
    item = order.item(desk.view)
    verdict, comment = _verdict(order), order.text("comment")
    if verdict == "NO-GO" and not comment:
        raise RefusedError("a NO-GO needs a comment that says why")
    word = word_of(desk, order, item, go=verdict == "GO")
    event = await desk.journal.record(_draft(item, word, order))
    return Reply(ok=True, message=f"{item.id} attested {verdict}, event {event.seq}")


async def _plan_withdraw(desk: Desk, order: Order) -> Preview:
    item = order.item(desk.view)
    signed = item.attestation
    if signed is None:
        raise RefusedError(f"item {item.id} has no attestation to withdraw")
    if signed.actor != order.who.account and not is_captain(desk.view, order.who):
        raise RefusedError(f"only {signed.actor} or the captain may withdraw this attestation")
    return plain_preview(order, from_what=f"{'GO' if signed.go else 'NO-GO'} by {signed.actor}")


async def _withdraw(desk: Desk, order: Order) -> Reply:
    item = order.item(desk.view)
    body = AttestWithdrawn(item.id, order.need("reason", "a reason"))
    await desk.journal.record(_draft(item, body, order))
    return Reply(ok=True, message=f"the attestation of {item.id} is withdrawn")


async def _plan_waive(desk: Desk, order: Order) -> Preview:
    item = order.item(desk.view)
    now = desk.clock.wall_us()
    second = order.text("second")
    _second_is_right(desk, order, second)
    minutes, reason = order.text("minutes"), order.text("reason")
    # The moment isn't part of from and to: they are bound to the confirmation, and time passes while it is typed.
    until = ""
    if minutes:
        until_us = now + _minutes(minutes) * 60 * SECOND_US
        until = f"until about {stamp(until_us, seconds=False)} ({minutes} min)"
    agreed = f"second person: {second}" if second else ""
    told = (f"item {item.id}: {item.text}", f"reason: {reason}" if reason else "", until, agreed)
    return plain_preview(
        order,
        environment=f"gate {gate_of(item.id)}",
        from_what=item.verdict(now).value,
        to_what="waived",
        blast=tuple(one for one in told if one),
        phrase=phrase_of(desk.view),
    )


def _minutes(told: str) -> int:
    if not told.isdecimal() or not 1 <= int(told[:9]) <= LONGEST_WAIVER_MIN:
        raise RefusedError(f"a waiver lasts 1 to {LONGEST_WAIVER_MIN} minutes, not {told[:20]!r}")
    return int(told)


def _second_is_right(desk: Desk, order: Order, second: str) -> None:
    if second and (problem := second_problem(desk.view, order.who.account, second)):
        raise RefusedError(problem)


async def _waive(desk: Desk, order: Order) -> Reply:
    item = order.item(desk.view)
    reason = order.need("reason", "a reason")
    minutes = _minutes(order.need("minutes", "a number of minutes"))
    second = order.confirmation.override_second.strip()
    _second_is_right(desk, order, second)
    until_us = desk.clock.wall_us() + minutes * 60 * SECOND_US
    body = ItemWaived(item.id, reason, f"{second} (self-declared)" if second else "", until_us)
    await desk.journal.record(_draft(item, body, order))
    return Reply(ok=True, message=f"{item.id} is waived for {plural(minutes, 'minute')}: a deviation")


async def _plan_note(_desk: Desk, order: Order) -> Preview:
    return plain_preview(order)


async def _note(desk: Desk, order: Order) -> Reply:
    body = NoteAdded(order.need("text", "a text"))
    event = await desk.journal.record(Draft(body, actor=order.who.account))
    return Reply(ok=True, message=f"noted, event {event.seq}")


def _draft(item: ItemView, body: Body, order: Order) -> Draft:
    return Draft(body, gate_key(gate_of(item.id)), actor=order.who.account)


EFFECTS = {
    "attest.sign": Effect(_plan_sign, _sign),
    "attest.withdraw": Effect(_plan_withdraw, _withdraw),
    "item.waive": Effect(_plan_waive, _waive),
    "note.add": Effect(_plan_note, _note),
}
