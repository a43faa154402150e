"""Workloads on a real control plane, a case each: complete when it is, and otherwise for the cluster's own reason."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from checks.clients.kube import KubeClient
from console.engine.operations.verdict.pod_diagnosis import Trouble, troubles
from console.engine.operations.verdict.workloads import Live, look
from state.base.clock import SystemClock
from state.base.json import Json, JsonObject, obj, objs, path, text
from tests.cluster.control_plane import ADMINS
from tests.cluster.kube_api import MERGE, STRATEGIC, KubeHttp
from tests.cluster.shared import Cluster
from tests.cluster.test_clients import client

pytestmark = [pytest.mark.wire, pytest.mark.needs("control-plane")]
_APPS = "/apis/apps/v1/namespaces"
_PLURALS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
_WITHIN_S = 40.0


@dataclass(slots=True)
class Place:
    """A namespace, its client, and requests as an administrator."""

    kube: KubeClient
    api: KubeHttp
    name: str
    made: dict[str, JsonObject] = field(default_factory=dict)

    async def make(self, thing: JsonObject) -> None:
        """Create an object, which stands in the manifest from then on."""
        await self.api.create(self._path(thing), thing)
        self.made[text(obj(thing.get("metadata")), "name")] = thing

    async def change(self, kind: str, name: str, spec: JsonObject) -> None:
        """Change a workload's spec."""
        where = f"{_APPS}/{self.name}/{_PLURALS[kind]}/{name}"
        await self.api.need("PATCH", where, {"spec": spec}, kind=MERGE)

    async def live(self, *names: str) -> Live:
        """Return how far the objects of these names are; all where none is named."""
        manifest = "\n---\n".join(json.dumps(self.made[name]) for name in names or self.made)
        return await look(self.kube, self.name, "r", manifest, SystemClock().wall_us())

    async def until(self, true: Callable[[Live], bool], *names: str) -> Live:
        """Return how far they are once that is so."""
        live = await self.live(*names)
        try:
            async with asyncio.timeout(_WITHIN_S):
                while not true(live):
                    await asyncio.sleep(0.2)
                    live = await self.live(*names)
        except TimeoutError:
            raise AssertionError(f"{live.words}; {live}") from None
        return live

    async def until_told(self, words: str, name: str) -> list[Trouble]:
        """Return why a workload isn't ready, once these words are in it."""
        found: list[Trouble] = []
        try:
            async with asyncio.timeout(_WITHIN_S):
                while not any(words in one.told for one in found):
                    await asyncio.sleep(0.2)
                    live = await self.live(name)
                    found = await troubles(self.kube, live, SystemClock().wall_us(), late=False)
        except TimeoutError:
            raise AssertionError(f"{words} isn't in {[one.told for one in found]} of {live.words}") from None
        return found

    def _path(self, thing: JsonObject) -> str:
        kind = text(thing, "kind")
        if kind == "Job":
            return f"/apis/batch/v1/namespaces/{self.name}/jobs"
        return (
            f"{_APPS}/{self.name}/{_PLURALS[kind]}"
            if kind in _PLURALS
            else f"/api/v1/namespaces/{self.name}/pods"
        )


@pytest.fixture
async def place(cluster: Cluster, api: KubeHttp, tmp_path: Path) -> AsyncIterator[Place]:
    name = await cluster.namespace(api)
    kube = client(cluster, tmp_path / "config", name, "ann", ADMINS)
    yield Place(kube, api, name)
    await kube.aclose()


def workload(
    kind: str,
    name: str,
    image: str = "shop/web:1",
    *,
    replicas: int = 1,
    spec: JsonObject | None = None,
    pod: JsonObject | None = None,
    container: JsonObject | None = None,
) -> JsonObject:
    """Return a workload."""
    group = "batch/v1" if kind == "Job" else "apps/v1"
    own: dict[str, Json] = {"serviceName": name} if kind == "StatefulSet" else {}
    if kind in {"Deployment", "StatefulSet"}:
        own["replicas"] = replicas
    if kind == "Job":
        pod = {"restartPolicy": "Never", **(pod or {})}
    else:
        own["selector"] = {"matchLabels": {"of": name}}
    made: JsonObject = {"name": "main", "image": image, **(container or {})}
    template: JsonObject = {
        "metadata": {"labels": {"of": name}},
        "spec": {"containers": [made], **(pod or {})},
    }
    body: JsonObject = {**own, "template": template, **(spec or {})}
    return {"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": body}


