"""The cluster around the release: its namespace, and who may do what in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from checks.api_audit import Audit, access_is_recorded
from checks.base import CheckContext, LeavesToQuestion, Outcome, Settings, check
from checks.clients.errors import NotFoundError, WrongContentError
from checks.clients.helm_release import HelmStatus
from checks.clients.kube_object import labels_of
from checks.guides import accounts, configuration
from checks.judging import LASTING, Findings
from checks.powers import powers_of
from state.base.json import JsonObject, obj, objs, path, text
from state.base.numbers import plural
from state.view.enums import After

if TYPE_CHECKING:
    from checks.clients.kube import KubeClient

_ENFORCE: Final = "pod-security.kubernetes.io/enforce"
_RBAC: Final = "/apis/rbac.authorization.k8s.io/v1"


class NamespaceSettings(Settings):
    """What the namespace must be."""

    labels: tuple[str, ...] = ()
    """Labels that must be there, whatever their value."""


@check(
    "cluster.namespace", NamespaceSettings, guide=configuration.NAMESPACE, ttl=LASTING, after=(After.PREPARE,)
)
async def namespace(settings: NamespaceSettings, context: CheckContext) -> Outcome:
    """Judge that the namespace is active and holds exactly one release of the chart.

    In a first launch: that it is there, and no other release is in it.
    """
    findings = Findings()
    kube = context.clients.kube(context.tier)
    try:
        seen = await kube.get(f"/api/v1/namespaces/{kube.namespace}")
    except NotFoundError:
        findings.wrong(f"namespace {kube.namespace} does not exist")
        return findings.outcome("")
    meta = obj(seen.get("metadata"))
    phase = text(obj(seen.get("status")), "phase")
    findings.saw("uid", text(meta, "uid"))
    findings.saw("created", text(meta, "creationTimestamp"))
    findings.saw("phase", phase)
    findings.need(
        phase == "Active", f"namespace {kube.namespace} is {phase or 'without a phase'}; expected Active"
    )
    for label in settings.labels:
        given = obj(meta.get("labels"))
        findings.need(label in given, f"namespace {kube.namespace} has no label {label}")
        findings.need(
            not (label == _ENFORCE and given.get(label) == "privileged"),
            f"namespace {kube.namespace} has {label}=privileged, which forbids nothing",
        )
    others = await findings.look(_releases(kube))
    if others is not None:
        findings.saw("releases", sorted(others))
        findings.need(
            context.environment.release in others or context.first(),
            f"no release {context.environment.release} in the namespace",
        )
        # The chart's selectors lack the release's name: two releases in one namespace share their pods.
        together = sorted(others | {context.environment.release} if context.first() else others)
        findings.need(
            len(together) <= 1, f"{len(together)} releases share the namespace: {', '.join(together)}"
        )
    holds = "nothing is installed in it yet" if context.first() else "holds one release"
    return findings.outcome(f"namespace {kube.namespace} is active and {holds}")


async def _releases(kube: KubeClient) -> set[str]:
    listed = await kube.list_objects(
        f"/api/v1/namespaces/{kube.namespace}/secrets", {"labelSelector": "owner=helm"}
    )
    newest: dict[str, tuple[int, str]] = {}
    for item in listed.items:
        labels = labels_of(item)
        name, version = text(labels, "name"), text(labels, "version")
        told = (int(version) if version.isdecimal() else 0, text(labels, "status"))
        newest[name] = max(newest.get(name, told), told)
    # helm keeps the records of an uninstalled release where it is asked to: nothing of it is there.
    return {name for name, (_, status) in newest.items() if status != HelmStatus.UNINSTALLED} - {""}


_ACCOUNT = "system:serviceaccount:"
_EVERYBODY = ("system:authenticated", "system:unauthenticated", "system:anonymous", "system:serviceaccounts")


class AccessSettings(Settings):
    """Who may have power in production."""

    allowed: tuple[str, ...]
    """Groups, users and service accounts that may read secrets, enter pods or change things."""
    system: tuple[str, ...] = ("system:",)
    """Beginnings of the cluster's own users and groups, which are not judged; ``kube-system/`` would be all of its
    service accounts. Accounts of kube-system that Kubernetes itself binds are its own anyway; groups that hold
    everybody (``system:authenticated``, ``system:serviceaccounts``, …) never are."""
    audit: Annotated[Audit | None, LeavesToQuestion(Audit.ASKED)] = None
    """Whether the API servers' audit log is looked at: ``seen``, they must be visible; ``asked``, where they are not
    (a hosted control plane), the item's question asks. Left out: it isn't looked at."""


@dataclass(frozen=True, slots=True)
class _Grant:
    subject: str
    role: str
    powers: tuple[str, ...]
    bootstrapped: bool
    """Whether the API server itself made the binding."""

    def is_the_clusters(self, beginnings: tuple[str, ...]) -> bool:
        """Return whether the subject is the cluster's own, and not somebody whom people gave the power."""
        kind, _, name = self.subject.partition(" ")
        if self.bootstrapped and kind == "ServiceAccount" and name.startswith("kube-system/"):
            return True
        return name.startswith(beginnings) and not name.startswith(_EVERYBODY)


