"""The log of a pod's container, as ``kubectl logs`` asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from aiohttp import web

from console.rehearsal.sim.kubernetes.objects import word
from console.rehearsal.sim.kubernetes.paths import Target, whole_number
from console.rehearsal.sim.kubernetes.problems import bad_request
from console.rehearsal.sim.kubernetes.store import Store
from state.base.json import JsonObject, objs, path, text

PodLog: TypeAlias = Callable[[str, str, str], str]
"""Takes namespace, pod and container; returns all that the container has written."""

_POLL_S = 1.0


async def answer(request: web.Request, target: Target, store: Store, pod_log: PodLog) -> web.StreamResponse:
    """Answer with a container's log; with ``follow``, go on until the container has ended.

    Raises KubeError (400) for a container that is not named clearly, has not started or was never restarted.
    """
    pod = store.need("pods", target.namespace, target.name)
    container = _container(request, pod)
    _check_state(request, pod, container)
    written = pod_log(target.where, target.name, container)
    tail = request.query.get("tailLines")
    lines = written.splitlines(keepends=True)
    first = lines[-whole_number(request, "tailLines") :] if tail and tail != "0" else [] if tail else lines
    if request.query.get("follow") not in ("true", "1"):
        return web.Response(text="".join(first))
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    try:
        await response.write("".join(first).encode())
        while _runs(store, target) and request.transport is not None and not request.transport.is_closing():
            await store.clock.sleep(_POLL_S)
            now = pod_log(target.where, target.name, container)
            if now.startswith(written) and now != written:
                await response.write(now.removeprefix(written).encode())
            written = now
        await response.write_eof()
    except ConnectionError:
        pass
    return response


def _container(request: web.Request, pod: JsonObject) -> str:
    names = [text(one, "name") for one in objs(path(pod, ("spec", "containers")))]
    asked = request.query.get("container", "")
    name = word(pod, "metadata", "name")
    if not asked and len(names) > 1:
        raise bad_request(
            f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]"
        )
    if asked and asked not in names:
        raise bad_request(f"container {asked} is not valid for pod {name}")
    return asked or names[0]


def _check_state(request: web.Request, pod: JsonObject, container: str) -> None:
    name = word(pod, "metadata", "name")
    statuses = objs(path(pod, ("status", "containerStatuses")))
    status = next((one for one in statuses if text(one, "name") == container), {})
    if request.query.get("previous") in ("true", "1") and not path(status, ("lastState", "terminated")):
        raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
    waiting = word(status, "state", "waiting", "reason")
    if not path(status, ("state",)) or (waiting and not path(status, ("lastState", "terminated"))):
        reason = "trying and failing to pull image" if "Pull" in waiting else waiting or "ContainerCreating"
        raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: {reason}')


def _runs(store: Store, target: Target) -> bool:
    pod = store.peek("pods", target.namespace, target.name)
    return pod is not None and word(pod, "status", "phase") in ("Pending", "Running")
