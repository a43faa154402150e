"""Why something isn't ready, in the cluster's own words: conditions, container states, events of the type Warning.

While a pod merely starts there is nothing to say of it; what stopped it, or keeps it from starting, is said at once.
That it runs and isn't ready is a reason only where it had its time (``late``).
"""

from __future__ import annotations

from collections.abc import Sequence

from state.base.images import shortened
from state.base.json import JsonObject, flag, integer, obj, objs, path, text
from state.base.numbers import plural
from state.base.text import line
from state.base.times import micros_of
from state.view.pods import condition_of, loops_until_us
from state.view.rollout import Rollout

_STARTS = frozenset({"", "PodInitializing", "ContainerCreating"})
_OF_A_START = frozenset({"Unhealthy", "FailedToRetrieveImagePullSecret", "ProbeWarning", "DNSConfigForming"})
"""Warnings that a pod also gets which is only starting, or gets on the side: no reason by themselves."""
_NOT_OF_CREATION = frozenset({"FailedScheduling", "FailedGetScale", "FailedComputeMetricsReplicas"})
_WARNINGS = 3
_LONGEST = 300


def warnings(events: Sequence[JsonObject], uid: str, since_us: int = 0) -> list[JsonObject]:
    """Return the warnings about an object, the newest last; none that were seen last before a moment."""
    about = [
        one
        for one in events
        if text(one, "type") == "Warning"
        and text(obj(one.get("involvedObject")), "uid") in {uid, ""}
        and (not since_us or micros_of(_seen(one)) >= since_us)
    ]
    return sorted(about, key=_seen)


def pod_trouble(pod: JsonObject, events: Sequence[JsonObject], *, late: bool = False) -> str:
    """Return what keeps a pod from being ready, or nothing where it only starts.

    ``events``: the warnings about it. ``late``: it had its time, so that it isn't ready is a reason by itself.
    """
    told = [_unscheduled(pod), _over(pod)]
    told += [_container(one, late=late) for one in _containers(pod)]
    told += [_gate(pod)] if late else []
    reasons = [
        one
        for one in events
        if late
        or text(one, "reason") not in _OF_A_START
        or (any(told) and text(one, "reason") != "Unhealthy")
    ]
    told += [_event(one) for one in reasons[-_WARNINGS:]]
    lines = dict.fromkeys(one for one in told if one)
    return "; ".join(lines) or ("not ready" if late else "")


def workload_trouble(rollout: Rollout, events: Sequence[JsonObject], *, late: bool = False) -> str:
    """Return what keeps a workload from making its pods, or nothing where no more than time is missing.

    ``events``: the warnings about it, or about the ReplicaSet that makes its pods.
    """
    if rollout.complete:
        return ""
    refused = [_event(one) for one in events if text(one, "reason") not in _NOT_OF_CREATION | _OF_A_START]
    if rollout.stuck or rollout.why.startswith("pods can't"):
        # A deadline says that it is over, and not why.
        return "; ".join(
            dict.fromkeys([*refused[-1:], rollout.why] if "Deadline" in rollout.why else [rollout.why])
        )
    if refused and (rollout.new < rollout.wanted or not rollout.wanted):
        return refused[-1]
    return rollout.why if late else ""


def _containers(pod: JsonObject) -> list[JsonObject]:
    status = obj(pod.get("status"))
    sidecars = {
        text(one, "name")
        for one in objs(path(pod, ("spec", "initContainers")))
        if text(one, "restartPolicy") == "Always"
    }
    inits = [
        one
        for one in objs(status.get("initContainerStatuses"))
        if text(one, "name") in sidecars or not _done(one)
    ]
    return [*inits, *objs(status.get("containerStatuses"))]


def _done(status: JsonObject) -> bool:
    ended = obj(path(status, ("state", "terminated")))
    return bool(ended) and not integer(ended, "exitCode")


def _container(status: JsonObject, *, late: bool) -> str:
    name = text(status, "name")
    waits = obj(path(status, ("state", "waiting")))
    now = obj(path(status, ("state", "terminated")))
    ended = now or obj(path(status, ("lastState", "terminated")))
    restarts = integer(status, "restartCount")
    again = f", restarted {plural(restarts, 'time')}" if restarts else ""
    code = f", last exit code {integer(ended, 'exitCode')} ({text(ended, 'reason')})" if ended else ""
    if waits:
        reason = text(waits, "reason")
        if reason in _STARTS and not restarts:
            return f"{name} waits, {reason}" if late and reason == "ContainerCreating" else ""
        message = f": {text(waits, 'message')}" if text(waits, "message") else ""
        return _said(f"{name} waits, {reason}{message}{code}{again}")
    if flag(status, "ready"):
        return line(f"{name} runs again{code}{again}", _LONGEST) if late and loops_until_us(status) else ""
    if now and integer(now, "exitCode"):
        message = f": {text(now, 'message')}" if text(now, "message") else ""
        return _said(f"{name} has ended{message}{code}{again}")
    if ended and integer(ended, "exitCode"):
        return line(f"{name} runs again{code}{again}", _LONGEST)
    return line(f"{name} runs but isn't ready{code}{again}", _LONGEST) if late else ""


def _unscheduled(pod: JsonObject) -> str:
    condition = condition_of(pod, "PodScheduled")
    if text(condition, "status") != "False":
        return ""
    return line(f"no node takes it: {text(condition, 'message') or text(condition, 'reason')}", _LONGEST)


def _over(pod: JsonObject) -> str:
    status = obj(pod.get("status"))
    if text(status, "phase") != "Failed" or not text(status, "reason"):
        return ""
    return line(f"{text(status, 'reason')}: {text(status, 'message')}", _LONGEST)


def _gate(pod: JsonObject) -> str:
    """Return which readiness gate is closed, or why the pod isn't Ready though its containers are."""
    states = objs(path(pod, ("status", "containerStatuses")))
    if not states or not all(flag(state, "ready") for state in states):
        return ""
    gates = [text(one, "conditionType") for one in objs(path(pod, ("spec", "readinessGates")))]
    closed = next((gate for gate in gates if text(condition_of(pod, gate), "status") != "True"), "")
    if closed:
        return line(f"readiness gate {closed} isn't open: {text(condition_of(pod, closed), 'message')}", 200)
    ready = condition_of(pod, "Ready")
    if text(ready, "status") == "True":
        return ""
    return line(f"isn't Ready: {text(ready, 'message') or text(ready, 'reason') or 'nobody says why'}", 200)


def _event(event: JsonObject) -> str:
    return _said(f"{text(event, 'reason')}: {text(event, 'message')}")


def _said(words: str) -> str:
    return line(shortened(words), _LONGEST)


def _seen(event: JsonObject) -> str:
    """Return when an event was seen last: newer senders keep that in a series."""
    series = text(obj(event.get("series")), "lastObservedTime")
    return series or text(event, "lastTimestamp") or text(event, "eventTime") or text(event, "firstTimestamp")
