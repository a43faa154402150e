"""What of a revision is applied where helm stopped in the middle: which of its objects are new, and which old."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from console.engine.operations.compare.live_objects import Key, LiveObjects, by_key
from console.engine.operations.run.context import Site
from state.base.json import Json, JsonObject, items, obj, text

_NAMED = 4
_MISSING = object()
_LEFT_OUT = (None, False, 0, "")


@dataclass(frozen=True, slots=True)
class Applied:
    """The objects that a revision changes or creates, each as it is now; named ``Kind/name``."""

    new: tuple[str, ...]
    old: tuple[str, ...]

    @property
    def half(self) -> bool:
        """Whether some are and some aren't."""
        return bool(self.new and self.old)

    @property
    def words(self) -> str:
        """Which are which, where only a half of them is applied; otherwise nothing."""
        return f"half applied: new already are {_some(self.new)}; not {_some(self.old)}" if self.half else ""


async def applied(site: Site, before: str, after: str) -> Applied:
    """Return which objects that differ between two manifests are live as the second one has them.

    Told by those fields alone in which the two differ, and only by what the API server keeps as it was given.
    Raises the client's errors where the objects cannot be read.
    """
    old, new = by_key(before, site.namespace), by_key(after, site.namespace)
    changed = [key for key, one in new.items() if old.get(key) != one]
    live = await LiveObjects(site).get(changed)
    is_new: list[str] = []
    is_old: list[str] = []
    for key in changed:
        told = _told(old.get(key), new[key], live.get(key))
        if told is not None:
            (is_new if told else is_old).append(_name(key))
    return Applied(tuple(is_new), tuple(is_old))


def _told(old: JsonObject | None, new: JsonObject, live: JsonObject | None) -> bool | None:
    """Return whether an object is as the new manifest has it, or None where it can't be told."""
    if old is None:
        return live is not None
    if live is None:
        return None
    was, will, now = dict(_leaves(old)), dict(_leaves(new)), dict(_leaves(live))
    # What has a value in both says it best: what is only in one may be what the server leaves out.
    for place in sorted({*was, *will}, key=lambda place: (place not in was or place not in will, place)):
        before, after, there = was.get(place, _MISSING), will.get(place, _MISSING), now.get(place, _MISSING)
        if before == after or place[0] == "status" or (before is _MISSING and after in _LEFT_OUT):
            continue
        if there == after:
            return True
        if there == before:
            return False
    return None


def _leaves(value: Json, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Yield what is in an object by its place; members of a list by their names where all have one."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves(one, (*place, key))
    elif members := items(value):
        names = [text(obj(member), "name") for member in members]
        named = all(names) and len(set(names)) == len(names)
        for at, member in enumerate(members):
            yield from _leaves(member, (*place, names[at] if named else str(at)))
    else:
        yield place, value


def _name(key: Key) -> str:
    return f"{key[1]}/{key[3]}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
