"""Looking at one pod: its containers, why it isn't ready, what the cluster tells of it, the end of its logs.

Asked of the cluster when somebody wants to see it, and recorded nowhere: the log holds what decided something.
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.base import CouldNotLookError
from checks.clients.kube import KubeClient
from console.engine.commands.handler import (
    CommandContext,
    CommandRefusedError,
    CommandRequest,
    Effect,
    plain_preview,
)
from state.base.images import short
from state.base.json import JsonObject, flag, integer, obj, objs, path, text
from state.base.numbers import plural
from state.base.text import line
from state.base.times import ago, micros_of
from state.commands import Reply
from state.view.diagnosis import pod_trouble, warnings
from state.view.enums import Tier
from state.view.pods import is_ending, is_over, is_ready, observe
from state.view.preview import Preview

_EVENTS, _LOG_LINES, _CONTAINERS = 8, 12, 4
_WIDEST = 400


async def _plan(context: CommandContext, request: CommandRequest) -> Preview:
    env, name = request.text("env"), request.text("pod")
    if env not in set(Tier) or f"{env}/{name}" not in context.view.pods:
        raise CommandRefusedError(f"no pod {line(name, 80)!r} is known in {line(env, 20)!r}")
    if context.clients is None:
        raise CommandRefusedError("this engine has no clusters")
    kube, clean = context.clients.kube(Tier(env)), context.clients.redactor.clean
    told = await describe(kube, name, context.clock.wall_us())
    return plain_preview(request, told=tuple(line(clean(one), _WIDEST) for one in told))


async def _execute(context: CommandContext, request: CommandRequest) -> Reply:
    told = (await _plan(context, request)).told
    seen = context.view.pods[f"{request.text('env')}/{request.text('pod')}"]
    where = f"node {seen.node or 'none yet'}, made {ago(seen.created_us, context.clock.wall_us())}"
    return Reply(ok=True, message=f"{len(told) + 1} lines", result={"lines": [where, *told]})


async def describe(kube: KubeClient, name: str, now_us: int) -> list[str]:
    """Return what a pod is and does, in lines; what can't be seen of it is said in its place.

    Without what the watch tells of it anyway: where it runs, and since when.

    Raises CouldNotLookError where the pod itself can't be read.
    """
    pod = await kube.get(f"/api/v1/namespaces/{kube.namespace}/pods/{name}")
    found, notes = await _events(kube, name)
    uid = text(obj(pod.get("metadata")), "uid")
    known = observe("", pod)
    fine = is_ready(known, now_us) or is_over(known) or is_ending(known)
    why = "" if fine else pod_trouble(pod, warnings(found, uid), late=True)
    lines = [f"! not ready: {part}" for part in why.split("; ") if part]
    lines += [one for state in objs(path(pod, ("status", "containerStatuses"))) for one in _container(state)]
    lines += ["# EVENTS", *(list(_event_lines(found, now_us)) or ["none"]), *notes]
    for state in objs(path(pod, ("status", "containerStatuses")))[:_CONTAINERS]:
        lines += [f"# LOG {text(state, 'name')}", *await _log(kube, name, text(state, "name"))]
    return lines


def _container(state: JsonObject) -> Iterator[str]:
    """Yield a container in two lines: its state, and the image that it runs."""
    now = obj(state.get("state"))
    word = next(iter(now), "unknown")
    detail = obj(now.get(word))
    reason = " ".join(one for one in (text(detail, "reason"), text(detail, "message")) if one)
    sign = "✔" if flag(state, "ready") else "✖"
    restarts = integer(state, "restartCount")
    again = f", restarted {plural(restarts, 'time')}" if restarts else ""
    yield f"{sign} {text(state, 'name')}: {word}{f' ({reason})' if reason else ''}{again}"
    image, digest = text(state, "image").partition("@")[0], text(state, "imageID").rpartition("@")[2]
    yield f"│ {image} {short(digest) if digest else 'digest pending'}"
    ended = obj(path(state, ("lastState", "terminated")))
    if ended:
        yield f"│ ended before: {text(ended, 'reason') or 'unknown'}, exit code {integer(ended, 'exitCode')}"


async def _events(kube: KubeClient, name: str) -> tuple[list[JsonObject], list[str]]:
    where = f"/api/v1/namespaces/{kube.namespace}/events"
    try:
        answer = await kube.list_objects(where, {"fieldSelector": f"involvedObject.name={name}"})
    except CouldNotLookError as error:
        return [], [f"? can't be seen: {error}"]
    return list(answer.items), []


def _event_lines(found: list[JsonObject], now_us: int) -> Iterator[str]:
    found.sort(key=_seen)
    for one in found[-_EVENTS:]:
        sign = "!" if text(one, "type") == "Warning" else " "
        times = integer(one, "count")
        again = f" (×{times})" if times > 1 else ""
        at_us = micros_of(_seen(one))
        when = f"{ago(at_us, now_us)}: " if at_us else ""
        yield f"{sign} {when}{text(one, 'reason')}: {text(one, 'message')}{again}"


def _seen(event: JsonObject) -> str:
    return text(event, "lastTimestamp") or text(event, "eventTime") or text(event, "firstTimestamp")


async def _log(kube: KubeClient, pod: str, container: str) -> list[str]:
    try:
        answer = await kube.pod_logs(pod, container=container, tail=_LOG_LINES)
    except CouldNotLookError as error:
        return [f"? can't be read: {error}"]
    lines = [f"│ {one}" for one in answer.splitlines() if one.strip()]
    return lines[-_LOG_LINES:] or ["empty"]


EFFECTS = {"pod.describe": Effect(_plan, _execute)}
