"""When a workload is complete: every kind and update strategy, and controllers that are a step behind."""

from __future__ import annotations

import pytest

from state.base.json import Json, JsonObject
from state.view.rollout import Rollout, WorkloadKind, missing, newest_hash, rollout, words

NOW_US = 1_796_155_200_000_000
NEW, OLD = "new", "old"
KEYS = {"Deployment": "pod-template-hash", "StatefulSet": "controller-revision-hash"}
KEYS["DaemonSet"] = KEYS["StatefulSet"]


def pod(state: str, kind: str = "Deployment", number: int = 0) -> JsonObject:
    """Return a pod by a word: revision, then what it does: ``new+`` is ready, ``old-`` isn't, ``old~`` is ending."""
    revision, does = state[:3], state[3:]
    meta: dict[str, Json] = {
        "name": f"w-{number}",
        "labels": {KEYS.get(kind, "x"): revision},
        "ownerReferences": [{"kind": kind, "controller": True}],
    }
    if does == "~":
        meta["deletionTimestamp"] = "2026-12-01T00:00:00Z"
    ready = does in {"+", "~"}
    told: JsonObject = {"type": "Ready", "status": "True" if ready else "False"}
    phase = "Failed" if does == "x" else "Running"
    status: JsonObject = {
        "phase": phase,
        "conditions": [told],
        "containerStatuses": [{"name": "c", "ready": ready, "state": {"running": {}}}],
    }
    return {"metadata": meta, "spec": {"containers": [{"name": "c"}]}, "status": status}


def workload(
    replicas: int | None = None,
    *,
    spec: JsonObject | None = None,
    status: JsonObject | None = None,
    generation: int = 2,
    seen: int = 2,
) -> JsonObject:
    asked: JsonObject = {} if replicas is None else {"replicas": replicas}
    return {
        "metadata": {"name": "w", "generation": generation},
        "spec": {**asked, **(spec or {})},
        "status": {"observedGeneration": seen, **(status or {})},
    }


def condition(kind: str, status: str, reason: str = "", message: str = "") -> JsonObject:
    told: JsonObject = {"type": kind, "status": status, "reason": reason, "message": message}
    return {"conditions": [told]}


DEADLINE = condition("Progressing", "False", "ProgressDeadlineExceeded", "it timed out")
REFUSED = condition("ReplicaFailure", "True", "FailedCreate", 'pods "w" is forbidden: violates PodSecurity')
ON_DELETE: JsonObject = {"updateStrategy": {"type": "OnDelete"}}
PARTITION: JsonObject = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}}
D, S, A, R = "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"

