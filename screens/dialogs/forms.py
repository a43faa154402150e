"""Asking for what a command needs to know: fields, a choice, an attestation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from screens.dialogs.dialogs import Dialog, no_button
from screens.kit.field import Field
from screens.kit.lines import LineView
from screens.kit.plain import Line, Role, Span, content, row
from screens.kit.table import Column, Row, Table
from state.view.attestations import missing
from state.view.enums import Danger, GateStatus, Need
from state.view.gates import ItemView


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
    """Fields to fill in. Where the command is safe, Enter in the last one gives it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "yes", "yes", show=False)]

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
            more = " (may be left out)" if field.optional else ""
            yield Static(content(row(Span(field.label + more, Role.DIM))), classes="label")
            yield Field(value=field.default, id=f"field-{field.name}", compact=True)
        yield Static("", id="trouble", classes="label", markup=False)

    def buttons(self) -> Iterable[Button]:
        """Return No, and what gives it."""
        yield no_button("Cancel (esc)")
        yield Button(content(self._yes), id="yes", compact=True, variant="primary")

    def on_mount(self) -> None:
        """Begin with the first field."""
        first = next(iter(self.query(Input)), None)
        (first or self.query_one("#no", Button)).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give a safe form with Enter in its last field; else go on, to Cancel after the last."""
        event.stop()
        event.prevent_default()  # Textual calls the base class's handler too
        boxes = list(self.query(Input))
        if event.input is boxes[-1] and self.danger is Danger.SAFE and self.armed:
            self.pressed("yes")
        else:
            self.focus_next()

    def action_yes(self) -> None:
        """Give the form by a key, where no field has the focus."""
        if self.armed:
            self.pressed("yes")

    def pressed(self, name: str) -> None:
        """Give the fields, or say what is wrong with them."""
        values = {f.name: self.query_one(f"#field-{f.name}", Input).value.strip() for f in self._fields}
        for field in self._fields:
            value = values[field.name]
            trouble = ""
            if not value and not field.optional:
                trouble = f"{field.label}: something is needed"
            elif value and field.check is not None:
                trouble = field.check(value)
            if trouble:
                self.query_one("#trouble", Static).update(content(row(Span(trouble, Role.BAD))))
                self.query_one(f"#field-{field.name}", Input).focus()
                return
        self.finish({name: value for name, value in values.items() if value})


class PickDialog(Dialog[str]):
    """One of a few: by its digit, or with arrows and Enter."""

    def __init__(
        self, title: str, options: Sequence[tuple[str, str]], *, danger: Danger = Danger.SAFE
    ) -> None:
        super().__init__(title, danger)
        self._options = tuple(options)

    def parts(self) -> Iterable[Widget]:
        """Return the options."""
        yield Table((Column("", 2, right=True), Column("", 0)), id="options")

    def buttons(self) -> Iterable[Button]:
        """Return No alone: the options are chosen in their list."""
        yield no_button("Cancel (esc)")

    def on_mount(self) -> None:
        """List the options."""
        table = self.query_one(Table)
        table.styles.height = min(len(self._options), max(4, self.app.size.height - 6))
        table.show_rows(
            [
                Row(str(n), (Span(str(n + 1) if n < 9 else "", Role.KEY), label))
                for n, (_, label) in enumerate(self._options)
            ]
        )
        table.focus()

    def on_key(self, event: events.Key) -> None:
        """Take a digit."""
        if self.armed and event.character and event.character.isdigit():
            index = int(event.character) - 1
            if 0 <= index < len(self._options):
                event.stop()
                self.finish(self._options[index][0])

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Take the row under the cursor."""
        event.stop()
        if self.armed:
            self.finish(self._options[int(event.key)][0])


class AttestDialog(Dialog[dict[str, str]]):
    """A person's word on an item: what was seen, GO or NO-GO, a comment."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "say('GO')", "GO", show=False),
        Binding("N", "say('NO-GO')", "NO-GO", show=False),
        Binding("n", "no", "no", show=False),
        Binding("c", "comment", "comment", show=False),
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
        """Return what was seen, the fields, and what is wrong with them."""
        yield LineView(id="facts")
        for need, key in ((Need.COMMENT, " (c)"), (Need.LINK, "")):
            asked = f"{need.value}{key}, {self._asked(need)}"
            yield Static(content(row(Span(asked, Role.DIM))), classes="label")
            yield Field(id=need.value, compact=True)
        yield Static("", id="trouble", classes="label", markup=False)

    def _asked(self, need: Need) -> str:
        if need in self._item.rule.needs and not self._no_go_only:
            return "needed"
        return "needed for NO-GO" if need is Need.COMMENT else "may be left out"

    def buttons(self) -> Iterable[Button]:
        """Return No, GO and NO-GO."""
        yield no_button("Cancel (esc)")
        yield Button(content("✔ GO (g)"), id="go", compact=True, variant="primary", disabled=True)
        yield Button(content("✖ NO-GO (N)"), id="no-go", compact=True, variant="error", disabled=True)

    def on_mount(self) -> None:
        """Show what was seen; the focus is on Cancel."""
        self.query_one(LineView).show_lines(self._lines_of, about="facts")
        self.query_one("#no", Button).focus()
        if self._no_go_only:
            self._tell(self._no_go_only)

    def _tell(self, trouble: str) -> None:
        self.query_one("#trouble", Static).update(content(row(Span(trouble, Role.BAD))))

    def on_resize(self, event: events.Resize) -> None:
        """Give the facts the lines that there are."""
        width = max(20, min(event.size.width - 4, 110) - 4)
        room = max(3, event.size.height - 11)
        self.query_one(LineView).styles.height = min(room, len(self._lines_of(width)))

    def update_buttons(self) -> None:
        """Let both be pressed."""
        for button in self.query(Button):
            never = button.id == "go" and bool(self._no_go_only)
            button.disabled = never or (not self.armed and button.id != "no")

    def action_comment(self) -> None:
        """Go to the comment."""
        self.query_one("#comment", Input).focus()

    def action_say(self, verdict: str) -> None:
        """Give the word by a key."""
        if self.armed:
            self._give(verdict)

    def pressed(self, name: str) -> None:
        """Give the word by a button."""
        self._give("GO" if name == "go" else "NO-GO")

    def _give(self, verdict: str) -> None:
        """Give the word, or say what it lacks and stay: nothing that was typed is lost."""
        given = {need: self.query_one(f"#{need.value}", Input).value.strip() for need in _FIELDS}
        go = verdict == GateStatus.GO
        lacking = self._no_go_only if go else ""
        if not lacking and (lacking := missing(self._item, go=go, given=given)):
            empty = next((need for need in _FIELDS if not given[need]), Need.COMMENT)
            self.query_one(f"#{empty.value}", Input).focus()
        if lacking:
            self._tell(lacking)
            return
        said = {"verdict": verdict, **{need.value: value for need, value in given.items()}}
        self.finish({name: value for name, value in said.items() if value})


_FIELDS = (Need.COMMENT, Need.LINK)
