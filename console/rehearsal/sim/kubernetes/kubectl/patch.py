"""The three patches that change an object by a description: merge, JSON patch, strategic merge.

Lists of objects are merged by a key, as the ``patchMergeKey`` tags of Kubernetes' own types say; the tags are
kept here by field name, which is unique enough over the kinds that are served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.rehearsal.sim.kubernetes.objects import Obj, Value, copied
from console.rehearsal.sim.kubernetes.problems import bad_request, rejected
from state.base.json import Json, JsonObject, obj, objs, text

_MERGE_KEYS: Mapping[str, tuple[str, ...]] = {
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "podIPs": ("ip",),
    "ports": ("containerPort", "port"),
    "secrets": ("name",),
    "topologySpreadConstraints": ("topologyKey",),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
_SET_LISTS = ("finalizers",)


def merge_key(field: str, members: Sequence[Json]) -> str | None:
    """Return the field that tells the members of a list apart, or None for a list replaced as a whole."""
    for key in _MERGE_KEYS.get(field, ()):
        if all(isinstance(member, Mapping) and (key in member or "$patch" in member) for member in members):
            return key
    return None


def merge(target: Value, patch: Json) -> Value:
    """Return ``target`` after a JSON merge patch (RFC 7386): null removes, lists are replaced."""
    if not isinstance(patch, Mapping):
        return copied(patch)
    result: Obj = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def json_patch(target: Value, operations: Json) -> Value:
    """Return ``target`` after a JSON patch (RFC 6902).

    Raises KubeError: 400 for a patch that is none, 422 where it does not apply.
    """
    if not isinstance(operations, Sequence) or isinstance(operations, str):
        raise bad_request("error decoding patch: a JSON patch is a list of operations")
    root: Obj = {"": copied(target)}
    for operation in objs(operations):
        _apply_operation(root, operation)
    return root[""]


def _apply_operation(root: Obj, one: JsonObject) -> None:
    verb, where = text(one, "op"), text(one, "path")
    if verb == "remove":
        _take(root, where)
    elif verb in ("add", "replace"):
        _set(root, where, copied(one.get("value")), must_exist=verb == "replace")
    elif verb in ("move", "copy"):
        origin = text(one, "from")
        _set(root, where, _take(root, origin) if verb == "move" else copied(_read(root, origin)))
    elif verb == "test":
        if _read(root, where) != one.get("value"):
            raise rejected()
    else:
        raise bad_request(f"error decoding patch: unknown operation {verb!r}")


def _parent(root: Obj, pointer: str) -> tuple[Value, str]:
    keys = [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")]
    at: Value = root
    for key in keys[:-1]:
        at = _member(at, key)
    return at, keys[-1]


def _member(at: Value, key: str) -> Value:
    if isinstance(at, dict) and key in at:
        return at[key]
    if isinstance(at, list) and key.isdigit() and int(key) < len(at):
        return at[int(key)]
    raise rejected()


def _read(root: Obj, pointer: str) -> Value:
    at, key = _parent(root, pointer)
    return _member(at, key)


def _take(root: Obj, pointer: str) -> Value:
    at, key = _parent(root, pointer)
    value = _member(at, key)
    if isinstance(at, dict):
        del at[key]
    elif isinstance(at, list):
        del at[int(key)]
    return value


def _set(root: Obj, pointer: str, value: Value, *, must_exist: bool = False) -> None:
    at, key = _parent(root, pointer)
    if must_exist:
        _member(at, key)
    if isinstance(at, dict):
        at[key] = value
    elif isinstance(at, list) and (key == "-" or (key.isdigit() and int(key) <= len(at))):
        index = len(at) if key == "-" else int(key)
        at[index : index + must_exist] = [value]
    else:
        raise rejected()


def strategic(target: Value, patch: Json, field: str = "") -> Value:
    """Return ``target`` after a strategic merge patch, with its ``$patch`` and other directives."""
    if isinstance(patch, Mapping):
        return _strategic_object(target, patch)
    if isinstance(patch, Sequence) and not isinstance(patch, str):
        return _strategic_list(target if isinstance(target, list) else [], patch, field)
    return copied(patch)


def _strategic_object(target: Value, patch: JsonObject) -> Value:
    directive = patch.get("$patch")
    if directive == "delete":
        return {}
    result: Obj = dict(target) if isinstance(target, dict) and directive != "replace" else {}
    kept = patch.get("$retainKeys")
    if isinstance(kept, Sequence) and not isinstance(kept, str):
        result = {key: value for key, value in result.items() if key in kept}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            _delete_primitives(result, key.partition("/")[2], value)
        elif key.startswith("$"):
            continue
        elif value is None:
            result.pop(key, None)
        else:
            result[key] = strategic(result.get(key), value, key)
    for key in {one.removeprefix("$setElementOrder/") for one in patch}:
        order = patch.get(f"$setElementOrder/{key}", patch.get(key))
        before = target.get(key) if isinstance(target, dict) else None
        if isinstance(before, list) and isinstance(order, Sequence) and not isinstance(order, str):
            _order(result, key, order, before)
    return result


def _delete_primitives(result: Obj, field: str, gone: Json) -> None:
    have = result.get(field)
    if isinstance(have, list) and isinstance(gone, Sequence):
        result[field] = [one for one in have if one not in gone]


def _order(result: Obj, field: str, order: Sequence[Json], before: list[Value]) -> None:
    """Put a merged list in Kubernetes' order: the patch's, into which what only the server has is woven.

    So a container that a plain patch adds comes first.
    """
    have = result.get(field)
    if not isinstance(have, list) or not have:
        return
    key = merge_key(field, [*have, *order])
    if key is None and field not in _SET_LISTS:
        return
    known = [_told_by(one, key) for one in before]
    asked = [_told_by(one, key) for one in order]
    patched = sorted(
        (one for one in have if _told_by(one, key) in asked), key=lambda x: asked.index(_told_by(x, key))
    )
    kept = [one for one in have if _told_by(one, key) not in asked]
    ordered: list[Value] = []
    while kept and patched:
        place = _told_by(patched[0], key)
        first_kept = place in known and known.index(_told_by(kept[0], key)) < known.index(place)
        ordered.append((kept if first_kept else patched).pop(0))
    result[field] = [*ordered, *kept, *patched]


def _told_by(member: Json, key: str | None) -> str:
    return str(obj(member).get(key) if key and isinstance(member, Mapping) else member)


def _strategic_list(target: list[Value], patch: Sequence[Json], field: str) -> list[Value]:
    if field in _SET_LISTS:
        return [*target, *(copied(one) for one in patch if one not in target)]
    replaced = any(obj(one).get("$patch") == "replace" for one in patch)
    key = merge_key(field, [*target, *patch])
    if key is None or replaced:
        return [copied(one) for one in patch if "$patch" not in obj(one)]
    result = list(target)
    for one in objs(patch):
        at = next((n for n, have in enumerate(result) if obj(have).get(key) == one.get(key)), None)
        if one.get("$patch") == "delete":
            if at is not None:
                del result[at]
        elif at is None:
            result.append(strategic({}, one))
        else:
            result[at] = strategic(result[at], one)
    return result
