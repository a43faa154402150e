"""Reading a runbook: every error at once, each with file, line, column, key and what was expected."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from state.runbook import lint, shape, source
from state.runbook.key_places import spoken
from state.runbook.models import Runbook
from state.runbook.promql import problem_of
from state.runbook.source import Marks
from state.runbook.wording import worded


@dataclass(frozen=True, slots=True)
class Problem:
    """One error of a runbook: where, at which key, and what was expected."""

    file: Path
    line: int
    column: int
    key: str
    """The keys that lead there, as a program counts them: ``gates.1.items.0.id``."""
    message: str
    where: str = ""
    """The same as a person names it: ``item 2.1: id``."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.where or self.key}: {self.message}"


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
    data: object = None
    """What the file says, as YAML reads it: places are named by it."""

    def problem(self, keys: Sequence[str | int], message: str) -> Problem:
        """Return a problem at the place of ``keys``, for what is checked beyond the models."""
        return _Source(self.path, self.marks, self.data).problem(tuple(str(k) for k in keys), message)


@dataclass(frozen=True, slots=True)
class _Source:
    """A file as it was read, for problems to be told at their places."""

    path: Path
    marks: Mapping[tuple[str, ...], tuple[int, int]]
    data: object
    text: str = ""

    def problem(self, place: tuple[str, ...], message: str) -> Problem:
        mark = _mark(self.marks, place)
        return Problem(
            self.path, *mark, ".".join(place) or "runbook", message, where=spoken(place, self.data)
        )

    def written(self, place: tuple[str, ...]) -> str:
        """Return how the value at a place stands in the file, where it is one word or number beside its key."""
        row, column = self.marks.get(place, (0, 0))
        rows = self.text.splitlines()
        if not 0 < row <= len(rows):
            return ""
        rest = rows[row - 1][column - 1 :]
        match = re.match(r"(?:[^\s:,{}\[\]]+\s*:\s+)?([^\s,{}\[\]\"'#]+)\s*(?:[,}\]#].*)?$", rest)
        return match.group(1) if match else ""


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
    found = _Source(path, marks, data, raw.decode())
    try:
        runbook = Runbook.model_validate(data, context={"base": path.resolve().parent})
    except ValidationError as error:
        problems = [*_of_models(found, error), *_query_problems(found)]
        raise RunbookError(problems) from None
    problems = [
        *_query_problems(found),
        *_condition_problems(found, runbook),
        *_shape_problems(found, runbook),
    ]
    if problems:
        raise RunbookError(problems)
    return LoadedRunbook(runbook, path, sha256(raw).hexdigest(), marks, data)


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


def _of_models(found: _Source, error: ValidationError) -> Iterator[Problem]:
    """Yield what pydantic found, once each: several forms that were tried at one place say the same."""
    told: set[tuple[tuple[str, ...], str]] = set()
    for one in error.errors():
        place = _place(dict(found.marks), one["loc"], missing=one["type"] == "missing")
        message = worded(one, Runbook, place, found.data, found.written(place))
        if (place, message) not in told:
            told.add((place, message))
            yield found.problem(place, message)


def _condition_problems(found: _Source, runbook: Runbook) -> Iterator[Problem]:
    """Yield what the queries of stop conditions say against their settings."""
    answer = cast("Mapping[str, Sequence[object]]", found.data).get("conditions", ())
    for index, (condition, raw) in enumerate(zip(runbook.conditions, answer, strict=True)):
        for keys, why in lint.problems(condition, raw):
            yield found.problem(("conditions", str(index), *keys), why)
    if runbook.bake.interval > min((c.for_ for c in runbook.conditions), default=math.inf) / 2:
        why = "every condition's for is at least two intervals: otherwise one sample trips it"
        yield found.problem(("bake", "interval"), why)


def _shape_problems(found: _Source, runbook: Runbook) -> Iterator[Problem]:
    """Yield what doesn't fit together: gates, items, operations, stages."""
    for keys, why in shape.problems(runbook):
        yield found.problem(tuple(str(key) for key in keys), why)


_QUERY_KEYS = frozenset({"bad", "total", "value", "query"})


def _query_problems(found: _Source) -> Iterator[Problem]:
    """Yield what is wrong with the PromQL of conditions and graphs."""
    for section in ("conditions", "graphs"):
        part = found.data.get(section) if isinstance(found.data, Mapping) else None
        for place, query in _queries(part, (section,)):
            told = problem_of(query)
            if told:
                yield found.problem(place, f"PromQL: {told}")


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
