"""Every event of the launch, with a filter, and the whole of the one under the cursor."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import Input

from screens.base import STYLES, LaunchScreen
from screens.kit import formats
from screens.kit.lines import LineView
from screens.kit.pane import Pane
from screens.kit.plain import Line, Role, Span, row, wrap
from screens.kit.screen_state import ScreenState
from screens.kit.table import Column, Row, Table
from state.base.json import text
from state.events.event import Event, gate_number
from state.events.gates import CheckFinished
from state.fold import line_of
from state.fold.severity import milestone
from state.view.enums import Severity
from state.view.launch import LaunchView, LogLine

PAGE = 500
MILESTONES = "is:milestone"
MOST = 20_000
"""Events that are kept here; older ones are in the file."""

RequestPage: TypeAlias = Callable[[int, int], Awaitable[Sequence[Event]]]
"""Returns up to a number of events after a sequence number."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with what is listed and searched of it, made once."""

    event: Event
    row: Row
    words: str

    @classmethod
    def of(cls, event: Event, view: LaunchView) -> Entry:
        """Return the entry of an event of a launch."""
        line = line_of(event, view)
        everything = f"{event.seq} {event.kind} {event.gate or ''} {event.actor} {line.words}"
        return cls(event, event_row(event, line), everything.lower())


class LogScreen(LaunchScreen):
    """The log, newest last. The app gives the pages; this screen only lists and filters them."""

    NAME = "log"
    CSS_PATH: ClassVar = [STYLES / "base.tcss", STYLES / "log.tcss"]
    KEYS = (
        ("/", "filter"),
        ("m", "milestones"),
        ("enter", "event"),
        ("end", "newest"),
        ("c", "note"),
        ("esc", "back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", id="log.filter"),
        Binding("m", "milestones", "people and decisions only", id="log.milestones"),
    ]

    def __init__(self, request_page: RequestPage) -> None:
        super().__init__()
        self._request_page = request_page
        self._events: list[Entry] = []
        self._filter = MILESTONES
        self._usual = MILESTONES
        """What is listed where nothing is searched: most events are samples, which nobody reads one by one."""
        self._loading = False
        self._trouble = ""

    def body(self) -> Iterable[Widget]:
        """Return the filter, the list and the detail."""
        yield Pane(self._heading, id="log-heading")
        yield Input(placeholder="words, gate:6 kind:fail actor:ann seq:120 is:milestone", id="filter")
        events = Table(
            (
                Column("seq", 6, right=True),
                Column("time", 9),
                Column("gate", 4),
                Column("who", 9),
                Column("kind", 20, wanted=72),
                Column("what", 0),
            ),
            id="events",
        )
        yield Container(events, Vertical(LineView(id="detail"), id="detail-box"), id="log-box")

    def on_screen_resume(self) -> None:
        """Put the keys where the events are, and read what is new."""
        self.query_one("#events", Table).focus()
        self._load()

    def refresh_body(self, shown: ScreenState) -> None:
        """Read what is new; a replay that went back shows less again."""
        if self._events and self._events[-1].event.seq > shown.view.seq:
            self._events = [e for e in self._events if e.event.seq <= shown.view.seq]
            self._list()
        if self.is_current:
            self._load()

    def _load(self) -> None:
        if self._loading:
            return
        newest = self._events[-1].event.seq if self._events else 0
        oldest = self._events[0].event.seq if self._events else self.shown.view.seq + 1
        if newest < self.shown.view.seq or (oldest > 1 and len(self._events) < MOST):
            self._loading = True
            self.run_worker(self._read(), exit_on_error=False, group="log")

    async def _read(self) -> None:
        try:
            while await self._read_page():
                self._list()
            self._trouble = ""
        except Exception as error:
            self._trouble = f"the log can't be read at the moment: {error}"
        finally:
            self._loading = False
            self._list()

    async def _read_page(self) -> bool:
        """Read the newest page that is missing, else the one before the oldest; return whether there is more."""
        view = self.shown.view
        if not self._events:
            page = await self._request_page(max(0, view.seq - PAGE), PAGE)
            self._events = [Entry.of(e, view) for e in page]
            return bool(self._events)
        if self._events[-1].event.seq < view.seq:
            fresh = await self._request_page(self._events[-1].event.seq, PAGE)
            known = self._events[-1].event.seq if self._events else 0
            self._events.extend(Entry.of(e, view) for e in fresh if e.seq > known)
            return bool(fresh)
        oldest = self._events[0].event.seq
        if oldest <= 1 or len(self._events) >= MOST:
            return False
        after = max(0, oldest - 1 - PAGE)
        older = await self._request_page(after, oldest - 1 - after)
        self._events[:0] = [Entry.of(e, view) for e in older if e.seq < oldest]
        return bool(older)

    def _list(self) -> None:
        if not self.is_mounted:
            return
        table = self.query_one("#events", Table)
        first = not table.rows
        table.show_rows([e.row for e in self._matching()], follow=True)
        if first and table.rows:
            table.action_edge(1)
        self.query_one("#log-heading", Pane).show(self.shown)
        self._detail()

    def _matching(self) -> list[Entry]:
        return [e for e in self._events if matches(e, self._filter)] if self._filter else self._events

    def _heading(self, shown: ScreenState, width: int, height: int) -> list[Line]:
        count, known = len(self.query_one("#events", Table).rows), len(self._events)
        message = f"{count} of {known}" if self._filter else str(known)
        parts: list[Span | str] = [Span("LOG ", Role.HEAD), Span(f"{message} events", Role.STRONG)]
        if self._events and self._events[0].event.seq > 1:
            parts.append(Span(f", from {self._events[0].event.seq} on", Role.DIM))
        if self._filter == MILESTONES:
            parts.append(Span(" · milestones (m: every event)", Role.ACCENT))
        elif self._filter:
            parts.append(Span(f" · filter: {self._filter} (esc clears)", Role.ACCENT))
        if self._trouble:
            parts.append(Span(f"  {self._trouble}", Role.BAD))
        return [row(*parts)]

    def _event(self) -> Event | None:
        key = self.query_one("#events", Table).key
        if not key or not self._events:
            return None
        index = int(key) - self._events[0].event.seq
        if 0 <= index < len(self._events) and self._events[index].event.seq == int(key):
            return self._events[index].event
        return next((e.event for e in self._events if str(e.event.seq) == key), None)

    def _detail(self) -> None:
        event = self._event()
        view = self.query_one("#detail", LineView)
        if event is None:
            view.show_lines(lambda _: [], about="")
            return
        view.show_lines(lambda width: event_lines(event, width), about=str(event.seq))

    def on_table_moved(self, event: Table.Moved) -> None:
        """Show the event that the cursor stands on."""
        event.stop()
        self._detail()

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Go to the detail."""
        event.stop()
        self.query_one("#detail", LineView).focus()

    # -- the filter ----------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Open the filter, with its last words; what is searched is searched in every event."""
        self.set_class(True, "-filtering")
        if self._filter == MILESTONES:
            self.query_one("#filter", Input).value = ""
        self.query_one("#filter", Input).focus()

    def action_milestones(self) -> None:
        """Show only what people did and what was decided, or everything again."""
        self._usual = "" if self._filter == MILESTONES else MILESTONES
        self.set_class(False, "-filtering")
        self._search(self._usual)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as the words are typed."""
        if event.input.id != "filter":
            return
        event.stop()
        self._filter = event.value.strip()
        self._list()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter and go back to the list."""
        event.stop()
        self.set_class(False, "-filtering")
        if not event.value.strip():
            self._search(self._usual)
        self.query_one("#events", Table).focus()

    def clear_filter(self) -> bool:
        """List the usual again; return whether something was searched."""
        had = self._filter != self._usual or self.has_class("-filtering")
        self.set_class(False, "-filtering")
        if had:
            self._search(self._usual)
            self.query_one("#events", Table).focus()
        return had

    def _search(self, words: str) -> None:
        with self.prevent(Input.Changed):
            self.query_one("#filter", Input).value = words if words != MILESTONES else ""
        self._filter = words
        self._list()

    def problem(self, by: int) -> bool:
        """Go to the next event that tells of something bad, or to the one before."""
        return self.query_one("#events", Table).problem(by)


