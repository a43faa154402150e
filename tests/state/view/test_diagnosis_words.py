"""Why something isn't ready, from conditions, container states and warnings; and when there is nothing to say."""

from __future__ import annotations

import pytest

from state.base.json import Json, JsonObject
from state.base.times import micros_of
from state.view.diagnosis import pod_trouble, warnings, workload_trouble
from state.view.rollout import Rollout, WorkloadKind


def container(
    state: JsonObject,
    *,
    name: str = "web",
    ready: bool = False,
    restarts: int = 0,
    last: JsonObject | None = None,
) -> JsonObject:
    return {"name": name, "state": state, "ready": ready, "restartCount": restarts, "lastState": last or {}}


def waits(reason: str, message: str = "") -> JsonObject:
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


def ended(code: int, reason: str = "Error", message: str = "") -> JsonObject:
    return {"terminated": {"exitCode": code, "reason": reason, **({"message": message} if message else {})}}


def pod(
    *containers: JsonObject,
    inits: tuple[JsonObject, ...] = (),
    sidecars: tuple[str, ...] = (),
    gates: tuple[str, ...] = (),
    conditions: tuple[JsonObject, ...] = (),
    status: JsonObject | None = None,
) -> JsonObject:
    spec: JsonObject = {
        "initContainers": [{"name": name, "restartPolicy": "Always"} for name in sidecars],
        "readinessGates": [{"conditionType": gate} for gate in gates],
    }
    told: dict[str, Json] = {"containerStatuses": list(containers), "initContainerStatuses": list(inits)}
    return {"spec": spec, "status": {**told, "conditions": list(conditions), **(status or {})}}


def event(reason: str, message: str, at: str = "2026-11-30T10:00:00Z", uid: str = "u") -> JsonObject:
    about: JsonObject = {"uid": uid}
    return {
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": at,
        "involvedObject": about,
    }


AGAIN: JsonObject = {"running": {"startedAt": "2026-11-30T11:59:00Z"}}
READY: JsonObject = {"type": "Ready", "status": "True"}
RUNS: JsonObject = {"running": {"startedAt": "2026-11-30T10:00:00Z"}}
UNHEALTHY = event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
UNSCHEDULED: JsonObject = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes",
}
NOT_READY: JsonObject = {"type": "Ready", "status": "False", "reason": "NodeNotReady"}

PODS: list[tuple[str, JsonObject, list[JsonObject], str, str]] = [
    # id, pod, warnings, while it may only start, after its time
    ("nothing yet", pod(), [], "", "not ready"),
    ("being made", pod(container(waits("ContainerCreating"))), [], "", "web waits, ContainerCreating"),
    ("behind init containers", pod(container(waits("PodInitializing"))), [], "", "not ready"),
    ("runs", pod(container(RUNS)), [], "", "web runs but isn't ready"),
    ("its probe fails so far", pod(container(RUNS)),
     [UNHEALTHY], "", "web runs but isn't ready; Unhealthy: Readiness probe"),
    ("pull", pod(container(waits("ErrImagePull", "no such host"))), [], "web waits, ErrImagePull: no such host", ""),
    ("loops", pod(container(waits("CrashLoopBackOff"), restarts=4, last=ended(137, "OOMKilled"))), [],
     "web waits, CrashLoopBackOff, last exit code 137 (OOMKilled), restarted 4 times", ""),
    ("ended just now", pod(container(ended(2, message="no such flag"))),
     [], "web has ended: no such flag, last exit code 2 (Error)", ""),
    ("between two crashes", pod(container(AGAIN, ready=True, restarts=3, last=ended(1)), conditions=(READY,)),
     [], "", "web runs again, last exit code 1 (Error), restarted 3 times"),
    ("runs again", pod(container(RUNS, restarts=1, last=ended(1))),
     [], "web runs again, last exit code 1 (Error), restarted 1 time", ""),
    ("ended well and runs again", pod(container(RUNS, restarts=1, last=ended(0, "Completed"))),
     [], "", "web runs but isn't ready, last exit code 0"),
    ("config", pod(container(waits("CreateContainerConfigError", 'secret "a" not found'))),
     [], 'web waits, CreateContainerConfigError: secret "a"', ""),
    ("an init container crashes", pod(container(waits("PodInitializing")),
         inits=(container(waits("CrashLoopBackOff"), name="before"),)),
     [], "before waits, CrashLoopBackOff", ""),
    ("an init container is done", pod(container(RUNS), inits=(container(ended(0, "Completed"), name="before"),)),
     [], "", "web runs but isn't ready"),
    ("a sidecar is slow", pod(container(RUNS, ready=True), inits=(container(RUNS, name="mesh"),), sidecars=("mesh",)),
     [], "", "mesh runs but isn't ready"),
    ("a volume", pod(container(waits("ContainerCreating"))),
     [event("FailedMount", "secret not found")], "FailedMount: secret not found", "web waits, ContainerCreating"),
    ("no node", pod(conditions=(UNSCHEDULED,)), [], "no node takes it: 0/3 nodes", ""),
    ("evicted", pod(status={"phase": "Failed", "reason": "Evicted", "message": "low on memory"}),
     [], "Evicted: low on memory", ""),
    ("a gate", pod(container(RUNS, ready=True), gates=("x/lb",)), [], "", "readiness gate x/lb isn't open"),
    ("its node is lost", pod(container(RUNS, ready=True), conditions=(NOT_READY,)),
     [], "", "isn't Ready: NodeNotReady"),
]  # fmt: skip