def image(name: str) -> JsonObject:
    """Return what changes a workload's image."""
    return {"template": {"spec": {"containers": [{"name": "main", "image": name}]}}}


LACKS_ACCOUNT: JsonObject = {"serviceAccountName": "nobody"}
LACKS_CONFIG: JsonObject = {"envFrom": [{"configMapRef": {"name": "no-such"}}]}
LACKS_SECRET: JsonObject = {
    "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "none", "key": "a"}}}]
}
LACKS_VOLUME: JsonObject = {"volumes": [{"name": "v", "secret": {"secretName": "no-such"}}]}
LACKS_CLAIM: JsonObject = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "no-such"}}]}
TOO_MUCH: JsonObject = {"resources": {"requests": {"cpu": "900"}}}
ELSEWHERE: JsonObject = {"nodeSelector": {"no.such/node": "here"}}
INIT: JsonObject = {"initContainers": [{"name": "before", "image": "shop/before-crash:1"}]}

TROUBLES: list[tuple[str, JsonObject, str, str]] = [
    # name, workload, of what it is said, words
    (
        "account", workload("Deployment", "account", pod=LACKS_ACCOUNT),
        "Deployment account", 'serviceaccount "nobody" not found',
    ),
    (
        "set-account", workload("StatefulSet", "set-account", pod=LACKS_ACCOUNT),
        "StatefulSet set-account", 'serviceaccount "nobody" not found',
    ),
    (
        "daemon-account", workload("DaemonSet", "daemon-account", pod=LACKS_ACCOUNT),
        "DaemonSet daemon-account", 'serviceaccount "nobody" not found',
    ),
    (
        "job-account", workload("Job", "job-account", pod=LACKS_ACCOUNT),
        "Job job-account", 'serviceaccount "nobody" not found',
    ),
    (
        "job-fails", workload("Job", "job-fails", "shop/job-fail:1", spec={"backoffLimit": 0}),
        "Job job-fails", "BackoffLimitExceeded",
    ),
    (
        "pull", workload("Deployment", "pull", "shop/web-refused:1"),
        "pod pull-", "main waits, ImagePullBackOff: Back-off pulling image",
    ),
    ("set-pull", workload("StatefulSet", "set-pull", "shop/web-refused:1"), "pod set-pull-0", "not found"),
    ("crash", workload("Deployment", "crash", "shop/web-crash:1"), "pod crash-", "main waits, CrashLoopBackOff"),
    (
        "daemon-crash", workload("DaemonSet", "daemon-crash", "shop/web-crash:1"),
        "pod daemon-crash-", "last exit code 1 (Error)",
    ),
    ("init", workload("Deployment", "init", pod=INIT), "pod init-", "before waits, CrashLoopBackOff"),
    (
        "config", workload("Deployment", "config", container=LACKS_CONFIG),
        "pod config-", 'CreateContainerConfigError: configmap "no-such" not found',
    ),
    ("secret", workload("Deployment", "secret", container=LACKS_SECRET), "pod secret-", 'secret "none" not found'),
    (
        "volume", workload("Deployment", "volume", pod=LACKS_VOLUME),
        "pod volume-", 'FailedMount: MountVolume.SetUp failed: secret "no-such" not found',
    ),
    (
        "claim", workload("Deployment", "claim", pod=LACKS_CLAIM),
        "pod claim-", 'persistentvolumeclaim "no-such" not found',
    ),
    ("cpu", workload("Deployment", "cpu", container=TOO_MUCH), "pod cpu-", "Insufficient cpu"),
    (
        "node", workload("StatefulSet", "node", pod=ELSEWHERE),
        "pod node-0", "node(s) didn't match Pod's node affinity/selector",
    ),
    (
        "deadline", workload("Deployment", "deadline", "shop/web-hang:1", spec={"progressDeadlineSeconds": 2}),
        "Deployment deadline", "ProgressDeadlineExceeded",
    ),
]  # fmt: skip


async def test_every_family_of_failures_is_told_in_the_clusters_own_words(place: Place) -> None:
    for _, thing, _, _ in TROUBLES:
        await place.make(thing)

    async def one(name: str, subject: str, words: str) -> None:
        found = await place.until_told(words, name)
        assert any(each.subject.startswith(subject) and words in each.words for each in found), found
        assert not (await place.live(name)).settled

    await asyncio.gather(*(one(name, subject, words) for name, _, subject, words in TROUBLES))
    stuck = {name for name, *_ in TROUBLES if (await place.live(name)).stuck}
    assert stuck == {"job-fails", "deadline"}


