"""Who has power in production: the cluster's own, and those whom people gave it."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import cast

import pytest

from checks.base import CheckContext, CouldNotLookError
from checks.clients.errors import ForbiddenError, ServerFailedError
from checks.cluster import AccessSettings, access
from console.rehearsal.sim.kubernetes import Store, bootstrap
from console.rehearsal.world.cluster_seed import api_server
from state.base.json import Json, JsonObject, path
from state.view.enums import Verdict
from tests.clocks import ManualClock

_GROUP = {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io"}


class Listed:
    """A cluster of which only lists are asked."""

    namespace = "shop"

    def __init__(self, store: Store, refusal: CouldNotLookError | None = None) -> None:
        self._store, self.refusal = store, refusal

    async def list_objects(self, where: str, query: Mapping[str, object] | None = None) -> SimpleNamespace:
        parts = where.split("/")
        inside = parts[parts.index("namespaces") + 1] if "namespaces" in parts else None
        if parts[-1] == "pods":
            assert query == {"labelSelector": "component=kube-apiserver"}
            if self.refusal is not None:
                raise self.refusal
        return SimpleNamespace(items=tuple(self._store.scan(parts[-1], inside)))


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


async def judged(
    store: Store, refusal: CouldNotLookError | None = None, **settings: object
) -> tuple[Verdict, str, JsonObject]:
    clients = SimpleNamespace(kube=lambda _: Listed(store, refusal))
    context = cast("CheckContext", SimpleNamespace(clients=clients, tier="production"))
    chosen = AccessSettings.model_validate({"allowed": ("release-operators",), **settings})
    outcome = await access(chosen, context)
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


POLICY, LOG = "--audit-policy-file=/p.yaml", "--audit-log-path=-"
HOOK = "--audit-webhook-config-file=/hook.yaml"
NO, YES, DARK = Verdict.FAIL, Verdict.PASS, Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("servers", "audit", "verdict", "words"),
    [
        ([(POLICY, LOG)], "seen", YES, "1 API server keeps an audit log"),
        ([(POLICY, HOOK)], "asked", YES, "1 API server keeps an audit log"),
        ([("--audit-policy-file", "/p.yaml", "--audit-log-path", "/log")], "seen", YES, "1 API server keeps"),
        ([(POLICY, LOG), (POLICY, HOOK)], "seen", YES, "2 API servers keep an audit log"),
        ([(LOG,)], "asked", NO, "records no access: it has no audit-policy-file"),
        ([("--audit-policy-file=", LOG)], "asked", NO, "records no access"),
        ([(POLICY, "--audit-log-maxage=30")], "asked", NO, "has an audit policy and keeps no log"),
        ([(POLICY, "--audit-log-path=")], "seen", NO, "keeps no log"),
        ([(POLICY, LOG), ("--profiling=false",)], "asked", NO, "kube-apiserver-node-2 records no access"),
        ([], "asked", YES, "whether the cluster records access is not seen here, but asked"),
        ([], "seen", DARK, "whether the cluster records access can't be seen"),
        ([("--profiling=false",)], None, YES, "1 subject has power"),  # a runbook of before: nobody looks
    ],
)
async def test_access_is_recorded_by_every_api_server_that_is_seen(
    servers: list[tuple[str, ...]], audit: str | None, verdict: Verdict, words: str
) -> None:
    store = as_new()
    bind(store, {**_GROUP, "name": "release-operators"})
    for number, flags in enumerate(servers, start=1):
        store.put("pods", api_server(number, "2026-12-01T00:00:00Z", *flags))
    found, summary, evidence = await judged(store, audit=audit)
    assert (found, words in summary) == (verdict, True), summary
    assert ("audit log" in summary) == bool(servers and audit and verdict is YES)
    assert evidence.get("api_servers") == (len(servers) if audit else None)


@pytest.mark.parametrize(
    ("refusal", "audit", "verdict"),
    [
        (ForbiddenError("may not list pods"), "asked", YES),
        (ForbiddenError("may not list pods"), "seen", DARK),
        (ServerFailedError("answered 503"), "asked", DARK),  # it may be seen the next time
        (ServerFailedError("answered 503"), "seen", DARK),
    ],
)
async def test_who_may_not_look_at_the_api_servers_leaves_it_to_the_question(
    refusal: CouldNotLookError, audit: str, verdict: Verdict
) -> None:
    found, summary, _ = await judged(as_new(), refusal, audit=audit)
    assert found is verdict, summary
    assert "keep" not in summary
