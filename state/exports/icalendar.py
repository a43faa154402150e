"""The window of a launch and what is due before it, as iCalendar (RFC 5545): UTC, CR LF, 75 octets a line at most."""

from __future__ import annotations

from collections.abc import Iterator

from state.base.text import plain
from state.base.times import moment
from state.view.launch import LaunchView

_OCTETS = 75


def icalendar(view: LaunchView) -> str:
    """Return the calendar; of an item that is due, an event at that moment. The same launch has the same ids."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//launch-console//export//EN", *_events(view)]
    return "".join(f"{_folded(line)}\r\n" for line in (*lines, "END:VCALENDAR"))


def _events(view: LaunchView) -> Iterator[str]:
    scope = view.scope
    title = " ".join(one for one in (scope.title or "Launch", view.candidate.version) if one)
    if scope.window_start_us and scope.window_end_us:
        end = (f"DTEND:{_utc(scope.window_end_us)}",)
        yield from _event(view, "window", scope.window_start_us, (title, scope.launch_id), end)
    for gate in view.gates:
        for item in gate.items:
            due_us = item.due_us(scope.window_start_us)
            if not due_us:
                continue
            owner = f"owner: {item.owner}\n" if item.owner else ""
            verdict = item.verdict(view.wall_us).value
            told = f"{owner}{item.text}\nat the end of the log: {verdict}"
            words = f"due: {item.id} {item.text}", told
            yield from _event(view, f"item-{item.id}", due_us, words, ("TRANSP:TRANSPARENT",))


def _event(
    view: LaunchView, name: str, start_us: int, words: tuple[str, str], more: tuple[str, ...]
) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(f'{view.log_id}.{name}@launch-console')}"
    yield f"DTSTAMP:{_utc(view.scope.opened_us or view.wall_us)}"
    yield f"DTSTART:{_utc(start_us)}"
    yield from more
    yield f"SUMMARY:{_text(words[0])}"
    yield f"DESCRIPTION:{_text(words[1])}"
    yield "END:VEVENT"


def _utc(at_us: int) -> str:
    return f"{moment(at_us):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    cleaned = plain(value, 2000).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return cleaned.replace("\n", "\\n")


def _folded(line: str) -> str:
    """Return a content line in pieces of at most 75 octets, none of which cuts a character."""
    pieces, piece, size = [], "", 0
    for char in line:
        octets = len(char.encode())
        if size + octets > _OCTETS:
            pieces.append(piece)
            piece, size = " ", 1
        piece += char
        size += octets
    return "\r\n".join((*pieces, piece))
