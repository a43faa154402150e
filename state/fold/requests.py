"""Events of requests: made, granted, refused, withdrawn. What uses one up says so itself."""

from __future__ import annotations

from collections.abc import Callable

from state.base.frozen import remake, replace
from state.events.event import Event
from state.events.requests import RequestGranted, RequestMade, RequestRefused, RequestWithdrawn
from state.fold.step import step
from state.view.attestations import signed_by
from state.view.enums import RequestState
from state.view.launch import LaunchView
from state.view.requests import RequestView

KEPT = 100


@step(RequestMade)
def _made(view: LaunchView, event: Event, body: RequestMade) -> LaunchView:
    made = remake(
        RequestView,
        body,
        seq=event.seq,
        by=event.actor,
        at_us=event.wall_us,
        from_what=body.from_,
        to_what=body.to,
    )
    return signed_by(replace(view, requests=(*view.requests[-KEPT + 1 :], made)), body.key, event.seq)


@step(RequestGranted)
def _granted(view: LaunchView, event: Event, body: RequestGranted) -> LaunchView:
    view = signed_by(view, body.key, event.seq)
    return _answered(view, event, RequestState.GRANTED, body.how_known, body.comment, body.key)


@step(RequestRefused)
def _refused(view: LaunchView, event: Event, body: RequestRefused) -> LaunchView:
    view = signed_by(view, body.key, event.seq)
    return _answered(view, event, RequestState.REFUSED, body.how_known, body.reason, body.key)


@step(RequestWithdrawn)
def _withdrawn(view: LaunchView, event: Event, body: RequestWithdrawn) -> LaunchView:
    return _answered(view, event, RequestState.WITHDRAWN, "", body.reason)


def used(view: LaunchView, seq: int) -> LaunchView:
    """Return the view in which a granted request was carried out; 0: there was none."""
    return _change(view, seq, lambda one: replace(one, state=RequestState.USED)) if seq else view


def _answered(
    view: LaunchView, event: Event, state: RequestState, how_known: str, comment: str, key: str = ""
) -> LaunchView:
    def answer(one: RequestView) -> RequestView:
        if not one.state.open:
            return one
        return replace(
            one,
            state=state,
            answered_by=event.actor,
            answered_known=how_known,
            answered_us=event.wall_us,
            comment=comment,
            answered_key=key,
        )

    return _change(view, event.ref or 0, answer)


def _change(view: LaunchView, seq: int, change: Callable[[RequestView], RequestView]) -> LaunchView:
    return replace(view, requests=tuple(change(one) if one.seq == seq else one for one in view.requests))
