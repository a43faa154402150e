"""YAML as helm, kubectl and the API server read a manifest (sigs.k8s.io/yaml over go-yaml v2).

PyYAML's own loaders follow YAML 1.1 to the letter: ``=`` is an error there, 22:30 is 1350, 2027-03-25 a date, 0o444
and 1e3 are texts. Here libyaml parses, and scalars become what go-yaml makes of them, then JSON:
tests/state/base/test_kube_yaml.py compares with kubectl.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import yaml

from state.base.json import Json

_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_WORDS: dict[str, Json] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]*))"
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
# One that begins with a dot goes to Go's ParseFloat as it is, which takes an underscore between digits alone.
_DOTTED = re.compile(r"\.[0-9](?:_?[0-9])*(?:[eE][-+]?[0-9](?:_?[0-9])*)?")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]*)?[ \t]*(?:Z|[-+][0-9:]{1,5})?)?"
)
_NUMBER_STARTS = frozenset("0123456789+-.")
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
_MERGE = "<<"
TITLES = ("name", "key")
"""Keys whose value is the name of what stands beside them, below one of ``TITLED``."""
TITLED = frozenset({"value", "values"})
_LARGEST = 1 << 64


class KubeYamlError(ValueError):
    """A text that is no YAML, or has no form in JSON. One line, and nothing of its values."""


@dataclass(slots=True)
class _Scalar:
    value: str
    tag: str
    plain: bool


@dataclass(slots=True)
class _Sequence:
    members: list[_Node] = field(default_factory=list)


@dataclass(slots=True)
class _Mapping:
    members: list[_Node] = field(default_factory=list)
    """Keys and values, in turn."""


@dataclass(slots=True)
class _Alias:
    target: _Node


_Node = _Scalar | _Sequence | _Mapping | _Alias


def load(text: str | bytes) -> Json:
    """Return the first document of a text; None where there is none. Raises KubeYamlError."""
    return next(_read(_decoded(text)), None)


def load_all(text: str | bytes) -> Iterator[Json]:
    """Yield every document of a text, those that are empty left out.

    Documents are told apart by lines that begin with ``---``, before any YAML is read, as Kubernetes does.

    Raises KubeYamlError.
    """
    for part in parts(text):
        found = load(part)
        if found is not None:
            yield found


def settings(text: str | bytes) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every scalar of the first document: the keys above it, and its value in the file's own spelling.

    ``0777`` stays that, and a date a text. What aliases stand for is yielded once for each last key that leads to it,
    so that no bomb of aliases costs more than the file is long. Of ``{name: DB_PASSWORD, value: x}`` the value stands
    below its name, as a container's variable does.

    Raises KubeYamlError.
    """
    try:
        events = yaml.parse(_decoded(text).encode("utf-8", "surrogatepass"), _PARSER)
        start = next((event for event in events if isinstance(event, yaml.DocumentStartEvent)), None)
        root = _compose(events) if start is not None else None
    except yaml.YAMLError:
        raise KubeYamlError("not YAML") from None
    waiting: list[tuple[tuple[str, ...], _Node]] = [((), root)] if root is not None else []
    seen: set[tuple[int, tuple[str, ...]]] = set()
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, _Alias):
            path, node = path[-2:], node.target
            if (id(node), path) in seen:
                continue
            seen.add((id(node), path))
        if isinstance(node, _Scalar):
            yield path, node.value
        elif isinstance(node, _Sequence):
            waiting += [(path, one) for one in node.members]
        elif isinstance(node, _Mapping):
            keys = [key.value if isinstance(key, _Scalar) else "" for key in node.members[::2]]
            told = dict(zip(keys, node.members[1::2], strict=True))
            title = next((one.value for name in TITLES if isinstance(one := told.get(name), _Scalar)), "")
            for named, value in zip(keys, node.members[1::2], strict=True):
                called = title if title and named in TITLED else named
                waiting.append(((*path[-15:], called) if named != _MERGE else path, value))


def _decoded(text: str | bytes) -> str:
    try:
        return text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError as error:
        raise KubeYamlError(f"byte {error.start} is no UTF-8") from None


