"""The Kubernetes tokens that a release's pods are given: whoever breaks into one holds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.kube_object import name_of
from checks.guides import accounts
from checks.judging import STEADY, Findings
from checks.rendered import documents
from state.base.json import JsonObject, obj, path, text
from state.base.numbers import plural
from state.view.enums import Judges
from state.view.pods import observe, serves

_TEMPLATE: Final = ("spec", "template")
_TEMPLATES: Final = {
    "Deployment": _TEMPLATE,
    "StatefulSet": _TEMPLATE,
    "DaemonSet": _TEMPLATE,
    "ReplicaSet": _TEMPLATE,
    "ReplicationController": _TEMPLATE,
    "Job": _TEMPLATE,
    "CronJob": ("spec", "jobTemplate", *_TEMPLATE),
    "Pod": (),
}
"""Kind -> where its pods are described."""


class PodTokensSettings(Settings):
    """Which pods need the cluster's API."""

    needed: tuple[str, ...] = ()
    """Service accounts whose pods ask the cluster's API, and so need a token."""


@check(
    "cluster.pod_tokens",
    PodTokensSettings,
    guide=accounts.POD_TOKENS,
    ttl=STEADY,
    judges=Judges.CANDIDATE,
    rendered=True,
)
async def pod_tokens(settings: PodTokensSettings, context: CheckContext) -> Outcome:
    """Judge that no pod of the release gets a token of the cluster's API but those that need one.

    Of the workloads as released, and of the namespace's pods that run: a webhook may have changed those. In a first
    launch of the workloads as rendered.
    """
    findings = Findings()
    kube, first = context.clients.kube(context.tier), context.first()
    told = await findings.look(kube.list_objects(f"/api/v1/namespaces/{kube.namespace}/serviceaccounts"))
    if first:
        released = await findings.look(context.manifest(context.tier).objects(context.tier))
        running = None
    else:
        release = await findings.look(context.clients.helm(context.tier).deployed())
        released = findings.read(lambda: documents(release.manifest)) if release is not None else None
        running = await findings.look(kube.list_objects(f"/api/v1/namespaces/{kube.namespace}/pods"))
    if told is None or released is None or (running is None and not first):
        return findings.outcome("")
    known = {name_of(one): one for one in told.items} | {
        name_of(one): one for one in released if text(one, "kind") == "ServiceAccount"
    }
    templates = list(workloads(released))
    found = findings.looked_at("workload", len(templates))
    live = [pod for pod in running.items if serves(observe(context.tier, pod))] if running is not None else []
    findings.saw("pods", len(live))
    given = tokens_given(templates, known, settings.needed)
    given += tokens_given([(_app(pod), pod) for pod in live], known, settings.needed)
    for name in dict.fromkeys(given):
        findings.wrong(f"pods of {name} get a Kubernetes token that they don't need")
    pods = f" and {plural(len(live), 'pod')}" if live else ""
    return findings.outcome(f"{plural(found, 'workload')}{pods} without a Kubernetes token that isn't needed")


def workloads(objects: Iterable[JsonObject]) -> Iterator[tuple[str, JsonObject]]:
    """Yield every workload's name with its pod template."""
    for one in objects:
        where = _TEMPLATES.get(text(one, "kind"))
        if where is not None:
            yield name_of(one), obj(path(one, where)) if where else one


def tokens_given(
    pods: Iterable[tuple[str, JsonObject]], known: dict[str, JsonObject], needed: tuple[str, ...]
) -> list[str]:
    """Return the names of those whose pods get a token: by themselves, or by their service account."""
    found = []
    for name, pod in pods:
        spec = obj(pod.get("spec"))
        account = text(spec, "serviceAccountName") or text(spec, "serviceAccount") or "default"
        mounts = spec.get("automountServiceAccountToken")
        if mounts is None:
            mounts = obj(known.get(account)).get("automountServiceAccountToken")
        if mounts is not False and account not in needed:
            found.append(name)
    return found


def _app(pod: JsonObject) -> str:
    """Return the name of the workload that a pod belongs to, or its own."""
    return observe("", pod).app or name_of(pod)
