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
from screens.kit.plain import Role, Span
from screens.kit.table import Column, Row, Table


@dataclass(frozen=True, slots=True)
class HelpEntry:
    """A line of the help: what it does, its key, where it works, and its name for whoever runs it."""

    name: str
    key: str
    title: str
    where: str


class HelpDialog(Dialog[str]):
    """Type to search, Enter to do it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "list(1)", "to the list", show=False),
        Binding("pagedown", "list(10)", "to the list", show=False),
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
        self._list("")
        self.query_one(Input).focus()

    def on_resize(self, event: events.Resize) -> None:
        """Use the height at hand."""
        self.query_one(Table).styles.height = max(5, min(len(self._entries) + 1, event.size.height - 7))

    def _list(self, expected: str) -> None:
        parts = expected.lower().split()
        rows = [
            Row(str(n), (Span(e.key, Role.KEY), e.title, Span(e.where, Role.DIM)))
            for n, e in enumerate(self._entries)
            if all(part in f"{e.key} {e.title} {e.where} {e.name}".lower() for part in parts)
        ]
        self.query_one(Table).show_rows(rows)

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
        """Go from the search into the list."""
        table = self.query_one(Table)
        table.focus()
        table.action_move(by)

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """End with the chosen line's name."""
        event.stop()
        self.finish(self._entries[int(event.key)].name)
