"""Jobs: pods until enough have succeeded or too many have failed."""

from __future__ import annotations

from collections.abc import Callable

from console.rehearsal.sim.kubernetes.controllers.cluster import Cluster, conditions
from console.rehearsal.sim.kubernetes.controllers.kubelet import is_active, is_ready
from console.rehearsal.sim.kubernetes.controllers.workloads import AGAIN_S, owner
from console.rehearsal.sim.kubernetes.objects import (
    Obj,
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
from console.rehearsal.sim.kubernetes.problems import KubeError
from state.base.json import JsonObject, obj, path, text

OnFinished = Callable[[str, JsonObject], None]
_BY = "job-controller"


def is_finished(job: JsonObject) -> bool:
    """Return whether a job is complete or has failed."""
    return any(text(condition(job, kind), "status") == "True" for kind in ("Complete", "Failed"))


class Jobs:
    """Brings jobs to their end, and says so once for each."""

    def __init__(self, cluster: Cluster, on_finished: OnFinished) -> None:
        self._cluster = cluster
        self._store = cluster.store
        self._on_finished = on_finished

    def step(self, job: JsonObject) -> None:
        """Do what is due for a job."""
        if is_terminating(job):
            return
        if is_finished(job):
            self._clean_up(job)
            return
        if path(job, ("spec", "suspend")) is True:
            return
        pods = self._store.owned(uid_of(job), "pods")
        active = [pod for pod in pods if is_active(pod)]
        done = sum(word(pod, "status", "phase") == "Succeeded" for pod in pods)
        failed = sum(word(pod, "status", "phase") == "Failed" for pod in pods)
        restarts = sum(_restarts(one) for one in active)
        began = word(job, "status", "startTime") or self._cluster.written_now()
        status: Obj = {"startTime": began, "ready": sum(is_ready(one) for one in active), "terminating": 0}
        counts = {"active": len(active), "succeeded": done, "failed": failed}
        expected = number(job, ("spec", "completions"), 1)
        limit = number(job, ("spec", "activeDeadlineSeconds"))
        if done >= expected:
            self._finish(
                job,
                {**status, **_nonzero(counts)},
                "Complete",
                "CompletionsReached",
                "Reached expected number of succeeded pods",
            )
        elif failed + restarts > number(job, ("spec", "backoffLimit"), 6):
            self._stop(active)
            told = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
            self._finish(job, {**status, **_nonzero({**counts, "active": 0})}, "Failed", *told)
        elif limit and self._cluster.reached(seconds_of(began) + limit):
            self._stop(active)
            told = ("DeadlineExceeded", "Job was active longer than specified deadline")
            self._finish(job, {**status, **_nonzero({**counts, "active": 0})}, "Failed", *told)
        else:
            more = min(number(job, ("spec", "parallelism"), 1), expected - done) - len(active)
            made = sum(self._add_pod(job) for _ in range(max(0, more)))
            self._store.set_status(
                "jobs", job, {**status, **_nonzero({**counts, "active": len(active) + made})}
            )

    def _add_pod(self, job: JsonObject) -> bool:
        """Make a pod; return whether it was not refused, which isn't tried again at once."""
        template = obj(path(job, ("spec", "template")))
        meta = clone(obj(template.get("metadata")))
        meta |= {"generateName": f"{name_of(job)}-", "namespace": namespace_of(job)}
        meta["ownerReferences"] = [owner(job)]
        if not self._cluster.reached(self._cluster.last_event(job, "FailedCreate") + AGAIN_S):
            return False
        try:
            pod = self._store.create("pods", {"metadata": meta, "spec": copied(template.get("spec"))})
        except KubeError as error:
            self._cluster.event(job, "FailedCreate", f"Error creating: {error.message}", by=_BY, warning=True)
            self._cluster.reached(self._cluster.now + AGAIN_S)
            return False
        self._cluster.event(job, "SuccessfulCreate", f"Created pod: {name_of(pod)}", by=_BY)
        return True

    def _stop(self, pods: list[JsonObject]) -> None:
        for pod in pods:
            self._store.delete("pods", namespace_of(pod), name_of(pod))

    def _finish(self, job: JsonObject, status: Obj, kind: str, reason: str, message: str) -> None:
        now = self._cluster.written_now()
        early = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
        lines = [
            {"type": one, "status": "True", "reason": reason, "message": message} for one in (early, kind)
        ]
        status["conditions"] = conditions(
            job, *(clone({**one, "lastProbeTime": now}) for one in lines), now=now
        )
        if kind == "Complete":
            status["completionTime"] = now
        self._store.set_status("jobs", job, status)
        shown = ("Completed", "Job completed") if kind == "Complete" else (reason, message)
        self._cluster.event(job, *shown, by=_BY, warning=kind == "Failed")
        self._on_finished(namespace_of(job), self._store.need("jobs", namespace_of(job), name_of(job)))

    def _clean_up(self, job: JsonObject) -> None:
        if path(job, ("spec", "ttlSecondsAfterFinished")) is None:
            return
        kinds = (condition(job, "Complete"), condition(job, "Failed"))
        ended = max(seconds_of(text(kind, "lastTransitionTime")) for kind in kinds)
        if self._cluster.reached(ended + number(job, ("spec", "ttlSecondsAfterFinished"))):
            self._store.delete("jobs", namespace_of(job), name_of(job))


def _nonzero(counts: dict[str, int]) -> Obj:
    return {key: value for key, value in counts.items() if value}


def _restarts(pod: JsonObject) -> int:
    statuses = path(pod, ("status", "containerStatuses"))
    return (
        sum(number(obj(status), ("restartCount",)) for status in statuses)
        if isinstance(statuses, list)
        else 0
    )
