"""Server-side apply: what a manager applied before and leaves out now is removed; the rest is merged.

Ownership is kept where Kubernetes keeps it, in ``metadata.managedFields`` (owned_fields.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.rehearsal.sim.kubernetes.kubectl.owned_fields import (
    Writer,
    conflict,
    fields_in,
    foreign,
    identity,
    is_whole,
    list_keys,
    marks_of,
    owned_part,
    without,
)
from console.rehearsal.sim.kubernetes.objects import Obj, Value, child, copied
from state.base.json import Json, JsonObject, obj, objs, path, text


def apply(live: Obj, applied: JsonObject, writer: Writer, *, force: bool = False) -> Obj:
    """Return ``live`` after somebody applied a configuration.

    Raises KubeError (409) where it would change a field that another one owns; by ``force`` it takes that over.
    """
    desired = owned_part(applied)
    taken = foreign(live, desired, writer)
    if taken and not force:
        raise conflict(taken)
    fields = fields_of(desired)
    entries = objs(path(live, ("metadata", "managedFields")))
    mine = [one for one in entries if writer.wrote(one)]
    result = copied(live)
    held = set().union(*(fields_in(obj(one.get("fieldsV1"))) for one in entries if not writer.wrote(one)))
    for one in mine:
        # What another one holds too, stays when this one lets it go.
        before = marks_of(fields_in(obj(one.get("fieldsV1"))) - held) if held else obj(one.get("fieldsV1"))
        result = _without(result, before, fields)
    merged = _merged(result, desired, "")
    assert isinstance(merged, dict)
    entry = writer.entry(fields)
    if mine and obj(mine[0].get("fieldsV1")) == fields:
        entry["time"] = text(mine[0], "time")
    lost = {field for _, field in taken}
    others = [without(one, lost) if lost else copied(one) for one in entries if not writer.wrote(one)]
    kept: list[Value] = [one for one in others if obj(obj(one).get("fieldsV1"))]
    child(merged, "metadata")["managedFields"] = [*kept, entry]
    return merged


def fields_of(body: Json, field: str = "") -> Obj:
    """Return the set of fields that a configuration sets, in the form of ``fieldsV1``."""
    found: Obj = {}
    if isinstance(body, Mapping) and not is_whole(field):
        for key, value in body.items():
            found[f"f:{key}"] = fields_of(value, key)
    elif isinstance(body, Sequence) and not isinstance(body, str) and (keys := list_keys(field, body)):
        for one in body:
            inner = fields_of(one)
            inner["."] = {}
            found[identity(one, keys)] = inner
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
    if isinstance(live, list) and (keys := list_keys(field, live)):
        kept: list[Value] = []
        for one in live:
            mark = identity(one, keys)
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
        keys = list_keys(field, [*have, *desired])
        if not keys:
            return copied(desired)
        members = {identity(one, keys): one for one in have}
        for one in desired:
            mark = identity(one, keys)
            members[mark] = _merged(members.get(mark), one, "")
        return list(members.values())
    return copied(desired)