async def test_pod_security_quota_and_policies(cluster: Cluster, place: Place) -> None:
    labels: JsonObject = {"pod-security.kubernetes.io/enforce": "restricted"}
    body: JsonObject = {"metadata": {"labels": labels}}
    await place.api.need("PATCH", f"/api/v1/namespaces/{place.name}", body, kind=MERGE)
    kinds = ("Deployment", "StatefulSet", "DaemonSet")
    for kind in kinds:
        await place.make(workload(kind, f"bare-{kind.lower()}"))
    for kind in kinds:
        found = await place.until_told("violates PodSecurity", f"bare-{kind.lower()}")
        assert found[0].subject == f"{kind} bare-{kind.lower()}"
    quota: JsonObject = {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "0"}}}
    await place.api.create(f"/api/v1/namespaces/{place.name}/resourcequotas", quota)
    await place.api.need(
        "PATCH",
        f"/api/v1/namespaces/{place.name}",
        {"metadata": {"labels": dict.fromkeys(labels)}},
        kind=MERGE,
    )
    await place.make(workload("Deployment", "counted"))
    assert (await place.until_told("exceeded quota: few", "counted"))[0].subject == "Deployment counted"


async def test_what_only_starts_is_no_trouble_and_what_had_its_time_is(place: Place) -> None:
    await place.make(workload("Deployment", "late", "shop/web-late-4:1", replicas=2))
    await place.make(workload("Deployment", "hangs", "shop/web-hang:1"))
    live = await place.until(lambda live: live.pods == 3)
    while not (live := await place.live("late")).settled:
        assert await troubles(place.kube, live, SystemClock().wall_us(), late=False) == []
        await asyncio.sleep(0.3)
    live = await place.live("hangs")
    assert await troubles(place.kube, live, SystemClock().wall_us(), late=False) == []
    (one,) = await troubles(place.kube, live, SystemClock().wall_us(), late=True)
    assert one.words == "main runs but isn't ready"


async def test_old_pods_that_take_long_to_end_do_not_count(place: Place) -> None:
    grace: JsonObject = {"terminationGracePeriodSeconds": 600}
    await place.make(workload("Deployment", "slow", "shop/web-slow:1", replicas=2, pod=grace))
    await place.make(
        workload("Deployment", "none-kept", "shop/web-slow:1", pod=grace, spec={"revisionHistoryLimit": 0})
    )
    await place.until(lambda live: live.settled)
    for name in ("slow", "none-kept"):
        await place.change("Deployment", name, image("shop/web:2"))
    live = await place.until(lambda live: live.settled)
    assert live.words.startswith("3 of 3 ready · ")
    assert "3 ending" in live.words
    assert dict(live.images).keys() == {"main"}
    for pod in objs((await place.api.get(f"/api/v1/namespaces/{place.name}/pods")).get("items")):
        now: JsonObject = {"gracePeriodSeconds": 0}
        name = text(obj(pod.get("metadata")), "name")
        await place.api.need("DELETE", f"/api/v1/namespaces/{place.name}/pods/{name}", now)


