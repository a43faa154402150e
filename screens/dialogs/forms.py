"""Asking for what a command needs to know: fields, a choice, an attestation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from screens.dialogs.dialogs import DO, Dialog, Label, no_button
from screens.kit.field import Field
from screens.kit.fuzzy import found
from screens.kit.lines import LineView
from screens.kit.plain import Line, Role, Span, content, row
from screens.kit.table import Column, Row, Table
from state.view.attestations import missing
from state.view.enums import Danger, GateStatus, Need
from state.view.gates import ItemView

DIGITS = 9
"""As many options have a digit of their own."""


@dataclass(frozen=True, slots=True)
class FormField:
    """A field: its name, what is asked for, and what is right."""

    name: str
    label: str
    optional: bool = False
    default: str = ""
    check: Callable[[str], str] | None = None
    """Returns what is wrong with a text, or nothing."""


class FormDialog(Dialog[dict[str, str]]):
    """Fields to fill in. Enter in the last one gives them."""

    def __init__(
        self,
        title: str,
        fields: Sequence[FormField],
        *,
        danger: Danger = Danger.SAFE,
        yes: str = "OK",
        notes: Sequence[str] = (),
    ) -> None:
        super().__init__(title, danger)
        self._fields = tuple(fields)
        self._yes = yes
        self._notes = tuple(notes)

    def parts(self) -> Iterable[Widget]:
        """Return what the command does, and the fields with their labels."""
        for note in self._notes:
            yield Static(content(row(Span(note, Role.DIM))), classes="note")
        for field in self._fields:
            more = " (optional)" if field.optional else ""
            label = field.label[:1].upper() + field.label[1:]
            name = f"field-{field.name}"
            yield Label(name, label + more)
            yield Field(value=field.default, id=name, compact=True)

    def buttons(self) -> Iterable[Button]:
        """Return No, and what gives it."""
        yield no_button()
        yield Button(content(self._yes), id="yes", compact=True, variant="primary")

    def on_mount(self) -> None:
        """Begin with the first field."""
        self.begin()

    def typed(self) -> bool:
        """Return whether anything else stands in a field than stood there."""
        return any(box.value != field.default for box, field in zip(self.fields(), self._fields, strict=True))

    def pressed(self, name: str) -> None:
        """Give the fields, or say what is wrong with them."""
        values = {f.name: self.query_one(f"#field-{f.name}", Input).value.strip() for f in self._fields}
        for field in self._fields:
            value = values[field.name]
            trouble = ""
            if not value and not field.optional:
                trouble = "required"
            elif value and field.check is not None:
                trouble = field.check(value)
            if trouble:
                self.complain(f"field-{field.name}", trouble)
                return
        self.finish({name: value for name, value in values.items() if value})


class PickDialog(Dialog[str]):
    """One of a few: with arrows, its digit or a few of its letters, and Enter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "down", show=False),
        Binding("up", "move(-1)", "up", show=False),
    ]

    def __init__(
        self, title: str, options: Sequence[tuple[str, str]], *, danger: Danger = Danger.SAFE
    ) -> None:
        super().__init__(title, danger)
        self._options = tuple(options)
        self._many = len(self._options) > DIGITS

    def parts(self) -> Iterable[Widget]:
        """Return the options; where they have more lines than digits, with a field that looks for one."""
        if self._many:
            yield Field(placeholder="type to search", id="search", compact=True)
        yield Table((Column("", 2, right=True), Column("", 0)), id="options")

    def buttons(self) -> Iterable[Button]:
        """Return No alone: the options are chosen in their list."""
        yield no_button()

    def on_mount(self) -> None:
        """List the options."""
        table = self.query_one(Table)
        table.styles.height = min(len(self._options), max(4, self.app.size.height - 6 - int(self._many)))
        self._list("")
        if self._many:
            table.can_focus = False
            self.begin()
        else:
            table.focus()

    def _list(self, typed: str) -> None:
        kept = found(typed, enumerate(self._options), lambda one: one[1][1])
        rows = [
            Row(str(n), ("" if self._many else Span(str(n + 1), Role.KEY), label)) for n, (_, label) in kept
        ]
        table = self.query_one(Table)
        table.show_rows(rows)
        table.action_edge(-1)

    def on_key(self, event: events.Key) -> None:
        """Put the cursor on the row of a digit."""
        if not self._many and event.character and event.character.isdigit():
            event.stop()
            self.query_one(Table).select(str(int(event.character) - 1))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look for it."""
        event.stop()
        event.prevent_default()  # Textual calls the base class's handler too
        self._list(event.value)

    def entered(self) -> None:
        """Take the row under the cursor."""
        self.query_one(Table).action_choose()

    def action_move(self, by: int) -> None:
        """Move the cursor, wherever the focus is."""
        self.query_one(Table).action_move(by)

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Take the row under the cursor."""
        event.stop()
        if self.armed:
            self.finish(self._options[int(event.key)][0])


