"""What an operation does in the cluster, and whether this account may do it."""

from __future__ import annotations

import asyncio

from console.engine.operations.run.context import Site
from state.runbook.models import Operation
from state.view.enums import OperationKind

_VERBS = {
    OperationKind.DEPLOY: (
        *((verb, "", "secrets") for verb in ("get", "list", "create", "update")),
        *((verb, "apps", "deployments") for verb in ("get", "create", "patch")),
        ("create", "", "services"),
        ("create", "", "configmaps"),
        ("create", "networking.k8s.io", "ingresses"),
        ("create", "batch", "jobs"),
        ("list", "", "pods"),
        ("create", "coordination.k8s.io", "leases"),
        ("patch", "coordination.k8s.io", "leases"),
    ),
    OperationKind.MIGRATE: (
        ("get", "batch", "cronjobs"),
        ("create", "batch", "jobs"),
        ("get", "batch", "jobs"),
        ("patch", "batch", "jobs"),
        ("list", "", "pods"),
    ),
    OperationKind.ROLLBACK: (
        *((verb, "", "secrets") for verb in ("get", "list", "create", "update")),
        ("patch", "apps", "deployments"),
        ("list", "", "pods"),
    ),
    OperationKind.PREPARE: tuple((verb, "", "secrets") for verb in ("get", "create", "patch")),
    OperationKind.UNINSTALL: (
        *((verb, "", "secrets") for verb in ("get", "list", "delete")),
        ("delete", "apps", "deployments"),
        ("delete", "", "services"),
        ("list", "", "pods"),
    ),
}


async def refused_verbs(site: Site, operation: Operation, *, namespace_there: bool) -> list[str]:
    """Return what this account may not do though the operation does it, as ``create jobs``.

    Raises the client's errors where the cluster doesn't say.
    """
    verbs = [(*verb, site.namespace) for verb in _VERBS[operation.kind]]
    verbs += [(verb, "", "namespaces", "") for verb in _on_namespaces(site, operation, namespace_there)]
    allowed = await asyncio.gather(*(site.kube.access_review(*verb) for verb in verbs))
    return [f"{v} {resource}" for (v, _, resource, _), may in zip(verbs, allowed, strict=True) if not may]


def _on_namespaces(site: Site, operation: Operation, there: bool) -> list[str]:
    """Return what is done to the namespace itself, which is no object of a namespace."""
    needed = []
    if not there and operation.kind in {OperationKind.PREPARE, OperationKind.DEPLOY}:
        needed.append("create")
    if operation.kind is OperationKind.PREPARE and site.environment.namespace_labels:
        needed.append("patch")
    return needed
