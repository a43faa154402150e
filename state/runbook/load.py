"""Reading a runbook: every error at once, each with file, line, column, key and what was expected."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from state.runbook import lint, shape, source
from state.runbook.models import Runbook
from state.runbook.promql import problem_of
from state.runbook.source import Marks


@dataclass(frozen=True, slots=True)
class Problem:
    """One error of a runbook: where, at which key, and what was expected."""

    file: Path
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.key}: {self.message}"


class RunbookError(Exception):
    """A runbook that cannot be used. ``problems`` has every error, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.line, p.column)))
        super().__init__("\n".join(str(p) for p in self.problems))


@dataclass(frozen=True, slots=True)
class LoadedRunbook:
    """A runbook, where it was read from, its digest, and where its keys stand."""

    runbook: Runbook
    path: Path
    digest: str
    """sha256 of the file."""
    marks: Mapping[tuple[str, ...], tuple[int, int]]

    def problem(self, keys: Sequence[str | int], message: str) -> Problem:
        """Return a problem at the place of ``keys``, for what is checked beyond the models."""
        place = tuple(str(k) for k in keys)
        line, column = _mark(self.marks, place)
        return Problem(self.path, line, column, ".".join(place), message)


def load_runbook(path: Path) -> LoadedRunbook:
    """Read and validate a runbook.

    Raises RunbookError with every problem that it has.
    """
    try:
        raw = source.read(path)
        marks, data = source.parse(raw)
    except source.SourceError as error:
        raise RunbookError(
            [Problem(path, *fault.mark, fault.key, fault.message) for fault in error.faults]
        ) from None
    problems: list[Problem] = []
    try:
        runbook = Runbook.model_validate(data, context={"base": path.resolve().parent})
    except ValidationError as error:
        problems = [_problem(path, marks, e["loc"], e["msg"], e["type"]) for e in error.errors()]
        raise RunbookError([*problems, *_query_problems(path, marks, data)]) from None
    problems = [
        *_query_problems(path, marks, data),
        *_condition_problems(path, marks, data, runbook),
        *_shape_problems(path, marks, runbook),
    ]
    if problems:
        raise RunbookError(problems)
    return LoadedRunbook(runbook, path, sha256(raw).hexdigest(), marks)


def _mark(marks: Mapping[tuple[str, ...], tuple[int, int]], place: tuple[str, ...]) -> tuple[int, int]:
    for length in range(len(place), -1, -1):
        if place[:length] in marks:
            return marks[place[:length]]
    return 1, 1


def _place(marks: Marks, loc: tuple[int | str, ...], *, missing: bool) -> tuple[str, ...]:
    """Return the keys of an error. Which of several forms was tried is told by no key of the file."""
    place: tuple[str, ...] = ()
    for number, part in enumerate(str(one) for one in loc):
        if (*place, part) in marks or not marks or (missing and number == len(loc) - 1):
            place = (*place, part)
    return place


def _problem(path: Path, marks: Marks, loc: tuple[int | str, ...], message: str, kind: str) -> Problem:
    place = _place(marks, loc, missing=kind == "missing")
    if place not in marks and place[:-1] in marks and kind == "missing":
        message = "is missing: " + message.lower()
    answer = {
        "extra_forbidden": "this key is not known here: remove it, or correct its spelling",
        "missing": message if message.startswith("is missing") else "is missing",
        "model_type": "keys with values were expected here (as in `name: value`)",
    }.get(kind, message.removeprefix("Value error, "))
    return Problem(path, *_mark(marks, place), ".".join(place) or "runbook", answer)


def _condition_problems(path: Path, marks: Marks, data: object, runbook: Runbook) -> Iterator[Problem]:
    """Yield what the queries of stop conditions say against their settings."""
    answer = cast("Mapping[str, Sequence[object]]", data).get("conditions", ())
    for index, (condition, raw) in enumerate(zip(runbook.conditions, answer, strict=True)):
        for keys, why in lint.problems(condition, raw):
            place = ("conditions", str(index), *keys)
            yield Problem(path, *_mark(marks, place), ".".join(place), why)
    if runbook.bake.interval > min((c.for_ for c in runbook.conditions), default=math.inf) / 2:
        place = ("bake", "interval")
        why = "every condition's for is at least two intervals: otherwise one sample trips it"
        yield Problem(path, *_mark(marks, place), ".".join(place), why)


def _shape_problems(path: Path, marks: Marks, runbook: Runbook) -> Iterator[Problem]:
    """Yield what doesn't fit together: gates, items, operations, stages."""
    for keys, why in shape.problems(runbook):
        place = tuple(str(key) for key in keys)
        yield Problem(path, *_mark(marks, place), ".".join(place), why)


_QUERY_KEYS = frozenset({"bad", "total", "value", "query"})


def _query_problems(path: Path, marks: Marks, data: object) -> Iterator[Problem]:
    """Yield what is wrong with the PromQL of conditions and graphs."""
    for section in ("conditions", "graphs"):
        part = cast("Mapping[str, object]", data).get(section) if isinstance(data, Mapping) else None
        for place, query in _queries(part, (section,)):
            told = problem_of(query)
            if told:
                yield Problem(path, *_mark(marks, place), ".".join(place), f"PromQL: {told}")


def _queries(part: object, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            below = (*place, str(key))
            if key in _QUERY_KEYS and isinstance(value, str):
                yield below, value
            else:
                yield from _queries(value, below)
    elif isinstance(part, Sequence) and not isinstance(part, str | bytes):
        for index, value in enumerate(part):
            yield from _queries(value, (*place, str(index)))
