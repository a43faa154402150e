"""What several families ask a cluster about a release: its deployments, pods, settings and images."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from checks.clients.errors import ForbiddenError, NotFoundError
from checks.clients.kube import KubeClient
from checks.clients.kube_object import selector
from checks.container_env import ContainerEnv, main_container, read_env
from checks.errors import NothingRunsError
from state.base.json import JsonObject, integer, obj, objs, path, text
from state.base.times import micros_of
from state.view.pods import observe, serves
from state.view.rollout import WorkloadKind

if TYPE_CHECKING:
    from checks.base import CheckContext
    from checks.judging import Findings
    from state.runbook.environment import Environment
    from state.view.enums import Tier

INSTANCE = "app.kubernetes.io/instance"
"""The label by which helm's charts say of a pod which release it belongs to."""
_CANARY = "nginx.ingress.kubernetes.io/canary"


def parts_of(named: tuple[str, ...], context: CheckContext) -> tuple[str, ...]:
    """Return the parts of the release that a check names; the candidate's images where it names none."""
    return named or tuple(context.runbook.candidate.images.named())


def first_part(context: CheckContext) -> str:
    """Return the part that gets the release's settings: the candidate's first image."""
    return next(iter(context.runbook.candidate.images.named()))


def deployment_name(environment: Environment, part: str) -> str:
    """Return the name of a part's deployment."""
    return environment.deployment.replace("{release}", environment.release).replace("{part}", part)


def deployment_path(kube: KubeClient, name: str, kind: WorkloadKind = WorkloadKind.DEPLOYMENT) -> str:
    """Return the API path of a deployment, or of another kind of workload."""
    return f"/apis/apps/v1/namespaces/{kube.namespace}/{kind.value.lower()}s/{name}"


async def deployment(context: CheckContext, part: str, tier: Tier | None = None) -> JsonObject:
    """Return the deployment of a part of the release; in a first launch the one that its chart renders.

    A part may as well be a stateful set or a daemon set of that name. Raises NotFoundError where it is none of them.
    """
    tier = tier or context.tier
    kube = context.clients.kube(tier)
    name = deployment_name(context.runbook.environments[tier], part)

    async def found(kind: WorkloadKind) -> JsonObject:
        if context.first(tier):
            return await context.manifest(tier).find(tier, kind.value, name)
        return await kube.get(deployment_path(kube, name, kind))

    try:
        return await found(WorkloadKind.DEPLOYMENT)
    except NotFoundError as error:
        missing = error
    for kind in (WorkloadKind.STATEFUL_SET, WorkloadKind.DAEMON_SET):
        with suppress(NotFoundError, ForbiddenError):
            return await found(kind)
    raise missing


async def pods(context: CheckContext, part: str, tier: Tier | None = None) -> tuple[JsonObject, ...]:
    """Return the live pods of a part that are not being deleted.

    Raises NotFoundError where there is none: nothing that should be there runs. In a first launch that is
    NothingRunsError.
    """
    tier = tier or context.tier
    if context.first(tier):
        raise NothingRunsError(f"no pod of {part} runs in {tier} yet")
    kube = context.clients.kube(tier)
    labels = obj(path(await deployment(context, part, tier), ("spec", "selector", "matchLabels")))
    query = {"labelSelector": selector(labels)}
    found = await kube.list_objects(f"/api/v1/namespaces/{kube.namespace}/pods", query)
    live = tuple(pod for pod in found.items if serves(observe(tier, pod)))
    if not live:
        raise NotFoundError(f"{kube.where}: no pod of {part} runs in {kube.namespace}; expected some")
    return live


async def ingresses(context: CheckContext) -> list[JsonObject]:
    """Return the ingresses of the namespace; in a first launch those that the chart renders."""
    tier = context.tier
    if context.first():
        found = await context.manifest(tier).objects(tier)
        return [one for one in found if text(one, "kind") == "Ingress"]
    kube = context.clients.kube(tier)
    where = f"/apis/networking.k8s.io/v1/namespaces/{kube.namespace}/ingresses"
    return list((await kube.list_objects(where)).items)


def env_taken_us(pod: JsonObject, part: str) -> int:
    """Return when a pod's own container took its environment (its last start), microseconds since 1970; 0: untold."""
    states = objs(path(pod, ("status", "containerStatuses")))
    own = next((one for one in states if text(one, "name") == part), states[0] if states else {})
    began = text(obj(path(own, ("state", "running"))), "startedAt") or text(
        obj(pod.get("status")), "startTime"
    )
    return micros_of(began) if began else 0


