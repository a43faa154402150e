"""Go/no-go polls: who is asked, in which order, and what their answers come to.

Seats are the people of the runbook who may sign something, in its order, captains last. A GO is given in that order;
a NO-GO is taken from any seat at any time, and ends the poll.
"""

from __future__ import annotations

from hashlib import sha256

from state.base.canonical import encode
from state.base.json import JsonObject
from state.view.enums import GateStatus, PollState, Role
from state.view.launch import LaunchView, PersonView
from state.view.people import ANYBODY, fingerprints, may_attest, people_of
from state.view.polls import PollView, SeatView


def seats_of(view: LaunchView) -> tuple[PersonView, ...]:
    """Return who is asked in a poll, in the order in which they answer; who can't be known has no seat."""
    known = [
        person
        for person in view.people
        if may_attest(person.roles) and (person.signing_keys or any(a != ANYBODY for a in person.accounts))
    ]
    return tuple(sorted(known, key=lambda person: Role.CAPTAIN in person.roles))


def about_of(view: LaunchView) -> str:
    """Return the digest of what a poll is about: candidate, what deploys are made of, and the runbook."""
    said: JsonObject = {
        "candidate": [view.candidate.version, [list(pair) for pair in view.candidate.images]],
        "parts": [[env, what, made] for env, seen in sorted(view.parts.items()) for what, made in seen],
        "runbook": view.scope.runbook_digest,
    }
    return sha256(encode(said).encode()).hexdigest()[:32]


def open_poll(view: LaunchView) -> PollView | None:
    """Return the poll that waits for answers, or None."""
    newest = view.polls[-1] if view.polls else None
    return newest if newest is not None and newest.state is PollState.OPEN else None


def own_seats(view: LaunchView, poll: PollView, account: str, key: str = "") -> tuple[SeatView, ...]:
    """Return the seats of a poll that an account, or a key's holder, has."""
    mine = {person.id for person in people_of(view, account, key)}
    return tuple(seat for seat in poll.seats if seat.person in mine)


def seat_problem(view: LaunchView, poll: PollView, account: str, key: str = "", *, go: bool) -> str:
    """Return why an account can't answer a poll now, or nothing.

    ``key`` is the fingerprint of what signs. Without one, an account that several seats share may answer where one of
    them may once it is signed.
    """
    mine = own_seats(view, poll, account, key)
    if not mine:
        return f"{key or account} has no seat in poll #{poll.seq}: {', '.join(s.person for s in poll.seats)} have"
    if key and account not in {a for p in people_of(view, account, key) for a in p.accounts}:
        return f"{key} is not a key of {account}"
    told = [_problem(poll, seat, go=go) for seat in mine]
    return told[0] if all(told) else ""


def _problem(poll: PollView, seat: SeatView, *, go: bool) -> str:
    if seat.answer is GateStatus.GO and go:
        return f"{seat.person} said GO already"
    turn = poll.turn
    if go and turn is not None and turn.person != seat.person:
        before = [one.person for one in poll.seats[: poll.seats.index(seat)] if one.answer is None]
        return f"{' and '.join(before)} {'answer' if len(before) > 1 else 'answers'} before {seat.person}"
    return ""


def needs_key(view: LaunchView, poll: PollView, account: str) -> bool:
    """Return whether an account's GO in a poll must be signed: one of its seats has a key, or it has several."""
    mine = own_seats(view, poll, account)
    keys = {key for p in people_of(view, account) for key in fingerprints(p.signing_keys)}
    return bool(keys) or len(mine) > 1


def poll_words(poll: PollView) -> str:
    """Return how a poll stands, in a line: who said what, and whose turn it is."""
    said = ", ".join(f"{s.person} {s.answer.value if s.answer is not None else '·'}" for s in poll.seats)
    return f"{poll.about}: {said}"
