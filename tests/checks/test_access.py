"""Who has power in production: the cluster's own, and those whom people gave it."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import cast

import pytest

from checks.base import CheckContext
from checks.cluster import AccessSettings, access
from console.rehearsal.sim.kubernetes import Store, bootstrap
from state.base.json import Json, JsonObject, path
from state.view.enums import Verdict
from tests.clocks import ManualClock

_GROUP = {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io"}


class Listed:
    """A cluster of which only lists are asked."""

    namespace = "shop"

    def __init__(self, store: Store) -> None:
        self._store = store

    async def list_objects(self, where: str, query: Mapping[str, object] | None = None) -> SimpleNamespace:
        del query
        plural, inside = where.rpartition("/")[2], "/namespaces/" in where
        found = self._store.scan(plural, self.namespace if inside else None)
        return SimpleNamespace(items=tuple(found))


def as_new() -> Store:
    """Return a cluster as it is after its first start, with a namespace for the release."""
    store = Store.open(None, ManualClock())
    store.create("namespaces", {"metadata": {"name": "shop"}})
    for plural, body in bootstrap.objects():
        store.put(plural, body)
    return store


def bind(store: Store, subject: Json, role: str = "cluster-admin", **labels: str) -> None:
    """Give somebody a cluster role everywhere."""
    store.create(
        "clusterrolebindings",
        {
            "metadata": {"name": f"given-{role}", "labels": labels},
            "roleRef": {"kind": "ClusterRole", "name": role},
            "subjects": [subject],
        },
    )


async def judged(store: Store, **settings: tuple[str, ...]) -> tuple[Verdict, str, JsonObject]:
    clients = SimpleNamespace(kube=lambda _: Listed(store))
    context = cast("CheckContext", SimpleNamespace(clients=clients, tier="production"))
    outcome = await access(AccessSettings(**{"allowed": ("release-operators",), **settings}), context)
    return outcome.verdict, outcome.summary, outcome.evidence


async def test_a_new_cluster_gave_nobody_power() -> None:
    verdict, summary, _ = await judged(as_new())
    assert verdict is Verdict.PASS, summary


@pytest.mark.parametrize(
    ("subject", "told"),
    [
        ({**_GROUP, "name": "developers"}, "Group developers"),
        ({**_GROUP, "name": "system:authenticated"}, "Group system:authenticated"),
        ({**_GROUP, "name": "system:unauthenticated"}, "Group system:unauthenticated"),
        ({**_GROUP, "name": "system:serviceaccounts:shop"}, "Group system:serviceaccounts:shop"),
        ({"kind": "User", "name": "system:anonymous"}, "User system:anonymous"),
        ({"kind": "User", "name": "system:serviceaccount:ci:robot"}, "ServiceAccount ci/robot"),
        ({"kind": "ServiceAccount", "namespace": "ci", "name": "robot"}, "ServiceAccount ci/robot"),
        ({"kind": "ServiceAccount", "namespace": "kube-system", "name": "tiller"}, "kube-system/tiller"),
    ],
)
async def test_whom_people_gave_power_is_told(subject: JsonObject, told: str) -> None:
    store = as_new()
    bind(store, dict(subject))
    verdict, summary, _ = await judged(store)
    assert verdict is Verdict.FAIL
    assert told in summary


async def test_one_who_was_added_to_the_clusters_own_binding_is_told() -> None:
    store = as_new()
    own = store.need("clusterrolebindings", "", "cluster-admin")
    added = [*cast("list[Json]", path(own, ("subjects",))), {"kind": "User", "name": "ann"}]
    store.put("clusterrolebindings", {**own, "subjects": added})
    verdict, summary, _ = await judged(store)
    assert verdict is Verdict.FAIL
    assert "User ann" in summary


async def test_an_addon_of_kube_system_can_be_let_in() -> None:
    store = as_new()
    bind(store, {"kind": "ServiceAccount", "namespace": "kube-system", "name": "metrics"})
    for settings in ({"allowed": ("kube-system/metrics",)}, {"system": ("system:", "kube-system/")}):
        assert (await judged(store, **settings))[0] is Verdict.PASS
