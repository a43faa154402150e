"""Where live objects aren't what a manifest says: held against the server's own word, told with who changed it.

An object that is there is applied in a dry run. What comes back is what the API would store, with the fields that the
manifest sets in ``managedFields``; at these the live object is compared. Where the server doesn't say, values are
compared by type (by_type.py).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from console.engine.operations.compare.by_type import ABSENT, clear_secret, differences, zeros
from console.engine.operations.compare.live_objects import Key, LiveObjects, by_key, without_nulls
from console.engine.operations.compare.places import (
    Place,
    Step,
    applied_fields,
    decides,
    keyed,
    members_of,
    others,
    same_member,
    words,
)
from console.engine.operations.run.context import Site
from state.base.images import shortened
from state.base.json import Json, JsonObject, items, obj, path, text
from state.base.text import line

_VALUE = 140
_META = frozenset({"labels", "annotations", "finalizers", "ownerReferences"})
_CONTROLLERS = frozenset({"kube-controller-manager", "clusterrole-aggregation-controller"})
_NOT_SET = frozenset({"apiVersion", "kind", "metadata", "status"})
_ADDED_TO = frozenset({"containers", "initContainers", "env"})


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that isn't live what the manifest says."""

    object: str
    """``Deployment/shop-web``."""
    what: str
    """``live spec.replicas is 3 instead of 2``; no secret."""
    by: tuple[str, ...] = ()
    """Who else than helm owns the field."""
    runs: bool = False
    """Whether it decides what runs."""
    lasting: bool = True
    """Whether it is a difference at all, and not only told."""

    @property
    def fails(self) -> bool:
        """Whether this isn't what was asked for: what another one owns is told, unless it decides what runs."""
        return self.lasting and (self.runs or not self.by)

    @property
    def words(self) -> str:
        """The difference in a line."""
        by = f" (by {', '.join(self.by)})" if self.by else ""
        return f"{self.object}: {self.what}{by}"


@dataclass(frozen=True, slots=True)
class Drift:
    """All that differs."""

    found: tuple[Difference, ...] = ()
    by_type: tuple[str, ...] = ()
    """Objects that the server said nothing of, each with the reason."""

    @property
    def failing(self) -> list[str]:
        """What is not what was asked for, a line each."""
        return [one.words for one in self.found if one.fails]

    @property
    def told(self) -> list[str]:
        """What somebody else has set, a line each."""
        return [one.words for one in self.found if not one.fails]

    @property
    def objects(self) -> int:
        """How many objects differ."""
        return len({one.object for one in self.found if one.lasting})


async def drift_of(site: Site, manifest: str) -> Drift:
    """Return where live objects aren't what a manifest says.

    Raises the client's errors where they cannot be read, and UnreadableManifestError.
    """
    expected = by_key(manifest, site.namespace)
    asked = LiveObjects(site)
    live = await asked.get(list(expected))
    found = await asyncio.gather(
        *(of_object(asked, key, one, live.get(key)) for key, one in expected.items())
    )
    drift = Drift(
        tuple(one for drift in found for one in drift.found),
        tuple(one for drift in found for one in drift.by_type),
    )
    return cleaned(site, drift)


def cleaned(site: Site, drift: Drift) -> Drift:
    """Return a drift without secret values."""
    clean = site.clients.redactor.clean
    found = tuple(
        Difference(line(clean(one.object), 200), line(clean(one.what), 400), one.by, one.runs, one.lasting)
        for one in drift.found
    )
    return Drift(found, tuple(line(clean(one), 200) for one in drift.by_type))


async def of_object(asked: LiveObjects, key: Key, expected: JsonObject, live: JsonObject | None) -> Drift:
    """Return where one object isn't what it should be."""
    name = f"{key[1]}/{key[3]}"
    if live is None:
        return Drift((_absent(name, expected),))
    answer = await asked.stored(key, expected)
    notes: tuple[str, ...] = ()
    fields = None if isinstance(answer, str) else applied_fields(answer)
    if fields is None or isinstance(answer, str):
        notes = (f"{name}: {answer if isinstance(answer, str) else 'no fields were told'}",)
        pairs = by_type(expected, live)
    else:
        pairs = by_fields(fields, expected, answer, live)
        if _untold(fields, answer):
            notes = (f"{name}: a member of a list was not told",)
            pairs = by_type(expected, live)
    hide = asked.site.clients.fingerprint
    found = [_difference(name, key[1], live, pair, hide) for pair in pairs]
    return Drift((*found, *_added(name, expected, live)), notes)


def by_type(expected: JsonObject, live: JsonObject) -> Iterator[tuple[Place, Json, Json]]:
    """Yield (place, expected, live) of what differs by type, without the server's word."""
    kind = text(expected, "kind")
    for name, value in clear_secret(expected).items():
        if name == "metadata":
            parts = {one: told for one, told in obj(value).items() if one in _META}
            yield from differences(kind, parts, obj(live.get(name)), (Step(name),))
        elif name not in {"apiVersion", "kind", "status"}:
            yield from differences(kind, value, live.get(name, ABSENT), (Step(name),))


