"""Go/no-go polls: every seat is asked, in the runbook's order, and answers from where it sits; a NO-GO holds.

A poll ends by its last GO, by the first NO-GO, with its time, or when what it was about changes; then one event holds
everybody's answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from console.engine.commands.handler import (
    CommandContext,
    CommandRefusedError,
    CommandRequest,
    Effect,
    plain_preview,
)
from console.engine.commands.requests import LASTS_MIN
from console.engine.commands.signatures import Proof, key_of, proof_of
from console.engine.record.journal import Journal
from state.attest.statement import PollWord
from state.base.frozen import replace
from state.base.times import SECOND_US, clock
from state.commands import Reply
from state.events.event import Draft
from state.events.launch import LaunchHeld
from state.events.polls import PollAnswered, PollEnded, PollOpened, SeatAnswer
from state.view.enums import GateStatus, LaunchState, PollState
from state.view.launch import LaunchView
from state.view.people import same_person
from state.view.polls import PollView, SeatView
from state.view.preview import Preview
from state.view.seats import about_of, needs_key, open_poll, own_seats, seat_problem, seats_of

_LOOK_S = 1.0


# open


async def _plan_open(context: CommandContext, request: CommandRequest) -> Preview:
    view = context.view
    if (one := open_poll(view)) is not None:
        raise CommandRefusedError(f"poll #{one.seq} is open until {clock(one.until_us, seconds=False)}")
    seats = seats_of(view)
    if len(seats) < 2:
        raise CommandRefusedError("a poll asks several people, and the runbook names one who may answer")
    order = " → ".join(person.id for person in seats)
    return plain_preview(
        request,
        blast=(
            f"asked in this order: {order}",
            f"any NO-GO holds the launch; it ends after {LASTS_MIN} min",
        ),
    )


async def _open(context: CommandContext, request: CommandRequest) -> Reply:
    body = PollOpened(
        about=request.need("about", "what is asked"),
        seats=tuple(person.id for person in seats_of(context.view)),
        shown=about_of(context.view),
        until_us=context.clock.wall_us() + LASTS_MIN * 60 * SECOND_US,
        how_known=request.who.how_known,
    )
    event = await context.journal.record(Draft(body, actor=request.who.account))
    message = f"poll #{event.seq} is open: {body.seats[0]} answers first"
    return Reply(ok=True, message=message, result={"poll": event.seq})


# answer


def _meant(context: CommandContext, request: CommandRequest) -> PollView:
    name = request.need("poll", "a poll").removeprefix("#")
    poll = open_poll(context.view)
    if poll is None or str(poll.seq) != name:
        raise CommandRefusedError(f"there is no open poll {name[:20]}")
    if context.clock.wall_us() >= poll.until_us:
        raise CommandRefusedError(f"poll #{poll.seq} is expired: it takes no answer any more")
    if about_of(context.view) != poll.shown:
        raise CommandRefusedError(f"what poll #{poll.seq} was about has changed: open another")
    return poll


def _go(request: CommandRequest) -> bool:
    verdict = request.need("verdict", "GO or NO-GO").upper()
    if verdict not in {GateStatus.GO, GateStatus.NO_GO}:
        raise CommandRefusedError(f"an answer is GO or NO-GO, not {verdict[:20]!r}")
    return verdict == GateStatus.GO


async def _plan_answer(context: CommandContext, request: CommandRequest) -> Preview:
    poll = _meant(context, request)
    go = _go(request) if request.text("verdict") else False
    if problem := seat_problem(context.view, poll, request.who.account, key_of(request), go=go):
        raise CommandRefusedError(problem)
    seats = tuple(f"{seat.person}: {_said(seat)}" for seat in poll.seats)
    return plain_preview(request, from_what=poll.about, to_what=request.text("verdict"), checks=seats)


def _said(seat: SeatView) -> str:
    if seat.answer is None:
        return "no answer yet"
    return f"{seat.answer.value} ({seat.how_known})" + (f": {seat.comment}" if seat.comment else "")


async def _answer(context: CommandContext, request: CommandRequest) -> Reply:
    poll, go, comment = _meant(context, request), _go(request), request.text("comment")
    if not go and not comment:
        raise CommandRefusedError("say why it is NO-GO")
    given = (poll.seq, poll.shown, go, comment)
    proof = proof_of(context, request, PollWord, lambda s: (s.poll, s.shown, s.go, s.comment) == given)
    seat = _seat(context.view, poll, request, proof, go=go)
    body = PollAnswered(
        seat=seat.person,
        go=go,
        comment=comment,
        how_known=request.who.how_known if proof is None else proof.how_known,
        statement=proof.statement if proof is not None else "",
        signature=proof.signature if proof is not None else "",
        key=proof.key if proof is not None else "",
    )
    said = replace(
        seat,
        answer=GateStatus.GO if go else GateStatus.NO_GO,
        actor=request.who.account,
        how_known=body.how_known,
        comment=comment,
        key=body.key,
    )
    after = replace(poll, seats=tuple(said if s.person == seat.person else s for s in poll.seats))
    drafts = [Draft(body, ref=poll.seq, actor=request.who.account)]
    turn = after.turn
    if not go:
        reason = f"{seat.person}: {comment}"
        drafts += ending(after, PollState.NO_GO, reason, request.who.account)
        if context.view.state is LaunchState.RUNNING:
            held = LaunchHeld(f"poll #{poll.seq}: NO-GO by {reason}")
            drafts.append(Draft(held, actor=request.who.account))
    elif turn is None:
        drafts += ending(after, PollState.GO, "", request.who.account)
    await context.journal.record_many(drafts)
    told = "it is NO-GO, and the launch is held" if not go else "everybody said GO"
    return Reply(
        ok=True,
        message=f"poll #{poll.seq}: {told if turn is None or not go else f'{turn.person} answers next'}",
    )


def _seat(
    view: LaunchView, poll: PollView, request: CommandRequest, proof: Proof | None, *, go: bool
) -> SeatView:
    """Return the one seat that an answer is from.

    Raises RefusedError where it isn't known whose it is, or it isn't their turn.
    """
    account, key = request.who.account, proof.key if proof is not None else ""
    if go and not key and needs_key(view, poll, account):
        why = request.text("unsigned") or "it came without a signature"
        raise CommandRefusedError(f"{account} signs a GO with an SSH key: {why}")
    if problem := seat_problem(view, poll, account, key, go=go):
        raise CommandRefusedError(problem)
    mine = own_seats(view, poll, account, key)
    if len(mine) > 1:
        raise CommandRefusedError(f"{account} has several seats: sign the answer, or hold the launch (h)")
    if go and (other := _twice(view, poll, mine[0], account, key)):
        raise CommandRefusedError(f"{account} answered for {other} already: one person has one seat")
    return mine[0]


def _twice(view: LaunchView, poll: PollView, mine: SeatView, account: str, key: str) -> str:
    """Return the seat for which the same person answered before, whatever the runbook calls them; or nothing."""
    for seat in poll.seats:
        before = seat.person != mine.person and seat.answer is not None
        if before and same_person(view, seat.actor, account, seat.key, key):
            return seat.person
    return ""


# its end


def ending(poll: PollView, state: PollState, reason: str, actor: str) -> Sequence[Draft]:
    """Return the event that ends a poll, with everybody's answer."""
    answers = tuple(
        SeatAnswer(s.person, s.answer.value if s.answer is not None else "", s.actor, s.how_known, s.comment)
        for s in poll.seats
    )
    return [Draft(PollEnded(outcome=state.value, reason=reason, answers=answers), ref=poll.seq, actor=actor)]


class PollClock:
    """Ends a poll with its time, and one whose subject has changed."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._journal.until(lambda view: open_poll(view) is not None)
            await self.tick()
            await self._journal.clock.sleep(_LOOK_S)

    async def tick(self) -> None:
        """End the open poll where it is over."""
        poll = open_poll(self._journal.view)
        if poll is None:
            return
        if about_of(self._journal.view) != poll.shown:
            why = "candidate, chart, values or runbook changed since it was opened"
            await self._journal.record_many(ending(poll, PollState.VOID, why, "engine"))
        elif self._journal.clock.wall_us() >= poll.until_us:
            left = ", ".join(s.person for s in poll.seats if s.answer is None)
            await self._journal.record_many(ending(poll, PollState.EXPIRED, f"no answer of {left}", "engine"))


EFFECTS = {"poll.open": Effect(_plan_open, _open), "poll.answer": Effect(_plan_answer, _answer)}
