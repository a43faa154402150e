"""Asking before acting.

*Caution* asks, with the focus on No. *Danger* shows environment, from → to, the exact command line, the blast
radius and the preflight, and wants the release's name typed; Enter never confirms by default. A dialog takes
no answer in its first moment, so that keys meant for something else don't reach it, and never two.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from screens.kit.plain import content
from state.view.enums import Danger

T = TypeVar("T")

ARM_S = {Danger.SAFE: 0.0, Danger.CAUTION: 0.3, Danger.DANGER: 1.0}
"""Seconds before an answer is taken."""


class Dialog(ModalScreen[T], Generic[T]):
    """A question over a screen. It ends once, by ``finish``, and Escape always means no."""

    CSS_PATH: ClassVar = [Path(__file__).with_name("dialogs.tcss")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "no", "no", show=False),
        Binding("left", "beside(-1)", "before", show=False),
        Binding("right", "beside(1)", "next", show=False),
    ]
    DANGER: ClassVar[Danger] = Danger.SAFE

    def __init__(self, title: str, danger: Danger | None = None) -> None:
        super().__init__()
        self.danger = danger or self.DANGER
        self._title = title
        self._done = False
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

    def update_buttons(self) -> None:
        """Enable what may be pressed now."""

    def finish(self, result: T | None) -> None:
        """End with a result; a second end, as by key repeat, is left out."""
        if not self._done:
            self._done = True
            self.dismiss(result)

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

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on to the next field: Enter never confirms."""
        event.stop()
        self.focus_next()


def no_button(label: str = "No (esc)") -> Button:
    """Return the button that does nothing."""
    return Button(content(label), id="no", compact=True)