def _absent(name: str, expected: JsonObject) -> Difference:
    ttl = path(expected, ("spec", "ttlSecondsAfterFinished"))
    if text(expected, "kind") == "Job" and ttl is not None:
        return Difference(name, f"is not there: a job that is done goes after {ttl} s", lasting=False)
    return Difference(name, "live is not there")


def by_fields(
    fields: JsonObject, expected: JsonObject, answer: JsonObject, live: JsonObject
) -> Iterator[tuple[Place, Json, Json]]:
    """Yield what differs between what would be stored and what is, at all that a manifest sets."""
    seen: set[str] = set()
    set_ones = {key: value for key, value in clear_secret(expected).items() if key not in _NOT_SET}
    found = (
        *_by_fields(fields, answer, live, ()),
        *zeros(set_ones, answer, live),
        *_filled(set_ones, live),
    )
    for pair in found:
        where = words(pair[0])
        if where not in seen:
            seen.add(where)
            yield pair


def _filled(expected: JsonObject, live: JsonObject) -> Iterator[tuple[Place, Json, Json]]:
    """Yield the lists that a manifest says are empty, and that somebody filled.

    An apply leaves another one's members in a list of named ones: the answer has them as well. What a controller
    of the cluster fills in, as the rules of an aggregated role, it is there for.
    """
    for place, said, now in zeros(expected, ABSENT, live):
        lists = isinstance(said, list | tuple) and isinstance(now, list | tuple)
        if lists and now and not _CONTROLLERS.issuperset(others(live, place)):
            yield place, said, now


def _by_fields(
    fields: JsonObject, answer: Json, live: Json, place: Place
) -> Iterator[tuple[Place, Json, Json]]:
    """Yield what differs at the fields of a set, between what would be stored and what is."""
    for mark, inner in keyed(fields):
        for step, expected, now in _at(mark, answer, live):
            where = (*place, step)
            if now is ABSENT and expected is not ABSENT:
                yield where, expected, ABSENT
            elif inner and not _whole(expected, now):
                yield from _by_fields(inner, expected, now, where)
            elif without_nulls(expected) != without_nulls(now) and expected is not ABSENT:
                yield where, expected, now


def _at(mark: str, answer: Json, live: Json) -> Iterator[tuple[Step, Json, Json]]:
    """Yield what a mark stands for: the step to it, what would be stored there, what is; or ABSENT."""
    if mark.startswith("f:"):
        name = mark[2:]
        now = live.get(name, ABSENT) if isinstance(live, Mapping) else ABSENT
        yield Step(name), obj(answer).get(name, ABSENT), now
        return
    for at, expected in members_of(answer, mark):
        there = same_member(live, expected, mark)
        yield Step(member=expected, index=at), expected, ABSENT if there is None else there


def _untold(fields: JsonObject, answer: Json) -> bool:
    """Return whether a mark stands for nothing that would be stored: of that place the server's word says nothing."""
    for mark, inner in keyed(fields):
        if mark.startswith("f:"):
            below = [(inner, obj(answer)[mark[2:]])] if mark[2:] in obj(answer) else []
        else:
            below = [(inner, member) for _, member in members_of(answer, mark)]
            if not below:
                return True
        if any(_untold(inner, value) for inner, value in below):
            return True
    return False


def _whole(expected: Json, now: Json) -> bool:
    """Return whether two values can't be compared part by part."""
    return isinstance(expected, Mapping) != isinstance(now, Mapping)


def _difference(
    name: str, kind: str, live: JsonObject, pair: tuple[Place, Json, Json], hide: Callable[[str], str]
) -> Difference:
    place, expected, now = pair
    where = words(place)
    secret = kind == "Secret" and where.startswith(("data.", "data"))

    def told(value: Json) -> str:
        if value is ABSENT:
            return "absent"
        return f"fingerprint {hide(json.dumps(value))}" if secret else short(json.dumps(value))

    what = f"live {where} is {told(now)} instead of {told(expected)}"
    return Difference(name, what, others(live, place) if now is not ABSENT else (), decides(place))


def short(message: str) -> str:
    """Return a value short enough for a line; digests by their first digits."""
    return line(shortened(message), _VALUE)


def _added(
    name: str, expected: Json, live: Json, place: Place = (), root: JsonObject | None = None
) -> list[Difference]:
    """Return the containers and variables that somebody put beside those of the manifest: told, they fail nothing."""
    root = obj(live) if root is None else root
    found: list[Difference] = []
    for key, value in obj(expected).items():
        where = (*place, Step(key))
        now = obj(live).get(key)
        if isinstance(value, Mapping):
            found += _added(name, value, now, where, root)
        elif key in _ADDED_TO and items(value) and key in obj(live):
            found += _added_members(name, items(value), items(now), where, root)
    return found


def _added_members(
    name: str, expected: Sequence[Json], live: Sequence[Json], place: Place, root: JsonObject
) -> list[Difference]:
    named = {text(obj(one), "name"): one for one in expected}
    found: list[Difference] = []
    for at, member in enumerate(live):
        where = (*place, Step(member=member, index=at))
        own = named.get(text(obj(member), "name"))
        if own is not None:
            found += _added(name, own, member, where, root)
            continue
        by = others(root, where)
        found.append(Difference(name, f"live {words(where)} was added", by, lasting=False))
    return found
