"""What is told of a pod that somebody looks at: containers, why, events, its logs; and what can't be seen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from checks.clients.errors import NotFoundError
from checks.clients.kube import KubeClient
from checks.clients.redact import Redactor
from console.engine.commands.authorize import refusal
from console.engine.commands.pod_description import describe
from console.engine.ports import Who
from console.rehearsal.sim.kubernetes import KubeApi, Store
from state.base.json import JsonObject
from state.runbook.environment import Kube
from state.view.launch import LaunchView
from tests.clocks import ManualClock
from tests.console.rehearsal.sim.kubernetes.conftest import serve

DIGEST = "sha256:" + "ab" * 32
POD: JsonObject = {
    "metadata": {"name": "api-1", "namespace": "shop"},
    "spec": {"nodeName": "n1", "containers": [{"name": "api", "image": "r/api:v2"}]},
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
        "containerStatuses": [
            {
                "name": "api",
                "ready": False,
                "restartCount": 4,
                "image": "r/api:v2",
                "imageID": f"r/api@{DIGEST}",
                "containerID": "containerd://1",
                "state": {"running": {"startedAt": "2026-11-29T20:00:00Z"}},
                "lastState": {"terminated": {"reason": "Error", "exitCode": 3}},
            }
        ],
    },
}


def event(uid: str) -> JsonObject:
    return {
        "metadata": {"name": "api-1.1", "namespace": "shop"},
        "type": "Warning",
        "reason": "Unhealthy",
        "message": "Readiness probe failed: 503",
        "count": 7,
        "lastTimestamp": "2026-11-29T20:10:00Z",
        "involvedObject": {"kind": "Pod", "name": "api-1", "namespace": "shop", "uid": uid},
    }


def written(namespace: str, pod: str, container: str) -> str:
    return "\n".join(f"line {n} of {namespace}/{pod}/{container}" for n in range(40))


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Callable[..., KubeClient]]:
    store = Store(ManualClock())
    store.put("namespaces", {"metadata": {"name": "shop"}})
    store.put("pods", POD)
    meta = store.need("pods", "shop", "api-1")["metadata"]
    assert isinstance(meta, dict)
    store.put("events", event(str(meta["uid"])))
    async with serve(store, KubeApi(store, pod_log=written), tmp_path):
        kube = Kube(kubeconfig=tmp_path / "kubeconfig", context="rehearsal", namespace="shop")
        client = KubeClient(kube, "production", Redactor(), timeout=5.0)
        try:
            yield lambda: client
        finally:
            await client.aclose()


async def test_a_pod_is_described_as_the_cluster_tells_it(asked: Callable[..., KubeClient]) -> None:
    told = await describe(asked(), "api-1", ManualClock().wall_us())
    assert any(line.startswith("! not ready: ") for line in told)
    assert any("Readiness probe failed: 503" in line for line in told)
    assert "✖ api: running, restarted 4 times" in told
    assert not any(line.startswith("node ") for line in told)  # the screen has it beside what the watch saw
    assert "│ r/api:v2 abababababab" in told
    assert "│ ended before: Error, exit code 3" in told
    log = told[told.index("# LOG api") + 1 :]
    assert log[-1] == "│ line 39 of shop/api-1/api"
    assert len(log) == 12


async def test_a_pod_that_is_gone_is_no_pass(asked: Callable[..., KubeClient]) -> None:
    with pytest.raises(NotFoundError):
        await describe(asked(), "api-9", ManualClock().wall_us())


def test_whoever_is_attached_may_look() -> None:
    assert refusal(LaunchView(), "pod.describe", Who("tom", "test", "c9")) == ""
