"""What a deploy would change: stored manifest, new render and live objects, object by object, field by field.

Values of Secrets are shown as fingerprints that are equal for equal values within this engine's life.
"""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from checks.base import CouldNotLookError
from checks.clients.errors import NotFoundError
from console.engine.operations.preview.manifest import documents
from console.engine.operations.run.context import Site
from state.base.json import Json, JsonObject, items, obj, objs, path, text, texts
from state.base.text import line

Fields = dict[str, str]
Key = tuple[str, str, str, str]
# Bounds the frame that carries a preview to the console.
_LINES = 2000
_DIGEST = re.compile(r"sha256:([0-9a-f]{12})[0-9a-f]{52}")
_IMMUTABLE = {
    "Deployment": ("spec.selector",),
    "StatefulSet": ("spec.selector", "spec.serviceName", "spec.volumeClaimTemplates"),
    "DaemonSet": ("spec.selector",),
    "Job": ("spec.selector", "spec.template"),
    "Service": ("spec.clusterIP",),
    "PersistentVolumeClaim": ("spec.accessModes", "spec.storageClassName", "spec.volumeName"),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
}
_SUFFIXES = {"m": 1e-3, "k": 1e3, "Ki": 2**10, "M": 1e6, "Mi": 2**20, "G": 1e9, "Gi": 2**30, "Ti": 2**40}


@dataclass(frozen=True, slots=True)
class Diff:
    """The differences, a line each."""

    lines: tuple[str, ...]
    changed: int
    """Objects that the release would change, create or remove."""
    drifted: int
    """Objects whose live state isn't what the stored manifest says."""
    problems: tuple[str, ...] = ()
    """What the cluster would refuse, or somebody else would undo."""

    @property
    def sha(self) -> str:
        """What stands for exactly these differences: 64 hexadecimal digits."""
        return sha256("\n".join(self.lines).encode()).hexdigest()

    @property
    def words(self) -> str:
        """How much changes."""
        drift = f", {self.drifted} drifted from what was released" if self.drifted else ""
        return f"{self.changed} objects change{drift} (diff {self.sha[:12]})"


async def compare(site: Site, stored: str, rendered: str, hooks: Sequence[str] = ()) -> Diff:
    """Return what changes from a stored manifest to a rendered one, and where live objects differ from both.

    Raises the client's errors where live objects cannot be read.
    """
    old, new = _by_key(stored, site.namespace), _by_key(rendered, site.namespace)
    live = await _live(site, [*old.values(), *(one for key, one in new.items() if key not in old)])
    hide = site.clients.fingerprint
    lines: list[str] = []
    problems: list[str] = []
    changed = drifted = 0
    for key in sorted({*old, *new}):
        name = f"{key[1]}/{key[3]}"
        before, after = _fields(old.get(key), hide), _fields(new.get(key), hide)
        drift = _drift(old.get(key), live.get(key), hide) if key in old else []
        what = _changes(key, before if key in old else None, after if key in new else None)
        if what:
            changed += 1
            lines += [f"{name}: {one}" for one in what]
            problems += _immutable(name, key[1], before, after) if key in old and key in new else []
        if drift:
            drifted += 1
            lines += [f"{name}: live {one}" for one in drift]
    problems += _scaled(new, live)
    lines += [f"hook {hook} runs" for hook in hooks]
    cleaned = [line(site.clients.redactor.clean(one), 400) for one in lines]
    return Diff(tuple(cleaned), changed, drifted, tuple(problems))


def created(site: Site, thing: JsonObject) -> Diff:
    """Return an object that is made anew, a line for each of its fields."""
    name = f"{text(thing, 'kind')}/{text(obj(thing.get('metadata')), 'name')}"
    fields = _fields(
        {key: one for key, one in thing.items() if key not in {"apiVersion", "kind"}},
        site.clients.fingerprint,
    )
    lines = [f"{name}: is created ({text(thing, 'apiVersion')})"]
    lines += [f"{name}: {place} {value}" for place, value in fields.items()]
    return Diff(tuple(line(site.clients.redactor.clean(one), 400) for one in lines), 1, 0)


async def drift_of(site: Site, manifest: str) -> list[str]:
    """Return where live objects aren't what a manifest says, a line each.

    Replicas that an autoscaler sets don't count. Raises the client's errors where they cannot be read.
    """
    expected = _by_key(manifest, site.namespace)
    live = await _live(site, list(expected.values()))
    scaled = _autoscaled(expected) | await _autoscaled_live(site)
    found: list[str] = []
    for key, one in expected.items():
        for told in _drift(one, live.get(key), site.clients.fingerprint):
            if told.startswith("spec.replicas") and (key[1], key[3]) in scaled:
                continue
            found.append(line(site.clients.redactor.clean(f"{key[1]}/{key[3]}: live {told}"), 400))
    return found


def shown(diff: Diff) -> tuple[str, ...]:
    """Return the lines that a screen lists."""
    more = len(diff.lines) - _LINES
    return (*diff.lines[:_LINES], *([f"… and {more} more"] if more > 0 else []))


def _by_key(manifest: str, namespace: str) -> dict[Key, JsonObject]:
    return {
        (
            text(document, "apiVersion"),
            text(document, "kind"),
            text(obj(document.get("metadata")), "namespace", namespace),
            text(obj(document.get("metadata")), "name"),
        ): document
        for document in documents(manifest)
    }


