"""The line of a runbook that a problem is about, with a caret below its place, as compilers show it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from unicodedata import east_asian_width

from checks.clients.redact import MARK, Redactor, secretish
from state.base.text import plain
from state.runbook.load import Problem
from state.runbook.source import SourceError, read
from state.runbook.wording import NEVER

_WIDE = 100
_BEFORE = 60
_KEY = re.compile(r"([\w.-]+)[\"']?\s*:\s+(?=\S)")
_FOUND = re.compile(r"\{\s*(?:env|file|exec)\s*:")
"""What stands after the key of a secret, where only its place is told."""


def with_lines(problems: Sequence[Problem]) -> Iterator[str]:
    """Yield each problem, and below it its line of the file with a caret; never a value that may be a secret."""
    files: dict[Path, list[str]] = {}
    secret = {(one.file, one.line): one.column for one in reversed(problems) if one.message.startswith(NEVER)}
    for problem in problems:
        if problem.file not in files:
            files[problem.file] = _rows(problem.file)
        rows = files[problem.file]
        yield str(problem)
        if not 0 < problem.line <= len(rows) or not rows[problem.line - 1].strip():
            continue
        row, ends = rows[problem.line - 1], secret.get((problem.file, problem.line))
        if problem.column > len(row) + 1:
            continue
        yield from _shown(problem, row, ends)


def _shown(problem: Problem, row: str, ends: int | None) -> Iterator[str]:
    if ends is not None:  # from the key of the secret on
        key = re.match(r"[^\s:]+\s*:", row[ends - 1 :])
        row = f"{row[: ends - 1 + (key.end() if key else 0)]} {MARK}"
    column = min(problem.column, len(row)) - 1
    before, after = _harmless(row[:column]), _harmless(row)[column:]
    if len(before) > _BEFORE:
        before = f"…{before[-_BEFORE:]}"
    yield f"{problem.line:>5} | {plain(before + after, _WIDE)}"
    yield f"{' ' * 6}| {' ' * _width(before)}^"


def _width(text: str) -> int:
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)


def _harmless(row: str) -> str:
    """Return a row without what its keys or its shape tell to be a secret, and without what a terminal obeys."""
    row = plain(row, 4000)
    for match in _KEY.finditer(row):
        if secretish(match[1]) and not _FOUND.match(row, match.end()):
            row = f"{row[: match.end()]}{MARK}"
            break
    return Redactor().clean(row)


def _rows(file: Path) -> list[str]:
    try:
        return read(file).decode().splitlines()
    except (SourceError, UnicodeDecodeError):
        return []
