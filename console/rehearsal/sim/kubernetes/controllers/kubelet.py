"""The life of a pod: scheduled, pulled, started, ready; crashing, never ready, ended or removed.

Where a pod stands is read from its own status, so a process that was killed goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from console.rehearsal.sim.kubernetes.controllers.cluster import Cluster, conditions, draw
from console.rehearsal.sim.kubernetes.objects import (
    Obj,
    Value,
    child,
    clone,
    condition,
    copied,
    is_terminating,
    name_of,
    namespace_of,
    number,
    seconds_of,
    uid_of,
    word,
)
from state.base.json import JsonObject, obj, objs, path, text

PULL_S = (2.0, 4.0)
READY_S = (4.0, 8.0)
JOB_S = 5.0
STOP_S = 2.0
_BACKOFF_S = 10.0
_LONGEST_BACKOFF_S = 300.0
_PROBE_S = 10.0
_KUBELET = "kubelet"


@dataclass(frozen=True, slots=True)
class PodPlan:
    """What the world makes of a pod. Times are seconds of the clock; None draws one from the pod's uid.

    ``ends_after_s`` is when the container ends by itself with ``exit_code``: a job's does so after 5 s unless
    told otherwise, any other container never. A non-empty error keeps the container from starting. ``ready``
    may turn false while the pod runs, and true again.
    """

    schedulable: bool = True
    pull_s: float | None = None
    ready_s: float | None = None
    image_error: str = ""
    config_error: str = ""
    ready: bool = True
    unready: str = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    ends_after_s: float | None = None
    exit_code: int = 0
    end_reason: str = ""
    ignores_term: bool = False
    """Whether it ends only when its grace is over, as one with long tasks does."""


Behaviour = Callable[[JsonObject], PodPlan]
Resolve = Callable[[str], str | None]


def as_planned(pod: JsonObject) -> PodPlan:
    """Plan a pod that does what it should."""
    del pod
    return PodPlan()


def made_up_digest(image: str) -> str | None:
    """Return a digest for an image that no registry was asked for: the same for the same name."""
    return "sha256:" + sha256(image.encode()).hexdigest()


def repository(image: str) -> str:
    """Return an image's name without tag and digest."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def is_ready(pod: JsonObject) -> bool:
    """Return whether a pod is ready and not being deleted."""
    return text(condition(pod, "Ready"), "status") == "True" and not is_terminating(pod)


def is_active(pod: JsonObject) -> bool:
    """Return whether a pod counts for its owner: neither ended nor being deleted."""
    return word(pod, "status", "phase") not in ("Succeeded", "Failed") and not is_terminating(pod)


