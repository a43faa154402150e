"""What people say: attestations, their withdrawal, waivers, notes, who sees to a deviation."""

from __future__ import annotations

from console.engine.commands.handler import (
    CommandContext,
    CommandRefusedError,
    CommandRequest,
    Effect,
    gate_of,
    is_captain,
    plain_preview,
)
from console.engine.commands.signatures import key_of, proof_of, word_of
from state.attest.statement import Withdrawal
from state.base.numbers import plural
from state.base.times import SECOND_US, stamp
from state.commands import Reply
from state.events.event import Body, Draft, gate_key
from state.events.gates import AttestWithdrawn, ItemWaived
from state.events.launch import DeviationFollowedUp
from state.events.log import NoteAdded
from state.view.attestations import cautions, go_problem, missing, word_to_withdraw
from state.view.enums import GateStatus, Need
from state.view.launch import DeviationView, ItemView
from state.view.preview import Preview

LONGEST_WAIVER_MIN = 24 * 60
_TWO = "a waiver takes a second person"


async def _plan_sign(context: CommandContext, request: CommandRequest) -> Preview:
    item = request.item(context.view)
    now = context.clock.wall_us()
    seen = tuple(f"{check.kind} ({check.env}): {check.at(now)} {check.summary}" for check in item.checks)
    verdict = _verdict(request) if request.text("verdict") else ""
    go = verdict == GateStatus.GO
    if go and (problem := go_problem(context.view, item, request.who.account)):
        raise CommandRefusedError(problem)
    return plain_preview(
        request,
        from_what=item.verdict(now).value,
        to_what=verdict,
        blast=(item.question or "",),
        checks=seen,
        cautions=cautions(item) if go else (),
    )


def _verdict(request: CommandRequest) -> str:
    verdict = request.need("verdict", "GO or NO-GO").upper()
    if verdict not in {GateStatus.GO, GateStatus.NO_GO}:
        raise CommandRefusedError(f"a verdict is GO or NO-GO, not {verdict[:20]!r}")
    return verdict


async def _sign(context: CommandContext, request: CommandRequest) -> Reply:
    item = request.item(context.view)
    go = _verdict(request) == GateStatus.GO
    given = {Need.COMMENT: request.text("comment"), Need.LINK: request.text("link")}
    if lacking := missing(item, go=go, given=given):
        raise CommandRefusedError(lacking)
    word = word_of(context, request, item, go=go)
    if go and word.key and (problem := go_problem(context.view, item, request.who.account, word.key)):
        raise CommandRefusedError(problem)
    event = await context.journal.record(_draft(item, word, request))
    asked = item.rule.people
    after = context.view.item(item.id)
    count = f" ({after.signed} of {asked})" if go and asked > 1 and after is not None else ""
    return Reply(ok=True, message=f"{item.id} attested {_verdict(request)}{count}, event {event.seq}")


async def _plan_withdraw(context: CommandContext, request: CommandRequest) -> Preview:
    item = request.item(context.view)
    # One's own, where several people signed.
    signed = word_to_withdraw(item, request.who.account, key_of(request))
    if signed is None:
        raise CommandRefusedError(f"item {item.id} has no attestation to withdraw")
    if signed.actor != request.who.account and not is_captain(context.view, request.who):
        raise CommandRefusedError(f"only {signed.actor} or the captain may withdraw this attestation")
    return plain_preview(request, from_what=f"{'GO' if signed.go else 'NO-GO'} by {signed.actor}")


async def _withdraw(context: CommandContext, request: CommandRequest) -> Reply:
    item = request.item(context.view)
    reason = request.need("reason", "a reason")
    body = AttestWithdrawn(item.id, reason)
    if proof := proof_of(context, request, Withdrawal, lambda s: (s.item, s.reason) == (item.id, reason)):
        body = AttestWithdrawn(
            item.id,
            reason,
            proof.how_known,
            statement=proof.statement,
            signature=proof.signature,
            key=proof.key,
        )
    await context.journal.record(_draft(item, body, request))
    return Reply(ok=True, message=f"the attestation of {item.id} is withdrawn")


async def _plan_waive(context: CommandContext, request: CommandRequest) -> Preview:
    item = request.item(context.view)
    now = context.clock.wall_us()
    minutes, reason = request.text("minutes"), request.text("reason")
    # The moment isn't part of from and to: they are bound to the confirmation, and time passes while it is typed.
    until = ""
    if minutes:
        length = request.whole("minutes", "minutes", LONGEST_WAIVER_MIN)
        until_us = now + length * 60 * SECOND_US
        until = f"until about {stamp(until_us, seconds=False)} ({length} min)"
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
        phrase=f"waive {item.id}",
    )


async def _waive(context: CommandContext, request: CommandRequest) -> Reply:
    item = request.item(context.view)
    reason = request.need("reason", "a reason")
    minutes = request.whole("minutes", "minutes", LONGEST_WAIVER_MIN)
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


def _deviation(context: CommandContext, request: CommandRequest) -> DeviationView:
    given = request.need("deviation", "the number of a deviation's event").removeprefix("#")
    found = next((d for d in context.view.deviations if str(d.seq) == given), None)
    if found is None:
        raise CommandRefusedError(f"event {given[:20]} is no deviation of this launch")
    return found


async def _plan_follow_up(context: CommandContext, request: CommandRequest) -> Preview:
    found = _deviation(context, request)
    before = f"{found.owner}: {found.follow_up}" if found.followed else "nobody sees to it"
    return plain_preview(request, from_what=before, to_what=found.what)


async def _follow_up(context: CommandContext, request: CommandRequest) -> Reply:
    found = _deviation(context, request)
    body = DeviationFollowedUp(
        found.seq,
        request.need("owner", "an owner"),
        request.need("text", "a follow-up"),
        request.text("link", 500),
    )
    await context.journal.record(Draft(body, ref=found.seq, actor=request.who.account))
    left = sum(not one.followed for one in context.view.deviations)
    more = f"; {plural(left, 'deviation')} left" if left else ""
    return Reply(ok=True, message=f"{body.owner} sees to deviation #{found.seq}{more}")


def _draft(item: ItemView, body: Body, request: CommandRequest) -> Draft:
    return Draft(body, gate_key(gate_of(item.id)), actor=request.who.account)


EFFECTS = {
    "attest.sign": Effect(_plan_sign, _sign),
    "attest.withdraw": Effect(_plan_withdraw, _withdraw),
    "item.waive": Effect(_plan_waive, _waive),
    "note.add": Effect(_plan_note, _note),
    "deviation.follow_up": Effect(_plan_follow_up, _follow_up),
}