@pytest.mark.parametrize(("thing", "events", "now", "late"), [c[1:] for c in PODS], ids=[c[0] for c in PODS])
def test_of_a_pod(thing: JsonObject, events: list[JsonObject], now: str, late: str) -> None:
    told = pod_trouble(thing, events)
    assert told.startswith(now) if now else told == ""
    assert pod_trouble(thing, events, late=True).startswith(late or now)


def rollout(why: str = "", *, stuck: bool = False, new: int = 0, complete: bool = False) -> Rollout:
    return Rollout(
        kind=WorkloadKind.DEPLOYMENT, name="w", wanted=1, new=new, why=why, stuck=stuck, complete=complete
    )


REFUSED = event("FailedCreate", 'pods "w" is forbidden: exceeded quota')


@pytest.mark.parametrize(
    ("one", "events", "now", "late"),
    [
        (rollout(), [], "", ""),
        (rollout(), [REFUSED], 'FailedCreate: pods "w" is forbidden: exceeded quota', ""),
        (rollout(new=1), [REFUSED], "", ""),  # it was refused, and is there now
        (rollout(complete=True), [REFUSED], "", ""),
        (
            rollout("pods can't be created: exceeded quota"),
            [REFUSED],
            "pods can't be created: exceeded quota",
            "",
        ),
        (rollout("ProgressDeadlineExceeded: it", stuck=True), [REFUSED], "FailedCreate: pods", ""),
        (rollout("is paused", stuck=True), [], "is paused", ""),
        (rollout("its controller hasn't seen the change yet"), [], "", "its controller hasn't"),
    ],
)
def test_of_a_workload(one: Rollout, events: list[JsonObject], now: str, late: str) -> None:
    told = workload_trouble(one, events)
    assert told.startswith(now) if now else told == ""
    assert workload_trouble(one, events, late=True).startswith(now or late)


def test_warnings_of_another_object_and_of_another_time_are_none() -> None:
    before, after = event("A", "a", "2026-11-30T09:00:00Z"), event("B", "b", "2026-11-30T11:00:00Z")
    series: JsonObject = {"lastObservedTime": "2026-11-30T12:00:00.000000Z"}
    newest = {**event("C", "c", "2026-11-30T08:00:00Z"), "series": series}
    normal = {**event("N", "n"), "type": "Normal"}
    events = [newest, normal, event("O", "o", uid="other"), after, before]
    assert [one["reason"] for one in warnings(events, "u")] == ["A", "B", "C"]
    assert [one["reason"] for one in warnings(events, "u", micros_of("2026-11-30T10:00:00Z"))] == ["B", "C"]
