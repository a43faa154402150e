"""Who owns which field, as ``metadata.managedFields`` says it: what an update takes over, what an apply may not.

A field is the path of marks of ``fieldsV1``: ``("f:spec", "f:replicas")``. Only leaves are kept, not the marks that
an object or a member of a list is there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from console.rehearsal.sim.kubernetes.kubectl.patch import merge_key
from console.rehearsal.sim.kubernetes.objects import Obj, Value, child, copied
from console.rehearsal.sim.kubernetes.problems import KubeError
from state.base.json import Json, JsonObject, obj, objs, path, text

Field: TypeAlias = "tuple[str, ...]"
_TWO_KEYS = {"containerPort": ("containerPort", "protocol"), "port": ("port", "protocol")}
_META_OWNED = ("labels", "annotations", "finalizers", "ownerReferences")
_NOT_OWNED = ("apiVersion", "kind", "metadata", "status")
_ABSENT = object()
_WHOLE = frozenset(
    {
        "selector",
        "labelSelector",
        "namespaceSelector",
        "podSelector",
        "nodeSelector",
        "configMapKeyRef",
        "secretKeyRef",
        "fieldRef",
        "resourceFieldRef",
        "roleRef",
        "targetRef",
        "port",
        "preference",
    }
)
"""Fields whose objects have one owner (``x-kubernetes-map-type: atomic``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who changes an object, and through which of its parts; ``time`` as the API writes times."""

    manager: str
    operation: str
    api_version: str
    subresource: str
    time: str

    def wrote(self, entry: JsonObject) -> bool:
        """Return whether an entry of managedFields is this one's."""
        return (text(entry, "manager"), text(entry, "operation"), text(entry, "subresource")) == (
            self.manager,
            self.operation,
            self.subresource,
        )

    def entry(self, fields: Obj) -> Obj:
        """Return the entry of managedFields that says so."""
        body: Obj = {
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields,
        }
        return {**body, "subresource": self.subresource} if self.subresource else body


def list_keys(field: str, members: Sequence[Json]) -> tuple[str, ...]:
    """Return the fields that tell a list's members apart; none for a list that is replaced as a whole."""
    key = merge_key(field, members)
    return _TWO_KEYS.get(key, (key,)) if key else ()


def identity(member: Json, keys: tuple[str, ...]) -> str:
    """Return the mark of a list's member."""
    body = obj(member)
    found = {key: body.get(key, "TCP" if key == "protocol" else None) for key in keys}
    return "k:" + json.dumps(found, separators=(",", ":"), sort_keys=True)


def owned_part(body: JsonObject, subresource: str = "") -> JsonObject:
    """Return what of an object its writers own: not its identity, and the status by itself."""
    if subresource == "status":
        return {"status": body.get("status")}
    meta = {key: value for key, value in obj(body.get("metadata")).items() if key in _META_OWNED}
    own = {key: value for key, value in body.items() if key not in _NOT_OWNED}
    return {**own, "metadata": meta} if meta else own


def is_whole(field: str) -> bool:
    """Return whether a field's object is owned as a whole."""
    return field in _WHOLE


def leaves(body: Json, field: str = "", before: Field = ()) -> dict[Field, Json]:
    """Return the values of a configuration by their fields."""
    found: dict[Field, Json] = {}
    if isinstance(body, Mapping) and (body or not before) and not is_whole(field):
        for key, value in body.items():
            found |= leaves(value, key, (*before, f"f:{key}"))
        return found
    if isinstance(body, Sequence) and not isinstance(body, str) and (keys := list_keys(field, body)):
        for one in body:
            found |= leaves(one, "", (*before, identity(one, keys)))
        return found
    return {before: body}


def fields_in(marks: JsonObject, before: Field = ()) -> set[Field]:
    """Return the fields that a ``fieldsV1`` names."""
    inner = {mark: one for mark, one in marks.items() if mark != "."}
    if not inner:
        return {before} if before else set()
    return {found for mark, one in inner.items() for found in fields_in(obj(one), (*before, mark))}


def marks_of(fields: Collection[Field]) -> Obj:
    """Return the ``fieldsV1`` that names fields."""
    found: Obj = {}
    for field in sorted(fields):
        child(found, *field)
    return found


def take_over(new: Obj, old: JsonObject, writer: Writer) -> None:
    """Write into ``new`` who owns what after an update: its writer all that it changed, and others that no more."""
    before, after = (leaves(owned_part(one, writer.subresource)) for one in (old, new))
    changed = {field for field, value in after.items() if before.get(field, _ABSENT) != value}
    gone = before.keys() - after.keys()
    entries = [copied(one) for one in objs(path(old, ("metadata", "managedFields")))]
    if changed or gone:
        mine = next((one for one in entries if writer.wrote(obj(one))), None)
        kept = fields_in(obj(obj(mine).get("fieldsV1"))) if mine is not None else set()
        others: list[Value] = [
            without(obj(one), changed | gone) for one in entries if not writer.wrote(obj(one))
        ]
        entries = [one for one in others if obj(obj(one).get("fieldsV1"))]
        entries.append(writer.entry(marks_of((kept | changed) - gone)))
    meta = child(new, "metadata")
    meta.pop("managedFields", None)
    if entries:
        meta["managedFields"] = entries


def without(entry: JsonObject, fields: Collection[Field]) -> Obj:
    """Return an entry of managedFields without some fields."""
    kept = fields_in(obj(entry.get("fieldsV1"))) - set(fields)
    return {**{key: copied(value) for key, value in entry.items()}, "fieldsV1": marks_of(kept)}


def foreign(live: JsonObject, desired: JsonObject, writer: Writer) -> list[tuple[JsonObject, Field]]:
    """Return the fields that an apply would change and that another one owns, with that one's entry."""
    wanted, have = leaves(owned_part(desired)), leaves(owned_part(live))
    return [
        (entry, field)
        for entry in objs(path(live, ("metadata", "managedFields")))
        if not writer.wrote(entry)
        for field in sorted(fields_in(obj(entry.get("fieldsV1"))) & wanted.keys())
        if wanted[field] != have.get(field, _ABSENT)
    ]


def conflict(found: Sequence[tuple[JsonObject, Field]]) -> KubeError:
    """Return 409 in the API server's words."""
    causes: list[Value] = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {_who(entry)}", "field": _shown(field)}
        for entry, field in found
    ]
    if len(found) == 1:
        told = f"1 conflict: conflict with {_who(found[0][0])}: {_shown(found[0][1])}"
    else:
        lines: list[str] = []
        for who in sorted({_who(entry) for entry, _ in found}):
            lines.append(f"conflicts with {who}:")
            lines += [f"- {_shown(field)}" for entry, field in found if _who(entry) == who]
        told = f"{len(found)} conflicts: " + "\n".join(lines)
    return KubeError(409, "Conflict", f"Apply failed with {told}", {"causes": causes})


def _who(entry: JsonObject) -> str:
    name = json.dumps(text(entry, "manager"))
    if text(entry, "subresource"):
        name += f" with subresource {json.dumps(text(entry, 'subresource'))}"
    return f"{name} using {text(entry, 'apiVersion')}" if text(entry, "operation") == "Update" else name


def _shown(field: Field) -> str:
    words = []
    for mark in field:
        if mark.startswith("k:"):
            keys = ",".join(f"{key}={json.dumps(one)}" for key, one in json.loads(mark[2:]).items())
            words.append(f"[{keys}]")
        else:
            words.append(f".{mark.removeprefix('f:')}")
    return "".join(words)
