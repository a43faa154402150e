"""The cluster moves by its clock alone: these tests move the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from console.rehearsal.sim.kubernetes import Controllers, PodPlan, Store
from console.rehearsal.sim.kubernetes.kubectl.tables import pod_status
from console.rehearsal.sim.kubernetes.objects import condition, name_of, word
from state.base.json import JsonObject, obj, objs, path, text
from tests.clocks import ManualClock
from tests.console.rehearsal.sim.kubernetes.making import deployment, job, service

DIGEST = "sha256:" + "a" * 64


class Moved:
    """A cluster and the clock it moves by; ``plan`` says what becomes of its pods."""

    def __init__(self, journal: Path | None = None) -> None:
        self.clock = ManualClock()
        self.store = Store.open(journal, self.clock)
        self.plan: Callable[[JsonObject], PodPlan] = lambda pod: PodPlan()
        self.jobs: list[tuple[str, str]] = []
        self.controllers = Controllers(
            self.store,
            self.clock,
            behaviour=self._asked,
            resolve=lambda image: None if image.endswith(":missing") else DIGEST,
            on_job_finished=lambda namespace, done: self.jobs.append((namespace, name_of(done))),
        )
        if self.store.peek("namespaces", "", "shop") is None:
            self.store.create("namespaces", {"metadata": {"name": "shop"}})

    def _asked(self, pod: JsonObject) -> PodPlan:
        return self.plan(pod)

    async def run(self, seconds: float) -> None:
        for _ in range(int(seconds * 2)):
            self.controllers.tick()
            await self.clock.advance(0.5)
        self.controllers.tick()

    def pods(self) -> list[JsonObject]:
        return self.store.scan("pods", "shop")

    def shown(self) -> list[str]:
        return [pod_status(pod) for pod in self.pods()]

    def images(self) -> list[str]:
        return sorted(text(objs(path(pod, ("spec", "containers")))[0], "image") for pod in self.pods())

    def reasons(self) -> set[str]:
        return {text(one, "reason") for one in self.store.scan("events", "shop")}

    def web(self) -> JsonObject:
        return self.store.need("deployments", "shop", "web")


@pytest.fixture
def moved() -> Moved:
    return Moved()


async def test_a_pod_takes_its_time(moved: Moved) -> None:
    moved.store.create("deployments", deployment(replicas=1))
    moved.controllers.tick()
    assert moved.shown() == ["ContainerCreating"]
    seen = []
    for _ in range(14):
        await moved.run(1)
        seen.append((moved.shown()[0], path(moved.web(), ("status", "readyReplicas"))))
    assert seen[0] == ("ContainerCreating", None)
    assert ("Running", None) in seen
    assert seen[-1] == ("Running", 1)
    assert {"Scheduled", "Pulling", "Pulled", "Created", "Started"} <= moved.reasons()
    status = objs(path(moved.pods()[0], ("status", "containerStatuses")))[0]
    assert text(status, "imageID") == f"shop/web@{DIGEST}"
    assert text(condition(moved.web(), "Available"), "status") == "True"
    assert text(condition(moved.web(), "Progressing"), "reason") == "NewReplicaSetAvailable"


async def test_a_rollout_never_has_fewer_ready_than_it_may(moved: Moved) -> None:
    moved.store.create("deployments", deployment(replicas=4))
    await moved.run(15)
    moved.store.put(
        "deployments", {**deployment(replicas=4, image=f"shop/web@{DIGEST}"), "status": moved.web()["status"]}
    )
    for _ in range(40):
        await moved.run(1)
        assert sum(word(pod, "metadata", "deletionTimestamp") == "" for pod in moved.pods()) <= 5
        ready = path(moved.web(), ("status", "readyReplicas"))
        assert isinstance(ready, int)
        assert ready >= 3
    assert moved.images() == [f"shop/web@{DIGEST}"] * 4
    assert path(moved.web(), ("status", "observedGeneration")) == 2
    assert [path(one, ("spec", "replicas")) for one in moved.store.scan("replicasets")].count(0) == 1


async def test_a_candidate_that_is_never_ready_stops_the_rollout_and_going_back_cures_it(
    moved: Moved,
) -> None:
    def plan(pod: JsonObject) -> PodPlan:
        bad = text(objs(path(pod, ("spec", "containers")))[0], "image").endswith(":bad")
        return PodPlan(ready=not bad)

    moved.plan = plan
    moved.store.create("deployments", deployment(progressDeadlineSeconds=60))
    await moved.run(15)
    good = moved.web()["spec"]
    moved.store.update("deployments", deployment(image="shop/web:bad", progressDeadlineSeconds=60))
    await moved.run(80)
    assert path(moved.web(), ("status", "readyReplicas")) == 2
    assert text(condition(moved.web(), "Progressing"), "reason") == "ProgressDeadlineExceeded"
    assert "Unhealthy" in moved.reasons()
    moved.store.update("deployments", {**deployment(), "spec": good})
    await moved.run(20)
    assert moved.images() == ["shop/web:1"] * 2
    assert text(condition(moved.web(), "Progressing"), "reason") == "NewReplicaSetAvailable"


@pytest.mark.parametrize(
    ("plan", "image", "shown", "event"),
    [
        (PodPlan(image_error="manifest unknown"), "shop/web:1", "ImagePullBackOff", "Failed"),
        (PodPlan(), "shop/web:missing", "ImagePullBackOff", "BackOff"),
        (
            PodPlan(config_error='configmap "x" not found'),
            "shop/web:1",
            "CreateContainerConfigError",
            "Failed",
        ),
        (PodPlan(ends_after_s=2, exit_code=3), "shop/web:1", "CrashLoopBackOff", "BackOff"),
        (PodPlan(schedulable=False), "shop/web:1", "Pending", "FailedScheduling"),
    ],
)
async def test_ways_to_fail(moved: Moved, plan: PodPlan, image: str, shown: str, event: str) -> None:
    moved.plan = lambda pod: plan
    moved.store.create("deployments", deployment(replicas=1, image=image))
    await moved.run(12)
    assert moved.shown() == [shown]
    assert event in moved.reasons()


async def test_a_pod_waits_for_the_config_map_that_it_names(moved: Moved) -> None:
    made = deployment(replicas=1)
    container = {"name": "web", "image": "shop/web:1", "envFrom": [{"configMapRef": {"name": "web-config"}}]}
    labelled = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    moved.store.create("deployments", {**made, "spec": {**obj(made["spec"]), "template": labelled}})
    await moved.run(10)
    assert moved.shown() == ["CreateContainerConfigError"]
    status = objs(path(moved.pods()[0], ("status", "containerStatuses")))[0]
    assert path(status, ("state", "waiting", "message")) == 'configmap "web-config" not found'
    moved.store.create("configmaps", {"metadata": {"name": "web-config", "namespace": "shop"}})
    await moved.run(10)
    assert moved.shown() == ["Running"]


async def test_a_crash_loop_counts_and_says_why(moved: Moved) -> None:
    moved.plan = lambda pod: PodPlan(ends_after_s=2, exit_code=137, end_reason="OOMKilled")
    moved.store.create("deployments", deployment(replicas=1))
    await moved.run(90)
    status = objs(path(moved.pods()[0], ("status", "containerStatuses")))[0]
    assert status["restartCount"] in (3, 4)
    assert path(status, ("lastState", "terminated", "reason")) == "OOMKilled"
    moved.plan = lambda pod: PodPlan()
    await moved.run(200)
    assert moved.shown() == ["Running"]
    assert path(moved.web(), ("status", "readyReplicas")) == 1


async def test_a_pod_that_turns_unready_leaves_the_endpoints(moved: Moved) -> None:
    moved.store.create("services", service())
    moved.store.create("deployments", deployment(replicas=2))
    await moved.run(15)

    def subset() -> JsonObject:
        return objs(moved.store.need("endpoints", "shop", "web")["subsets"])[0]

    assert len(objs(subset()["addresses"])) == 2
    assert objs(subset()["ports"]) == [{"port": 8000, "protocol": "TCP"}]
    sick = name_of(moved.pods()[0])
    moved.plan = lambda pod: PodPlan(ready=name_of(pod) != sick)
    await moved.run(1)
    assert [path(one, ("targetRef", "name")) for one in objs(subset()["notReadyAddresses"])] == [sick]
    assert path(moved.web(), ("status", "unavailableReplicas")) == 1


async def test_jobs_end_and_say_so_once(moved: Moved) -> None:
    moved.store.create("jobs", job("good", ttlSecondsAfterFinished=30))
    moved.store.create("jobs", job("bad", backoffLimit=1))
    moved.plan = lambda pod: PodPlan(exit_code=int(name_of(pod).startswith("bad")))
    await moved.run(30)
    good, bad = (moved.store.need("jobs", "shop", name) for name in ("good", "bad"))
    assert text(condition(good, "Complete"), "status") == "True"
    assert (path(good, ("status", "succeeded")), path(bad, ("status", "failed"))) == (1, 2)
    assert text(condition(bad, "Failed"), "reason") == "BackoffLimitExceeded"
    assert sorted(moved.jobs) == [("shop", "bad"), ("shop", "good")]
    await moved.run(20)
    assert moved.store.peek("jobs", "shop", "good") is None
    assert [text(obj(one["metadata"]), "name")[:3] for one in moved.pods()] == ["bad", "bad"]


async def test_a_killed_cluster_goes_on_where_it_was(tmp_path: Path) -> None:
    first = Moved(tmp_path / "journal")
    first.store.create("deployments", deployment(replicas=2))
    await first.run(4)
    before = {name_of(pod) for pod in first.pods()}
    first.store.close()
    again = Moved(tmp_path / "journal")
    await again.run(15)
    again.store.close()
    assert {name_of(pod) for pod in again.pods()} == before
    assert path(again.web(), ("status", "readyReplicas")) == 2


async def by_itself(moved: Moved, seconds: int) -> None:
    """Let the running controllers see each second before the next one comes."""
    for _ in range(seconds):
        for _ in range(10):
            await asyncio.sleep(0)
        await moved.clock.advance(1)


async def test_the_running_controllers_wake_for_changes_and_for_time(moved: Moved) -> None:
    moved.store.create("ingresses", {"metadata": {"name": "door", "namespace": "shop"}, "spec": {}})
    running = asyncio.create_task(moved.controllers.run())
    try:
        await moved.clock.advance(0)
        moved.store.create("deployments", deployment(replicas=1))
        await by_itself(moved, 20)
        assert path(moved.web(), ("status", "readyReplicas")) == 1
        door = moved.store.need("ingresses", "shop", "door")
        assert path(door, ("status", "loadBalancer", "ingress")) == [{"ip": "127.0.0.1"}]
        moved.store.delete("namespaces", "", "shop")
        await by_itself(moved, 6)
        assert moved.store.peek("namespaces", "", "shop") is None
        assert moved.pods() == []
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