CASES: list[tuple[str, str, JsonObject, str, str, bool, str]] = [
    # id, kind, workload, pods, words, complete, why (its beginning; "!" before it: nothing will change)
    ("all new and ready", D, workload(2), "new+ new+", "2 of 2 ready", True, ""),
    ("none asked for", D, workload(0), "", "0 of 0 ready", True, ""),
    ("no replicas said is one", D, workload(), "new+", "1 of 1 ready", True, ""),
    (
        "the controller hasn't looked", D, workload(2, seen=1), "new+ new+",
        "2 of 2 ready", False, "its controller",
    ),
    ("just made", D, workload(2, generation=1, seen=0), "", "0 of 2 ready", False, "its controller"),
    ("none new yet", D, workload(3), "old+ old+ old+", "new 0/3 · old 3 serving", False, ""),
    ("surge of all", D, workload(2), "old+ old+ new- new-", "new 0/2 · old 2 serving", False, ""),
    ("new ready, old serve", D, workload(2), "new+ new+ old+", "new 2/2 · old 1 serving", False, ""),
    ("old not ready either", D, workload(2), "new+ old- old+", "new 1/2 · old 1 of 2 serving", False, ""),
    ("old end", D, workload(2), "new+ new+ old~", "2 of 2 ready · 1 ending", True, ""),
    ("old end, however many", D, workload(1), "new+ old~ old~ old~", "1 of 1 ready · 3 ending", True, ""),
    ("evicted ones lie about", D, workload(1), "new+ newx oldx", "1 of 1 ready", True, ""),
    ("one too many, not ready", D, workload(1), "new+ new-", "1 of 1 ready", True, ""),
    ("paused with nothing to do", D, workload(1, spec={"paused": True}), "new+", "1 of 1 ready", True, ""),
    ("paused", D, workload(1, spec={"paused": True}), "old+", "new 0/1 · old 1 serving", False, "!is paused"),
    (
        "deadline", D, workload(1, status=DEADLINE), "new- old+",
        "new 0/1 · old 1 serving", False, "!ProgressDeadline",
    ),
    ("deadline of before", D, workload(1, status=DEADLINE), "new+", "1 of 1 ready", True, ""),
    (
        "refused", D, workload(1, status=REFUSED), "old+",
        "new 0/1 · old 1 serving", False, "pods can't be created: pods",
    ),
    ("refused, surplus", D, workload(1, status=REFUSED), "new+", "1 of 1 ready", True, ""),
    (
        "not long enough", D, workload(1, spec={"minReadySeconds": 60}), "new+",
        "1 of 1 ready", False, "0 of 1 are ready for 60",
    ),
    (
        "long enough", D, workload(1, spec={"minReadySeconds": 60}, status={"availableReplicas": 1}), "new+",
        "1 of 1 ready", True, "",
    ),
    ("a set, all new", S, workload(3), "new+ new+ new+", "3 of 3 ready", True, ""),
    ("a set, in order", S, workload(3), "old+ old+ new-", "new 0/3 · old 2 serving", False, ""),
    (
        "a set, the old one stops it", S, workload(2), "old+ old-",
        "new 0/2 · old 1 of 2 serving", False, "a pod of an older revision",
    ),
    (
        "a set at once", S, workload(2, spec={"podManagementPolicy": "Parallel"}), "old+ old-",
        "new 0/2 · old 1 of 2 serving", False, "",
    ),
    (
        "a set with OnDelete", S, workload(2, spec=ON_DELETE), "old+ old+",
        "2 of 2 ready · 2 of an older revision stay", True, "2 of an older",
    ),
    (
        "OnDelete, one deleted", S, workload(2, spec=ON_DELETE), "old+ new-",
        "new 0/1 · 1 of an older revision stay", False, "",
    ),
    (
        "a partition", S, workload(3, spec=PARTITION), "old+ old+ new+",
        "3 of 3 ready · 2 of an older revision stay", True, "2 of an older",
    ),
    (
        "a partition, one to go", S, workload(4, spec=PARTITION), "old+ old+ old+ new+",
        "new 1/2 · old 1 serving · 2 of an older revision stay", False, "",
    ),
    (
        "a partition above all", S, workload(1, spec=PARTITION), "old+",
        "1 of 1 ready · 1 of an older revision stay", True, "1 of an older",
    ),
    ("a partition, all new since", S, workload(3, spec=PARTITION), "new+ new+ new+", "3 of 3 ready", True, ""),
    ("a set of none", S, workload(0), "", "0 of 0 ready", True, ""),
    ("a daemon set", A, workload(status={"desiredNumberScheduled": 2}), "new+ new+", "2 of 2 ready", True, ""),
    ("a daemon set, no node", A, workload(status={"desiredNumberScheduled": 0}), "", "0 of 0 ready", True, ""),
    ("a daemon set, unseen", A, workload(seen=1), "", "0 of 0 ready", False, "its controller"),
    (
        "a daemon set, one to go", A, workload(status={"desiredNumberScheduled": 2}), "new+ old+",
        "new 1/2 · old 1 serving", False, "",
    ),
    (
        "a daemon set, OnDelete", A, workload(spec=ON_DELETE, status={"desiredNumberScheduled": 2}),
        "old+ old+", "2 of 2 ready · 2 of an older revision stay", True, "2 of an older",
    ),
    ("a bare replica set", R, workload(2), "new+ old+", "2 of 2 ready", True, ""),
    (
        "a bare replica set, refused", R, workload(1, status=REFUSED), "",
        "0 of 1 ready", False, "pods can't be created",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "live", "pods", "told", "complete", "why"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_the_rules(kind: str, live: JsonObject, pods: str, told: str, complete: bool, why: str) -> None:
    there = [pod(state, kind, number) for number, state in enumerate(pods.split())]
    seen = rollout(WorkloadKind(kind), live, there, NEW, NOW_US)
    assert (words([seen]), seen.complete) == (told, complete)
    assert seen.stuck == why.startswith("!")
    assert seen.why.startswith(why.lstrip("!"))
    assert bool(seen.why) == bool(why)


def job(status: JsonObject, spec: JsonObject | None = None) -> JsonObject:
    return {"metadata": {"name": "w"}, "spec": spec or {}, "status": status}


FAILED = condition("Failed", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit")


@pytest.mark.parametrize(
    ("live", "complete", "stuck", "why"),
    [
        (job({}), False, False, "0 of 1 done"),
        (job({"succeeded": 2}, {"completions": 3, "parallelism": 2}), False, False, "2 of 3 done"),
        (job({"succeeded": 3, **condition("Complete", "True")}), True, False, ""),
        (job({"failed": 1}), False, False, "0 of 1 done"),
        (job(FAILED), False, True, "has failed: BackoffLimitExceeded: Job has reached"),
        (job(condition("Failed", "False")), False, False, "0 of 1 done"),
        (job(condition("Suspended", "True"), {"suspend": True}), True, False, "is suspended"),
    ],
)
def test_a_job_is_judged_by_its_end(live: JsonObject, complete: bool, stuck: bool, why: str) -> None:
    seen = rollout(WorkloadKind.JOB, live, [], "", NOW_US)
    assert (seen.complete, seen.stuck, seen.wanted) == (complete, stuck, 0)
    assert seen.why.startswith(why)
    assert bool(seen.why) == bool(why)


@pytest.mark.parametrize(
    ("state", "owned", "complete", "wanted", "stuck"),
    [
        ("new+", False, True, 1, False),
        ("new-", False, False, 1, False),
        ("newx", False, False, 1, True),
        ("new~", False, False, 1, False),
        ("new~", True, True, 0, False),
    ],
)
def test_a_bare_pod(state: str, owned: bool, complete: bool, wanted: int, stuck: bool) -> None:
    thing = pod(state)
    owners: list[Json] = [{"kind": "ReplicaSet", "controller": True}] if owned else []
    live = {**thing, "metadata": {**dict(thing["metadata"]), "ownerReferences": owners}}  # type: ignore[arg-type]  # an object
    seen = rollout(WorkloadKind.POD, live, [live], "", NOW_US)
    assert (seen.complete, seen.wanted, seen.stuck) == (complete, wanted, stuck)


def test_what_is_not_there() -> None:
    lost = missing(WorkloadKind.DEPLOYMENT, "w", {"spec": {"replicas": 2}})
    assert (lost.complete, lost.stuck, lost.why, words([lost])) == (
        False,
        True,
        "is not there",
        "0 of 2 ready",
    )
    ended = missing(WorkloadKind.JOB, "w", {"spec": {"ttlSecondsAfterFinished": 0}})
    assert ended.complete
    assert not missing(WorkloadKind.JOB, "w", {"spec": {}}).complete


def template(image: str, mark: str = "") -> JsonObject:
    labels: dict[str, Json] = {"app": "w", **({"pod-template-hash": mark} if mark else {})}
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"image": image}]}}


