"""Every rule about a pod, from the Kubernetes object to what the screens and the engine conclude."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from console.engine.watch.kubernetes_events import pod_body
from state.base.codec import LOG
from state.base.frozen import remake
from state.base.json import Json, JsonObject
from state.events.event import Event
from state.events.world import PodChanged
from state.fold import fold
from state.view.pods import (
    is_done,
    is_ending,
    is_fine,
    is_looping,
    is_over,
    is_ready,
    observe,
    other_version,
    restarts_lately,
    restarts_of,
    running_digests,
    serves,
    unready,
)
from state.view.rollout import never_created

NOW_US = 1_796_155_200_000_000
DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
READY: JsonObject = {"type": "Ready", "status": "True"}
UNREADY: JsonObject = {"type": "Ready", "status": "False", "reason": "ContainersNotReady"}


def at(seconds_ago: float) -> str:
    return datetime.fromtimestamp(NOW_US / 1e6 - seconds_ago, UTC).isoformat()


def container(
    *, ready: bool = True, restarts: int = 0, state: JsonObject | None = None, last: JsonObject | None = None
) -> JsonObject:
    return {
        "name": "backend",
        "ready": ready,
        "restartCount": restarts,
        "imageID": f"registry.example/backend@{DIGEST}",
        "state": state or {"running": {"startedAt": at(3600)}},
        "lastState": last or {},
    }


def pod(
    *containers: JsonObject,
    phase: str = "Running",
    ready: JsonObject | None = None,
    gates: tuple[str, ...] = (),
    owner: str = "ReplicaSet",
    deleted: bool = False,
    more: tuple[JsonObject, ...] = (),
    specs: int | None = None,
    init: JsonObject | None = None,
) -> JsonObject:
    meta: dict[str, Json] = {
        "name": "p",
        "labels": {"app": "backend"},
        "creationTimestamp": at(7200),
        "ownerReferences": [{"kind": owner, "name": "o"}],
    }
    if deleted:
        meta["deletionTimestamp"] = at(1)
    whole = all(one["ready"] for one in containers) and bool(containers)
    told = ready if ready is not None else READY if whole else UNREADY
    status: dict[str, Json] = {
        "phase": phase,
        "conditions": [c for c in (told, *more) if c],
        "containerStatuses": list(containers),
    }
    if init is not None:
        status["initContainerStatuses"] = [init]
    named = [{"name": "backend", "image": "registry.example/backend:1"}] * (specs or max(1, len(containers)))
    spec: JsonObject = {
        "nodeName": "n1", "containers": list[Json](named), "readinessGates": [{"conditionType": g} for g in gates]
    }  # fmt: skip
    return {"metadata": meta, "spec": spec, "status": status}


def waits(reason: str) -> JsonObject:
    return {"waiting": {"reason": reason}}


def ended(reason: str, code: int = 1) -> JsonObject:
    return {"terminated": {"reason": reason, "exitCode": code}}


def again(restarts: int, since_s: float, reason: str = "Error") -> JsonObject:
    """Return a container that runs again, since some seconds."""
    return container(restarts=restarts, state={"running": {"startedAt": at(since_s)}}, last=ended(reason))


def back(after_s: float) -> JsonObject:
    """Return a container that was restarted five times; it runs since five seconds, so long after its last end."""
    last: JsonObject = {"terminated": {"reason": "Unknown", "exitCode": 255, "finishedAt": at(after_s + 5)}}
    return {**again(5, 5), "lastState": last}


DONE = container(ready=False, state=ended("Completed", 0))
LOOPS = container(ready=False, restarts=4, state=waits("CrashLoopBackOff"))

CASES = [
    # ready, counted, fine, looping, over, ending
    ("ready", pod(container()), "rcf..."),
    ("two containers", pod(container(), container()), "rcf..."),
    ("one of two containers", pod(container(), container(ready=False)), ".c...."),
    ("one of two is not there yet", pod(container(), specs=2), ".c...."),
    ("not ready", pod(container(ready=False)), ".c...."),
    ("no status yet", pod(phase="Pending", ready={}), ".c...."),
    ("containers ready, Ready is false", pod(container(), ready=UNREADY), ".c...."),
    ("containers ready, Ready is unknown", pod(container(), ready={**READY, "status": "Unknown"}), ".c...."),
    ("containers ready, no Ready condition", pod(container(), ready={}), ".c...."),
    ("a gate is open", pod(container(), gates=("x/lb",), more=({"type": "x/lb", "status": "True"},)), "rcf..."),
    ("a gate is closed", pod(container(), gates=("x/lb",), more=({"type": "x/lb", "status": "False"},)), ".c...."),
    ("a gate that nobody answered", pod(container(), gates=("x/lb",)), ".c...."),
    ("ending, still ready", pod(container(), deleted=True), "..f..e"),
    ("ending, not ready", pod(container(ready=False), deleted=True), "..f..e"),
    ("ending, had failed", pod(container(ready=False), phase="Failed", deleted=True), "..f.oe"),
    ("starting", pod(container(ready=False, state=waits("ContainerCreating")), phase="Pending"), ".c...."),
    ("no image", pod(container(ready=False, state=waits("ImagePullBackOff")), phase="Pending"), ".c...."),
    ("an init container crashes", pod(
        container(ready=False, state=waits("PodInitializing")), phase="Pending",
        init=container(ready=False, restarts=3, state=waits("CrashLoopBackOff")),
    ), ".c.l.."),
    ("waits between two crashes", pod(LOOPS), ".c.l.."),
    ("runs between two crashes", pod(again(4, 5)), ".c.l.."),
    ("runs between two crashes, not ready", pod({**again(4, 5), "ready": False}), ".c.l.."),
    ("one of two crashes", pod(container(), again(3, 5)), ".c.l.."),
    ("runs for longer than it would wait", pod(again(4, 81)), "rcf..."),
    ("many crashes, runs since 4 minutes", pod(again(40, 240)), ".c.l.."),
    ("many crashes, runs since 6 minutes", pod(again(40, 360)), "rcf..."),
    ("two crashes, runs since 15 seconds", pod(again(2, 15)), ".c.l.."),
    ("two crashes, runs since 25 seconds", pod(again(2, 25)), "rcf..."),
    ("its node was down for an hour", pod(back(3600)), "rcf..."),
    ("its node was down for two minutes", pod(back(120)), ".c.l.."),
    ("it waited longest, and an image was pulled", pod(back(390)), ".c.l.."),
    ("restarted once: no loop", pod(again(1, 1, "OOMKilled")), "rcf..."),
    ("ended in an error just now", pod(container(ready=False, state=ended("Error"))), ".c...."),
    ("done", pod(DONE, phase="Succeeded"), "..f.o."),
    ("evicted", pod(phase="Failed", ready=UNREADY), "....o."),
    ("a node shut down", pod(container(ready=False, state=ended("Error")), phase="Failed"), "....o."),
    ("a job's, at work", pod(container(), owner="Job"), "r.f..."),
    ("a job's, starting", pod(phase="Pending", owner="Job"), "..f..."),
    ("a job's, done", pod(DONE, phase="Succeeded", owner="Job"), "..f.o."),
    ("a job's, failed", pod(container(ready=False, state=ended("Error")), phase="Failed", owner="Job"), "....o."),
    ("a job's, cannot start", pod(container(ready=False, state=waits("ErrImagePull")), owner="Job"), "......"),
    ("a job's, crashes", pod(LOOPS, owner="Job"), "...l.."),
    ("of unknown phase", pod(container(), phase="Unknown"), ".c...."),
]  # fmt: skip


@pytest.mark.parametrize(("thing", "wanted"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_rules(thing: JsonObject, wanted: str) -> None:
    seen = observe("production", thing)
    facts = {
        "r": is_ready(seen, NOW_US),
        "c": serves(seen),
        "f": is_fine(seen, NOW_US),
        "l": is_looping(seen, NOW_US),
        "o": is_over(seen),
        "e": is_ending(seen),
    }
    assert "".join(letter if true else "." for letter, true in facts.items()) == wanted
    assert is_done(seen) == (seen.phase == "Succeeded")
    watched = serves(seen) and not is_ready(seen, NOW_US)
    assert unready([seen], "production", NOW_US) == ([seen.name] if watched else [])
    assert unready([seen], "staging", NOW_US) == []


@pytest.mark.parametrize("thing", [c[1] for c in CASES], ids=[c[0] for c in CASES])
def test_the_log_keeps_all_that_the_rules_need(thing: JsonObject) -> None:
    body = pod_body("production", thing)
    fields = LOG.dump(body)
    event = Event(1, "e", PodChanged.KIND, None, None, "engine", "s", "b", NOW_US, 0, fields, "0" * 64)
    (known,) = fold([event]).pods.values()
    assert remake(PodChanged, known) == body


RARE = {"unready", "of_job", "ended", "loops_until_us"}


@pytest.mark.parametrize(
    ("thing", "rare"),
    [
        (pod(container()), set()),
        (pod(container(ready=False)), set()),
        (pod(again(1, 1)), set()),
        (pod(container(), deleted=True), set()),
        (pod(phase="Failed", ready=UNREADY), set()),
        (pod(container(), ready=UNREADY), {"unready"}),
        (pod(container(), owner="Job"), {"of_job"}),
        (pod(container(ready=False, state=ended("Error")), phase="Failed"), {"ended"}),
        (pod(again(2, 1)), {"loops_until_us"}),
    ],
)
def test_the_body_of_an_ordinary_pod_is_as_it_was(thing: JsonObject, rare: set[str]) -> None:
    fields = set(LOG.dump(pod_body("production", thing)))
    assert fields & RARE == rare
    assert fields - RARE == set(LOG.keys(PodChanged)) - RARE - {"cut"}


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (pod(container(), gates=("x/lb",)), "readiness gate x/lb"),
        (pod(container(), ready={**UNREADY, "reason": "ReadinessGatesNotReady"}), "ReadinessGatesNotReady"),
        (pod(container(), ready={}), "not Ready"),
        (pod(container()), ""),
        (pod(container(ready=False)), ""),
    ],
)
def test_why_it_is_not_ready_though_its_containers_are(thing: JsonObject, words: str) -> None:
    assert observe("production", thing).unready == words


@pytest.mark.parametrize(
    ("running", "release", "words"),
    [
        ([("api", DIGEST)], {"api": f"r/api@{DIGEST}"}, ""),
        ([("api", DIGEST), ("mesh", OTHER)], {"api": f"r/api:1@{DIGEST}"}, ""),
        ([("api", OTHER)], {"api": f"r/api@{DIGEST}"}, "api runs bbbbbbbbbbbb instead of aaaaaaaaaaaa"),
        (
            [("api", DIGEST), ("api", OTHER)],
            {"api": f"r/api@{DIGEST}"},
            "api runs aaaaaaaaaaaa and bbbbbbbbbbbb instead of aaaaaaaaaaaa",
        ),
        ([], {"api": f"r/api@{DIGEST}"}, "api runs nothing instead of aaaaaaaaaaaa"),
        ([("api", "")], {"api": f"r/api@{DIGEST}"}, "api runs no digest instead of aaaaaaaaaaaa"),
        ([("api", DIGEST)], {}, ""),
    ],
)
def test_the_old_version_and_the_new_one(
    running: list[tuple[str, str]], release: dict[str, str], words: str
) -> None:
    assert other_version(running, release) == words


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ([], ""),
        ([{"type": "Available", "status": "False", "message": "too few"}], ""),
        ([{"type": "ReplicaFailure", "status": "False", "message": "was"}], ""),
        ([{"type": "ReplicaFailure", "status": "True", "message": 'pods "x" is forbidden'}], 'pods "x" is forbidden'),
        ([{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}], "FailedCreate"),
    ],
)  # fmt: skip
def test_pods_that_were_never_created(conditions: list[Json], words: str) -> None:
    assert never_created({"status": {"conditions": conditions}}) == words


def test_digests_and_restarts_of_a_pod() -> None:
    thing = pod(container(restarts=2), {**container(restarts=1), "name": "mesh", "imageID": "mesh:1"})
    assert running_digests(thing) == {"backend": DIGEST, "mesh": ""}
    assert restarts_of(thing) == 3
    assert (running_digests({}), restarts_of({})) == ({}, 0)


def test_a_pod_that_helm_runs_beside_a_release_counts_as_little_as_a_jobs() -> None:
    hanging = pod(container(ready=False), owner="")
    meta = {**dict(hanging["metadata"]), "annotations": {"helm.sh/hook": "test"}}  # type: ignore[arg-type]  # an object
    seen = observe("production", {**hanging, "metadata": meta})
    assert seen.of_job
    assert not serves(seen)
    assert unready([seen], "production", NOW_US) == []


@pytest.mark.parametrize(
    ("boxes", "counted"),
    [
        ((container(),), 0),
        ((back(7200),), 5),
        ((back(90_000),), 0),  # a day ago, and not since
        ((again(3, 60),), 3),  # its end isn't told
        ((back(90_000), again(2, 60)), 2),
    ],
)
def test_restarts_of_the_last_day_count(boxes: tuple[JsonObject, ...], counted: int) -> None:
    assert restarts_lately(pod(*boxes), NOW_US) == counted
