"""What people say: attestations, their withdrawal, waivers, notes."""

from __future__ import annotations

from console.engine.commands.handler import (
    CommandContext,
    CommandRefusedError,
    CommandRequest,
    Effect,
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
from state.view.enums import GateStatus
from state.view.launch import ItemView
from state.view.preview import Preview

LONGEST_WAIVER_MIN = 24 * 60
_TWO = "a waiver takes a second person"


async def _plan_sign(context: CommandContext, request: CommandRequest) -> Preview:
    item = request.item(context.view)
    now = context.clock.wall_us()
    seen = tuple(f"{check.kind} ({check.env}): {check.at(now)} {check.summary}" for check in item.checks)
    verdict = _verdict(request) if request.text("verdict") else ""
    if verdict == GateStatus.GO and item.question is None:
        raise CommandRefusedError(f"item {item.id} is judged by its checks alone: only a NO-GO can be added")
    return plain_preview(
        request, from_what=item.verdict(now).value, to_what=verdict, blast=(item.question or "",), checks=seen
    )


def _verdict(request: CommandRequest) -> str:
    verdict = request.need("verdict", "GO or NO-GO").upper()
    if verdict not in {GateStatus.GO, GateStatus.NO_GO}:
        raise CommandRefusedError(f"a verdict is GO or NO-GO, not {verdict[:20]!r}")
    return verdict


async def _sign(context: CommandContext, request: CommandRequest) -> Reply:
    item = request.item(context.view)
    verdict, comment = _verdict(request), request.text("comment")
    if verdict == GateStatus.NO_GO and not comment:
        raise CommandRefusedError("a NO-GO needs a comment that says why")
    word = word_of(context, request, item, go=verdict == GateStatus.GO)
    event = await context.journal.record(_draft(item, word, request))
    return Reply(ok=True, message=f"{item.id} attested {verdict}, event {event.seq}")


async def _plan_withdraw(context: CommandContext, request: CommandRequest) -> Preview:
    item = request.item(context.view)
    signed = item.attestation
    if signed is None:
        raise CommandRefusedError(f"item {item.id} has no attestation to withdraw")
    if signed.actor != request.who.account and not is_captain(context.view, request.who):
        raise CommandRefusedError(f"only {signed.actor} or the captain may withdraw this attestation")
    return plain_preview(request, from_what=f"{'GO' if signed.go else 'NO-GO'} by {signed.actor}")


async def _withdraw(context: CommandContext, request: CommandRequest) -> Reply:
    item = request.item(context.view)
    body = AttestWithdrawn(item.id, request.need("reason", "a reason"))
    await context.journal.record(_draft(item, body, request))
    return Reply(ok=True, message=f"the attestation of {item.id} is withdrawn")


async def _plan_waive(context: CommandContext, request: CommandRequest) -> Preview:
    item = request.item(context.view)
    now = context.clock.wall_us()
    minutes, reason = request.text("minutes"), request.text("reason")
    # The moment isn't part of from and to: they are bound to the confirmation, and time passes while it is typed.
    until = ""
    if minutes:
        until_us = now + _minutes(minutes) * 60 * SECOND_US
        until = f"until about {stamp(until_us, seconds=False)} ({minutes} min)"
    told = (f"item {item.id}: {item.text}", f"reason: {reason}" if reason else "", until)
    return plain_preview(
        request,
        allowed=False,
        reason=_TWO,
        override_allowed=True,
        against=(_TWO,),
        environment=f"gate {gate_of(item.id)}",
        from_what=item.verdict(now).value,
        to_what="waived",
        blast=tuple(one for one in told if one),
        phrase=phrase_of(context.view),
    )


def _minutes(message: str) -> int:
    if not message.isdecimal() or not 1 <= int(message[:9]) <= LONGEST_WAIVER_MIN:
        raise CommandRefusedError(f"a waiver lasts 1 to {LONGEST_WAIVER_MIN} minutes, not {message[:20]!r}")
    return int(message)


async def _waive(context: CommandContext, request: CommandRequest) -> Reply:
    item = request.item(context.view)
    reason = request.need("reason", "a reason")
    minutes = _minutes(request.need("minutes", "a number of minutes"))
    granted = request.granted
    if granted is None:
        raise CommandRefusedError(_TWO)
    until_us = context.clock.wall_us() + minutes * 60 * SECOND_US
    body = ItemWaived(item.id, reason, granted.granted_by, until_us, granted.seq)
    await context.journal.record(_draft(item, body, request))
    return Reply(ok=True, message=f"{item.id} is waived for {plural(minutes, 'minute')}: a deviation")


async def _plan_note(_context: CommandContext, request: CommandRequest) -> Preview:
    return plain_preview(request)


async def _note(context: CommandContext, request: CommandRequest) -> Reply:
    body = NoteAdded(request.need("text", "a text"))
    event = await context.journal.record(Draft(body, actor=request.who.account))
    return Reply(ok=True, message=f"noted, event {event.seq}")


def _draft(item: ItemView, body: Body, request: CommandRequest) -> Draft:
    return Draft(body, gate_key(gate_of(item.id)), actor=request.who.account)


EFFECTS = {
    "attest.sign": Effect(_plan_sign, _sign),
    "attest.withdraw": Effect(_plan_withdraw, _withdraw),
    "item.waive": Effect(_plan_waive, _waive),
    "note.add": Effect(_plan_note, _note),
}
