"""Why a pod isn't ready: what its containers wait for, its newest warnings, the last lines of its log."""

from __future__ import annotations

from checks.base import CouldNotLookError
from console.engine.operations.run.context import Run
from console.engine.operations.verdict.workloads import Live
from state.base.json import JsonObject, integer, obj, objs, path, text
from state.base.text import line

# These bound what one deploy adds to the log: the pods of a deployment tend to fail alike.
_PODS = 3
_AT_MOST = 12
_EVENTS = 3
_LOG_LINES = 8


async def tell_why(run: Run, live: Live) -> None:
    """Record why the pods that aren't ready aren't; that something of it can't be read changes no verdict."""
    for name in live.unready[:_PODS]:
        if name not in run.told and len(run.told) >= _AT_MOST:
            continue
        try:
            await _tell(run, name)
        except CouldNotLookError as error:
            await run.report.step(f"pod {name}", "failed", f"cannot be seen: {error}")


async def _tell(run: Run, name: str) -> None:
    kube, namespace = run.site.kube, run.site.namespace
    pod = await kube.get(f"/api/v1/namespaces/{namespace}/pods/{name}")
    lines = [one for one in map(_container, objs(path(pod, ("status", "containerStatuses")))) if one]
    lines += [_unscheduled(pod)] if _unscheduled(pod) else []
    query = {"fieldSelector": f"involvedObject.name={name}"}
    events = await kube.list_objects(f"/api/v1/namespaces/{namespace}/events", query)
    warnings = [item for item in events.items if text(item, "type") == "Warning"]
    warnings.sort(key=lambda one: text(one, "lastTimestamp") or text(one, "eventTime"))
    lines += [line(f"{text(w, 'reason')}: {text(w, 'message')}", 200) for w in warnings[-_EVENTS:]]
    words = "; ".join(dict.fromkeys(lines)) or "not ready"
    if run.told.get(name) == words:
        return
    run.told[name] = words
    await run.report.step(f"pod {name}", "failed", words)
    await _log(run, name, pod)


async def tell_well(run: Run) -> None:
    """Record that the pods of which something was said are no trouble any more."""
    for name in run.told:
        await run.report.step(f"pod {name}", "done", "ready, or replaced by one that is")


async def _log(run: Run, name: str, pod: JsonObject) -> None:
    for status in objs(path(pod, ("status", "containerStatuses"))):
        if status.get("ready") is True or not text(status, "containerID"):
            continue
        container = text(status, "name")
        answer = await run.site.kube.pod_logs(name, container=container, tail=_LOG_LINES)
        lines = [one for one in answer.splitlines() if one.strip()][-_LOG_LINES:]
        if lines:
            await run.report.output(f"log of {name}/{container}", lines)


def _container(status: JsonObject) -> str:
    name = text(status, "name")
    waits = obj(path(status, ("state", "waiting")))
    ended = obj(path(status, ("lastState", "terminated"))) or obj(path(status, ("state", "terminated")))
    restarts = integer(status, "restartCount")
    again = f", restarted {restarts} times" if restarts else ""
    code = f", last exit code {integer(ended, 'exitCode')} ({text(ended, 'reason')})" if ended else ""
    if waits:
        message = f": {text(waits, 'message')}" if text(waits, "message") else ""
        return line(f"{name} waits, {text(waits, 'reason')}{message}{code}{again}", 240)
    if status.get("ready") is True:
        return ""
    return line(f"{name} runs but isn't ready{code}{again}", 240)


def _unscheduled(pod: JsonObject) -> str:
    for one in objs(path(pod, ("status", "conditions"))):
        if text(one, "type") == "PodScheduled" and text(one, "status") == "False":
            return line(f"no node takes it: {text(one, 'message')}", 200)
    return ""
