"""Reading a runbook: every error at once, each with file, line, column, key and what was expected."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias, cast

import yaml
from pydantic import ValidationError

from state.runbook import lint, shape
from state.runbook.models import Runbook
from state.runbook.promql import problem_of


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
        raw = path.read_bytes()
    except OSError as error:
        raise RunbookError([Problem(path, 1, 1, "file", f"cannot be read: {error.strerror}")]) from error
    marks, data = _parse(path, raw)
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


Marks = dict[tuple[str, ...], tuple[int, int]]
Loader: TypeAlias = "yaml.SafeLoader | yaml.CSafeLoader"


def _parse(path: Path, raw: bytes) -> tuple[Marks, object]:
    try:
        loader, node = _composed(raw.decode())
        marks: Marks = {}
        doubles = list(_walk(node, (), marks)) if node is not None else []
        if doubles:
            raise RunbookError(
                [Problem(path, *marks[d], ".".join(d), "this key stands twice") for d in doubles]
            )
        return marks, loader.construct_document(node) if node is not None else None
    except UnicodeDecodeError as error:
        raise RunbookError([Problem(path, 1, 1, "file", "UTF-8 text was expected")]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        told = " ".join(part for part in (error.context, error.problem) if part)
        raise RunbookError([Problem(path, line, column, "YAML", told)]) from None
    except yaml.YAMLError as error:
        raise RunbookError([Problem(path, 1, 1, "YAML", str(error).splitlines()[0])]) from None


def _composed(text: str) -> tuple[Loader, yaml.Node | None]:
    """Return a text's nodes: by libyaml, ten times as fast, or by PyYAML, which tells better what is wrong."""
    if hasattr(yaml, "CSafeLoader"):
        with suppress(yaml.YAMLError):
            return _of(yaml.CSafeLoader(text))
    return _of(yaml.SafeLoader(text))


def _of(loader: Loader) -> tuple[Loader, yaml.Node | None]:
    return loader, loader.get_single_node()


def _walk(node: yaml.Node, place: tuple[str, ...], marks: Marks) -> Iterator[tuple[str, ...]]:
    """Note where every key stands, and yield the places of keys that stand twice."""
    marks.setdefault(place, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            below = (*place, str(key.value))
            marks[below] = (key.start_mark.line + 1, key.start_mark.column + 1)
            if str(key.value) in seen:
                yield below
            seen.add(str(key.value))
            yield from _walk(value, below, marks)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            below = (*place, str(index))
            marks[below] = (value.start_mark.line + 1, value.start_mark.column + 1)
            yield from _walk(value, below, marks)


def _mark(marks: Mapping[tuple[str, ...], tuple[int, int]], place: tuple[str, ...]) -> tuple[int, int]:
    for length in range(len(place), -1, -1):
        if place[:length] in marks:
            return marks[place[:length]]
    return 1, 1


def _problem(path: Path, marks: Marks, loc: tuple[int | str, ...], message: str, kind: str) -> Problem:
    place = tuple(str(part) for part in loc)
    if place not in marks and place[:-1] in marks and kind == "missing":
        message = "is missing: " + message.lower()
    told = {
        "extra_forbidden": "this key is not known here: remove it, or correct its spelling",
        "missing": message if message.startswith("is missing") else "is missing",
        "model_type": "keys with values were expected here (as in `name: value`)",
    }.get(kind, message.removeprefix("Value error, "))
    return Problem(path, *_mark(marks, place), ".".join(place) or "runbook", told)


def _condition_problems(path: Path, marks: Marks, data: object, runbook: Runbook) -> Iterator[Problem]:
    """Yield what the queries of stop conditions say against their settings."""
    told = cast("Mapping[str, Sequence[object]]", data).get("conditions", ())
    for index, (condition, raw) in enumerate(zip(runbook.conditions, told, strict=True)):
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
