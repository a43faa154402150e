"""What people said, in words: when, who and how they are known; requests and polls."""

from __future__ import annotations

from collections.abc import Iterable

from state.report.day_times import Times
from state.report.document import Entries, Entry, Fold, Paragraph, Section, text
from state.report.facts import LaunchReport
from state.view.enums import PollState, RequestState, Severity
from state.view.polls import PollView, SeatView
from state.view.requests import RequestView


def signed(key: str, how_known: str) -> str:
    """Return whether a word is signed, or else how who gave it is known."""
    if key and key not in how_known:
        return f"signed with {key}"
    return how_known or "not known how"


def requests(facts: LaunchReport, times: Times) -> Section:
    """Return what was requested of a second person, and how it was answered."""
    states = dict(facts.request_states)
    entries = tuple(_request(one, states.get(one.seq, one.state), times) for one in facts.requests)
    nothing = Paragraph(text("Nothing was requested of a second person."))
    return Section("requests", "Requests and grants", (Entries(entries) if entries else nothing,))


def _request(one: RequestView, state: RequestState, times: Times) -> Entry:
    details = [
        Entry(text=text(f"{one.from_what} to {one.to_what} in {one.environment}")),
        *(Entry(text=text(f"stands against it: {line}")) for line in one.over),
    ]
    if one.answered_by:
        known = signed(one.answered_key, one.answered_known)
        said = f"answered by {one.answered_by} ({known}) at {times.at(one.answered_us)}"
        details.append(Entry(text=text(said, f": {one.comment}" if one.comment else "")))
    folds = (Fold("commands", one.commands),) if one.commands else ()
    return Entry(
        seq=one.seq,
        lead=state.value,
        severity=Severity.BAD if state is RequestState.REFUSED else Severity.PLAIN,
        text=text(
            f"{one.title or one.command}, by {one.by} ({signed(one.key, one.how_known)})",
            f" at {times.at(one.at_us)}, until {times.at(one.until_us)}: {one.reason or 'no reason'}",
        ),
        details=tuple(details),
        folds=folds,
    )


def polls(facts: LaunchReport, times: Times) -> Iterable[Section]:
    """Return the go/no-go polls, where there were any."""
    if facts.polls:
        entries = tuple(_poll(one, times) for one in facts.polls)
        yield Section("polls", "Go/no-go polls", (Entries(entries),))


def _poll(poll: PollView, times: Times) -> Entry:
    why = f": {poll.reason}" if poll.reason else ""
    return Entry(
        seq=poll.seq,
        lead=poll.state.value,
        severity=Severity.BAD if poll.state is PollState.NO_GO else Severity.PLAIN,
        text=text(f"{poll.about}, asked by {poll.by} at {times.at(poll.at_us)}{why}"),
        details=tuple(_seat(seat, times) for seat in poll.seats),
    )


def _seat(seat: SeatView, times: Times) -> Entry:
    said = seat.answer.value if seat.answer is not None else "no answer"
    who = f" by {seat.actor} ({seat.how_known}) at {times.at(seat.at_us)}" if seat.actor else ""
    return Entry(text=text(f"{seat.person} {said}{who}", f": {seat.comment}" if seat.comment else ""))
