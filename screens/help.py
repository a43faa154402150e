"""All keys and commands in one list that can be searched; Enter does what the line says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Button, Input

from screens.dialogs.dialogs import Dialog, no_button
from screens.kit.field import Field
from screens.kit.fuzzy import found
from screens.kit.plain import Role, Span
from screens.kit.table import Column, Row, Table


@dataclass(frozen=True, slots=True)
class HelpEntry:
    """A line of the help: what it does, its key, where it works, and its name for whoever runs it."""

    name: str
    key: str
    title: str
    where: str
    locked: str = ""
    """Why it would come to nothing now."""

    @property
    def words(self) -> str:
        """What is searched."""
        return f"{self.title} {self.key} {self.where} {self.name}"


NOTHING = "nothing"
"""The key of the row that says so."""


def _cells(one: HelpEntry) -> tuple[Span | str, ...]:
    locked = f"✖ {one.title}: {one.locked}" if one.locked else one.title
    title = Span(locked, Role.WARN if one.locked else Role.PLAIN)
    return (Span(one.key, Role.KEY), title, Span(one.where, Role.DIM))


class HelpDialog(Dialog[str]):
    """Type to search, Enter to do it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "list(1)", "down", show=False),
        Binding("up", "list(-1)", "up", show=False),
        Binding("pagedown", "list(10)", "page down", show=False),
        Binding("pageup", "list(-10)", "page up", show=False),
    ]

    def __init__(self, entries: Sequence[HelpEntry]) -> None:
        super().__init__("Keys and commands: type to search, enter runs")
        self._entries = tuple(entries)

    def parts(self) -> Iterable[Widget]:
        """Return the search and the list."""
        yield Field(placeholder="search", id="search", compact=True)
        yield Table((Column("key", 9), Column("what", 0), Column("where", 12)), id="entries")

    def buttons(self) -> Iterable[Button]:
        """Return Close."""
        yield no_button("Close (esc)")

    def on_mount(self) -> None:
        """List everything."""
        self.query_one(Table).styles.height = max(5, min(len(self._entries) + 1, self.app.size.height - 7))
        self.query_one(Table).can_focus = False
        self._list("")
        self.begin()

    def on_resize(self, event: events.Resize) -> None:
        """Use the height at hand."""
        self.query_one(Table).styles.height = max(5, min(len(self._entries) + 1, event.size.height - 7))

    def _list(self, expected: str) -> None:
        kept = found(expected, enumerate(self._entries), lambda one: one[1].words)
        rows = [Row(str(n), _cells(one)) for n, one in kept]
        table = self.query_one(Table)
        table.show_rows(rows or [Row(NOTHING, ("", "nothing matches: a few letters of its words do", ""))])
        table.action_edge(-1)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search."""
        event.stop()
        self._list(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do what the line under the cursor says."""
        event.stop()
        event.prevent_default()  # Textual calls the base class's handler too
        self.query_one(Table).action_choose()

    def action_list(self, by: int) -> None:
        """Move the cursor of the list; the keys stay with the search."""
        self.query_one(Table).action_move(by)

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """End with the chosen line's name."""
        event.stop()
        if event.key != NOTHING:
            self.finish(self._entries[int(event.key)].name)
