"""Frozen dataclasses as JSON and back, by their annotations: bodies of events, views, frames of the socket.

A new field of a dataclass needs nothing here. What is read is compiled once for each class. There are two
spellings of a number that is not whole: bodies of events hold decimal texts (``LOG``), everything else JSON's
own numbers (``WIRE``). A field named ``from_`` is the key ``from``.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from state.base.json import EMPTY, FieldError, Json, decimal_text

T = TypeVar("T")
UNKNOWN = "UNKNOWN"
"""The name of the member of an enum that stands for a word of another version."""
OMIT: Mapping[str, bool] = {"omit": True}
"""What marks a field that isn't written while it has its default."""
_MISSING = object()
_PLAIN = (str, int, bool)
_FREE = {"Json": object, "JsonObject": Mapping}
"""How the two names of any JSON are read: it is not looked into."""


@dataclass(slots=True)
class Notes:
    """What a body held that this version can't take as it stands; reading goes on all the same."""

    words: list[str] = field(default_factory=list)
    """Words that a closed set of this version lacks: ``verdict=splendid``."""
    fields: list[str] = field(default_factory=list)
    """Fields that are missing or of another type, and have their default instead."""


_Read: TypeAlias = Callable[[Any, "Notes | None"], Any]
_Write: TypeAlias = Callable[[Any], Json]


def left_out(*, default: T) -> T:
    """Return a field that isn't written while it has its default."""
    return field(default=default, metadata=OMIT)


def zero_of(hint: object) -> object:
    """Return what stands for a field of a type that is missing: nothing, zero, unknown, or the last word of a set."""
    if hint in {str, int, bool, float, Path}:
        return cast("Callable[[], object]", hint)()
    if get_origin(hint) is tuple:
        return ()
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint.__members__.get(UNKNOWN, [*hint][-1])
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return LOG.load(hint, EMPTY, Notes())
    return EMPTY if Mapping in {hint, get_origin(hint)} else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    read: _Read
    write: _Write
    zero: object
    """What stands for it where it is missing."""
    required: bool
    """Whether a strict reader asks for it."""
    omit: bool


_Plan: TypeAlias = tuple[tuple[str, str, "type | None", _Field], ...]
"""Of each field its key, its name, the type whose values are taken as they are, and the rest."""