def parts(text: str | bytes) -> Iterator[str]:
    """Yield the texts between the lines that part documents. Raises KubeYamlError."""
    text = _decoded(text)
    part: list[str] = []
    for line in text.splitlines(keepends=True) if "\r" not in text else re.split(r"(?<=\n)", text):
        if not line.startswith("---"):
            part.append(line)
            continue
        after = line[3:].strip()
        if after and not after.startswith("#"):
            raise KubeYamlError("a line that parts documents has something else behind its dashes")
        yield "".join(part)
        part = []
    yield "".join(part)


def _read(text: str) -> Iterator[Json]:
    """Yield the documents of a text in turn: who wants the first alone parses no further."""
    try:
        events = yaml.parse(text.encode("utf-8", "surrogatepass"), _PARSER)
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                yield _Builder().value(_compose(events))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise KubeYamlError(f"{error.problem or 'not YAML'}{where}") from None
    except (yaml.YAMLError, UnicodeError):
        raise KubeYamlError("a character that YAML doesn't have") from None
    except RecursionError:
        raise KubeYamlError("nested too deep") from None


def _compose(events: Iterator[yaml.Event]) -> _Node:
    """Return the node of a document whose start was read."""
    anchors: dict[str, _Node] = {}
    found: list[_Node] = []
    open_ones: list[list[_Node]] = [found]
    for event in events:
        node: _Node
        if isinstance(event, yaml.ScalarEvent):
            plain = event.tag is None and bool(event.implicit[0])
            node = _Scalar(event.value, event.tag or "", plain)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in anchors:
                at = event.start_mark
                where = f", line {at.line + 1}" if at is not None else ""
                raise KubeYamlError(f"unknown anchor{where}")
            open_ones[-1].append(_Alias(anchors[event.anchor]))
            continue
        elif isinstance(event, yaml.SequenceStartEvent):
            node = _Sequence()
        elif isinstance(event, yaml.MappingStartEvent):
            node = _Mapping()
        elif isinstance(event, yaml.DocumentEndEvent):
            break
        else:
            open_ones.pop()
            continue
        if event.anchor:
            anchors[event.anchor] = node
        open_ones[-1].append(node)
        if isinstance(node, _Sequence | _Mapping):
            open_ones.append(node.members)
    return found[0] if found else _Scalar("", "", plain=True)


class _Builder:
    """Makes JSON of nodes. Aliases are written out, within go-yaml's own bound against bombs."""

    def __init__(self) -> None:
        self._count = self._aliased = self._depth = 0
        self._open: set[int] = set()

    def value(self, node: _Node) -> Json:
        """Return what a node stands for."""
        self._count += 1
        self._aliased += bool(self._depth)
        if self._aliased > 100 and self._count > 1000 and self._aliased / self._count > _ratio(self._count):
            raise KubeYamlError("excessive aliasing")
        if isinstance(node, _Scalar):
            return _number_or(scalar(node.value, node.tag, plain=node.plain))
        if isinstance(node, _Alias):
            return self._through(node.target)
        if isinstance(node, _Sequence):
            return [self.value(one) for one in node.members]
        return self._mapping(node)

    def _through(self, target: _Node) -> Json:
        if id(target) in self._open:
            raise KubeYamlError("an anchor contains itself")
        self._open.add(id(target))
        self._depth += 1
        found = self.value(target)
        self._depth -= 1
        self._open.discard(id(target))
        return found

    def _mapping(self, node: _Mapping) -> dict[str, Json]:
        found: dict[str, Json] = {}
        self._open.add(id(node))
        for key, value in zip(node.members[::2], node.members[1::2], strict=True):
            if _merges(key):
                self._merge(value, found)
            else:
                # A key that stands twice: the last one counts.
                found[self._key(key)] = self.value(value)
        self._open.discard(id(node))
        return found

    def _merge(self, value: _Node, found: dict[str, Json]) -> None:
        """Put what ``<<`` names into a mapping: over what stands before it, below what follows."""
        target = value.target if isinstance(value, _Alias) else value
        parts = target.members if isinstance(target, _Sequence) else [value]
        for one in reversed(parts):
            if not isinstance(one.target if isinstance(one, _Alias) else one, _Mapping):
                raise KubeYamlError("map merge requires map or sequence of maps as the value")
            merged = self.value(one)
            assert isinstance(merged, dict)
            found.update(merged)

    def _key(self, node: _Node) -> str:
        value = (
            scalar(node.value, node.tag, plain=node.plain) if isinstance(node, _Scalar) else self.value(node)
        )
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return value
        if isinstance(value, int) and -(_LARGEST >> 1) <= value < _LARGEST >> 1:
            return str(value)
        if isinstance(value, float):
            return _shortest(value)
        raise KubeYamlError("a key that is no text")


