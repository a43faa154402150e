"""Server-side apply: what a manager applied before and leaves out now is removed; the rest is merged.

Ownership is kept where Kubernetes keeps it, in ``metadata.managedFields``. Other managers' fields are never
in conflict here, so a client that forces and one that does not get the same answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from console.rehearsal.sim.kubernetes.kubectl.patch import merge_key
from console.rehearsal.sim.kubernetes.objects import Obj, Value, child, copied
from state.base.json import Json, JsonObject, obj, objs, path, text

_TWO_KEYS = {"containerPort": ("containerPort", "protocol"), "port": ("port", "protocol")}
_NEVER_OWNED = ("apiVersion", "kind")
_META_OWNED = ("labels", "annotations", "finalizers", "ownerReferences")


def apply(live: Obj, applied: JsonObject, manager: str, time: str) -> Obj:
    """Return ``live`` after ``manager`` applied a configuration at ``time`` (as the API writes times)."""
    meta = {key: value for key, value in obj(applied.get("metadata")).items() if key in _META_OWNED}
    desired = {**{k: v for k, v in applied.items() if k not in (*_NEVER_OWNED, "status")}, "metadata": meta}
    fields = fields_of(desired)
    entries = objs(path(live, ("metadata", "managedFields")))
    mine = [one for one in entries if _is_mine(one, manager)]
    result = copied(live)
    for one in mine:
        result = _without(result, obj(one.get("fieldsV1")), fields)
    merged = _merged(result, desired, "")
    assert isinstance(merged, dict)
    entry: Obj = {
        "manager": manager,
        "operation": "Apply",
        "apiVersion": text(applied, "apiVersion"),
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    if mine and obj(mine[0].get("fieldsV1")) == fields:
        entry["time"] = text(mine[0], "time")
    others: list[Value] = [copied(one) for one in entries if not _is_mine(one, manager)]
    child(merged, "metadata")["managedFields"] = [*others, entry]
    return merged


def _is_mine(entry: JsonObject, manager: str) -> bool:
    return text(entry, "manager") == manager and text(entry, "operation") == "Apply"


def _list_keys(field: str, members: Sequence[Json]) -> tuple[str, ...]:
    key = merge_key(field, members)
    return _TWO_KEYS.get(key, (key,)) if key else ()


def _identity(member: Json, keys: tuple[str, ...]) -> str:
    body = obj(member)
    found = {key: body.get(key, "TCP" if key == "protocol" else None) for key in keys}
    return "k:" + json.dumps(found, separators=(",", ":"), sort_keys=True)


def fields_of(body: Json, field: str = "") -> Obj:
    """Return the set of fields that a configuration sets, in the form of ``fieldsV1``."""
    found: Obj = {}
    if isinstance(body, Mapping):
        for key, value in body.items():
            found[f"f:{key}"] = fields_of(value, key)
    elif isinstance(body, Sequence) and not isinstance(body, str) and (keys := _list_keys(field, body)):
        for one in body:
            inner = fields_of(one)
            inner["."] = {}
            found[_identity(one, keys)] = inner
    return found


def _without(live: Value, before: JsonObject, now: JsonObject, field: str = "") -> Value:
    """Take away from ``live`` the fields that were applied ``before`` and are not ``now``."""
    if isinstance(live, dict):
        result: Obj = dict(live)
        for mark, inner in before.items():
            key = mark.removeprefix("f:")
            if not mark.startswith("f:") or key not in result:
                continue
            if mark in now:
                result[key] = _without(result[key], obj(inner), obj(now[mark]), key)
            elif key not in ("metadata", "spec"):
                del result[key]
        return result
    if isinstance(live, list) and (keys := _list_keys(field, live)):
        kept: list[Value] = []
        for one in live:
            mark = _identity(one, keys)
            if mark in before and mark not in now:
                continue
            kept.append(_without(one, obj(before[mark]), obj(now[mark])) if mark in before else one)
        return kept
    return live


def _merged(live: Value, desired: Json, field: str) -> Value:
    if isinstance(desired, Mapping):
        result: Obj = dict(live) if isinstance(live, dict) else {}
        for key, value in desired.items():
            if value is None:
                result.pop(key, None)
            else:
                result[key] = _merged(result.get(key), value, key)
        return result
    if isinstance(desired, Sequence) and not isinstance(desired, str):
        have = live if isinstance(live, list) else []
        keys = _list_keys(field, [*have, *desired])
        if not keys:
            return copied(desired)
        members = {_identity(one, keys): one for one in have}
        for one in desired:
            mark = _identity(one, keys)
            members[mark] = _merged(members.get(mark), one, "")
        return list(members.values())
    return copied(desired)
