"""A pod's course on a node: pulled, started, ready, restarted, ended, reported as a kubelet reports it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex

import aiohttp

from state.base.json import Json, JsonObject, integer, obj, objs, text
from tests.cluster.images import Image, image_id, image_of
from tests.cluster.kube_api import STRATEGIC, ApiError, KubeHttp

_TERM_S = 0.3
"""How long an ordinary container takes to end when it is asked to."""
_INIT_S = 0.3
_PULL_S = 0.2
_FIRST_BACKOFF_S, _LONGEST_BACKOFF_S = 2.0, 30.0
"""A kubelet begins with ten seconds and ends with five minutes; everything else is as there."""
_LOOK_AGAIN_S = 1.0


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class _Container:
    name: str
    spec: JsonObject
    image: Image
    state: JsonObject
    last: JsonObject = field(default_factory=dict)
    ready: bool = False
    started_at: str = ""
    restarts: int = 0
    pulled: bool = False
    lines: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)

    @property
    def reference(self) -> str:
        return text(self.spec, "image")

    @property
    def stays(self) -> bool:
        """Whether it is a sidecar: an init container that goes on."""
        return text(self.spec, "restartPolicy") == "Always"

    @property
    def running(self) -> bool:
        return "running" in self.state

    def wait(self, reason: str, message: str = "") -> None:
        self.ready = False
        self.state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}

    def end(self, code: int, reason: str = "") -> None:
        if "terminated" in self.state:
            return
        said = reason or ("Error" if code else "Completed")
        ended: JsonObject = {
            "exitCode": code,
            "reason": said,
            "startedAt": self.started_at or None,
            "finishedAt": _now(),
            "containerID": self.container_id,
        }
        self.ready, self.state = False, {"terminated": ended}
        self.lines.append(f"{_now()} ends with {code}")

    @property
    def container_id(self) -> str:
        return f"containerd://{self.name.encode().hex():0>60}{self.restarts:04x}" if self.pulled else ""

    def status(self) -> JsonObject:
        return {
            "name": self.name,
            "image": self.reference,
            "imageID": image_id(self.reference) if self.pulled else "",
            "containerID": self.container_id,
            "state": self.state,
            "lastState": self.last,
            "ready": self.ready,
            "started": self.running,
            "restartCount": self.restarts,
        }


class PodLife:
    """One pod's; ``changed`` tells it what the API says of the pod now."""

    def __init__(self, api: KubeHttp, pod: JsonObject, ip: str) -> None:
        self._api = api
        self._pod = pod
        self._ip = ip
        meta, spec = obj(pod.get("metadata")), obj(pod.get("spec"))
        self.place = (text(meta, "namespace"), text(meta, "name"))
        self._uid, self._node = text(meta, "uid"), text(spec, "nodeName")
        self._restarts = text(spec, "restartPolicy")
        of_job = any(text(owner, "kind") == "Job" for owner in objs(meta.get("ownerReferences")))
        self._inits = [_made(one, of_job=False) for one in objs(spec.get("initContainers"))]
        self._mains = [_made(one, of_job=of_job) for one in objs(spec.get("containers"))]
        self._news = asyncio.Event()
        self._started = _now()
        self._phase = ""
        self._networked = self._initialized = False
        self._conditions: dict[str, tuple[bool, str]] = {}
        self._events: dict[tuple[str, str], tuple[str, int]] = {}
        self._reporting = asyncio.Lock()

    def changed(self, pod: JsonObject) -> None:
        """Take over the pod as the API has it now."""
        self._pod = pod
        self._news.set()

    def log(self, container: str, *, previous: bool) -> list[str]:
        """Return the lines that a container wrote, or those of the one before its last restart."""
        found = next((one for one in (*self._inits, *self._mains) if one.name == container), None)
        return [] if found is None else found.before if previous else found.lines

    async def run(self) -> None:
        """Live until the pod is gone from the API."""
        if text(obj(self._pod.get("status")), "phase") not in {"Succeeded", "Failed"} and not self._deleted:
            course = asyncio.create_task(self._course())
            try:
                await self._until_deleted()
            finally:
                course.cancel()
                await asyncio.gather(course, return_exceptions=True)
        else:
            await self._until_deleted()
        await self._end()

    @property
    def _deleted(self) -> bool:
        return "deletionTimestamp" in obj(self._pod.get("metadata"))

    async def _until_deleted(self) -> None:
        while not self._deleted:
            self._news.clear()
            await self._news.wait()
            if self._phase == "" and self._gates() and self._differs():
                await self._report()

    async def _course(self) -> None:
        for one in self._mains:
            one.wait("PodInitializing" if self._inits else "ContainerCreating")
        for one in self._inits:
            one.wait("PodInitializing")
        await self._report()
        await self._mounted()
        self._networked = True
        sidecars = []
        for one in self._inits:
            if one.stays:
                sidecars.append(asyncio.create_task(self._run(one)))
                continue
            await self._run(one)
            if self._phase:
                return
        self._initialized = True
        try:
            await asyncio.gather(*(self._run(one) for one in self._mains))
        finally:
            for task in sidecars:
                task.cancel()
        codes = [integer(obj(one.state.get("terminated")), "exitCode") for one in self._mains]
        for one in self._inits:
            one.end(0)
        self._phase = "Failed" if any(codes) else "Succeeded"
        await self._report()

    async def _run(self, one: _Container) -> None:
        """Run a container until it isn't started again."""
        init = one in self._inits and not one.stays
        policy = "Always" if one.stays else self._restarts
        while True:
            await self._pulled(one)
            await self._configured(one)
            await self._begin(one)
            ends, ready = one.image.ends_after_s, one.image.ready_after_s
            if init and ends is None and ready is not None:
                ends = _INIT_S
            if ready is not None and not init and (ends is None or ready < ends):
                await asyncio.sleep(ready)
                one.ready = True
                await self._report()
                ends = None if ends is None else ends - ready
            await (asyncio.Event().wait() if ends is None else asyncio.sleep(ends))
            code = one.image.exit_code
            one.end(code)
            if (init and code == 0) or (
                not init and (policy == "Never" or (policy == "OnFailure" and code == 0))
            ):
                await self._report()
                return
            if init and policy == "Never":
                self._phase = "Failed"
                await self._report()
                return
            await self._back_off(one)

    async def _pulled(self, one: _Container) -> None:
        if one.pulled:
            return
        await self._event(one, "Pulling", f'Pulling image "{one.reference}"')
        await asyncio.sleep(_PULL_S)
        pause = _FIRST_BACKOFF_S
        while one.image.refused:
            why = f'failed to pull and unpack image "{one.reference}": {one.reference}: not found'
            await self._event(
                one, "Failed", f'Failed to pull image "{one.reference}": rpc error: {why}', "Warning"
            )
            one.wait("ErrImagePull", f"rpc error: code = NotFound desc = {why}")
            await self._report()
            await asyncio.sleep(pause)
            back = f'Back-off pulling image "{one.reference}"'
            await self._event(one, "BackOff", back, "Normal")
            one.wait("ImagePullBackOff", f"{back}: ErrImagePull: {why}")
            await self._report()
            pause = min(pause * 2, _LONGEST_BACKOFF_S)
            await asyncio.sleep(pause)
        one.pulled = True
        await self._event(
            one, "Pulled", f'Successfully pulled image "{one.reference}" in {_PULL_S * 1000:.0f}ms'
        )

    async def _configured(self, one: _Container) -> None:
        """Wait until the ConfigMaps and Secrets of its environment are there."""
        while lacking := await self._lacking(_wanted_by(one.spec)):
            one.wait("CreateContainerConfigError", lacking)
            await self._event(one, "Failed", f"Error: {lacking}", "Warning")
            await self._report()
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _mounted(self) -> None:
        """Wait until what its volumes are made of is there."""
        while lacking := await self._lacking(_mounted_by(obj(self._pod.get("spec")))):
            await self._event(None, "FailedMount", f"MountVolume.SetUp failed: {lacking}", "Warning")
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _lacking(self, wanted: Mapping[tuple[str, str], None]) -> str:
        for kind, name in wanted:
            status, _ = await self._api.ask("GET", f"/api/v1/namespaces/{self.place[0]}/{kind}s/{name}")
            if status == 404:
                return f'{kind} "{name}" not found'
        return ""

    async def _begin(self, one: _Container) -> None:
        one.before, one.lines = one.lines, [f"{_now()} {one.name} of {self.place[1]} starts: {one.reference}"]
        one.started_at = _now()
        one.state = {"running": {"startedAt": one.started_at}}
        await self._event(one, "Created", f"Created container: {one.name}")
        await self._event(one, "Started", f"Started container {one.name}")
        await self._report()

    async def _back_off(self, one: _Container) -> None:
        await self._report()
        await asyncio.sleep(0.2)
        pause = min(_FIRST_BACKOFF_S * 2**one.restarts, _LONGEST_BACKOFF_S)
        one.last = one.state
        where = f"{self.place[1]}_{self.place[0]}({self._uid})"
        words = f"restarting failed container={one.name} pod={where}"
        one.wait("CrashLoopBackOff", f"back-off {pause:.0f}s {words}")
        one.restarts += 1
        await self._event(one, "BackOff", f"Back-off {words}", "Warning")
        await self._report()
        await asyncio.sleep(pause)

    async def _end(self) -> None:
        began, containers = time.monotonic(), [*self._inits, *self._mains]
        killed = [one for one in containers if one.running]
        for one in killed:
            await self._event(one, "Killing", f"Stopping container {one.name}")
        stubborn = any(one.image.ignores_term for one in killed)
        while killed:
            grace = float(integer(obj(self._pod.get("metadata")), "deletionGracePeriodSeconds"))
            left = (grace if stubborn else min(grace, _TERM_S)) - (time.monotonic() - began)
            if left <= 0:
                break
            self._news.clear()
            with contextlib.suppress(TimeoutError):  # a second deletion may shorten the grace
                await asyncio.wait_for(self._news.wait(), left)
        if not self._phase and killed:
            for one in killed:
                one.end(137 if one.image.ignores_term else 0)
            self._phase = "Failed" if stubborn else "Succeeded"
            await self._report()
        options: JsonObject = {"gracePeriodSeconds": 0, "preconditions": {"uid": self._uid}}
        await self._quietly("DELETE", self._path, options)

    @property
    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.place[0]}/pods/{self.place[1]}"

    def _gates(self) -> list[str]:
        return [text(one, "conditionType") for one in objs(obj(self._pod.get("spec")).get("readinessGates"))]

    def _judged(self) -> dict[str, tuple[bool, str]]:
        """Return each condition of a kubelet's: whether it is true, and why not."""
        waiting = [one.name for one in self._mains if not one.ready]
        unready = f"containers with unready status: [{' '.join(waiting)}]" if waiting else ""
        seen = {
            text(one, "type"): text(one, "status")
            for one in objs(obj(self._pod.get("status")).get("conditions"))
        }
        closed = [gate for gate in self._gates() if seen.get(gate) != "True"]
        gated = f'the status of pod readiness gate "{closed[0]}" is not "True", but False' if closed else ""
        done = self._phase in {"Succeeded", "Failed"}
        return {
            "PodReadyToStartContainers": (self._networked and not done, ""),
            "Initialized": (self._initialized or not self._inits, "containers with incomplete status"),
            "ContainersReady": (not waiting and not done, unready),
            "Ready": (not waiting and not closed and not done, unready or gated),
        }

    def _differs(self) -> bool:
        return self._conditions != self._judged()

    async def _report(self) -> None:
        async with self._reporting:
            before, self._conditions = self._conditions, self._judged()
            conditions = [
                _condition(kind, true=true, why=why, done=self._phase == "Succeeded")
                for kind, (true, why) in self._conditions.items()
                if before.get(kind) != (true, why)
            ]
            fresh = any("waiting" in one.state and not one.last for one in self._mains)
            status: dict[str, Json] = {
                "phase": self._phase or ("Pending" if fresh else "Running"),
                "observedGeneration": obj(self._pod.get("metadata")).get("generation"),
                "conditions": [*conditions],
                "hostIP": "127.0.0.1",
                "hostIPs": [{"ip": "127.0.0.1"}],
                "startTime": self._started,
                "containerStatuses": [one.status() for one in self._mains],
            }
            if self._networked:
                status |= {"podIP": self._ip, "podIPs": [{"ip": self._ip}]}
            if self._inits:
                status["initContainerStatuses"] = [one.status() for one in self._inits]
            await self._quietly("PATCH", f"{self._path}/status", {"status": status}, STRATEGIC)

    async def _event(self, one: _Container | None, reason: str, message: str, kind: str = "Normal") -> None:
        namespace, pod = self.place
        about: dict[str, Json] = {"kind": "Pod", "apiVersion": "v1", "namespace": namespace, "name": pod}
        about["uid"] = self._uid
        if one is not None:
            about["fieldPath"] = (
                f"spec.{'initContainers' if one in self._inits else 'containers'}{{{one.name}}}"
            )
        path = f"/api/v1/namespaces/{namespace}/events"
        name, count = self._events.get((reason, message), ("", 0))
        self._events[reason, message] = (name or f"{pod}.{token_hex(8)}", count + 1)
        if name:
            again: JsonObject = {"count": count + 1, "lastTimestamp": _now()}
            await self._quietly("PATCH", f"{path}/{name}", again, STRATEGIC)
            return
        body: JsonObject = {
            "metadata": {"name": self._events[reason, message][0], "namespace": namespace},
            "involvedObject": about,
            "reason": reason,
            "message": message,
            "type": kind,
            "source": {"component": "kubelet", "host": self._node},
            "reportingComponent": "kubelet",
            "reportingInstance": self._node,
            "firstTimestamp": _now(),
            "lastTimestamp": _now(),
            "count": 1,
        }
        await self._quietly("POST", path, body)

    async def _quietly(
        self, method: str, path: str, body: JsonObject, kind: str = "application/json"
    ) -> None:
        """Ask; what is refused is gone meanwhile, or its namespace is ending."""
        with contextlib.suppress(aiohttp.ClientError, ApiError, TimeoutError):
            await self._api.ask(method, path, body, kind=kind)


