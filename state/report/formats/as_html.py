"""A report as one HTML file: it asks nothing of anywhere, runs nothing, and can be read, printed and listened to.

What comes from a log is escaped text. The policy in its head forbids every request and every script, so that what
would get past that has nothing to do either.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape

from state.base.text import line, plain
from state.report.document import (
    LONGEST,
    Document,
    Entries,
    Entry,
    Figure,
    Fold,
    Paragraph,
    Row,
    Section,
    Span,
    Style,
    Table,
    Text,
)
from state.report.formats.curves import description, shown, svg
from state.report.formats.html_style import STYLE
from state.view.enums import Severity

_FOLLOWED = re.compile(r"https?://[^\s<>\"'`\\]+\Z")
_ID = re.compile(r"[^a-z0-9-]+")


def html(page: Document) -> str:
    """Return a document as a whole HTML page."""
    return "\n".join(_Page(page).lines()) + "\n"


@dataclass(slots=True)
class _Page:
    """Writes a document; knows where the place of each event is."""

    page: Document
    _places: dict[int, str] = field(default_factory=dict)
    """By event, the first place that tells it in full."""
    _taken: set[str] = field(default_factory=set)
    _ids: dict[int, str] = field(default_factory=dict)
    """By section (its identity), the name that it has in the page."""

    def __post_init__(self) -> None:
        for section in self.page.sections:
            self._name(section)

    def _name(self, section: Section) -> None:
        name = base = _ID.sub("-", section.id.lower()).strip("-") or "part"
        count = 1
        while name in self._taken:
            count += 1
            name = f"{base}-{count}"
        self._taken.add(name)
        self._ids[id(section)] = name
        if not section.echo:
            for seq in _numbers(section):
                self._places.setdefault(seq, f"{name}-e{seq}")
        for part in section.parts:
            self._name(part)

    def lines(self) -> Iterator[str]:
        """Yield the page line by line."""
        title = escape(line(self.page.title, LONGEST))
        digest = b64encode(sha256(STYLE.encode()).digest()).decode()
        policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
            "base-uri 'none'; form-action 'none'"
        )
        yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
        yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
        yield '<meta name="referrer" content="no-referrer">\n<meta name="color-scheme" content="light dark">'
        yield f'<link rel="icon" href="data:,">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>'
        yield '<a class="skip" href="#main">Skip to the report</a>'
        yield f"<header>\n<h1>{title}</h1>"
        yield '<dl class="summary">'
        for about, told in self.page.summary:
            yield f"<dt>{escape(about)}</dt><dd>{_text(told)}</dd>"
        yield "</dl>\n</header>"
        yield '<nav aria-label="Contents">\n<ul>'
        for section in self.page.sections:
            yield f'<li><a href="#{self._ids[id(section)]}">{escape(line(section.title))}</a></li>'
        yield '</ul>\n</nav>\n<main id="main" tabindex="-1">'
        yield from self._entries(self.page.facts.entries, "")
        for section in self.page.sections:
            yield from self._section(section, 2)
        yield "</main>\n</body>\n</html>"

    def _section(self, section: Section, level: int) -> Iterator[str]:
        name, title = self._ids[id(section)], escape(line(section.title, LONGEST))
        depth = min(level, 6)
        yield f'<section id="{name}" aria-labelledby="{name}-h">\n<h{depth} id="{name}-h">{title}</h{depth}>'
        echoed = "" if section.echo else name
        for place, block in enumerate(section.blocks):
            match block:
                case Entries():
                    yield from self._entries(block.entries, echoed)
                case Table():
                    yield from self._table(block, echoed)
                case Paragraph():
                    yield f"<p>{_text(block.text)}</p>"
                case Figure():
                    yield from _figure(block, f"{name}-{place}")
        for part in section.parts:
            yield from self._section(part, level + 1)
        yield "</section>"

    def _entries(self, entries: Iterable[Entry], name: str) -> Iterator[str]:
        yield '<ul class="e">'
        for entry in entries:
            lead = f'<strong class="w">{escape(line(entry.lead))}</strong> ' if entry.lead else ""
            told = _text(entry.text)
            if not lead and entry.severity is not Severity.PLAIN:
                told = f'<span class="w">{told}</span>'
            yield f"<li{self._mark(entry.seq, entry.severity, name)}>{self._number(entry.seq, name)}{lead}{told}"
            if entry.details:
                yield from self._entries(entry.details, name)
            for fold in entry.folds:
                yield _fold(fold)
            yield "</li>"
        yield "</ul>"

    def _mark(self, seq: int, severity: Severity, name: str) -> str:
        """Return the attributes of what is about an event."""
        shade = "" if severity is Severity.PLAIN else f' class="{severity.value}"'
        if not seq:
            return shade
        own = f"{name}-e{seq}"
        place = f' id="{own}"' if name and own not in self._taken else ""
        self._taken.add(own)
        return f'{place}{shade} data-event="{seq}"'

    def _number(self, seq: int, name: str) -> str:
        if not seq:
            return ""
        place = self._places.get(seq, "") if not name else f"{name}-e{seq}"
        return f'<a class="n" href="#{place}">#{seq}</a> ' if place else f'<span class="n">#{seq}</span> '

    def _table(self, table: Table, name: str) -> Iterator[str]:
        heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in table.heads)
        yield f'<div class="wide" tabindex="0" role="group" aria-label="{escape(table.caption)}">'
        yield f"<table>\n<caption>{escape(table.caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>"
        for row in table.rows:
            yield self._row(row, name, numbered=table.numbered)
        yield "</tbody>\n</table>\n</div>"

    def _row(self, row: Row, name: str, *, numbered: bool) -> str:
        cells = [_text(cell) for cell in row.cells]
        first = self._number(row.seq, name).strip() if numbered else cells.pop(0)
        rest = "".join(f"<td>{cell}</td>" for cell in cells)
        return f'<tr{self._mark(row.seq, row.severity, name)}><th scope="row">{first}</th>{rest}</tr>'


def _numbers(section: Section) -> Iterator[int]:
    for block in section.blocks:
        if isinstance(block, Entries):
            yield from (seq for entry in block.entries for seq in _of(entry))
        elif isinstance(block, Table):
            yield from (row.seq for row in block.rows if row.seq)


def _of(entry: Entry) -> Iterator[int]:
    if entry.seq:
        yield entry.seq
    for detail in entry.details:
        yield from _of(detail)


def _fold(fold: Fold) -> str:
    kept = "\n".join(plain(one, LONGEST).replace("\n", " ") for one in fold.lines)
    return f"<details><summary>{escape(fold.title)}</summary><pre>{escape(kept)}</pre></details>"


def _figure(figure: Figure, name: str) -> Iterator[str]:
    told = escape(line(description(figure.curve, figure.times), LONGEST))
    yield f"<figure>\n<h3>{escape(line(figure.curve.title))}</h3>\n{svg(figure, name)}"
    yield f"<figcaption>{told}"
    marks = shown(figure)
    if marks:
        said = "; ".join(f"{place} {mark.label} {figure.times.at(mark.at_us)}" for place, mark in marks)
        yield f"<br>Marks: {escape(line(said, LONGEST))}"
    yield "</figcaption>\n</figure>"


def _text(spans: Text) -> str:
    return "".join(_span(span) for span in spans)


def _span(span: Span) -> str:
    kept = line(span.text, LONGEST)
    told = escape(kept)
    match span.style:
        case Style.CODE:
            return f"<code>{told}</code>"
        case Style.STRONG:
            return f"<strong>{told}</strong>"
        case Style.LINK if _FOLLOWED.fullmatch(kept):
            return f'<a href="{told}" rel="noopener noreferrer nofollow">{told}</a>'
        case _:
            before, after = span.text[:1].isspace(), len(span.text) > 1 and span.text[-1:].isspace()
            return f"{' ' if before else ''}{told}{' ' if after else ''}"
