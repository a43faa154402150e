"""Changes by hand: for each field that a manifest sets, what somebody might put there instead, as a JSON patch."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence

from console.engine.operations.compare.by_type import clear_secret
from state.base.json import Json, JsonObject, items, obj

# What API fields of closed sets may be instead; anything else is refused by the API, and the next one is tried.
_INSTEAD = """
Recreate RollingUpdate OnDelete Parallel Always IfNotPresent Never Local Cluster Allow Forbid Replace
Retain Delete Fail Ignore ClusterFirst Default UDP TCP HTTP HTTPS Exact Prefix
In NotIn Exists Equal NoSchedule NoExecute DoNotSchedule ScheduleAnyway Memory Filter Background File
FallbackToLogsOnError ReadOnly File Ingress Egress Max AverageValue Utilization None ClientIP Equivalent get
list 3 30% 7Gi 12:45 zz
"""
_NOT_SET = frozenset({"apiVersion", "kind", "status"})
_FIXED = frozenset({"name", "namespace", "creationTimestamp", "generateName", "uid", "resourceVersion"})


def changes(expected: JsonObject, live: JsonObject) -> Iterator[JsonObject]:
    """Yield one change after the other; several for a field, of which the API may refuse any."""
    for alternatives in by_field(expected, live):
        yield from alternatives


def by_field(expected: JsonObject, live: JsonObject) -> Iterator[list[JsonObject]]:
    """Yield the changes of each field that a manifest sets: names, which can't be changed, aside."""
    for key, value in clear_secret(expected).items():
        if key == "metadata":
            for name, part in obj(value).items():
                if name not in _FIXED:
                    yield from _below(part, obj(live.get(key)).get(name), f"/metadata/{_escaped(name)}")
        elif key not in _NOT_SET:
            yield from _below(value, live.get(key), f"/{_escaped(key)}")


def _below(expected: Json, live: Json, pointer: str) -> Iterator[list[JsonObject]]:
    if expected is None:
        return
    if isinstance(expected, Mapping) and expected:
        for key, value in expected.items():
            yield from _below(value, obj(live).get(key), f"{pointer}/{_escaped(key)}")
    elif isinstance(expected, Sequence) and not isinstance(expected, str) and expected:
        for at, member in enumerate(expected):
            where = _index(member, items(live), at)
            # Of two that are the same, changing one leaves what the manifest sets: helm 4 adds a port whose protocol
            # is empty anew at every upgrade.
            if where is not None and list(items(live)).count(items(live)[where]) == 1:
                yield from _below(member, items(live)[where], f"{pointer}/{where}")
    else:
        values = list(_instead(expected, live, pointer))
        yield [{"op": "add", "path": pointer, "value": one} for one in values]


def _index(member: Json, live: Sequence[Json], at: int) -> int | None:
    for key in ("name", "key", "mountPath", "topologyKey", "containerPort"):
        told = obj(member).get(key)
        if told is not None:
            return next((n for n, one in enumerate(live) if obj(one).get(key) == told), None)
    return at if at < len(live) else None


def _instead(value: Json, live: Json, pointer: str) -> Iterator[Json]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (int(value) + 1, int(value) + 7, max(0, int(value) - 1), "7")
    elif isinstance(value, str):
        if pointer.startswith(("/data/", "/binaryData/")) or pointer.endswith("caBundle"):
            yield base64.b64encode(b"by hand").decode()
        yield from (f"{value}-x", f"{value}x", "by-hand")
        yield from (word for word in _INSTEAD.split() if word not in {value, live})
    elif not isinstance(value, Mapping):  # of an object that is empty no field is set
        yield from ([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}], ["by-hand"])


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