def serves_host(pattern: str, host: str) -> bool:
    """Return whether an ingress's host serves a host: itself, or with ``*.`` any one label in its place."""
    if pattern.startswith("*."):
        label, dot, rest = host.lower().partition(".")
        return bool(label and dot) and rest == pattern[2:].lower()
    return pattern.lower() == host.lower()


def ingress_of(listed: Iterable[JsonObject], host: str, where: str) -> JsonObject | None:
    """Return the ingress that serves a path of a host: the one whose path is the longest that covers it; or None.

    A certificate's solver or a redirect may have an ingress of its own for the same host. A canary's doesn't count:
    the controller takes the main one's annotations for it.
    """
    found: list[tuple[bool, int, JsonObject]] = []
    for ingress in listed:
        if text(obj(path(ingress, ("metadata", "annotations"))), _CANARY) == "true":
            continue
        for rule in objs(path(ingress, ("spec", "rules"))):
            served = text(rule, "host")
            if served and not serves_host(served, host):
                continue
            whole = not served.startswith("*.") and bool(served)
            paths = objs(path(rule, ("http", "paths")))
            covers = [len(text(one, "path")) for one in paths if _covers(one, where)]
            if covers or not paths:
                found.append((whole, max(covers, default=0), ingress))
    return max(found, key=lambda one: one[:2])[2] if found else None


def _covers(one: JsonObject, where: str) -> bool:
    """Return whether a path of an ingress covers a path that is asked for, by its type."""
    given = text(one, "path") or "/"
    if text(one, "pathType") == "Exact":
        return given == where
    return where == given or where.startswith(given.rstrip("/") + "/")


def pod_template(deployed: JsonObject) -> JsonObject:
    """Return a deployment's pod template."""
    return obj(path(deployed, ("spec", "template")))


def containers(template: JsonObject) -> list[JsonObject]:
    """Return the containers of a pod template or pod."""
    return objs(path(template, ("spec", "containers")))


async def config_values(context: CheckContext, tier: Tier | None = None) -> dict[str, str]:
    """Return every setting that the release's first part gets, for judging in memory only, as the kubelet reads them.

    The redactor knows all values that come from secrets. In a first launch what the chart renders stands for what
    will be there; other secrets are read.
    """
    return dict((await part_env(context, first_part(context), tier)).values)


async def part_env(context: CheckContext, part: str, tier: Tier | None = None) -> ContainerEnv:
    """Return what a part's own container gets, sidecars and init containers apart."""
    tier = tier or context.tier
    template = pod_template(await deployment(context, part, tier))
    return await env_of(context, own_container(context, template, part), tier)


def own_container(context: CheckContext, template: JsonObject, part: str) -> JsonObject:
    """Return the container of a pod template that is the part itself."""
    return main_container(template, part, context.runbook.candidate.images.named().get(part, ""))


async def env_of(context: CheckContext, container: JsonObject, tier: Tier | None = None) -> ContainerEnv:
    """Return what a container gets."""
    tier = tier or context.tier
    namespace = context.runbook.environments[tier].kube.namespace
    return await read_env(container, namespace, lambda kind, name: _source(context, tier, kind, name))


async def parts_env(
    context: CheckContext, findings: Findings, tier: Tier | None = None
) -> dict[str, ContainerEnv]:
    """Return what the own container of each of the candidate's parts gets; one that can't be read is noted."""
    found = {}
    for part in parts_of((), context):
        env = await findings.look(part_env(context, part, tier))
        if env is not None:
            found[part] = env
    return found


async def _source(context: CheckContext, tier: Tier, kind: str, name: str) -> JsonObject:
    """Return a ConfigMap or Secret, as rendered where the chart of a first launch brings it."""
    if context.first(tier):
        try:
            return await context.manifest(tier).find(tier, kind, name)
        except NotFoundError:
            pass  # not the chart's: it has to be there already
    kube = context.clients.kube(tier)
    return await kube.get(f"/api/v1/namespaces/{kube.namespace}/{kind.lower()}s/{name}")


def ready_replicas(deployed: JsonObject) -> tuple[int, int]:
    """Return how many replicas of a workload are updated and ready, and how many are wanted.

    As long as its controller hasn't seen the newest spec, none is.
    """
    status, spec = obj(deployed.get("status")), obj(deployed.get("spec"))
    behind = integer(status, "observedGeneration") < integer(obj(deployed.get("metadata")), "generation")
    if "desiredNumberScheduled" in status:
        expected = integer(status, "desiredNumberScheduled")
        counts = [integer(status, key) for key in ("updatedNumberScheduled", "numberReady")]
    else:
        expected = integer(spec, "replicas", 1)
        counts = [integer(status, key) for key in ("updatedReplicas", "readyReplicas")]
    return 0 if behind else min(counts), expected