class Codec:
    """Reads and writes dataclasses."""

    def __init__(self, *, decimals: bool) -> None:
        """``decimals``: numbers that are not whole are decimal texts."""
        self._decimals = decimals
        self._plans: dict[type, _Plan] = {}

    def keys(self, kind: type) -> tuple[str, ...]:
        """Return the keys that a dataclass is written with: the allow-list of what it may hold."""
        return tuple(key for key, *_ in self._plans.get(kind) or self._plan(kind))

    def dump(self, value: object) -> dict[str, Json]:
        """Return a dataclass as a JSON object."""
        body: dict[str, Json] = {}
        for key, name, plain, one in self._plans.get(type(value)) or self._plan(type(value)):
            given = getattr(value, name)
            if not one.omit or given != one.zero:
                body[key] = given if plain is not None else one.write(given)
        return body

    def load(self, kind: type[T], body: object, notes: Notes | None = None) -> T:
        """Return the dataclass that ``dump`` wrote; keys that it doesn't know are left out.

        With ``notes``, a field that is missing or of another type has its default, and is noted. Without, raises
        FieldError where a value has another shape, or a field that has no default is missing.
        """
        if type(body) is not dict and not isinstance(body, Mapping):
            raise FieldError(f"{kind.__name__}: an object was expected")
        given: dict[str, object] = {}
        for key, name, plain, one in self._plans.get(cast("type", kind)) or self._plan(cast("type", kind)):
            value = body.get(key, _MISSING)
            if type(value) is plain:
                given[name] = value
                continue
            given[name] = one.zero
            try:
                if value is not _MISSING:
                    given[name] = one.read(value, notes)
                elif one.required or (notes is not None and not one.omit):
                    _wrong(value)
            except FieldError as error:
                if notes is None:
                    raise FieldError(f"{kind.__name__}: {key}: {error}") from error
                notes.fields.append(key)
        return kind(**given)

    def _plan(self, kind: type) -> _Plan:
        hints = get_type_hints(kind, localns=_FREE)
        rows = [(one, one.name.removesuffix("_"), hints[one.name]) for one in dataclasses.fields(kind)]
        plan = self._plans[kind] = tuple(
            (key, one.name, cast("type", hint) if hint in _PLAIN else None, self._field(one, key, hint))
            for one, key, hint in rows
        )
        return plan

    def _field(self, one: dataclasses.Field[Any], key: str, hint: object) -> _Field:
        required = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
        given = one.default if one.default_factory is dataclasses.MISSING else one.default_factory()
        return _Field(
            read=self._reader(hint, key),
            write=self._writer(hint),
            zero=zero_of(hint) if required else given,
            required=required,
            omit="omit" in one.metadata,
        )

    # -- reading -----------------------------------------------------------------------------------------

    def _reader(self, hint: object, key: str) -> _Read:
        origin, members = get_origin(hint), get_args(hint)
        if hint in _PLAIN:
            return _reads_plain(cast("type", hint))
        if hint is float:
            return _decimal if self._decimals else _number
        if hint is object:
            return lambda value, _: value
        if hint is Mapping:
            return lambda value, _: value if isinstance(value, Mapping) else _wrong(value)
        if origin in {Union, types.UnionType}:
            read = self._reader(_only(members), key)
            return lambda value, notes: None if value is None else read(value, notes)
        if origin is tuple:
            return self._reads_tuple(members, key)
        if origin is not None:
            of_key, of_value = (self._reader(member, key) for member in members)
            return lambda value, notes: MappingProxyType(
                {of_key(k, notes): of_value(v, notes) for k, v in _rows(value)}
            )
        kind = cast("type", hint)
        if issubclass(kind, Enum):
            return _reads_enum(kind, key)
        if kind is Path:
            return lambda value, _: Path(value) if isinstance(value, str) else _wrong(value)
        return lambda value, notes: self.load(kind, value, notes)

    def _reads_tuple(self, members: tuple[object, ...], key: str) -> _Read:
        if members[1:] != (Ellipsis,):
            reads = [self._reader(member, key) for member in members]
            return lambda value, notes: tuple(
                read(one, notes) for read, one in zip(reads, _rows(value, len(reads)), strict=True)
            )
        read = self._reader(members[0], key)

        def every(value: object, notes: Notes | None) -> tuple[object, ...]:
            if notes is None:
                return tuple(read(row, None) for row in _rows(value))
            kept = []
            for row in _rows(value):
                try:
                    kept.append(read(row, notes))
                except FieldError:
                    notes.fields.append(key)
            return tuple(kept)

        return every

    # -- writing -----------------------------------------------------------------------------------------

    def _writer(self, hint: object) -> _Write:
        origin, members = get_origin(hint), get_args(hint)
        if hint is float and self._decimals:
            return decimal_text
        if hint in {*_PLAIN, float, object, Mapping}:
            return lambda value: cast("Json", value)
        if origin in {Union, types.UnionType}:
            write = self._writer(_only(members))
            return lambda value: None if value is None else write(value)
        if origin is tuple:
            if members[1:] == (Ellipsis,):
                write = self._writer(members[0])
                return lambda value: [write(one) for one in value]
            writes = [self._writer(member) for member in members]
            return lambda value: [write(one) for write, one in zip(writes, value, strict=True)]
        if origin is not None:
            of_key, of_value = (self._writer(member) for member in members)
            return lambda value: [[of_key(k), of_value(v)] for k, v in value.items()]
        return str if hint is Path or issubclass(cast("type", hint), Enum) else self.dump


def _only(members: Iterable[object]) -> object:
    (found,) = (member for member in members if member is not types.NoneType)
    return found


def _wrong(value: object) -> Any:
    raise FieldError("is missing" if value is _MISSING else f"{value!r:.40} was not expected")


def _reads_plain(kind: type) -> _Read:
    strange = bool if kind is int else ()
    return lambda value, _: (
        value if isinstance(value, kind) and not isinstance(value, strange) else _wrong(value)
    )


def _number(value: object, _notes: Notes | None) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return cast("float", _wrong(value))


def _decimal(value: object, _notes: Notes | None) -> float:
    try:
        return float(value) if isinstance(value, str) else _number(value, None)
    except ValueError:
        return cast("float", _wrong(value))


def _reads_enum(kind: type[Enum], key: str) -> _Read:
    known: Mapping[object, Enum] = {one.value: one for one in kind}
    unknown = kind.__members__.get(UNKNOWN)

    def read(value: object, notes: Notes | None) -> Enum:
        if isinstance(value, str) and value in known:
            return known[value]
        if not isinstance(value, str) or unknown is None or notes is None:
            return cast("Enum", _wrong(value))
        notes.words.append(f"{key}={value[:60]}")
        return unknown

    return read


def _rows(value: object, length: int | None = None) -> Sequence[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str) or length not in {None, len(value)}:
        return cast("Sequence[Any]", _wrong(value))
    return value


LOG = Codec(decimals=True)
"""Bodies of events."""
WIRE = Codec(decimals=False)
"""Views and frames."""


def read(kind: type[T], frame: object) -> T:
    """Return what another process sent, with its default for every field that is missing or of another type."""
    return WIRE.load(kind, frame if isinstance(frame, Mapping) else EMPTY, Notes())