class AttestDialog(Dialog[dict[str, str]]):
    """A person's word on an item: what was seen, a comment, and GO or NO-GO by a button or its key.

    Enter gives no word: with two of them, it could not say which.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(DO, "attempt('go')", "GO", show=False, priority=True),
        Binding("ctrl+n", "attempt('no-go')", "NO-GO", show=False, priority=True),
    ]
    DANGER: ClassVar[Danger] = Danger.CAUTION

    def __init__(
        self, title: str, lines: Callable[[int], Sequence[Line]], item: ItemView, *, no_go_only: str = ""
    ) -> None:
        """``no_go_only`` says why this person can't give a GO; nothing where they can."""
        super().__init__(title)
        self._lines_of = lines
        self._item = item
        self._no_go_only = no_go_only

    def parts(self) -> Iterable[Widget]:
        """Return what was seen, why no GO can be given, and the fields."""
        yield LineView(id="facts")
        if self._no_go_only:
            yield Static(content(row(Span(self._no_go_only, Role.BAD))), id="trouble", classes="note")
        for need in _FIELDS:
            yield Label(need.value, f"{need.value.capitalize()} ({self._asked(need)})")
            yield Field(id=need.value, compact=True)

    def _asked(self, need: Need) -> str:
        if need in self._item.rule.needs and not self._no_go_only:
            return "required"
        return "required for NO-GO" if need is Need.COMMENT else "optional"

    def buttons(self) -> Iterable[Button]:
        """Return No, GO and NO-GO."""
        yield no_button()
        yield Button(content("✔ GO (ctrl+g)"), id="go", compact=True, variant="primary", disabled=True)
        yield Button(content("✖ NO-GO (ctrl+n)"), id="no-go", compact=True, variant="error", disabled=True)

    def on_mount(self) -> None:
        """Show what was seen; the comment has the keys."""
        facts = self.query_one(LineView)
        facts.show_lines(self._lines_of, about="facts")
        facts.can_focus = False
        self.begin()

    def on_resize(self, event: events.Resize) -> None:
        """Give the facts the lines that there are."""
        width = max(20, min(event.size.width - 4, 110) - 4)
        room = max(3, event.size.height - 10 - int(bool(self._no_go_only)))
        self.query_one(LineView).styles.height = min(room, len(self._lines_of(width)))

    def update_buttons(self) -> None:
        """Let both be pressed."""
        for button in self.query(Button):
            never = button.id == "go" and bool(self._no_go_only)
            button.disabled = never or (not self.armed and button.id != "no")

    def entered(self) -> None:
        """Go on to the verdicts."""
        ready = [button for button in self.query(Button) if not button.disabled and button.id != "no"]
        (ready or list(self.query(Button)))[0].focus()

    def typed(self) -> bool:
        """Return true: its own keys mean nothing elsewhere, so that a word given early waits."""
        return True

    def pressed(self, name: str) -> None:
        """Give the word, or say what it lacks and stay: nothing that was typed is lost."""
        given = {need: self.query_one(f"#{need.value}", Input).value.strip() for need in _FIELDS}
        go = name == "go"
        if go and self._no_go_only:
            return  # what stands above the fields says why
        if lacking := missing(self._item, go=go, given=given):
            asked = self._item.rule.needs if go else ()
            empty = next((need for need in _FIELDS if need in asked and not given[need]), Need.COMMENT)
            self.complain(empty.value, lacking)
            return
        verdict = GateStatus.GO if go else GateStatus.NO_GO
        said = {"verdict": verdict.value, **{need.value: value for need, value in given.items()}}
        self.finish({name: value for name, value in said.items() if value})


_FIELDS = (Need.COMMENT, Need.LINK)
