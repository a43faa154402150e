"""What became of a migration's job, and why it doesn't get on: from the job, its pods and the events of both."""

from __future__ import annotations

from collections.abc import Sequence

from checks.base import CouldNotLookError
from checks.clients.kube_object import name_of
from console.engine.operations.run.context import Site
from state.base.json import JsonObject, integer, obj, objs, path, text
from state.base.text import line

# What a pod that gets on says on its way.
_STARTING = frozenset({"ContainerCreating", "PodInitializing", ""})
_EVENTS = 2
_COMPLETED = "Completed"
_FAILED = frozenset({"BackoffLimitExceeded", "DeadlineExceeded", "PodFailurePolicy"})


def jobs_path(site: Site) -> str:
    """Return the path of the jobs of a release's namespace."""
    return f"/apis/batch/v1/namespaces/{site.namespace}/jobs"


async def active_jobs(site: Site, prefix: str = "") -> list[str]:
    """Return the names of the jobs that run, those that begin with ``prefix``. Raises the client's errors."""
    jobs = (await site.kube.list_objects(jobs_path(site))).items
    names = [text(obj(one.get("metadata")), "name") for one in jobs if obj(one.get("status")).get("active")]
    return [name for name in names if name.startswith(prefix)]


async def pods_of(site: Site, job: str) -> list[JsonObject]:
    """Return a job's pods, the newest last. Raises the client's errors."""
    query = {"labelSelector": f"job-name={job}"}
    found = (await site.kube.list_objects(f"/api/v1/namespaces/{site.namespace}/pods", query)).items
    return sorted(found, key=lambda pod: text(obj(pod.get("metadata")), "creationTimestamp"))


async def why(site: Site, job: str) -> str:
    """Return why a job doesn't get on, or how its newest pod ended, in words; nothing where nothing is wrong.

    What can't be seen of it is said, and changes no verdict.
    """
    try:
        pods = await pods_of(site, job)
        told = _of_pod(pods[-1]) if pods else ""
        if pods and told:
            return told
        about = name_of(pods[-1]) if pods else job
        started = bool(pods) and text(obj(pods[-1].get("status")), "phase") not in {"", "Pending"}
        return "" if started else await _warnings(site, about)
    except CouldNotLookError as error:
        return line(f"why can't be seen: {error}", 240)


def _of_pod(pod: JsonObject) -> str:
    status = obj(pod.get("status"))
    for one in objs(status.get("conditions")):
        if text(one, "type") == "PodScheduled" and text(one, "status") == "False":
            return line(f"no node takes {name_of(pod)}: {text(one, 'message')}", 300)
    containers = [*objs(status.get("initContainerStatuses")), *objs(status.get("containerStatuses"))]
    for one in containers:
        told = _of_container(one)
        if told:
            return told
    reason, message = text(status, "reason"), text(status, "message")
    return line(f"{name_of(pod)}: {reason}: {message}", 300) if reason else ""


def _of_container(status: JsonObject) -> str:
    name = text(status, "name")
    ended = obj(path(status, ("state", "terminated"))) or obj(path(status, ("lastState", "terminated")))
    code = integer(ended, "exitCode")
    how = f"exit code {code} ({text(ended, 'reason')})" if ended and code else ""
    waits = obj(path(status, ("state", "waiting")))
    if waits and text(waits, "reason") not in _STARTING:
        message = f": {text(waits, 'message')}" if text(waits, "message") else ""
        return line(f"{name} waits, {text(waits, 'reason')}{message}{f', last {how}' if how else ''}", 300)
    return f"{name} ended with {how}" if how else ""


async def _warnings(site: Site, name: str) -> str:
    events = await _events(site, name)
    warnings = [line(f"{text(e, 'reason')}: {text(e, 'message')}", 300) for e in events if _warns(e)]
    return "; ".join(dict.fromkeys(warnings[-_EVENTS:]))


def _warns(event: JsonObject) -> bool:
    return text(event, "type") == "Warning"


async def _events(site: Site, name: str) -> Sequence[JsonObject]:
    query = {"fieldSelector": f"involvedObject.name={name}"}
    found = (await site.kube.list_objects(f"/api/v1/namespaces/{site.namespace}/events", query)).items
    return sorted(found, key=lambda one: text(one, "lastTimestamp") or text(one, "eventTime"))


def ended(job: JsonObject) -> tuple[bool, str] | None:
    """Return how a job ended (whether well, why in the cluster's words), or None where it hasn't."""
    for condition in objs(obj(job.get("status")).get("conditions")):
        if text(condition, "status") != "True":
            continue
        if text(condition, "type") == "Complete":
            return True, "complete"
        if text(condition, "type") == "Failed":
            return False, text(condition, "message") or text(condition, "reason")
    return None


async def ended_by_events(site: Site, job: str) -> tuple[bool, str] | None:
    """Return how a job that is gone ended, by the events that the cluster keeps of it, or None. Never raises."""
    try:
        events = await _events(site, job)
    except CouldNotLookError:
        return None
    for one in reversed(events):
        reason = text(one, "reason")
        if reason == _COMPLETED:
            return True, "complete, by the cluster's events"
        if reason in _FAILED:
            return False, line(f"{reason}: {text(one, 'message')}", 200)
    return None
