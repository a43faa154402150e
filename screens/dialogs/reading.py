"""A text to read over a screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Button

from screens.dialogs.dialogs import Dialog, no_button
from screens.kit.lines import LineView
from screens.kit.plain import Line, Role, Span, row, wrap


class ReadingDialog(Dialog[None]):
    """A text from outside, that can be scrolled."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("i", "no", "close", show=False)]

    def __init__(self, title: str, text: str) -> None:
        super().__init__(title)
        self._text = text

    def parts(self) -> Iterable[Widget]:
        """Return the lines."""
        yield LineView(id="reading")

    def buttons(self) -> Iterable[Button]:
        """Return Close."""
        yield no_button("Close (esc)")

    def on_mount(self) -> None:
        """Show the text, and let the keys scroll it."""
        view = self.query_one(LineView)
        view.show_lines(lambda width: text_lines(self._text, width))
        view.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Use the height at hand."""
        self.query_one(LineView).styles.height = max(5, event.size.height - 6)


def text_lines(text: str, width: int) -> list[Line]:
    """Return a text as lines of its own, wrapped below where each begins; what isn't indented stands out."""
    lines: list[Line] = []
    for one in text.split("\n"):
        bare = one.lstrip(" ")
        pad = " " * (len(one) - len(bare))
        role = Role.PLAIN if pad else Role.STRONG
        lines += [row(Span(pad + part, role)) for part in wrap(bare, max(10, width - len(pad)))] or [row("")]
    return lines
