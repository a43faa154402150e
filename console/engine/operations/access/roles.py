"""The least Role and ClusterRole for the engine's account in an environment: to look, and to operate."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from checks.api_audit import SPACE as KUBE_SYSTEM
from checks.base import CouldNotLookError
from checks.looks import CheckRef, checks_of, checks_of_stages
from console.engine.operations.access.needs import RBAC, Need, needs, rules
from console.engine.operations.access.permissions import console_needs, whole
from console.engine.operations.preview.approvals import register_rendered, register_secrets
from console.engine.operations.run.context import Site
from console.engine.operations.verdict.helm_history import history
from state.base.json import Json
from state.runbook.models import Runbook
from state.view.enums import OperationKind, Tier

_ACCOUNT = "launch-console"


def looking(runbook: Runbook, tier: Tier) -> set[Need]:
    """Return what watches and checks read of an environment, whatever is operated there."""
    space = runbook.environments[tier].kube.namespace
    found = {Need("get", "", "namespaces", "", space)}
    found |= needs(space, "", "get list watch", "pods") | needs(space, "", "get", "pods/log")
    found |= needs(space, "networking.k8s.io", "get list watch", "ingresses")
    found |= needs(space, "", "get list", "secrets", "configmaps", "events")
    found |= needs(space, "apps", "get list", "deployments", "replicasets", "statefulsets", "daemonsets")
    found |= needs(space, "batch", "get list", "jobs", "cronjobs")
    found |= needs(space, "autoscaling", "list", "horizontalpodautoscalers")
    found |= needs(space, "coordination.k8s.io", "get", "leases")
    kinds = {one.spec.kind for one in _checks(runbook)}
    if "cluster.access" in kinds:
        found |= needs(space, RBAC, "list", "roles", "rolebindings")
        found |= needs("", RBAC, "list", "clusterroles", "clusterrolebindings")
    if any(one.spec.kind == "cluster.access" and one.spec.settings.get("audit") for one in _checks(runbook)):
        found |= needs(KUBE_SYSTEM, "", "list", "pods")
    if "cluster.pod_tokens" in kinds:
        found |= needs(space, "", "list", "serviceaccounts")
    if "scope.regions" in kinds:
        found |= needs("", "", "list", "nodes")
    if "data.backup" in kinds:
        found |= needs(space, "snapshot.storage.k8s.io", "list", "volumesnapshots")
    return found


def _checks(runbook: Runbook) -> Iterable[CheckRef]:
    items = [item.id for gate in runbook.gates for item in gate.items]
    return [*checks_of(runbook, items), *checks_of_stages(runbook, [stage.id for stage in runbook.stages])]


async def operating(site: Site) -> set[Need]:
    """Return what every operation of an environment needs: of the chart as it renders, and of what is installed.

    Raises HelmError where the chart doesn't render, and the client's errors where the cluster doesn't say which
    resources its kinds are.
    """
    space, found = site.namespace, set[Need]()
    for kind in (
        OperationKind.DEPLOY,
        OperationKind.MIGRATE,
        OperationKind.ROLLBACK,
        OperationKind.UNINSTALL,
    ):
        found |= console_needs(space, kind)
    found |= needs(space, "", "get list create update patch delete", "secrets")
    await asyncio.to_thread(register_secrets, site.helm.chart, site.clients.redactor)
    rendered = await site.helm.render(site.runbook.candidate, by_server=False)
    register_rendered(rendered.manifest, site.clients.redactor)
    found |= await whole(site, rendered.manifest, rendered.hooks_manifest)
    try:
        installed = (await history(site))[-1:]
    except CouldNotLookError:
        installed = ()  # whoever prints this may not be who reads it
    for revision in installed:
        found |= await whole(site, revision.manifest, "")
    if site.environment.namespace_labels:
        found.add(Need("patch", "", "namespaces", "", space))
    if site.tier is Tier.PRODUCTION and site.runbook.anchors.configmap:
        found |= needs(space, "", "create patch", "configmaps")
    return found


def manifests(found: Iterable[Need], tier: Tier, account: str, namespace: str) -> list[dict[str, Json]]:
    """Return roles and bindings: one Role for each namespace, and one ClusterRole for what is in none."""
    places: dict[str, list[Need]] = {}
    for one in found:
        places.setdefault(one.namespace, []).append(one)
    made: list[dict[str, Json]] = []
    for place in sorted(places):
        kind = "Role" if place else "ClusterRole"
        name = f"{_ACCOUNT}-{tier}"
        meta: dict[str, Json] = {"name": name, **({"namespace": place} if place else {})}
        subject: dict[str, Json] = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
        if account.startswith("user:"):
            user = account.removeprefix("user:")
            subject = {"kind": "User", "apiGroup": RBAC, "name": user}
        version = f"{RBAC}/v1"
        made.append({"apiVersion": version, "kind": kind, "metadata": meta, "rules": rules(places[place])})
        made.append(
            {
                "apiVersion": version,
                "kind": f"{kind}Binding",
                "metadata": meta,
                "roleRef": {"apiGroup": RBAC, "kind": kind, "name": name},
                "subjects": [subject],
            }
        )
    return made
