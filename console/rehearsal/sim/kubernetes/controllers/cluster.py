"""What the controllers share: the store, the time, and the writing of Events and conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from console.rehearsal.sim.kubernetes.objects import (
    Obj,
    Value,
    clone,
    condition,
    name_of,
    namespace_of,
    number,
    seconds_of,
    stamp,
    uid_of,
    version_of,
    word,
)
from console.rehearsal.sim.kubernetes.store import SUFFIX_LETTERS, Store
from state.base.json import JsonObject, objs, path, text

_EVENTS_KEPT_S = 3600.0


def draw(seed: str, low: float, high: float) -> float:
    """Return a number between ``low`` and ``high`` that is always the same for a seed."""
    return low + (high - low) * int.from_bytes(sha256(seed.encode()).digest()[:4], "big") / 2**32


def letters(seed: str, count: int) -> str:
    """Return a short word for a name, always the same for a seed."""
    digest = sha256(seed.encode()).digest()
    return "".join(SUFFIX_LETTERS[byte % len(SUFFIX_LETTERS)] for byte in digest[:count])


@dataclass(slots=True)
class Cluster:
    """The store as the controllers see it, with the time of the current sweep and when the next is due."""

    store: Store
    now: float = 0.0
    due: float = field(default=float("inf"))

    def begin(self) -> None:
        """Read the clock for a sweep."""
        self.now = self.store.clock.wall_us() / 1_000_000
        self.due = float("inf")

    def written_now(self) -> str:
        """Return the time of the sweep as the API writes it."""
        return stamp(int(self.now * 1_000_000))

    def reached(self, when: float) -> bool:
        """Return whether a time has come; where it has not, the next sweep is at the latest then."""
        if self.now >= when:
            return True
        self.due = min(self.due, when)
        return False

    def event(self, about: JsonObject, reason: str, message: str, *, by: str, warning: bool = False) -> None:
        """Write an Event about an object; the same one again is counted, as Kubernetes does."""
        namespace = namespace_of(about) or "default"
        name = f"{name_of(about)}.{sha256(f'{uid_of(about)}/{reason}/{message}'.encode()).hexdigest()[:16]}"
        now = self.written_now()
        there = self.store.peek("events", namespace, name)
        times = number(there or {}, ("count",)) + 1
        self.store.put(
            "events",
            {
                "metadata": {"name": name, "namespace": namespace},
                "involvedObject": {
                    "kind": text(about, "kind"),
                    "apiVersion": text(about, "apiVersion"),
                    "namespace": namespace_of(about),
                    "name": name_of(about),
                    "uid": uid_of(about),
                    "resourceVersion": str(version_of(about)),
                },
                "reason": reason,
                "message": message,
                "type": "Warning" if warning else "Normal",
                "source": {"component": by},
                "reportingComponent": by,
                "firstTimestamp": text(there or {}, "firstTimestamp") or now,
                "lastTimestamp": now,
                "count": times,
            },
        )

    def last_event(self, about: JsonObject, reason: str) -> float:
        """Return when an Event with this reason was last written about an object, 0 for never."""
        return max(
            (
                seconds_of(text(one, "lastTimestamp"))
                for one in self.store.scan("events", namespace_of(about))
                if text(one, "reason") == reason and word(one, "involvedObject", "uid") == uid_of(about)
            ),
            default=0.0,
        )

    def forget_events(self) -> None:
        """Remove the Events that are an hour old."""
        for one in self.store.scan("events"):
            if self.now - seconds_of(text(one, "lastTimestamp")) > _EVENTS_KEPT_S:
                self.store.delete("events", namespace_of(one), name_of(one))


def conditions(body: JsonObject, *new: Obj, now: str) -> list[Value]:
    """Return an object's conditions with ``new`` in place of those of the same type.

    The time of the last transition stays where the status stays.
    """
    result: list[Value] = []
    for one in new:
        old = condition(body, text(one, "type"))
        same = text(old, "status") == text(one, "status")
        since = (text(old, "lastTransitionTime") if same else "") or now
        result.append({**one, "lastTransitionTime": since})
    named = {text(one, "type") for one in new}
    kept: list[Value] = [
        clone(one) for one in objs(path(body, ("status", "conditions"))) if text(one, "type") not in named
    ]
    return [*kept, *result]