def _made(spec: JsonObject, *, of_job: bool) -> _Container:
    return _Container(text(spec, "name"), spec, image_of(text(spec, "image"), of_job=of_job), {})


def _wanted_by(container: JsonObject) -> dict[tuple[str, str], None]:
    """Return kind and name of what a container's environment needs, in its order."""
    found: dict[tuple[str, str], None] = {}
    sources = [
        *objs(container.get("envFrom")),
        *(obj(one.get("valueFrom")) for one in objs(container.get("env"))),
    ]
    for source in sources:
        for key, kind in _REFERENCES.items():
            one = obj(source.get(key))
            if text(one, "name") and one.get("optional") is not True:
                found[kind, text(one, "name")] = None
    return found


_REFERENCES = {
    "configMapRef": "configmap",
    "secretRef": "secret",
    "configMapKeyRef": "configmap",
    "secretKeyRef": "secret",
}


def _mounted_by(spec: JsonObject) -> dict[tuple[str, str], None]:
    found: dict[tuple[str, str], None] = {}
    for volume in objs(spec.get("volumes")):
        for key, field_name, kind in (("configMap", "name", "configmap"), ("secret", "secretName", "secret")):
            one = obj(volume.get(key))
            if text(one, field_name) and one.get("optional") is not True:
                found[kind, text(one, field_name)] = None
    return found


def _condition(kind: str, *, true: bool, why: str, done: bool) -> JsonObject:
    body: dict[str, Json] = {
        "type": kind,
        "status": str(true),
        "lastProbeTime": None,
        "lastTransitionTime": _now(),
    }
    body |= {"reason": None, "message": None}
    if not true and done:
        body["reason"] = "PodCompleted"
    elif not true and why:
        gate = "readiness gate" in why
        body |= {"reason": "ReadinessGatesNotReady" if gate else "ContainersNotReady", "message": why}
    return body
