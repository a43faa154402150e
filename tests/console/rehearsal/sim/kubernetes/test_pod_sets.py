"""StatefulSets and DaemonSets of the simulated cluster, and pods that take their whole grace to end."""

from __future__ import annotations

import pytest

from console.rehearsal.sim.kubernetes import KubeError, PodPlan
from console.rehearsal.sim.kubernetes.objects import is_terminating, name_of, word
from state.base.json import Json, JsonObject, obj, objs, path, text
from tests.console.rehearsal.sim.kubernetes.conformance_cases import template, workload
from tests.console.rehearsal.sim.kubernetes.making import deployment
from tests.console.rehearsal.sim.kubernetes.test_controllers import Moved


@pytest.fixture
def moved() -> Moved:
    return Moved()


def a_set(kind: str, image: str, **spec: Json) -> JsonObject:
    """Return a set in the namespace."""
    body = workload("db", kind, pod=template("db", container={"image": image}), **spec)
    return {**body, "metadata": {"name": "db", "namespace": "shop"}}


def status(moved: Moved, plural: str) -> JsonObject:
    """Return the status of the set."""
    return obj(moved.store.need(plural, "shop", "db").get("status"))


async def test_a_statefulset_goes_up_in_order_and_is_replaced_from_its_end(moved: Moved) -> None:
    moved.store.create("statefulsets", a_set("StatefulSet", "shop/db:1", replicas=3, serviceName="db"))
    moved.controllers.tick()
    assert [name_of(pod) for pod in moved.pods()] == ["db-0"]
    await moved.run(60)
    assert [name_of(pod) for pod in moved.pods()] == ["db-0", "db-1", "db-2"]
    assert status(moved, "statefulsets")["readyReplicas"] == 3
    before = text(status(moved, "statefulsets"), "currentRevision")
    moved.store.update("statefulsets", a_set("StatefulSet", "shop/db:2", replicas=3, serviceName="db"))
    moved.controllers.tick()
    assert [name_of(pod) for pod in moved.pods() if is_terminating(pod)] == ["db-2"]
    assert text(status(moved, "statefulsets"), "updateRevision") != before
    assert text(status(moved, "statefulsets"), "currentRevision") == before
    await moved.run(120)
    assert moved.images() == ["shop/db:2"] * 3
    told = status(moved, "statefulsets")
    assert told["currentRevision"] == told["updateRevision"] != before
    assert (told["updatedReplicas"], told["observedGeneration"]) == (3, 2)
    moved.store.update("statefulsets", a_set("StatefulSet", "shop/db:2", replicas=1, serviceName="db"))
    await moved.run(30)
    assert [name_of(pod) for pod in moved.pods()] == ["db-0"]


async def test_a_statefulset_that_never_was_ready_can_be_put_right(moved: Moved) -> None:
    moved.store.create("statefulsets", a_set("StatefulSet", "shop/db:missing", replicas=2, serviceName="db"))
    await moved.run(20)
    assert [name_of(pod) for pod in moved.pods()] == ["db-0"]
    moved.store.update("statefulsets", a_set("StatefulSet", "shop/db:2", replicas=2, serviceName="db"))
    await moved.run(60)
    assert moved.shown() == ["Running", "Running"]


def test_most_of_a_statefulset_can_not_change(moved: Moved) -> None:
    moved.store.create("statefulsets", a_set("StatefulSet", "shop/db:1", serviceName="db"))
    with pytest.raises(KubeError, match="updates to statefulset spec for fields other than"):
        moved.store.update("statefulsets", a_set("StatefulSet", "shop/db:1", serviceName="other"))


async def test_claims_are_made_and_outlive_their_pods(moved: Moved) -> None:
    claim: JsonObject = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    body = a_set("StatefulSet", "shop/db:1", serviceName="db", volumeClaimTemplates=[claim])
    moved.store.create("statefulsets", body)
    await moved.run(12)
    assert objs(path(moved.pods()[0], ("spec", "volumes")))[0] == {
        "name": "data",
        "persistentVolumeClaim": {"claimName": "data-db-0"},
    }
    moved.store.delete("statefulsets", "shop", "db")
    await moved.run(12)
    assert moved.pods() == []
    assert [name_of(one) for one in moved.store.scan("persistentvolumeclaims")] == ["data-db-0"]


async def test_a_daemonset_has_a_pod_for_each_node(moved: Moved) -> None:
    moved.store.create("daemonsets", a_set("DaemonSet", "shop/db:1"))
    await moved.run(12)
    nodes = {name_of(one) for one in moved.store.scan("nodes")}
    assert {word(pod, "spec", "nodeName") for pod in moved.pods()} == nodes
    assert status(moved, "daemonsets")["numberReady"] == len(nodes) == len(moved.pods())
    moved.store.update("daemonsets", a_set("DaemonSet", "shop/db:2"))
    moved.controllers.tick()
    assert sum(is_terminating(pod) for pod in moved.pods()) == 1
    await moved.run(90)
    assert moved.images() == ["shop/db:2"] * len(nodes)
    assert status(moved, "daemonsets")["updatedNumberScheduled"] == len(nodes)


async def test_a_pod_that_ignores_sigterm_takes_its_whole_grace(moved: Moved) -> None:
    moved.plan = lambda pod: PodPlan(ignores_term=True)
    body = deployment(replicas=1)
    spec = obj(obj(obj(body["spec"])["template"])["spec"])
    slow = {
        **body,
        "spec": {
            **obj(body["spec"]),
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {**spec, "terminationGracePeriodSeconds": 90},
            },
        },
    }
    moved.store.create("deployments", slow)
    await moved.run(15)
    moved.store.update("deployments", {**slow, "spec": {**obj(slow["spec"]), "replicas": 0}})
    await moved.run(80)
    assert [is_terminating(pod) for pod in moved.pods()] == [True]
    await moved.run(15)
    assert moved.pods() == []
