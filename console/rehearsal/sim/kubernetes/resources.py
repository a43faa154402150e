"""The kinds that the simulated cluster serves, and how each is reached and selected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_ALL_FIELDS = ("metadata.name", "metadata.namespace")


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind: where it is served, its short names, subresources and selectable fields."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    in_all: bool = False
    subresources: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    generations: bool = False
    delete_returns_object: bool = False

    @property
    def singular(self) -> str:
        """The name kubectl also takes for one object."""
        return self.kind.lower()

    @property
    def api_version(self) -> str:
        """The group and version as objects write them: ``v1`` or ``apps/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def selects_by(self, field: str) -> bool:
        """Return whether a field selector may name ``field``."""
        return field in _ALL_FIELDS or field in self.fields


_POD_FIELDS = (
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
)
_EVENT_FIELDS = (
    *(
        f"involvedObject.{f}"
        for f in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    ),
    "reason",
    "reportingComponent",
    "source",
    "type",
)
_RBAC = "rbac.authorization.k8s.io"

_SERVED = (
    Resource(
        "", "v1", "namespaces", "Namespace", False, ("ns",), False, ("status", "finalize"), ("status.phase",)
    ),
    Resource("", "v1", "nodes", "Node", False, ("no",), False, ("status",), ("spec.unschedulable",)),
    Resource(
        "", "v1", "pods", "Pod", True, ("po",), True, ("status", "log", "eviction"), _POD_FIELDS, True, True
    ),
    Resource("", "v1", "services", "Service", True, ("svc",), True, ("status",), (), False, True),
    Resource("", "v1", "endpoints", "Endpoints", True, ("ep",)),
    Resource("", "v1", "configmaps", "ConfigMap", True, ("cm",)),
    Resource("", "v1", "secrets", "Secret", True, (), False, (), ("type",)),
    Resource("", "v1", "events", "Event", True, ("ev",), False, (), _EVENT_FIELDS),
    Resource("", "v1", "resourcequotas", "ResourceQuota", True, ("quota",), False, ("status",)),
    Resource("", "v1", "serviceaccounts", "ServiceAccount", True, ("sa",), delete_returns_object=True),
    Resource(
        "",
        "v1",
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        True,
        ("pvc",),
        False,
        ("status",),
        delete_returns_object=True,
    ),
    Resource(
        "apps", "v1", "deployments", "Deployment", True, ("deploy",), True, ("status", "scale"), (), True
    ),
    Resource(
        "apps",
        "v1",
        "replicasets",
        "ReplicaSet",
        True,
        ("rs",),
        True,
        ("status", "scale"),
        ("status.replicas",),
        True,
    ),
    Resource(
        "apps", "v1", "statefulsets", "StatefulSet", True, ("sts",), True, ("status", "scale"), (), True
    ),
    Resource("apps", "v1", "daemonsets", "DaemonSet", True, ("ds",), True, ("status",), (), True),
    Resource("batch", "v1", "jobs", "Job", True, (), True, ("status",), ("status.successful",), True),
    Resource("batch", "v1", "cronjobs", "CronJob", True, ("cj",), True, ("status",), (), True),
    Resource("networking.k8s.io", "v1", "ingresses", "Ingress", True, ("ing",), False, ("status",), (), True),
    Resource("coordination.k8s.io", "v1", "leases", "Lease"),
    Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", generations=True),
    Resource(
        "networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", short=("netpol",), generations=True
    ),
    Resource(
        "autoscaling",
        "v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        True,
        ("hpa",),
        True,
        ("status",),
    ),
    Resource(
        "policy",
        "v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        True,
        ("pdb",),
        False,
        ("status",),
        (),
        True,
    ),
    Resource(_RBAC, "v1", "roles", "Role"),
    Resource(_RBAC, "v1", "rolebindings", "RoleBinding"),
    Resource(_RBAC, "v1", "clusterroles", "ClusterRole", False),
    Resource(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", False),
)

RESOURCES: Mapping[str, Resource] = {one.plural: one for one in _SERVED}
_BY_PATH = {(one.group, one.version, one.plural): one for one in _SERVED}

REVIEWS: tuple[Resource, ...] = (
    Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False),
    Resource("authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", False),
    Resource("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", False),
    Resource("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", False),
)


def find(group: str, version: str, plural: str) -> Resource | None:
    """Return the kind that is served at a group, version and plural."""
    return _BY_PATH.get((group, version, plural))


def groups() -> dict[tuple[str, str], list[Resource]]:
    """Return every kind by its group and version, the core group first; reviews included."""
    found: dict[tuple[str, str], list[Resource]] = {}
    for one in (*_SERVED, *REVIEWS):
        found.setdefault((one.group, one.version), []).append(one)
    return found
