"""A report as a document that knows no format: sections of entries, tables, folds and figures.

An entry that is about an event names it, so that every format shows the number and a reader can go there in a replay.
A text is a tuple of spans: what comes from a log is never anything but a span's text, and each format escapes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from state.report.day_times import Times
from state.report.run_facts import Curve, Mark
from state.view.enums import Severity

LONGEST = 20_000
"""Characters of a text; more than the log takes of one."""


class Style(StrEnum):
    """How a span is shown."""

    PROSE = "prose"
    CODE = "code"
    STRONG = "strong"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line."""

    text: str
    style: Style = Style.PROSE


Text: TypeAlias = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines that are opened to be read: commands, evidence, output."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of a list, with what belongs to it."""

    text: Text
    lead: str = ""
    """The word that it begins with."""
    seq: int = 0
    """The event that it is about; 0: none."""
    severity: Severity = Severity.PLAIN
    details: tuple[Entry, ...] = ()
    folds: tuple[Fold, ...] = ()


@dataclass(frozen=True, slots=True)
class Entries:
    """A list."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table."""

    cells: tuple[Text, ...]
    seq: int = 0
    severity: Severity = Severity.PLAIN


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under heads. Where ``numbered``, the first cell of each row is the event's number."""

    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    caption: str
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A line by itself."""

    text: Text


@dataclass(frozen=True, slots=True)
class Figure:
    """A curve, with what is marked on it."""

    curve: Curve
    marks: tuple[Mark, ...]
    times: Times


Block: TypeAlias = Entries | Table | Paragraph | Figure


@dataclass(frozen=True, slots=True)
class Section:
    """A part with its heading."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    parts: tuple[Section, ...] = ()
    echo: bool = False
    """Whether its entries tell again, by time, what others tell in full."""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report."""

    title: str
    summary: tuple[tuple[str, Text], ...]
    """(about, told): the lines on top."""
    facts: Entries
    sections: tuple[Section, ...]


def prose(text: str) -> Span:
    """Return a span of plain words."""
    return Span(text)


def code(text: str) -> Span:
    """Return a span that is a name, a command or a digest."""
    return Span(text, Style.CODE)


def strong(text: str) -> Span:
    """Return a span that stands out."""
    return Span(text, Style.STRONG)


def link(text: str) -> Span:
    """Return a span that is an address; only ``https:`` and ``http:`` ones can be followed."""
    return Span(text, Style.LINK)


def text(*pieces: Span | str) -> Text:
    """Return a text of spans and plain words; empty ones are left out."""
    spans = (prose(piece) if isinstance(piece, str) else piece for piece in pieces)
    return tuple(span for span in spans if span.text)


def between(pieces: tuple[Span, ...], separator: str = ", ") -> Text:
    """Return spans with a separator between them."""
    spread = [one for piece in pieces for one in (prose(separator), piece)]
    return tuple(spread[1:])
