"""What a deploy would change: stored manifest, new render and live objects, object by object, field by field.

Values of Secrets are shown as fingerprints that are equal for equal values within this engine's life.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from checks.base import CouldNotLookError
from checks.clients.kube_object import name_of
from console.engine.operations.compare.drift import cleaned, of_object, short
from console.engine.operations.compare.live_objects import Key, LiveObjects, by_key
from console.engine.operations.preview.manifest import documents
from console.engine.operations.run.context import Site
from state.base.json import Json, JsonObject, items, obj, path, text
from state.base.text import line

Fields = dict[str, str]
# Bounds the frame that carries a preview to the console.
_LINES = 2000
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
    """Return what changes from a stored manifest to a rendered one, and where live objects differ from the stored.

    ``hooks``: those that will run.

    Raises the client's errors where live objects cannot be read, and UnreadableManifestError.
    """
    old, new = by_key(stored, site.namespace), by_key(rendered, site.namespace)
    asked = LiveObjects(site)
    live = await asked.get([*old, *(key for key in new if key not in old)])
    drifts = await asyncio.gather(*(of_object(asked, key, one, live.get(key)) for key, one in old.items()))
    drift = dict(zip(old, (cleaned(site, one) for one in drifts), strict=True))
    hide = site.clients.fingerprint
    lines: list[str] = []
    problems: list[str] = []
    changed = drifted = 0
    for key in sorted({*old, *new}):
        name = f"{key[1]}/{key[3]}"
        before, after = _fields(old.get(key), hide), _fields(new.get(key), hide)
        what = _changes(key, before if key in old else None, after if key in new else None)
        if key not in new and _stays(old[key], live.get(key)):
            what = ["is kept (resource-policy), no longer managed"]
        elif key not in old and asked.unknown(key):
            what = [f"is created ({key[0]}); its kind is new to the cluster: nothing was there to compare"]
        if what:
            changed += 1
            lines += [f"{name}: {one}" for one in what]
            problems += _immutable(name, key[1], before, after) if key in old and key in new else []
        differs = drift[key].found if key in drift else ()
        drifted += any(one.lasting for one in differs)
        lines += [one.words for one in differs]
    scalers = await autoscalers(site)
    problems += _scaled(new, live, scalers)
    lines += [f"hook {hook} runs" for hook in hooks]
    cleaned_lines = [line(site.clients.redactor.clean(one), 400) for one in lines]
    return Diff(tuple(cleaned_lines), changed, drifted, tuple(problems))


async def going_back(site: Site, newest: str, good: str) -> Diff | None:
    """Return what a rollback changes, from the newest manifest to the good one; None where nobody can say.

    It informs: a way back is never closed by it.
    """
    try:
        return await compare(site, newest, good)
    except CouldNotLookError:
        return None


async def all_brought(site: Site, manifest: str, crds: str) -> None:
    """Make sure that the cluster knows every kind of a manifest, or will by these definitions.

    Raises CouldNotLookError with the first that it won't know, and UnreadableManifestError.
    """
    brought = {
        (text(obj(definition.get("spec")), "group"), text(obj(path(definition, ("spec", "names"))), "kind"))
        for definition in documents(crds)
    }
    asked = LiveObjects(site)
    keys = list(by_key(manifest, site.namespace))
    await asked.learn(keys)
    for key in keys:
        if asked.unknown(key) and (key[0].partition("/")[0], key[1]) not in brought:
            raise CouldNotLookError(
                f"the cluster doesn't know {key[1]} in {key[0]}, nor does the chart bring it"
            )


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


def shown(diff: Diff) -> tuple[str, ...]:
    """Return the lines that a screen lists."""
    more = len(diff.lines) - _LINES
    return (*diff.lines[:_LINES], *([f"… and {more} more"] if more > 0 else []))


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


def _stays(stored: JsonObject, live: JsonObject | None) -> bool:
    """Return whether helm leaves an object that it no longer manages: it asks the live one."""
    notes = obj(obj((live or stored).get("metadata")).get("annotations"))
    return text(notes, "helm.sh/resource-policy").strip().lower() == "keep"


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
        found[name] = f"fingerprint {hide(json.dumps(value))}" if hidden else short(json.dumps(value))
    return found


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
    places = _IMMUTABLE.get(kind, ())
    if kind in {"ConfigMap", "Secret"} and before.get("immutable") == "true":
        places = ("data", "binaryData", "immutable")
    return [
        f"{name}: {place} can't be changed in place"
        for place in places
        if _below(before, place) != _below(after, place)
    ]


def _below(fields: Fields, place: str) -> Fields:
    return {k: v for k, v in fields.items() if k == place or k.startswith((f"{place}.", f"{place}["))}


async def autoscalers(site: Site) -> dict[tuple[str, str], str]:
    """Return which autoscaler of the namespace scales what: its name by (kind, name); empty where nobody may look."""
    where = f"/apis/autoscaling/v2/namespaces/{site.namespace}/horizontalpodautoscalers"
    try:
        found = (await site.kube.list_objects(where)).items
    except CouldNotLookError:
        return {}
    return {target: name_of(one) for one in found if (target := _target(one))[1]}


def _target(scaler: JsonObject) -> tuple[str, str]:
    target = obj(path(scaler, ("spec", "scaleTargetRef")))
    return text(target, "kind"), text(target, "name")


def _scaled(
    new: Mapping[Key, JsonObject], live: Mapping[Key, JsonObject], scalers: Mapping[tuple[str, str], str]
) -> list[str]:
    """Return the workloads whose replicas the release would set against their autoscaler, of the chart or not."""
    own = {_target(one): key[3] for key, one in new.items() if key[1] == "HorizontalPodAutoscaler"}
    scaled = {**scalers, **own}
    lines: list[str] = []
    for key, one in new.items():
        expected, now = path(one, ("spec", "replicas")), path(live.get(key), ("spec", "replicas"))
        name = scaled.get((key[1], key[3]))
        if name is not None and expected is not None and now is not None and expected != now:
            words = f"{key[1]}/{key[3]}: autoscaler {name} has {now} replicas, the release sets {expected}"
            lines.append(words)
    return lines
