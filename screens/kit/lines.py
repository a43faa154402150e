"""Lines that can be scrolled: evidence, helm's output, the detail of an event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.kit.pane import INKS, Inked, failed_words, ink_css
from screens.kit.plain import Line, clean


class LineView(ScrollView, Inked, can_focus=True):
    """A list of lines, made for the width at hand; ``stick`` keeps the newest line in sight."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(INKS)
    DEFAULT_CSS = (
        ink_css("LineView")
        + """
    LineView { width: 1fr; height: 1fr; scrollbar-size-horizontal: 0; scrollbar-size-vertical: 1;
        scrollbar-gutter: stable; }
    LineView:focus { scrollbar-color: $accent; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "up", show=False),
        Binding("down", "scroll_down", "down", show=False),
        Binding("pageup", "page_up", "page up", show=False),
        Binding("pagedown", "page_down", "page down", show=False),
        Binding("home", "scroll_home", "top", show=False),
        Binding("end", "scroll_end", "bottom", show=False),
        Binding("j", "scroll_down", "down", show=False),
        Binding("k", "scroll_up", "up", show=False),
        Binding("ctrl+d,ctrl+f", "page_down", "page down", show=False),
        Binding("ctrl+u,ctrl+b", "page_up", "page up", show=False),
    ]

    def __init__(self, *, stick: bool = False, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  Textual's name
        super().__init__(id=id, classes=classes)
        self._make: Callable[[int], Sequence[Line]] | None = None
        self._lines: tuple[Line, ...] = ()
        self._stick = stick
        self._about = ""

    def show_lines(self, make: Callable[[int], Sequence[Line]], *, about: str = "") -> None:
        """Show what ``make`` returns for the width. Another ``about`` begins at the top again."""
        self._make = make
        new_subject = about != self._about
        self._about = about
        self._remake(home=new_subject)

    def _remake(self, *, home: bool) -> None:
        width = self.scrollable_content_region.width
        if self._make is None or width < 1:
            return
        try:
            lines = tuple(self._make(width))
        except Exception as error:
            self.app._handle_exception(error)  # noqa: SLF001  as for any handler of a widget
            lines = ((failed_words(error, width),),)
        if lines == self._lines and not home:
            return
        at_end = self.scroll_offset.y + self.size.height >= len(self._lines)
        self._lines = lines
        self.virtual_size = Size(width, len(lines))
        if self._stick and (at_end or home):
            self.call_after_refresh(self.scroll_end, animate=False, force=True)
        elif home:
            self.scroll_home(animate=False, force=True)
        self.refresh()

    def on_resize(self) -> None:
        """Make the lines anew for another width."""
        self._remake(home=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line."""
        width, index = self.scrollable_content_region.width, self.scroll_offset.y + y
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        return self.strip(self._lines[index], width)

    @property
    def below(self) -> int:
        """How many lines there are below what is in sight."""
        return max(0, len(self._lines) - self.scroll_offset.y - self.size.height)

    @property
    def text(self) -> str:
        """All lines as plain text."""
        return "\n".join("".join(clean(s.text, 2000) for s in line) for line in self._lines)
