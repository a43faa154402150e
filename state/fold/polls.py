"""Events of go/no-go polls: opened, answered, ended."""

from __future__ import annotations

from collections.abc import Callable

from state.base.frozen import replace
from state.events.event import Event
from state.events.polls import PollAnswered, PollEnded, PollOpened
from state.fold.step import step
from state.view.attestations import signed_by
from state.view.enums import GateStatus, PollState
from state.view.launch import LaunchView
from state.view.polls import PollView, SeatView

KEPT = 50


@step(PollOpened)
def _opened(view: LaunchView, event: Event, body: PollOpened) -> LaunchView:
    poll = PollView(
        seq=event.seq,
        by=event.actor,
        at_us=event.wall_us,
        until_us=body.until_us,
        about=body.about,
        shown=body.shown,
        seats=tuple(SeatView(person=one) for one in body.seats),
    )
    return replace(view, polls=(*view.polls[-KEPT + 1 :], poll))


@step(PollAnswered)
def _answered(view: LaunchView, event: Event, body: PollAnswered) -> LaunchView:
    def answer(poll: PollView) -> PollView:
        if poll.state is not PollState.OPEN:
            return poll
        said = SeatView(
            person=body.seat,
            answer=GateStatus.GO if body.go else GateStatus.NO_GO,
            actor=event.actor,
            how_known=body.how_known,
            comment=body.comment,
            key=body.key,
            at_us=event.wall_us,
        )
        return replace(poll, seats=tuple(said if s.person == body.seat else s for s in poll.seats))

    return signed_by(_change(view, event.ref or 0, answer), body.key, event.seq)


@step(PollEnded)
def _ended(view: LaunchView, event: Event, body: PollEnded) -> LaunchView:
    known = {state.value for state in PollState} - {PollState.OPEN.value}
    state = PollState(body.outcome) if body.outcome in known else PollState.UNKNOWN
    return _change(
        view, event.ref or 0, lambda p: replace(p, state=state, reason=body.reason, ended_us=event.wall_us)
    )


def _change(view: LaunchView, seq: int, change: Callable[[PollView], PollView]) -> LaunchView:
    return replace(view, polls=tuple(change(one) if one.seq == seq else one for one in view.polls))
