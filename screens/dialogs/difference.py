"""What an operation would change in the cluster, object by object and field by field, with a search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from screens.dialogs.dialogs import Dialog, no_button
from screens.kit.field import Field
from screens.kit.lines import LineView
from screens.kit.plain import Line, Role, Span, content, row, wrap

ARROW = " → "


class DiffDialog(Dialog[None]):
    """The changes; typing shows only the lines that have every typed word."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f3", "no", "close", show=False, priority=True),
        Binding("down", "scroll(1)", "down", show=False),
        Binding("up", "scroll(-1)", "up", show=False),
        Binding("pagedown", "scroll(20)", "page down", show=False),
        Binding("pageup", "scroll(-20)", "page up", show=False),
    ]

    def __init__(self, diff: Sequence[str]) -> None:
        super().__init__("What changes")
        self._diff = tuple(diff)

    def parts(self) -> Iterable[Widget]:
        """Return the search, how much it finds, and the lines."""
        yield Field(placeholder="search: object, field or value", id="search", compact=True)
        yield Static("", id="found", classes="label", markup=False)
        yield LineView(id="changes")

    def buttons(self) -> Iterable[Button]:
        """Return Close."""
        yield no_button("Close (esc)")

    def on_mount(self) -> None:
        """Show every change."""
        self._list("")
        self.query_one(Input).focus()

    def on_resize(self, event: events.Resize) -> None:
        """Use the height at hand."""
        self.query_one(LineView).styles.height = max(5, event.size.height - 9)

    def _list(self, expected: str) -> None:
        found = matching(self._diff, expected)
        message = f"{len(found)} of {len(self._diff)}" if expected.strip() else f"{len(found)}"
        objects = len({one.partition(": ")[0] for one in found})
        self.query_one("#found", Static).update(
            content(row(Span(f"{message} lines, {objects} object{'s' * (objects != 1)}", Role.DIM)))
        )
        self.query_one(LineView).show_lines(lambda width: diff_lines(found, width), about=expected)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search as the words are typed."""
        event.stop()
        self._list(event.value)

    def action_scroll(self, by: int) -> None:
        """Scroll the lines, wherever the focus is."""
        view = self.query_one(LineView)
        view.scroll_to(y=view.scroll_offset.y + by, animate=False)


def matching(diff: Sequence[str], expected: str) -> list[str]:
    """Return the lines that have every word, in any case."""
    parts = expected.lower().split()
    return [one for one in diff if all(part in one.lower() for part in parts)]


def diff_lines(diff: Sequence[str], width: int) -> list[Line]:
    """Return changes as lines: each object once, its fields below it, what goes and what comes."""
    lines: list[Line] = []
    last = ""
    for one in diff:
        name, colon, told = one.partition(": ")
        if not colon:
            lines += [row(Span(part, Role.ACCENT)) for part in wrap(one, width)]
            continue
        if name != last:
            lines.append(row(Span(name, Role.STRONG)))
            last = name
        lines += _change(told, max(10, width - 2))
    return lines or [row(Span("no line has all of these words", Role.DIM))]


def _change(message: str, width: int) -> list[Line]:
    field, _, values = message.partition(" ")
    before, arrow, after = values.partition(ARROW)
    if arrow and len(message) + 2 > width:
        return [
            row("  ", field),
            *_value("- ", before, width, Role.BAD),
            *_value("+ ", after, width, Role.GOOD),
        ]
    if arrow:
        return [row("  ", field, " ", Span(before, Role.BAD), ARROW, Span(after, Role.GOOD))]
    role = Role.WARN if field == "live" else Role.BAD if message == "is removed" else Role.GOOD
    return [row("  ", Span(part, role)) for part in wrap(message, width)]


def _value(sign: str, message: str, width: int, role: Role) -> list[Line]:
    parts = wrap(message, max(1, width - len(sign)))
    return [row("  ", Span((sign if n == 0 else "  ") + part, role)) for n, part in enumerate(parts)]