@check("cluster.access", AccessSettings, guide=accounts.ACCESS, ttl=LASTING)
async def access(settings: AccessSettings, context: CheckContext) -> Outcome:
    """Judge that only the named subjects may read secrets, enter pods or change things in production.

    And that the cluster records who does, where its API servers can be seen.
    """
    findings = Findings()
    kube = context.clients.kube(context.tier)
    grants = await _grants(kube, findings)
    judged = [grant for grant in grants if not grant.is_the_clusters(settings.system)]
    findings.saw("with_power", sorted({f"{one.subject}: {', '.join(one.powers)}" for one in judged}))
    for one in judged:
        if one.subject.partition(" ")[2] not in settings.allowed:
            findings.wrong(
                f"{one.subject} may {', '.join(one.powers)} (by {one.role}) and is not on the list"
            )
    told = plural(len({one.subject for one in judged}), "subject has", "subjects have")
    recorded = await access_is_recorded(kube, settings.audit, findings) if settings.audit is not None else ""
    return findings.outcome(f"{told} power in production, all on the list{recorded}")


async def _grants(kube: KubeClient, findings: Findings) -> list[_Grant]:
    roles: dict[tuple[str, str], list[JsonObject]] = {}
    for kind, where in (
        ("ClusterRole", f"{_RBAC}/clusterroles"),
        ("Role", f"{_RBAC}/namespaces/{kube.namespace}/roles"),
    ):
        for role in (await kube.list_objects(where)).items:
            roles[(kind, text(obj(role.get("metadata")), "name"))] = objs(role.get("rules"))
    findings.looked_at("role", len(roles))
    found: list[_Grant] = []
    bindings = 0
    for where in (f"{_RBAC}/clusterrolebindings", f"{_RBAC}/namespaces/{kube.namespace}/rolebindings"):
        for binding in (await kube.list_objects(where)).items:
            bindings += 1
            ref = obj(binding.get("roleRef"))
            if not text(ref, "name"):
                raise WrongContentError(
                    f"{kube.where} told a role binding without a role; expected its roleRef"
                )
            powers = powers_of(roles.get((text(ref, "kind"), text(ref, "name")), []))
            labels = obj(path(binding, ("metadata", "labels")))
            by_itself = text(labels, "kubernetes.io/bootstrapping") == "rbac-defaults"
            if powers:
                found += [_Grant(who, text(ref, "name"), powers, by_itself) for who in _subjects(binding)]
    findings.looked_at("role binding", bindings)
    return found


def _subjects(binding: JsonObject) -> Iterator[str]:
    for subject in objs(binding.get("subjects")):
        name = text(subject, "name")
        kind = text(subject, "kind")
        if kind == "ServiceAccount":
            name = f"{text(subject, 'namespace')}/{name}"
        elif kind == "User" and name.startswith(_ACCOUNT):
            # The same account by the name that it has as a user.
            kind, name = "ServiceAccount", name.removeprefix(_ACCOUNT).replace(":", "/", 1)
        yield f"{kind} {name}"