def replica_set(image: str, mark: str, made: str = "2026-01-01T00:00:00Z") -> JsonObject:
    meta: JsonObject = {"labels": {"app": "w", "pod-template-hash": mark}, "creationTimestamp": made}
    return {"metadata": meta, "spec": {"template": template(image, mark)}}


def test_the_newest_revision_of_each_kind() -> None:
    deployment: JsonObject = {"spec": {"template": template("two")}}
    sets = [replica_set("one", "a1"), replica_set("two", "b2")]
    kind = WorkloadKind.DEPLOYMENT
    assert newest_hash(kind, deployment, sets) == "b2"
    assert newest_hash(kind, deployment, sets[:1]) == ""
    twice = [*sets, replica_set("two", "c3", "2025-12-31T00:00:00Z")]
    assert newest_hash(kind, deployment, twice) == "c3"
    stateful: JsonObject = {"status": {"updateRevision": "w-1", "currentRevision": "w-0"}}
    assert newest_hash(WorkloadKind.STATEFUL_SET, stateful, []) == "w-1"
    history: list[JsonObject] = [
        {"revision": n, "metadata": {"labels": {"controller-revision-hash": mark}}}
        for n, mark in ((3, "c"), (1, "a"))
    ]
    assert newest_hash(WorkloadKind.DAEMON_SET, {}, history) == "c"
    assert newest_hash(WorkloadKind.DAEMON_SET, {}, []) == ""


def test_several_workloads_in_words() -> None:
    deployment = Rollout(kind=WorkloadKind.DEPLOYMENT, name="a", wanted=2, new=2, new_ready=2, complete=True)
    stateful = Rollout(kind=WorkloadKind.STATEFUL_SET, name="b", wanted=1, new=1, new_ready=1, complete=True)
    assert words([deployment, stateful]) == "3 of 3 ready (2 of deployments, 1 of stateful sets)"
    older = Rollout(kind=WorkloadKind.DEPLOYMENT, name="c", wanted=3, old=3, old_ready=3)
    assert words([deployment, older]) == "new 2/5 · old 3 serving"
