"""A report as Markdown: names and commands in code spans, and nothing that a log says is obeyed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from state.base.numbers import number
from state.base.text import line
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

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>#|&~$"})
_NAME = re.compile(r"(?<![^\s(\[,;:'\"])[A-Za-z0-9./:=-]*_[\w./:=-]*\w(?![^\s)\],;:.'\"])", re.ASCII)
"""A word of a sentence that is a name: ``SECRET_KEY``, ``web.rate_limit``."""
_TICKS = re.compile(r"`+")


def markdown(page: Document) -> str:
    """Return a document as Markdown (CommonMark with tables)."""
    lines = [f"# {_prose(page.title)}", ""]
    lines += [f"- **{_prose(about)}**: {_text(told)}" for about, told in page.summary]
    lines += ["", *_entries(page.facts.entries), ""]
    for section in page.sections:
        lines += _section(section, 2)
    return "\n".join(lines)


def _section(section: Section, level: int) -> Iterator[str]:
    yield f"{'#' * level} {_prose(section.title)}"
    yield ""
    for block in section.blocks:
        match block:
            case Entries():
                yield from _entries(block.entries)
            case Table():
                yield from _table(block)
            case Paragraph():
                yield _text(block.text)
            case Figure():
                yield from _figures(block)
        yield ""
    for part in section.parts:
        yield from _section(part, level + 1)


def _entries(entries: Iterable[Entry], indent: str = "") -> Iterator[str]:
    for entry in entries:
        lead = " ".join(one for one in (f"#{entry.seq}" if entry.seq else "", _prose(entry.lead)) if one)
        yield f"{indent}- " + " ".join(one for one in (lead and f"**{lead}**", _text(entry.text)) if one)
        inner = f"{indent}    "
        yield from _entries(entry.details, inner)
        for fold in entry.folds:
            yield from _fold(fold, inner)


def _fold(fold: Fold, indent: str) -> Iterator[str]:
    lines = [_kept(one) for one in fold.lines]
    fence = "`" * max(3, 1 + max((len(t) for one in lines for t in _TICKS.findall(one)), default=0))
    yield f"{indent}- {fold.title}:"
    yield ""
    yield f"{indent}    {fence}text"
    yield from (f"{indent}    {one}" for one in lines)
    yield f"{indent}    {fence}"
    yield ""


def _kept(value: str) -> str:
    """Return a line of code with its indent."""
    blanks = len(value) - len(value.lstrip(" "))
    return " " * min(blanks, 8) + line(value, LONGEST)


def _table(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(table.heads)} |"
    yield f"|{' --- |' * len(table.heads)}"
    for row in table.rows:
        yield f"| {' | '.join(_cells(row, numbered=table.numbered))} |"


def _cells(row: Row, *, numbered: bool) -> list[str]:
    cells = [_text(cell, in_table=True) for cell in row.cells]
    return [f"#{row.seq}", *cells] if numbered else cells


def _figures(figure: Figure) -> Iterator[str]:
    """Tell a curve by its figures: what is drawn, Markdown can't show without another file."""
    curve = figure.curve
    yield f"**{_prose(curve.title)}**"
    yield ""
    yield "| line | lowest | highest | at | last | gaps |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for one in curve.lines:
        gaps = sum(value is None for _, value in one.points)
        told = [number(value, curve.unit) for value in (one.lowest, one.highest, one.last)]
        at = figure.times.at(one.highest_us)
        yield f"| {_prose(one.label)} | {told[0]} | {told[1]} | {at} | {told[2]} | {gaps} |"


def _text(spans: Text, *, in_table: bool = False) -> str:
    return "".join(_span(span, in_table=in_table) for span in spans)


def _span(span: Span, *, in_table: bool) -> str:
    match span.style:
        case Style.CODE:
            # A table is cut at every bar that isn't escaped, also inside of code.
            return _code(span.text).replace("|", "\\|") if in_table else _code(span.text)
        case Style.STRONG:
            return f"**{_prose(span.text).strip()}**"
        case _:
            return _prose(span.text)


def _prose(value: str) -> str:
    """Return words on one line with nothing in them that Markdown would obey; names in them as code."""
    kept = _edges(value)
    parts, at = [], 0
    for found in _NAME.finditer(kept):
        parts += [kept[at : found.start()].translate(_SPECIAL), f"`{found[0]}`"]
        at = found.end()
    return "".join((*parts, kept[at:].translate(_SPECIAL)))


def _edges(value: str) -> str:
    """Return words on one line; a blank at either end, which joins them to what stands beside, is kept."""
    whole = line(value, LONGEST)
    before, after = value[:1] == " ", value[-1:] == " " and len(value) > 1
    return f"{' ' if before else ''}{whole}{' ' if after else ''}"


def _code(value: str) -> str:
    """Return a code span; its fence is longer than any in it."""
    kept = line(value, LONGEST)
    if not kept:
        return ""
    fence = "`" * (1 + max((len(found) for found in _TICKS.findall(kept)), default=0))
    pad = " " if kept[0] == "`" or kept[-1] == "`" else ""
    return f"{fence}{pad}{kept}{pad}{fence}"