def _changes(key: Key, before: Fields | None, after: Fields | None) -> list[str]:
    if before is None:
        return [f"is created ({key[0]})"]
    if after is None:
        return ["is removed"]
    return [
        f"{name} {before.get(name, 'absent')} → {after.get(name, 'absent')}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _drift(expected: JsonObject | None, live: JsonObject | None, hide: Callable[[str], str]) -> list[str]:
    if expected is None:
        return []
    if live is None:
        return ["is not there"]
    now = _fields(live, hide)
    return [
        f"{name} is {now.get(name, 'absent')} instead of {value}"
        for name, value in _fields(expected, hide).items()
        if not _same(name, now.get(name), value)
    ]


def _same(name: str, live: str | None, expected: str) -> bool:
    if live == expected:
        return True
    if live is None:
        return expected in {"{}", "[]", "null", '""'}
    if ".resources." in name:
        return _quantity(live) == _quantity(expected)
    return live.strip('"') == expected.strip('"')


def _quantity(message: str) -> float | str:
    message = message.strip('"')
    digits = message.rstrip("kmKMGTi")
    try:
        return float(digits) * _SUFFIXES.get(message[len(digits) :], 1.0)
    except ValueError:
        return message


def _fields(thing: JsonObject | None, hide: Callable[[str], str]) -> Fields:
    """Return an object's fields by their paths; a Secret's values as fingerprints."""
    if thing is None:
        return {}
    secret = text(thing, "kind") == "Secret"
    if secret:
        clear = {k: b64encode(str(v).encode()).decode() for k, v in obj(thing.get("stringData")).items()}
        kept = {k: v for k, v in thing.items() if k != "stringData"}
        thing = {**kept, "data": {**obj(thing.get("data")), **clear}}
    found: Fields = {}
    for name, value in _leaves({k: v for k, v in thing.items() if k != "status"}, ""):
        hidden = secret and name.startswith("data.")
        found[name] = f"fingerprint {hide(json.dumps(value))}" if hidden else _short(json.dumps(value))
    return found


def _short(message: str) -> str:
    """Return a value short enough for a line; digests by their first digits."""
    return line(_DIGEST.sub(r"sha256:\1…", message), 140)


def _leaves(value: Json, place: str) -> Iterator[tuple[str, Json]]:
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _leaves(one, f"{place}.{key}" if place else str(key))
    elif (members := items(value)) and not isinstance(value, str):
        names = [text(obj(member), "name") for member in members]
        named = all(names) and len(set(names)) == len(names)
        for at, member in enumerate(members):
            yield from _leaves(member, f"{place}[{names[at] if named else at}]")
    else:
        yield place, value


def _immutable(name: str, kind: str, before: Fields, after: Fields) -> list[str]:
    return [
        f"{name}: {place} can't be changed in place"
        for place in _IMMUTABLE.get(kind, ())
        if {k: v for k, v in before.items() if k.startswith(place)}
        != {k: v for k, v in after.items() if k.startswith(place)}
    ]


def _autoscaled(found: Mapping[Key, JsonObject]) -> set[tuple[str, str]]:
    targets = [
        obj(path(o, ("spec", "scaleTargetRef"))) for k, o in found.items() if k[1].startswith("Horizontal")
    ]
    return {(text(target, "kind"), text(target, "name")) for target in targets}


async def _autoscaled_live(site: Site) -> set[tuple[str, str]]:
    """Return what autoscalers of the namespace scale, whoever made them: KEDA and ``kubectl autoscale`` do too."""
    where = f"/apis/autoscaling/v2/namespaces/{site.namespace}/horizontalpodautoscalers"
    try:
        scalers = (await site.kube.list_objects(where)).items
    except CouldNotLookError:
        return set()
    targets = [obj(path(one, ("spec", "scaleTargetRef"))) for one in scalers]
    return {(text(target, "kind"), text(target, "name")) for target in targets}


def _scaled(new: Mapping[Key, JsonObject], live: Mapping[Key, JsonObject]) -> list[str]:
    """Return the workloads whose replicas the release would set against their autoscaler."""
    scaled = _autoscaled(new)
    lines: list[str] = []
    for key, one in new.items():
        expected, now = path(one, ("spec", "replicas")), path(live.get(key), ("spec", "replicas"))
        if (key[1], key[3]) in scaled and expected is not None and now is not None and expected != now:
            lines.append(f"{key[1]}/{key[3]}: an autoscaler has {now} replicas, the release sets {expected}")
    return lines


async def _live(site: Site, expected: Sequence[JsonObject]) -> dict[Key, JsonObject]:
    """Return the live objects, by the keys of the wanted ones."""
    versions = {text(one, "apiVersion") for one in expected}
    kinds = dict(zip(versions, await asyncio.gather(*(_kinds(site, v) for v in versions)), strict=True))

    async def one_of(thing: JsonObject) -> tuple[Key, JsonObject] | None:
        version, kind = text(thing, "apiVersion"), text(thing, "kind")
        plural, namespaced = kinds[version].get(kind, ("", True))
        meta = obj(thing.get("metadata"))
        namespace, name = text(meta, "namespace", site.namespace), text(meta, "name")
        if not plural:
            raise CouldNotLookError(f"the cluster doesn't know {kind} in {version}")
        where = f"namespaces/{namespace}/" if namespaced else ""
        try:
            found = await site.kube.get(f"{_root(version)}/{where}{plural}/{name}")
        except NotFoundError:
            return None
        return (version, kind, namespace, name), found

    found = await asyncio.gather(*(one_of(thing) for thing in expected))
    return dict(pair for pair in found if pair is not None)


async def _kinds(site: Site, version: str) -> dict[str, tuple[str, bool]]:
    try:
        answer = await site.kube.get(_root(version))
    except NotFoundError:
        return {}
    return {
        text(resource, "kind"): (text(resource, "name"), resource.get("namespaced") is True)
        for resource in objs(answer.get("resources"))
        if "/" not in text(resource, "name") and "get" in texts(resource.get("verbs"))
    }


def _root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"
