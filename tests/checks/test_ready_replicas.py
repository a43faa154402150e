"""How many replicas are ready: none as long as the controller hasn't seen the newest spec."""

from __future__ import annotations

import pytest

from checks.workloads import ready_replicas
from state.base.json import JsonObject

READY: JsonObject = {"updatedReplicas": 3, "readyReplicas": 3, "replicas": 3}
ON_NODES: JsonObject = {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberReady": 3}


@pytest.mark.parametrize("status", [READY, ON_NODES], ids=["deployment", "daemon set"])
@pytest.mark.parametrize(
    ("observed", "generation", "ready"),
    [
        ({"observedGeneration": 4}, 4, 3),
        ({"observedGeneration": 5}, 4, 3),
        ({"observedGeneration": 3}, 4, 0),  # these three are of the spec before
        ({}, 4, 0),  # the controller never saw it
        ({}, 0, 3),  # nobody counts generations
    ],
)
def test_what_is_told_of_an_older_spec_is_not_ready(
    status: JsonObject, observed: JsonObject, generation: int, ready: int
) -> None:
    deployed: JsonObject = {
        "metadata": {"generation": generation},
        "spec": {"replicas": 3},
        "status": {**status, **observed},
    }
    assert ready_replicas(deployed) == (ready, 3)


def test_half_a_rollout_is_not_ready() -> None:
    half: JsonObject = {"spec": {"replicas": 3}, "status": {"updatedReplicas": 1, "readyReplicas": 3}}
    assert ready_replicas(half) == (1, 3)
