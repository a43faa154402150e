"""A table that is drawn line by line: keyed rows, fixed columns, a cursor that stays with its row.

Only rows that are seen and have changed are painted; five thousand rows cost what fifty cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.kit.pane import INKS, Inked, ink_css
from screens.kit.plain import Line, Role, Span, clean, fit


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title and its width in cells; the one of width 0 takes what is left.

    A column with ``wanted`` is left out where the table is narrower than that, one with ``narrower`` where it isn't.
    """

    title: str
    width: int
    right: bool = False
    wanted: int = 0
    narrower: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A row: a key that stays the same while the row is about the same thing, and its cells."""

    key: str
    cells: tuple[Span | str, ...]
    bad: bool = False
    """Whether it is a problem, so that ``n`` stops at it."""

    @property
    def words(self) -> str:
        """What a filter looks at: all cells, also those that are left out at this width."""
        return " ".join(cell.text if isinstance(cell, Span) else cell for cell in self.cells)


def _has(one: Row, words: str) -> bool:
    told = one.words.lower()
    return all(word in told for word in words.split())


class Table(ScrollView, Inked, can_focus=True):
    """Rows with a cursor. ``Moved`` tells where it went, ``Chosen`` that Enter was pressed on it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--cursor", *INKS}
    DEFAULT_CSS = (
        ink_css("Table")
        + """
    Table {
        width: 1fr; height: 1fr;
        scrollbar-size-horizontal: 0;
        scrollbar-size-vertical: 1;
        & > .table--cursor { background: $primary 25%; }
        &:focus > .table--cursor { background: $primary 60%; text-style: bold; }
    }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "up", show=False),
        Binding("down", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home", "edge(-1)", "first", show=False),
        Binding("end", "edge(1)", "last", show=False),
        Binding("enter", "choose", "open", show=False),
        Binding("j", "move(1)", "down", show=False),
        Binding("k", "move(-1)", "up", show=False),
        Binding("ctrl+d", "half(1)", "half a page down", show=False),
        Binding("ctrl+u", "half(-1)", "half a page up", show=False),
        Binding("ctrl+f", "page(1)", "page down", show=False),
        Binding("ctrl+b", "page(-1)", "page up", show=False),
    ]

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, table: Table, key: str) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> Table:
            """The table."""
            return self.table

    class Chosen(Moved):
        """Enter was pressed, or the row was clicked."""

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        id: str | None = None,  # noqa: A002  the name that Textual gives it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns = tuple(columns)
        self._rows: tuple[Row, ...] = ()
        self._all: tuple[Row, ...] = ()
        self.needle = ""
        """The words that a row must have to be listed."""
        self._key = ""
        self.head = int(any(c.title for c in self.columns))
        """How many lines the titles take: none where no column has one."""

    # -- what is shown -------------------------------------------------------------------------------

    def show_rows(self, rows: Sequence[Row], *, follow: bool = False) -> None:
        """Show these rows. The cursor stays with its key; with ``follow`` it stays at the end if it was there."""
        old = self._rows
        at_end = bool(old) and self.cursor == len(old) - 1
        before = self.cursor
        self._all = tuple(rows)
        new = tuple(one for one in self._all if _has(one, self.needle)) if self.needle else self._all
        if new == old:
            return
        self._rows = new
        if len(new) != len(old):
            self.virtual_size = Size(self.size.width, len(new) + self.head)
        if follow and at_end and new:
            self._key = new[-1].key
        elif new and not any(r.key == self._key for r in new):
            self._key = new[min(before, len(new) - 1)].key
        if follow and at_end:
            self.call_after_refresh(self._reveal)
        top = self.scroll_offset.y
        for y in range(self.head, self.size.height):
            index = top + y - self.head
            if old[index : index + 1] != new[index : index + 1] or index in {before, self.cursor}:
                self._paint(y)

    def narrow(self, words: str) -> None:
        """List only rows that have every one of the words, in any case; none of them: all rows again."""
        self.needle = words.strip().lower()
        self.show_rows(self._all)

    @property
    def hidden(self) -> int:
        """How many rows the filter leaves out."""
        return len(self._all) - len(self._rows)

    def _paint(self, y: int) -> None:
        """Paint a line as it is seen: what is scrolled away above counts for nothing."""
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows."""
        return self._rows

    @property
    def key(self) -> str:
        """The key of the row under the cursor; nothing where there are no rows."""
        return self._key if self._rows else ""

    @property
    def cursor(self) -> int:
        """The number of the row under the cursor, from 0."""
        return next((n for n, r in enumerate(self._rows) if r.key == self._key), 0)

    def select(self, key: str) -> None:
        """Put the cursor on a row, if it exists."""
        if any(r.key == key for r in self._rows) and key != self._key:
            self._key = key
            self.refresh()
            self._reveal()
            self.post_message(self.Moved(self, key))

    def problem(self, by: int) -> bool:
        """Put the cursor on the next row that is a problem, or on the one before; return whether there is one."""
        count, here = len(self._rows), self.cursor
        around = (self._rows[(here + by * step) % count] for step in range(1, count + 1))
        found = next((one for one in around if one.bad), None)
        if found is not None:
            self.select(found.key)
        return found is not None

    # -- keys and mouse ------------------------------------------------------------------------------

    def _go(self, index: int) -> None:
        if self._rows:
            self.select(self._rows[max(0, min(index, len(self._rows) - 1))].key)

    def _reveal(self) -> None:
        y, height = self.cursor, max(1, self.size.height - self.head)
        top = self.scroll_offset.y
        if y < top:
            self.scroll_to(y=y, animate=False, force=True)
        elif y >= top + height:
            self.scroll_to(y=y - height + 1, animate=False, force=True)

    def action_move(self, by: int) -> None:
        """Move the cursor by a number of rows."""
        self._go(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by a number of pages."""
        self._go(self.cursor + by * max(1, self.size.height - 2))

    def action_half(self, by: int) -> None:
        """Move the cursor by a number of half pages."""
        self._go(self.cursor + by * max(1, (self.size.height - self.head) // 2))

    def action_edge(self, to: int) -> None:
        """Move the cursor to the first or to the last row."""
        self._go(0 if to < 0 else len(self._rows) - 1)

    def action_choose(self) -> None:
        """Tell that the row under the cursor was chosen."""
        if self._rows:
            self.post_message(self.Chosen(self, self._key))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; choose with the second click."""
        index = self.scroll_offset.y + event.y - self.head
        if event.y < self.head or not 0 <= index < len(self._rows):
            return
        if self._rows[index].key == self._key:
            self.action_choose()
        self._go(index)

    def on_resize(self) -> None:
        """Fit the rows to the new size."""
        self.virtual_size = Size(self.size.width, len(self._rows) + self.head)
        self.call_after_refresh(self._reveal)

    # -- drawing -------------------------------------------------------------------------------------

    def _widths(self, width: int) -> list[int]:
        """Return every column's width; -1 for one that is left out."""
        kept = [c.wanted <= width and (not c.narrower or width < c.narrower) for c in self.columns]
        widths = [c.width for c, is_kept in zip(self.columns, kept, strict=True) if is_kept]
        rest = max(1, width - sum(widths) - len(widths) + 1)
        return [(c.width or rest) if is_kept else -1 for c, is_kept in zip(self.columns, kept, strict=True)]

    def line_of(self, cells: Sequence[Span | str], width: int) -> Line:
        """Return cells as a line, each in its column."""
        spans: list[Span] = []
        for column, size, cell in zip(self.columns, self._widths(width), cells, strict=False):
            if size < 0:
                continue
            span = cell if isinstance(cell, Span) else Span(cell)
            if spans:
                spans.append(Span(" "))
            spans.append(Span(fit(span.text, size, right=column.right), span.role))
        return tuple(spans)

    def render_line(self, y: int) -> Strip:
        """Return the header or a row."""
        width = self.scrollable_content_region.width
        if y < self.head:
            head = [Span(c.title, Role.DIM) for c in self.columns]
            return self.strip(self.line_of(head, width), width)
        index = self.scroll_offset.y + y - self.head
        if index >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        one = self._rows[index]
        return self.strip(self.line_of(one.cells, width), width, under=self._under(one.key))

    def _under(self, key: str) -> Style | None:
        if key != self._key:
            return None
        if self.app.no_color:
            return Style(reverse=self.has_focus, bold=True)
        style = self.get_component_rich_style("table--cursor")
        return Style(bgcolor=style.bgcolor, bold=style.bold)

    @property
    def text(self) -> str:
        """The rows as plain text, for tests."""
        width = self.scrollable_content_region.width or 80
        return "\n".join("".join(clean(s.text) for s in self.line_of(r.cells, width)) for r in self._rows)
