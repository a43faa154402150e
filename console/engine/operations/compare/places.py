"""Where a field is in an object: its words, and who owns it by ``metadata.managedFields``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from state.base.json import Json, JsonObject, obj, objs, path, text

OURS = "launch-console"
"""Our own field manager: it never writes, it asks what would be written."""
_RELEASERS = frozenset({"helm", OURS})
_RUNS = re.compile(
    r"(?:^|\.)(?:c|initC|ephemeralC)ontainers\[[^\]]*\]\.(?:image|command|args|env|envFrom)(?![A-Za-z])"
)
_NAMING = (
    "name",
    "key",
    "containerPort",
    "port",
    "mountPath",
    "devicePath",
    "topologyKey",
    "ip",
    "type",
    "path",
    "host",
)
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Step:
    """One step into an object: a field's name, or a member of a list with what it holds live."""

    name: str = ""
    member: Json = None
    index: int = -1
    """Of a member that has no name of its own."""

    @property
    def words(self) -> str:
        """The step as a place shows it."""
        if self.name:
            return f".{self.name}"
        return f"[{_name_of(self.member) or self.index}]"


Place = tuple[Step, ...]


def words(place: Place) -> str:
    """Return a place as ``spec.template.spec.containers[web].image``."""
    return "".join(step.words for step in place).removeprefix(".")


def decides(place: Place) -> bool:
    """Return whether a field says what runs: an image, a command, its arguments or its environment."""
    return bool(_RUNS.search(words(place)))


def _name_of(member: Json) -> str:
    if not isinstance(member, Mapping):
        return json.dumps(member) if isinstance(member, str | int | float | bool) else ""
    return next((str(member[key]) for key in _NAMING if isinstance(member.get(key), str | int)), "")


def applied_fields(answer: JsonObject) -> JsonObject | None:
    """Return the set of fields that our apply would own: exactly what the manifest sets. None where it isn't told."""
    for entry in objs(path(answer, ("metadata", "managedFields"))):
        if text(entry, "manager") == OURS and text(entry, "operation") == "Apply":
            return obj(entry.get("fieldsV1"))
    return None


def others(live: JsonObject, place: Place) -> tuple[str, ...]:
    """Return who else than helm owns a live field, by name."""
    found = {
        text(entry, "manager")
        for entry in objs(path(live, ("metadata", "managedFields")))
        if _owns(obj(entry.get("fieldsV1")), place)
    }
    return tuple(sorted(one for one in found if one.lower() not in _RELEASERS))


def _owns(fields: JsonObject, place: Place) -> bool:
    for step in place:
        if not fields:
            return True  # a list or an object that is owned as a whole
        inner = fields.get(f"f:{step.name}") if step.name else _of_member(fields, step.member)
        if inner is None:
            return False
        fields = obj(inner)
    # A field whose parts have owners is owned by those who have a part of it.
    return True


def _of_member(fields: JsonObject, member: Json) -> Json:
    for mark, inner in fields.items():
        if marks(mark, member):
            return inner
    return None


def marks(mark: str, member: Json) -> bool:
    """Return whether ``k:{…}`` or ``v:…`` of a set of fields stands for this member of a list."""
    try:
        told: Json = json.loads(mark[2:])
    except ValueError:
        return False
    if mark.startswith("k:"):
        return bool(obj(member)) and _has(member, obj(told))
    return mark.startswith("v:") and told == member


def _same_key(value: Json, told: Json) -> bool:
    return value == told and isinstance(value, bool) == isinstance(told, bool)


def members_of(found: Json, mark: str) -> list[tuple[int, Json]]:
    """Return the members of a list that a mark stands for, each with where it is.

    A key that a manifest sets to nothing (``protocol: ""``) is in the mark as nothing, and stored as its default:
    where no member is the mark's exactly, all are it that are equal in the rest of its key.
    """
    members = list(enumerate(found)) if isinstance(found, Sequence) and not isinstance(found, str) else []
    exact = [(at, one) for at, one in members if marks(mark, one)]
    if exact or not mark.startswith("k:"):
        return exact[:1]
    told = {key: value for key, value in _key_of(mark).items() if value not in {None, "", 0}}
    return [(at, one) for at, one in members if told and _has(one, told)]


def same_member(found: Json, member: Json, mark: str) -> Json:
    """Return the member of another list with the same key as this one; None where it has none."""
    if mark.startswith("k:"):
        one = obj(member)
        key = {name: one[name] for name in _key_of(mark) if name in one}
        mark = f"k:{json.dumps(key)}"
    return next((one for _, one in members_of(found, mark)[:1]), None)


def _key_of(mark: str) -> JsonObject:
    try:
        return obj(json.loads(mark[2:]))
    except ValueError:
        return {}


def _has(member: Json, key: JsonObject) -> bool:
    one = obj(member)
    return all(_same_key(one.get(name), value) for name, value in key.items())


def keyed(fields: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Yield the marks of a set of fields but the one that says that an object itself is there."""
    for mark, inner in fields.items():
        if mark != ".":
            yield mark, obj(inner)
