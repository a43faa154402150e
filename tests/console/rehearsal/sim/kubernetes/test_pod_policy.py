"""Pods that a namespace doesn't admit: the refusal, and where its reason is told when a controller makes them."""

from __future__ import annotations

import pytest

from console.rehearsal.sim.kubernetes import KubeError
from console.rehearsal.sim.kubernetes.objects import condition
from state.base.json import Json, JsonObject, obj, text
from tests.console.rehearsal.sim.kubernetes.conformance_cases import pod
from tests.console.rehearsal.sim.kubernetes.making import deployment, job
from tests.console.rehearsal.sim.kubernetes.test_controllers import Moved

_ENFORCE = "pod-security.kubernetes.io/enforce"
_FINE: JsonObject = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.fixture
def moved() -> Moved:
    return Moved()


def enforce(moved: Moved, level: str) -> None:
    """Label the namespace."""
    moved.store.put("namespaces", {"metadata": {"name": "shop", "labels": {_ENFORCE: level}}})


def quota(pods: str) -> JsonObject:
    """Return a ResourceQuota of so many pods."""
    return {"metadata": {"name": "few", "namespace": "shop"}, "spec": {"hard": {"pods": pods}}}


def secured(**security: Json) -> JsonObject:
    """Return a pod with a container's security context."""
    container: JsonObject = {"name": "web", "image": "shop/web:1", "securityContext": security}
    return pod("web", containers=[container])


@pytest.mark.parametrize(
    ("level", "body", "words"),
    [
        ("privileged", pod("web", hostNetwork=True), ""),
        ("baseline", pod("web"), ""),
        ("baseline", pod("web", hostNetwork=True), "host namespaces (hostNetwork=true)"),
        (
            "baseline",
            pod("web", volumes=[{"name": "v", "hostPath": {"path": "/"}}]),
            'hostPath volumes (volume "v")',
        ),
        ("baseline", secured(privileged=True), 'privileged (container "web" must not set'),
        ("restricted", secured(**_FINE), ""),
        (
            "restricted",
            pod("web"),
            'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
        ),
        ("restricted", secured(**{**_FINE, "capabilities": {}}), "unrestricted capabilities"),
        ("restricted", secured(**{**_FINE, "runAsNonRoot": False}), "runAsNonRoot != true"),
        (
            "restricted",
            secured(**{**_FINE, "seccompProfile": {"type": "Unconfined"}}),
            "seccompProfile (pod or",
        ),
        ("", pod("web", serviceAccountName="nobody"), 'serviceaccount "nobody" not found'),
        ("", pod("web", priorityClassName="gold"), "no PriorityClass with name gold was found"),
    ],
)
def test_what_is_admitted(moved: Moved, level: str, body: JsonObject, words: str) -> None:
    if level:
        enforce(moved, level)
    if not words:
        moved.store.create("pods", body, "shop")
        return
    with pytest.raises(KubeError) as refused:
        moved.store.create("pods", body, "shop")
    assert (refused.value.code, refused.value.reason) == (403, "Forbidden")
    assert refused.value.message.startswith('pods "web" is forbidden: ')
    assert words in refused.value.message


async def test_a_deployment_tells_why_its_pods_are_refused_until_they_are_not(moved: Moved) -> None:
    enforce(moved, "restricted")
    moved.store.create("deployments", deployment())
    await moved.run(12)
    assert moved.pods() == []
    failure = condition(moved.web(), "ReplicaFailure")
    assert (failure["status"], failure["reason"]) == ("True", "FailedCreate")
    assert 'violates PodSecurity "restricted:latest"' in text(failure, "message")
    events = [one for one in moved.store.scan("events", "shop") if text(one, "reason") == "FailedCreate"]
    assert text(obj(events[0]["involvedObject"]), "kind") == "ReplicaSet"
    assert all(text(one, "message").startswith('Error creating: pods "web-') for one in events)
    enforce(moved, "baseline")
    await moved.run(25)
    assert moved.shown() == ["Running", "Running"]
    assert not condition(moved.web(), "ReplicaFailure")


async def test_a_quota_lets_as_many_in_as_it_says(moved: Moved) -> None:
    moved.store.create("resourcequotas", quota("1"))
    moved.store.create("deployments", deployment())
    await moved.run(12)
    assert len(moved.pods()) == 1
    assert "exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1" in text(
        condition(moved.web(), "ReplicaFailure"), "message"
    )


async def test_a_job_without_its_account_waits_for_it(moved: Moved) -> None:
    pod_spec: JsonObject = {
        "restartPolicy": "Never",
        "serviceAccountName": "migrator",
        "containers": [{"name": "migrate", "image": "shop/web:1"}],
    }
    moved.store.create("jobs", {**job(), "spec": {"template": {"spec": pod_spec}}})
    await moved.run(8)
    assert moved.pods() == []
    assert "FailedCreate" in moved.reasons()
    assert "active" not in obj(moved.store.need("jobs", "shop", "migrate").get("status"))
    moved.store.create("serviceaccounts", {"metadata": {"name": "migrator", "namespace": "shop"}})
    await moved.run(8)
    assert len(moved.pods()) == 1
