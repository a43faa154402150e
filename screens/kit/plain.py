"""The one door through which text becomes something that a widget shows.

Textual reads markup in strings (``[@click=…]`` becomes a live button, ``[/`` ends the program), and passes
escape sequences on to the terminal. What goes through here has neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from state.base import text


class Role(StrEnum):
    """What a piece of text means; its colour follows from the theme, and is never its only sign."""

    PLAIN = "plain"
    STRONG = "strong"
    DIM = "dim"
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    BLIND = "blind"
    ACCENT = "accent"
    HEAD = "head"
    MARKED = "marked"
    """Reverse video: the environment, a banner that must be seen."""
    ALARM = "alarm"
    """Reverse video in the colour of failure."""
    KEY = "key"
    """The second line of a graph."""
    LINE3 = "line3"


class Span(NamedTuple):
    """A piece of a line."""

    text: str
    role: Role = Role.PLAIN


Line: TypeAlias = tuple[Span, ...]


def clean(value: str, limit: int = text.LINE_LIMIT) -> str:
    """Return a text that is safe on one line; blanks inside it stay as they are."""
    return text.plain(value, limit).replace("\n", " ")


def row(*parts: Span | str) -> Line:
    """Return a line made of spans and plain texts."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts)


def fit(value: str, width: int, *, right: bool = False) -> str:
    """Return a text cleaned, cut with an ellipsis or filled with blanks to ``width`` cells."""
    if width <= 0:
        return ""
    value = clean(value)
    taken = cell_len(value)
    if taken > width:
        return set_cell_size(value, width - 1) + "…" if width > 1 else "…"
    blanks = " " * (width - taken)
    return blanks + value if right else value + blanks


def cut(value: str, width: int) -> str:
    """Return a text cleaned and cut to at most ``width`` cells."""
    return fit(value, width).rstrip()


def line_width(line: Line) -> int:
    """Return how many cells a line takes."""
    return sum(cell_len(clean(span.text)) for span in line)


def fill(left: Line, right: Line, width: int) -> Line:
    """Return a line with one part at its left edge and one at its right; the right one yields last."""
    room = width - line_width(left) - line_width(right)
    if room >= 1:
        return (*left, Span(" " * room), *right)
    keep = max(0, width - line_width(right) - 1)
    return (*crop(left, keep), Span(" "), *right)


def crop(line: Line, width: int) -> Line:
    """Return the beginning of a line, at most ``width`` cells, with an ellipsis where something is cut."""
    done: list[Span] = []
    left = width
    for span in line:
        size = cell_len(clean(span.text))
        if size > left:
            if left > 0:
                done.append(Span(fit(span.text, left), span.role))
            break
        done.append(span)
        left -= size
    return tuple(done)


def heading(title: str, width: int, *right: Span | str) -> Line:
    """Return a section's first line: its title, a rule, and what it adds up to."""
    tail = row(*right)
    label = Span(cut(title, max(1, width - 2)), Role.HEAD)
    room = width - line_width((label,)) - line_width(tail) - (2 if tail else 1)
    if room < 0:
        return crop((label, Span(" "), *tail), width)
    rule = Span(" " + "─" * room + (" " if tail else ""), Role.DIM)
    return (label, rule, *tail)


def wrap(value: str, width: int, *, most: int = 200) -> list[str]:
    """Return a text cleaned and broken into lines of at most ``width`` cells, newlines kept."""
    lines: list[str] = []
    for paragraph in text.plain(value, 20_000).split("\n"):
        lines.extend(_wrapped(paragraph, max(1, width)))
        if len(lines) >= most:
            return lines[:most]
    return lines


def _wrapped(paragraph: str, width: int) -> Iterable[str]:
    indent = " " * min(len(paragraph) - len(paragraph.lstrip()), width // 2)
    current = indent
    for word in paragraph.split():
        joined = current + ("" if current.strip() == "" else " ") + word
        if cell_len(joined) <= width:
            current = joined
            continue
        if current.strip():
            yield current
        rest = indent + word
        while cell_len(rest) > width:
            head = set_cell_size(rest, width)
            yield head
            rest = indent + rest[len(head.rstrip()) or 1 :]
            if rest.strip() == "":
                break
        current = rest
    yield current


def content(value: str | Line | Sequence[Line]) -> Content:
    """Return text, a line or lines as Textual's content, without markup and without escapes."""
    if isinstance(value, str):
        return Content(text.plain(value, 20_000))
    if value and isinstance(value[0], Span):
        return _assembled([value])  # type: ignore[list-item]  # a tuple of spans is one line
    return _assembled(value)  # type: ignore[arg-type]  # what is left are lines


def _assembled(lines: Sequence[Line]) -> Content:
    pieces: list[Content] = []
    for number, line in enumerate(lines):
        if number:
            pieces.append(Content("\n"))
        pieces.extend(_styled(span) for span in line)
    return Content("").join(pieces)


_STYLES = {
    Role.STRONG: "bold",
    Role.HEAD: "bold",
    Role.DIM: "$secondary",
    Role.GOOD: "$success",
    Role.BAD: "$error bold",
    Role.WARN: "$warning",
    Role.BLIND: "$warning",
    Role.ACCENT: "$accent",
    Role.KEY: "$accent bold",
    Role.MARKED: "reverse bold",
    Role.ALARM: "$error reverse bold",
}


def _styled(span: Span) -> Content:
    style = _STYLES.get(span.role)
    words = clean(span.text)
    return Content.styled(words, style) if style else Content(words)