def _merges(key: _Node) -> bool:
    if not isinstance(key, _Scalar) or key.value != _MERGE:
        return False
    return key.plain or key.tag in {"!", f"{_TAG}merge"}


def _ratio(count: int) -> float:
    """Return how much of a document of a size may come through aliases: go-yaml's allowedAliasRatio."""
    if count <= 400_000:
        return 0.99
    return 0.1 if count >= 4_000_000 else 0.99 - 0.89 * (count - 400_000) / 3_600_000


def scalar(value: str, tag: str = "", *, plain: bool = True) -> Json:
    """Return what go-yaml makes of a scalar; only a tag makes anything but a text of one that isn't ``plain``."""
    if not tag:
        return _resolved(value) if plain else value
    name = tag.removeprefix(_TAG)
    if name == "binary":
        try:
            raw = base64.b64decode("".join(value.split("\n")).replace("\r", ""), validate=True)
        except (binascii.Error, ValueError):
            raise KubeYamlError("!!binary value contains invalid base64 data") from None
        return raw.decode("utf-8", "replace")
    if name not in {"bool", "int", "float", "null", "timestamp"}:
        return value
    found = _resolved(value)
    if name == "float" and isinstance(found, int) and not isinstance(found, bool):
        return float(found)
    kinds: dict[str, type | tuple[type, ...]] = {"bool": bool, "int": int, "float": float, "null": type(None)}
    if name == "timestamp":
        fits = bool(_DATE.fullmatch(value))
    else:
        fits = isinstance(found, kinds[name]) and not (name == "int" and isinstance(found, bool))
    if not fits:
        raise KubeYamlError(f"cannot decode a scalar as a !!{name}")
    return found


def _resolved(value: str) -> Json:
    if value in _WORDS:
        return _WORDS[value]
    if value[0] not in _NUMBER_STARTS:
        return value
    if value[0] == ".":
        return float(value.replace("_", "")) if _DOTTED.fullmatch(value) else value
    bare = value.replace("_", "")
    if match := _INTEGER.fullmatch(bare):
        base = next(one for one in _BASES if match[one] is not None)
        whole = int(match[base], _BASES[base])
        whole = -whole if match["sign"] == "-" else whole
        # An unsigned one has no sign at all, not even a plus.
        if -(_LARGEST >> 1) <= whole < _LARGEST >> 1 or (
            whole < _LARGEST and not match["sign"] and whole > 0
        ):
            return whole
    if _FLOAT.fullmatch(bare):
        found = float(bare)
        return value if math.isinf(found) else found
    return value


def _number_or(value: Json) -> Json:
    """Return a value as it comes out of JSON again: a whole float is an integer, one past 64 bits a float."""
    if isinstance(value, int) and value >= _LARGEST >> 1:
        return float(value)
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value):
            raise KubeYamlError("a number that JSON doesn't have")
        if value.is_integer() and abs(value) < _LARGEST >> 1:
            return int(value)
    return value


def _shortest(value: float) -> str:
    """Return a float as sigs.k8s.io/yaml writes it as a key: the fewest digits of a 32-bit float, Go's format g."""
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    if math.isnan(value):
        return ".nan"
    try:
        near = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return ".inf" if value > 0 else "-.inf"
    told = next(t for n in range(1, 10) if _as_32(t := f"{near:.{n}g}") == near)
    exact = Decimal(told)
    if -4 <= exact.adjusted() < 6 or not near:
        return f"{exact.normalize():f}"
    mantissa, _, power = f"{exact.normalize():E}".partition("E")
    return f"{mantissa}e{power[0]}{power[1:]:0>2}"


def _as_32(told: str) -> float:
    return float(struct.unpack("f", struct.pack("f", float(told)))[0])
