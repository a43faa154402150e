"""How an object's deletion is written into it, and what of a change counts a generation."""

from __future__ import annotations

from console.rehearsal.sim.kubernetes.objects import (
    Obj,
    child,
    clone,
    is_terminating,
    number,
    seconds_of,
    stamp,
    word,
)
from state.base.clock import SECOND_US
from state.base.json import JsonObject, obj


def counted(body: JsonObject) -> JsonObject:
    """Return the spec whose change counts a generation; the node that a pod gets is none."""
    return {key: one for key, one in obj(body.get("spec")).items() if key != "nodeName"}


def mark(new: Obj, old: JsonObject, seconds: int, now_us: int) -> None:
    """Write into an object that it ends, and when at the latest."""
    meta = child(new, "metadata")
    meta["deletionTimestamp"] = stamp(now_us + seconds * SECOND_US)
    meta["deletionGracePeriodSeconds"] = seconds
    if "generation" in meta:
        meta["generation"] = number(old, ("metadata", "generation")) + 1


def begun(resource: str, old: JsonObject, seconds: int, now_us: int) -> Obj | None:
    """Return an object as it begins to end, or to end sooner; None where it ends already."""
    left = number(old, ("metadata", "deletionGracePeriodSeconds"))
    if is_terminating(old) and (resource != "pods" or seconds >= left):
        return None
    new = clone(old)
    if is_terminating(old):
        # A shorter grace shortens what is under way; nothing else begins anew.
        since = seconds_of(word(old, "metadata", "deletionTimestamp")) - left
        child(new, "metadata")["deletionTimestamp"] = stamp(int(since + seconds) * SECOND_US)
        child(new, "metadata")["deletionGracePeriodSeconds"] = seconds
        return new
    mark(new, old, seconds, now_us)
    if resource == "namespaces":
        del child(new, "metadata")["deletionGracePeriodSeconds"]
        child(new, "status")["phase"] = "Terminating"
    return new
