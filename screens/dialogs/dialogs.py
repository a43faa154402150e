"""Asking before acting.

What is typed goes into a field and nowhere else: no plain letter signs, cancels or leaves. Enter goes from field to
field, and in the last one it does what the button says, once all is valid; what is wrong is said beside its field.
*Danger* shows environment, from → to, the exact command line, the blast radius and the preflight, and is confirmed by
typing what is at stake. A dialog takes no answer in its first moment, so that keys meant for something else don't
reach it, and never two.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from screens.kit.guarded import Guarded
from screens.kit.plain import Role, Span, content, row
from state.view.enums import Danger

T = TypeVar("T")

ARM_S = {Danger.SAFE: 0.0, Danger.CAUTION: 0.3, Danger.DANGER: 1.0}
"""Seconds before an answer is taken."""
DO = "ctrl+g"
"""Presses the first button that acts, from any field: a key that can't be part of a word."""


class Dialog(Guarded, ModalScreen[T], Generic[T]):
    """A question over a screen. It ends once, by ``finish``, and Escape always means no."""

    CSS_PATH: ClassVar = [Path(__file__).with_name("dialogs.tcss")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "no", "no", show=False),
        Binding("left", "beside(-1)", "before", show=False),
        Binding("right", "beside(1)", "next", show=False),
        Binding(DO, "attempt('yes')", "do it", show=False, priority=True),
    ]
    DANGER: ClassVar[Danger] = Danger.SAFE

    def __init__(self, title: str, danger: Danger | None = None) -> None:
        super().__init__()
        self.danger = danger or self.DANGER
        self._title = title
        self._done = False
        self._waiting = ""
        """The answer that was given in the first moment, for when the dialog is armed."""
        self._field: Input | None = None
        """The field that had the keys last."""
        self.armed = False

    def parts(self) -> Iterable[Widget]:
        """Return the widgets between title and buttons."""
        return ()

    def buttons(self) -> Iterable[Button]:
        """Return the buttons, No first."""
        return ()

    def compose(self) -> ComposeResult:
        """Lay out title, parts and buttons."""
        with Vertical(id="dialog", classes=f"-{self.danger.value}"):
            yield Static(content(self._title), id="dialog-title")
            yield from self.parts()
            yield Horizontal(*self.buttons(), id="dialog-buttons")

    def on_mount(self) -> None:
        """Begin to take answers after a moment."""
        delay = ARM_S[self.danger]
        if delay:
            self.set_timer(delay, self._arm)
        else:
            self._arm()

    def _arm(self) -> None:
        self.armed = True
        self.update_buttons()
        if self._waiting:
            self.attempt(self._waiting)

    def update_buttons(self) -> None:
        """Enable what may be pressed now."""

    def finish(self, result: T | None) -> None:
        """End with a result; a second end, as by key repeat, is left out."""
        if not self._done:
            self._done = True
            self.dismiss(result)

    # -- fields --------------------------------------------------------------------------------------

    def fields(self) -> list[Input]:
        """Return the fields, in their order."""
        return list(self.query(Input))

    def begin(self) -> None:
        """Give the keys to the first field, or to No where there is none."""
        first = next(iter(self.fields()), None)
        (first or self.query_one("#no", Button)).focus()

    def complain(self, field: str, trouble: str) -> None:
        """Say beside a field what is wrong with it, and give it the keys; nothing that was typed is lost."""
        for label in self.query(f"#label-{field}").results(Label):
            label.complain(trouble)
        for box in self.query(f"#{field}").results(Input):
            box.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Take back what was said of the field, and look again at what may be pressed."""
        event.stop()
        for label in self.query(f"#label-{event.input.id}").results(Label):
            label.complain("")
        self.update_buttons()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on to the next field; in the last one, do what the button says."""
        event.stop()
        boxes = self.fields()
        after = boxes[boxes.index(event.input) + 1 :]
        if after:
            after[0].focus()
        else:
            self.entered()

    def entered(self) -> None:
        """Take Enter in the last field."""
        self.attempt("yes")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember the field that has the keys."""
        if isinstance(event.widget, Input):
            self._field = event.widget

    def on_key(self, event: events.Key) -> None:
        """Write a letter that is typed while a button has the keys into the field that had them last."""
        if isinstance(self.focused, Button) and self._field is not None and event.is_printable:
            event.stop()
            self._field.focus()
            self._field.insert_text_at_cursor(event.character or "")

    # -- answers -------------------------------------------------------------------------------------

    def attempt(self, name: str) -> None:
        """Take an answer; in the first moment it waits, if something was typed before it, else it is left out."""
        if self.armed:
            self._waiting = ""
            self.pressed(name)
        elif self.typed():
            self._waiting = name

    def action_attempt(self, name: str) -> None:
        """Take an answer by a key."""
        self.attempt(name)

    def typed(self) -> bool:
        """Return whether a person typed anything here."""
        return any(box.value.strip() for box in self.fields())

    def action_no(self) -> None:
        """End without a result."""
        self.finish(None)

    def action_beside(self, by: int) -> None:
        """Go to the button beside this one."""
        if isinstance(self.focused, Button):
            self.focus_next() if by > 0 else self.focus_previous()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take No at once and everything else only when armed."""
        event.stop()
        name = event.button.id or ""
        if name == "no":
            self.finish(None)
        elif self.armed and not event.button.disabled:
            self.pressed(name)

    def pressed(self, name: str) -> None:
        """Take the press of a button other than No."""


class Label(Static):
    """What a field is for; and, in its place, what is wrong with what stands in it."""

    def __init__(self, field: str, words: str, *, role: Role = Role.DIM) -> None:
        self._words = Span(words, role)
        self._trouble = ""
        super().__init__(content(row(self._words)), id=f"label-{field}", classes="label")

    def complain(self, trouble: str) -> None:
        """Say what is wrong; nothing: nothing is."""
        if trouble == self._trouble:  # at every letter: drawing it anew lays out the whole dialog
            return
        self._trouble = trouble
        wrong = (Span("  ✖ ", Role.BAD), Span(trouble, Role.BAD)) if trouble else ()
        self.update(content(row(self._words, *wrong)))


def no_button(label: str = "Cancel (esc)") -> Button:
    """Return the button that does nothing."""
    return Button(content(label), id="no", compact=True)