class Kubelet:
    """Moves the pods on, one step of one pod at a time."""

    def __init__(self, cluster: Cluster, behaviour: Behaviour, resolve: Resolve) -> None:
        self._cluster = cluster
        self._behaviour = behaviour
        self._resolve = resolve

    def step(self, pod: JsonObject) -> None:
        """Do what is due for a pod."""
        if is_terminating(pod):
            self._terminate(pod)
            return
        if word(pod, "status", "phase") in ("Succeeded", "Failed"):
            return
        plan = self._behaviour(pod)
        if not word(pod, "spec", "nodeName"):
            self._schedule(pod, plan)
        elif not word(pod, "status", "startTime"):
            self._accept(pod)
        elif path(self._state(pod), ("running",)):
            self._watch_over(pod, plan)
        elif path(self._state(pod), ("terminated",)):
            self._back_off(pod)
        else:
            self._start(pod, plan)

    def _state(self, pod: JsonObject) -> JsonObject:
        statuses = objs(path(pod, ("status", "containerStatuses")))
        return obj(statuses[0].get("state")) if statuses else {}

    def _event(self, pod: JsonObject, reason: str, message: str, *, warning: bool = False) -> None:
        self._cluster.event(pod, reason, message, by=_KUBELET, warning=warning)

    def _terminate(self, pod: JsonObject) -> None:
        if word(pod, "status", "phase") in ("Succeeded", "Failed"):
            self._cluster.store.delete("pods", namespace_of(pod), name_of(pod), grace=False)
            return
        ends = seconds_of(word(pod, "metadata", "deletionTimestamp"))
        began = ends - number(pod, ("metadata", "deletionGracePeriodSeconds"))
        if not self._cluster.last_event(pod, "Killing"):
            for container in objs(path(pod, ("spec", "containers"))):
                self._event(pod, "Killing", f"Stopping container {text(container, 'name')}")
        grace = number(pod, ("metadata", "deletionGracePeriodSeconds"), 30)
        lasts = grace if self._behaviour(pod).ignores_term else min(grace, STOP_S)
        if self._cluster.reached(began + lasts):
            self._cluster.store.delete("pods", namespace_of(pod), name_of(pod), grace=False)

    def _schedule(self, pod: JsonObject, plan: PodPlan) -> None:
        store = self._cluster.store
        nodes = [one for one in store.scan("nodes") if not path(one, ("spec", "unschedulable"))]
        if not nodes or not plan.schedulable:
            why = f"0/{len(store.scan('nodes'))} nodes are available: insufficient cpu."
            if not condition(pod, "PodScheduled"):
                self._cluster.event(pod, "FailedScheduling", why, by="default-scheduler", warning=True)
            unscheduled: Obj = {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": why,
            }
            self._save(pod, {}, unscheduled)
            return
        pods = [word(one, "spec", "nodeName") for one in store.scan("pods")]
        node = min(nodes, key=lambda one: (pods.count(name_of(one)), name_of(one)))
        bound = clone(pod)
        child(bound, "spec")["nodeName"] = name_of(node)
        scheduled: Obj = {"type": "PodScheduled", "status": "True"}
        child(bound, "status")["conditions"] = conditions(pod, scheduled, now=self._cluster.written_now())
        store.update("pods", bound, part="all")
        message = f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {name_of(node)}"
        self._cluster.event(pod, "Scheduled", message, by="default-scheduler")

    def _accept(self, pod: JsonObject) -> None:
        digest = sha256(uid_of(pod).encode()).digest()
        node = self._cluster.store.peek("nodes", "", word(pod, "spec", "nodeName")) or {}
        addresses = objs(path(node, ("status", "addresses")))
        host = next((text(one, "address") for one in addresses if text(one, "type") == "InternalIP"), "")
        address = f"10.244.{digest[0]}.{digest[1] or 1}"
        status: Obj = {
            "startTime": self._cluster.written_now(),
            "hostIP": host,
            "podIP": address,
            "podIPs": [{"ip": address}],
        }
        waits: Obj = {"waiting": {"reason": "ContainerCreating"}}
        self._save(pod, {**status, **self._containers(pod, waits, ready=False)}, *_readiness(ready=False))
        for container in objs(path(pod, ("spec", "containers"))):
            self._event(pod, "Pulling", f'Pulling image "{text(container, "image")}"')

    def _start(self, pod: JsonObject, plan: PodPlan) -> None:
        state = self._state(pod)
        reason = word(state, "waiting", "reason")
        if reason == "CrashLoopBackOff":
            self._restart(pod)
            return
        pull = draw(uid_of(pod) + "pull", *PULL_S) if plan.pull_s is None else plan.pull_s
        if not self._cluster.reached(seconds_of(word(pod, "status", "startTime")) + pull):
            return
        images = [text(one, "image") for one in objs(path(pod, ("spec", "containers")))]
        missing = next((image for image in images if self._image_id(image) is None), None)
        if plan.image_error or missing is not None:
            self._no_image(pod, missing or images[0], plan.image_error or "not found")
        elif lacking := plan.config_error or self._lacking(pod):
            if reason != "CreateContainerConfigError":
                self._event(pod, "Failed", f"Error: {lacking}", warning=True)
            self._wait(pod, "CreateContainerConfigError", lacking)
        else:
            for container in objs(path(pod, ("spec", "containers"))):
                self._event(pod, "Pulled", f'Successfully pulled image "{text(container, "image")}"')
            self._restart(pod, first=True)

    def _lacking(self, pod: JsonObject) -> str:
        """Return what of its environment a container cannot be given, in the kubelet's words."""
        for container in objs(path(pod, ("spec", "containers"))):
            sources = [
                *(("configmap", obj(one.get("configMapRef"))) for one in objs(container.get("envFrom"))),
                *(("secret", obj(one.get("secretRef"))) for one in objs(container.get("envFrom"))),
                *(
                    ("configmap", obj(path(one, ("valueFrom", "configMapKeyRef"))))
                    for one in objs(container.get("env"))
                ),
                *(
                    ("secret", obj(path(one, ("valueFrom", "secretKeyRef"))))
                    for one in objs(container.get("env"))
                ),
            ]
            for kind, source in sources:
                name, key = text(source, "name"), text(source, "key")
                if not name or source.get("optional") is True:
                    continue
                there = self._cluster.store.peek(f"{kind}s", namespace_of(pod), name)
                if there is None:
                    return f'{kind} "{name}" not found'
                if key and key not in obj(there.get("data")):
                    return f"couldn't find key {key} in {kind.title()} {namespace_of(pod)}/{name}"
        return ""

    def _no_image(self, pod: JsonObject, image: str, why: str) -> None:
        reason = word(self._state(pod), "waiting", "reason")
        failed = f'failed to pull and unpack image "{image}": {why}'
        if "ImagePull" not in reason:
            self._event(pod, "Failed", f'Failed to pull image "{image}": {why}', warning=True)
            self._event(pod, "Failed", "Error: ErrImagePull", warning=True)
            self._wait(pod, "ErrImagePull", failed)
        elif reason == "ErrImagePull" and self._cluster.reached(self._cluster.last_event(pod, "Failed") + 3):
            self._event(pod, "BackOff", f'Back-off pulling image "{image}"')
            self._wait(pod, "ImagePullBackOff", f'Back-off pulling image "{image}": {failed}')

    def _wait(self, pod: JsonObject, reason: str, message: str) -> None:
        waits: Obj = {"waiting": {"reason": reason, "message": message}}
        self._save(pod, self._containers(pod, waits, ready=False), *_readiness(ready=False))

    def _restart(self, pod: JsonObject, *, first: bool = False) -> None:
        statuses = objs(path(pod, ("status", "containerStatuses")))
        times = 0 if first else max((number(one, ("restartCount",)) for one in statuses), default=0) + 1
        ended = max(
            (seconds_of(word(one, "lastState", "terminated", "finishedAt")) for one in statuses), default=0
        )
        pause = min(_BACKOFF_S * 2 ** max(0, times - 2), _LONGEST_BACKOFF_S)
        if not first and not self._cluster.reached(ended + pause):
            return
        runs: Obj = {"running": {"startedAt": self._cluster.written_now()}}
        status = self._containers(pod, runs, ready=False, restarts=times)
        self._save(pod, {"phase": "Running", **status}, *_readiness(ready=False))
        for container in objs(path(pod, ("spec", "containers"))):
            self._event(pod, "Created", f"Created container: {text(container, 'name')}")
            self._event(pod, "Started", f"Started container {text(container, 'name')}")

    def _watch_over(self, pod: JsonObject, plan: PodPlan) -> None:
        started = seconds_of(word(self._state(pod), "running", "startedAt"))
        ends = plan.ends_after_s
        if ends is None and word(pod, "spec", "restartPolicy") != "Always":
            ends = JOB_S
        if ends is not None and self._cluster.reached(started + ends):
            self._end(pod, plan)
            return
        ready = draw(uid_of(pod) + "ready", *READY_S) if plan.ready_s is None else plan.ready_s
        if not self._cluster.reached(started + ready):
            return
        if not plan.ready and self._cluster.reached(self._cluster.last_event(pod, "Unhealthy") + _PROBE_S):
            self._event(pod, "Unhealthy", plan.unready, warning=True)
            self._cluster.reached(self._cluster.now + _PROBE_S)
        if plan.ready != (text(condition(pod, "Ready"), "status") == "True"):
            kept: Obj = {"running": {"startedAt": word(self._state(pod), "running", "startedAt")}}
            self._save(pod, self._containers(pod, kept, ready=plan.ready), *_readiness(ready=plan.ready))

    def _end(self, pod: JsonObject, plan: PodPlan) -> None:
        policy = word(pod, "spec", "restartPolicy")
        ended: Obj = {
            "exitCode": plan.exit_code,
            "reason": plan.end_reason or ("Error" if plan.exit_code else "Completed"),
            "startedAt": word(self._state(pod), "running", "startedAt"),
            "finishedAt": self._cluster.written_now(),
        }
        finished = policy == "Never" or (policy == "OnFailure" and not plan.exit_code)
        status = self._containers(pod, {"terminated": ended}, ready=False)
        if finished:
            status["phase"] = "Failed" if plan.exit_code else "Succeeded"
        self._save(pod, status, *_readiness(ready=False, done=finished))

    def _back_off(self, pod: JsonObject) -> None:
        ended = seconds_of(word(self._state(pod), "terminated", "finishedAt"))
        if not self._cluster.reached(ended + 1):
            return
        name = text(objs(path(pod, ("spec", "containers")))[0], "name")
        self._event(pod, "BackOff", f"Back-off restarting failed container {name}", warning=True)
        message = f"back-off restarting failed container={name} pod={name_of(pod)}_{namespace_of(pod)}"
        waits: Obj = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
        self._save(pod, self._containers(pod, waits, ready=False), *_readiness(ready=False))

    def _containers(self, pod: JsonObject, state: Obj, *, ready: bool, restarts: int | None = None) -> Obj:
        before = {text(one, "name"): one for one in objs(path(pod, ("status", "containerStatuses")))}
        statuses: list[Value] = []
        for container in objs(path(pod, ("spec", "containers"))):
            name, image = text(container, "name"), text(container, "image")
            old = before.get(name, {})
            ended = path(old, ("state", "terminated"))
            last: Value = {"terminated": copied(ended)} if ended else copied(old.get("lastState") or {})
            count = number(old, ("restartCount",)) if restarts is None else restarts
            runs = "waiting" not in state
            mark = sha256(f"{uid_of(pod)}/{name}/{count}".encode()).hexdigest()
            statuses.append(
                {
                    "name": name,
                    "state": copied(state),
                    "lastState": last,
                    "ready": ready,
                    "started": "running" in state,
                    "restartCount": count,
                    "image": image,
                    "imageID": (self._image_id(image) or "") if runs else text(old, "imageID"),
                    "containerID": f"containerd://{mark}" if runs else text(old, "containerID"),
                }
            )
        return {"containerStatuses": statuses}

    def _image_id(self, image: str) -> str | None:
        digest = image.partition("@")[2] or self._resolve(image)
        return f"{repository(image)}@{digest}" if digest else None

    def _save(self, pod: JsonObject, status: Obj, *new: Obj) -> None:
        old = pod.get("status")
        changed = {**(clone(old) if isinstance(old, dict) else {}), **status}
        changed["conditions"] = conditions(pod, *new, now=self._cluster.written_now())
        self._cluster.store.set_status("pods", pod, changed)


def _readiness(*, ready: bool, done: bool = False) -> tuple[Obj, ...]:
    told: Obj = {} if ready else {"reason": "PodCompleted" if done else "ContainersNotReady"}
    value = "True" if ready else "False"
    return (
        {"type": "Initialized", "status": "True"},
        {"type": "Ready", "status": value, **told},
        {"type": "ContainersReady", "status": value, **told},
    )