def event_row(event: Event, line: LogLine) -> Row:
    """Return an event as a row of the list."""
    gate = gate_number(event.gate)
    return Row(
        str(event.seq),
        (
            Span(str(event.seq), Role.DIM),
            formats.clock(event.wall_us),
            Span(str(gate) if gate else "", Role.KEY),
            Span(event.actor if event.actor != "engine" else "", Role.ACCENT),
            Span(event.kind, Role.DIM),
            Span(line.words or event.kind, formats.SEVERITY[line.severity]),
        ),
        bad=line.severity is Severity.BAD,
    )


def matches(entry: Entry, expected: str) -> bool:
    """Return whether an event has every word; ``gate: kind: actor: seq:`` look at one column."""
    event = entry.event
    for word in expected.lower().split():
        name, colon, value = word.partition(":")
        if not colon or name not in _COLUMNS:
            found = word in entry.words
        elif name == "gate":
            found = str(gate_number(event.gate) or "") == value
        elif name == "seq":
            found = str(event.seq) == value
        elif name == "is":
            found = value == "milestone" and milestone(event)
        elif name == "actor":
            found = value in event.actor.lower()
        else:
            found = value in event.kind or (
                event.kind == CheckFinished.KIND and value == text(event.body, "verdict")
            )
        if not found:
            return False
    return True


_COLUMNS = frozenset({"gate", "kind", "actor", "seq", "is"})


def event_lines(event: Event, width: int) -> list[Line]:
    """Return all of an event: its columns and its body as indented JSON."""
    when = f"{formats.date(event.wall_us)} {formats.clock(event.wall_us)}"
    told = f"#{event.seq} {event.kind}  {when}  by {event.actor}"
    if event.ref is not None:
        told += f"  answers #{event.ref}"
    lines = [row(Span(part, Role.STRONG)) for part in wrap(told, width)]
    body = json.dumps(event.body, indent=2, ensure_ascii=False, sort_keys=True, default=str)
    lines += [row(part) for told in body.split("\n") for part in wrap(told, width)]
    lines.append(row(Span(f"hash {event.hash}", Role.DIM)))
    return lines
