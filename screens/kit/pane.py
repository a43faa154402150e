"""A widget that shows lines: it repaints only those that changed, and reads no markup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeAlias

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from screens.kit.guarded import Guarded
from screens.kit.plain import Line, Role, Span, clean, cut
from screens.kit.screen_state import ScreenState

Draw: TypeAlias = Callable[[ScreenState, int, int], Sequence[Line]]
"""Makes the lines of a section: what is shown, its width and its height in cells."""


INKS = frozenset(f"ink--{role}" for role in Role)


def ink_css(name: str) -> str:
    """Return the default styles of a widget's roles; Textual inherits them along one line of bases only."""
    rules = {
        "strong": "text-style: bold;",
        "head": "text-style: bold; color: $accent;",
        "dim": "color: $secondary;",
        "good": "color: $success;",
        "bad": "color: $error; text-style: bold;",
        "warn": "color: $warning;",
        "blind": "color: $warning; text-style: bold;",
        "accent": "color: $accent;",
        "key": "color: $accent; text-style: bold;",
        "marked": "text-style: bold reverse;",
        "alarm": "color: $error; text-style: bold reverse;",
        "line3": "color: $secondary;",
    }
    return "\n".join(f"{name} > .ink--{role} {{ {rule} }}" for role, rule in rules.items())


class Inked(Guarded, Widget):
    """A widget whose text has roles; their colours come from the theme."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(INKS)
    DEFAULT_CSS = ink_css("Inked")

    def ink(self, role: Role) -> Style:
        """Return the terminal style of a role under the theme in force."""
        return self.get_component_rich_style(f"ink--{role}")

    def strip(self, line: Line, width: int, *, under: Style | None = None) -> Strip:
        """Return a line as cells, exactly ``width`` wide; ``under`` is laid over every style (a cursor)."""
        base = self.rich_style
        segments = [
            Segment(clean(span.text, 2000), base if span.role is Role.PLAIN else self.ink(span.role))
            for span in line
        ]
        if under is not None:
            base = base + under
            segments = [Segment(s.text, s.style + under if s.style else under) for s in segments]
        return Strip(segments).crop_extend(0, width, base)


def failed_words(error: Exception, width: int) -> Span:
    """Return what stands in place of a section that could not be drawn."""
    return Span(cut(f" ✖ can't be shown: {type(error).__name__}: {error}", width), Role.ALARM)


class Pane(Inked):
    """A section of a screen, drawn by a pure function."""

    DEFAULT_CSS = "Pane { width: 1fr; height: 1fr; }"

    def __init__(self, draw: Draw, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  the name that Textual gives it
        super().__init__(id=id, classes=classes)
        self._draw = draw
        self._shown: ScreenState | None = None
        self._lines: tuple[Line, ...] = ()
        self._made_for = Size(0, 0)

    class Clicked(Message):
        """A line was clicked."""

        def __init__(self, pane: Pane, x: int, y: int) -> None:
            super().__init__()
            self.pane, self.x, self.y = pane, x, y

    def on_click(self, event: events.Click) -> None:
        """Tell where it was clicked."""
        event.stop()
        self.post_message(self.Clicked(self, event.x, event.y))

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines that are shown."""
        return self._lines

    def show(self, shown: ScreenState) -> None:
        """Show a new state: only lines that differ are painted again."""
        self._shown = shown
        self._redraw()

    def _make(self) -> tuple[Line, ...]:
        """Return the lines for what is shown and the size at hand."""
        width, height = self._made_for = self.size
        if self._shown is None or width < 1 or height < 1:
            return ()
        try:
            return tuple(self._draw(self._shown, width, height)[:height])
        except Exception as error:
            self.app._handle_exception(error)  # noqa: SLF001  as for any handler of a widget
            return ((failed_words(error, width),),)

    def _redraw(self) -> None:
        old, self._lines = self._lines, self._make()
        for y in range(max(len(old), len(self._lines))):
            if old[y : y + 1] != self._lines[y : y + 1]:
                self.refresh(Region(0, y, self.size.width, 1))

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        event.stop()
        self._lines = self._make()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line of the section."""
        if self._made_for != self.size:
            self._lines = self._make()  # painted before it is told of its size: no blank frame
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        return self.strip(self._lines[y], width)

    @property
    def text(self) -> str:
        """The lines as plain text, for tests and for copying."""
        return "\n".join("".join(clean(span.text) for span in line) for line in self._lines)
