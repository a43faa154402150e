"""A runbook's text: its values and where each of them stands.

What is no YAML, or would exhaust whoever reads it, is refused with its place.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import yaml

LARGEST = 4 * 1024 * 1024
"""Bytes of a runbook; the SOP's has 30,000."""
_DEEPEST = 60
_MOST = 200_000
_WRITTEN: Final = {
    "tag:yaml.org,2002:timestamp": "a date",
    "tag:yaml.org,2002:int": "a whole number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:bool": "true or false",
}

Place: TypeAlias = "tuple[str, ...]"
Marks: TypeAlias = "dict[tuple[str, ...], tuple[int, int]]"
"""Where keys stand: line and column, from 1."""
_Loader: TypeAlias = "yaml.SafeLoader | yaml.CSafeLoader"


class _Mark(Protocol):
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a text, and where."""

    message: str
    key: str = "YAML"
    mark: tuple[int, int] = (1, 1)


class SourceError(Exception):
    """A text that is not read; ``faults`` has at least one."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("; ".join(fault.message for fault in faults))


def read(path: Path) -> bytes:
    """Return a file's bytes.

    Raises SourceError where it can't be read or is too large for a runbook.
    """
    try:
        if path.exists() and not path.is_file():  # a FIFO would be waited for without end
            raise SourceError(Fault("is not a regular file", "file"))
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise SourceError(Fault(f"cannot be read: {error.strerror}", "file")) from None
    if len(raw) > LARGEST:
        raise SourceError(Fault(f"is over {LARGEST // 1024 // 1024} MiB, which no runbook is", "file"))
    return raw


def parse(raw: bytes) -> tuple[Marks, object]:
    """Return what a text says, and where its keys stand.

    Raises SourceError.
    """
    try:
        text = raw.decode()
        _look_into(text)
        loader, node = _composed(text)
        if node is None:
            return {}, None
        walk = _Walk()
        walk.go(node)
        if walk.faults:
            raise SourceError(*walk.faults)
        return walk.marks, loader.construct_document(node)
    except UnicodeDecodeError:
        raise SourceError(Fault("UTF-8 text was expected", "file")) from None
    except yaml.MarkedYAMLError as error:
        message = " ".join(part for part in (error.context, error.problem) if part)
        raise SourceError(Fault(message, mark=_at(error.problem_mark or error.context_mark))) from None
    except yaml.YAMLError as error:
        raise SourceError(Fault(str(error).splitlines()[0])) from None


def _look_into(text: str) -> None:
    """Look how deep a text is nested, before anything recurses into it."""
    depth = 0
    with suppress(yaml.YAMLError):  # what is wrong with it is told by the loader, and better
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise SourceError(Fault(f"is nested over {_DEEPEST} deep", mark=_at(event.start_mark)))


def _composed(text: str) -> tuple[_Loader, yaml.Node | None]:
    """Return a text's nodes: by libyaml, ten times as fast, or by PyYAML, which tells better what is wrong."""
    if hasattr(yaml, "CSafeLoader"):
        with suppress(yaml.YAMLError):
            return _of(yaml.CSafeLoader(text))
    return _of(yaml.SafeLoader(text))


def _of(loader: _Loader) -> tuple[_Loader, yaml.Node | None]:
    return loader, loader.get_single_node()


class _Walk:
    """Goes over every node once for each place it stands at, and notes the places and the faults."""

    def __init__(self) -> None:
        self.marks: Marks = {}
        self.faults: list[Fault] = []
        self._loader = yaml.SafeLoader("")

    def go(self, node: yaml.Node, place: Place = ()) -> None:
        """Note a node and all that is in it."""
        mark = _at(node.start_mark)
        self.marks.setdefault(place, mark)
        if len(place) > _DEEPEST or len(self.marks) > _MOST:  # by aliases: the text is neither deep nor long
            raise SourceError(Fault("its aliases make too much of it", mark=mark))
        if isinstance(node, yaml.MappingNode):
            self._keys(node, place)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                below = (*place, str(index))
                self.marks[below] = _at(value.start_mark)
                self.go(value, below)
        elif node.tag in _WRITTEN:
            self._value(node, place)

    def _keys(self, node: yaml.MappingNode, place: Place) -> None:
        seen: set[str] = set()
        for key, value in node.value:
            below = (*place, str(key.value))
            self.marks[below] = _at(key.start_mark)
            if str(key.value) in seen:
                self.faults.append(Fault("this key stands twice", ".".join(below), self.marks[below]))
            seen.add(str(key.value))
            self.go(value, below)

    def _value(self, node: yaml.Node, place: Place) -> None:
        """Look whether a number or a date is one: the loader would fail at the first, without its place."""
        try:
            self._loader.construct_object(node)
        except (ValueError, KeyError, AttributeError, OverflowError):
            message = f"is written as {_WRITTEN[node.tag]} and is none"
            self.faults.append(Fault(message, ".".join(place), _at(node.start_mark)))


def _at(mark: _Mark | None) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
