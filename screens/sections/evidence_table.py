"""What a check saw, as a table: what is wrong first, then what it names, then the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from screens.kit.plain import Line, Role, Span, fit, row, wrap
from state.base.json import Json

_FIRST = {"problems": Role.BAD, "not_seen": Role.BLIND, "after_the_deploy": Role.WARN}
"""Keys under which a check says what is wrong, what it could not see, and what only a deploy will tell."""
_NARROWEST, _WIDEST = 12, 34
"""Cells of the column of keys."""
_BETWEEN = 4
"""Cells beside the keys: the sign before them, and the gap after them."""
_DEEPEST = 3
"""Levels of an answer that get rows of their own."""


def evidence_lines(evidence: str, width: int) -> list[Line]:
    """Return evidence (JSON of a check) as lines ``key  value``; as it is where it is none."""
    if not evidence:
        return []
    try:
        found = json.loads(evidence)
    except ValueError:
        return [row(Span(part, Role.DIM)) for part in wrap(evidence, width)]
    if not isinstance(found, dict):
        found = {"answer": found}
    told = " ".join(_words(found.get(key)) for key in _FIRST).lower()
    cells = [(_rank(key, value, told), n, key, value) for n, (key, value) in enumerate(_cells(found, "", 0))]
    cells.sort(key=lambda one: (one[0], _wrong(one[2]), one[1]))
    column = _column([(key, value) for _, _, key, value in cells], width)
    return [line for rank, _, key, value in cells for line in _cell(key, value, rank, (column, width))]


def _column(cells: Sequence[tuple[str, str]], width: int) -> int:
    """Return how wide the keys are: whole where every value fits beside them, else no more than a part."""
    widest = max((len(key) for key, _ in cells), default=0)
    if all(widest + len(value) + _BETWEEN <= width for _, value in cells):
        return widest
    return min(_WIDEST, max(_NARROWEST, width // 3), widest)


def _rank(key: str, value: str, told: str) -> int:
    """Return where a key stands: 0 what is wrong, 1 what that names, 2 the rest."""
    top = key.partition(".")[0]
    if top in _FIRST:
        return 0
    last = key.rpartition(".")[2].replace("_", " ").lower()
    named = bool(told) and len(last) > 2 and (last in told or key.lower() in told)
    return 1 if named or (bool(told) and len(value) > 2 and value.lower() in told) else 2


def _wrong(key: str) -> int:
    """Return how bad a key is: 0 what failed, then what was not seen, then what only a deploy will tell."""
    top = key.partition(".")[0]
    return list(_FIRST).index(top) if top in _FIRST else len(_FIRST)


def _cells(found: Json, key: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield every value with the way to it: ``auth.paths``, ``11``."""
    if isinstance(found, dict) and found and depth < _DEEPEST:
        for name, value in found.items():
            yield from _cells(value, f"{key}.{name}" if key else name, depth + 1)
    elif key in _FIRST and isinstance(found, list):
        yield from ((key, _words(one)) for one in found)
    else:
        yield key, _words(found)


def _words(value: Json) -> str:
    """Return a value as a person reads it: ``yes``, ``none``, ``401, 401, 429``."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case str():
            return value or "empty"
        case list():
            return ", ".join(map(_words, value)) or "none"
        case dict():
            return ", ".join(f"{name}: {_words(one)}" for name, one in value.items()) or "none"
        case _:
            return str(value)


def _cell(key: str, value: str, rank: int, widths: tuple[int, int]) -> list[Line]:
    column, width = widths
    role = _FIRST.get(key.partition(".")[0], Role.PLAIN)
    sign = {0: "✖ " if role is Role.BAD else "! ", 1: "› "}.get(rank, "  ")
    room = max(8, width - column - _BETWEEN)
    parts = wrap(value, room, most=6) or [""]
    head = Span(fit(key.replace("_", " "), column), Role.STRONG if rank < 2 else Role.DIM)
    lines = [row(Span(sign, role if rank == 0 else Role.WARN), head, "  ", Span(parts[0], role))]
    lines += [row(" " * (column + _BETWEEN), Span(part, role)) for part in parts[1:]]
    return lines