ALL: JsonObject = {"strategy": {"rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0}}}
AT_ONCE: JsonObject = {"strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "100%"}}}
RECREATE: JsonObject = {"strategy": {"type": "Recreate", "rollingUpdate": None}}
SIDECAR: JsonObject = {
    "initContainers": [{"name": "mesh", "image": "shop/mesh-late-3:1", "restartPolicy": "Always"}]
}
GATE: JsonObject = {"readinessGates": [{"conditionType": "example.org/balancer"}]}
PARALLEL: JsonObject = {"podManagementPolicy": "Parallel"}
ODD = [
    workload("Deployment", "surge", replicas=3, spec=ALL),
    workload("Deployment", "at-once", replicas=3, spec=AT_ONCE),
    workload("Deployment", "recreated", replicas=2, spec=RECREATE),
    workload("Deployment", "patient", spec={"minReadySeconds": 3}),
    workload("Deployment", "mesh", pod=SIDECAR),
    workload("Deployment", "none", replicas=0),
    workload("StatefulSet", "parallel", replicas=3, spec=PARALLEL),
    workload("StatefulSet", "in-order", replicas=2),
    workload("DaemonSet", "everywhere"),
    workload("DaemonSet", "nowhere", pod=ELSEWHERE),
]


async def test_odd_ones_are_complete_when_the_new_ones_serve_and_not_before(place: Place) -> None:
    for thing in ODD:
        await place.make(thing)
    await place.until(lambda live: live.settled)
    for thing in ODD:
        await place.change(
            text(thing, "kind"), text(obj(thing.get("metadata")), "name"), image("shop/web-late-2:2")
        )
    # From the very first look after the change: nobody may believe the old ones to be the new ones.
    seen = [await place.live()]
    while not seen[-1].settled:
        await asyncio.sleep(0.1)
        seen.append(await place.live())
    assert len(seen) > 5
    assert "serving" in " ".join(live.words for live in seen)
    pods = objs((await place.api.get(f"/api/v1/namespaces/{place.name}/pods")).get("items"))
    serve = [pod for pod in pods if "deletionTimestamp" not in obj(pod.get("metadata"))]
    images = {text(objs(path(pod, ("spec", "containers")))[0], "image") for pod in serve}
    assert images == {"shop/web-late-2:2"}


async def test_a_readiness_gate_that_opens_late(place: Place) -> None:
    await place.make(workload("Deployment", "gated", pod=GATE))
    await place.until(lambda live: any("readiness gate" in one for one in live.waiting))
    live = await place.live()
    assert not live.settled
    (one,) = await troubles(place.kube, live, SystemClock().wall_us(), late=True)
    assert "readiness gate example.org/balancer isn't open" in one.words
    pod = objs((await place.api.get(f"/api/v1/namespaces/{place.name}/pods")).get("items"))[0]
    opened: JsonObject = {"status": {"conditions": [{"type": "example.org/balancer", "status": "True"}]}}
    where = f"/api/v1/namespaces/{place.name}/pods/{text(obj(pod.get('metadata')), 'name')}/status"
    await place.api.need("PATCH", where, opened, kind=STRATEGIC)
    await place.until(lambda live: live.settled)


async def test_paused_scaled_and_left_behind(place: Place) -> None:
    await place.make(workload("Deployment", "paused"))
    await place.make(workload("Deployment", "scaled"))
    await place.until(lambda live: live.settled)
    await place.change("Deployment", "paused", {"paused": True})
    await place.until(lambda live: live.settled)
    await place.change("Deployment", "paused", image("shop/web:2"))
    live = await place.until(lambda live: live.stuck, "paused")
    assert "Deployment paused is paused" in live.words
    await place.change("Deployment", "paused", {"paused": False})
    # What an autoscaler asks for counts, not what the manifest says.
    await place.change("Deployment", "scaled", {"replicas": 4})
    live = await place.until(lambda live: live.settled and live.ready == 5)
    gone = f"{_APPS}/{place.name}/deployments/scaled"
    await place.api.need("DELETE", gone, {"propagationPolicy": "Background"})
    live = await place.until(lambda live: live.stuck)
    assert "Deployment scaled is not there" in live.words


async def test_a_set_whose_old_pod_is_broken_says_that_it_may_have_to_be_deleted(place: Place) -> None:
    await place.make(workload("StatefulSet", "ordered", "shop/web-hang:1", replicas=2))
    await place.until(lambda live: live.pods == 1)
    await place.change("StatefulSet", "ordered", image("shop/web:2"))
    live = await place.until(lambda live: "replaced in order" in live.words or live.settled)
    assert live.settled or "it may have to be deleted" in live.words


async def test_who_may_not_list_replica_sets_sees_it_all_the_same(
    cluster: Cluster, place: Place, tmp_path: Path
) -> None:
    await place.make(workload("Deployment", "web", replicas=2))
    await place.make(workload("DaemonSet", "agent"))
    rules: list[Json] = [
        {"apiGroups": ["apps"], "resources": ["deployments", "daemonsets"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    ]
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{place.name}"
    await place.api.create(f"{rbac}/roles", {"metadata": {"name": "few"}, "rules": rules})
    subject: JsonObject = {"kind": "User", "name": "few", "apiGroup": "rbac.authorization.k8s.io"}
    ref: JsonObject = {"kind": "Role", "name": "few", "apiGroup": "rbac.authorization.k8s.io"}
    binding: JsonObject = {"metadata": {"name": "few"}, "subjects": [subject], "roleRef": ref}
    await place.api.create(f"{rbac}/rolebindings", binding)
    few = Place(client(cluster, tmp_path / "few", place.name, "few"), place.api, place.name, place.made)
    try:
        await few.until(lambda live: live.settled)
        for kind, name in (("Deployment", "web"), ("DaemonSet", "agent")):
            await place.change(kind, name, image("shop/web-hang:2"))
        await few.until(lambda live: "serving" in live.words)
    finally:
        await few.kube.aclose()
