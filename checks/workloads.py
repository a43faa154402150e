"""What several families ask a cluster about a release: its deployments, pods, settings and images."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from checks.clients.errors import ForbiddenError, NotFoundError
from checks.clients.kube import KubeClient
from checks.clients.kube_object import secret_values, selector
from checks.errors import NothingRunsError
from state.base.json import JsonObject, integer, obj, objs, path, text
from state.view.pods import observe, serves
from state.view.rollout import WorkloadKind

if TYPE_CHECKING:
    from checks.base import CheckContext
    from state.runbook.environment import Environment
    from state.view.enums import Tier

INSTANCE = "app.kubernetes.io/instance"
"""The label by which helm's charts say of a pod which release it belongs to."""


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


def pod_template(deployed: JsonObject) -> JsonObject:
    """Return a deployment's pod template."""
    return obj(path(deployed, ("spec", "template")))


def containers(template: JsonObject) -> list[JsonObject]:
    """Return the containers of a pod template or pod."""
    return objs(path(template, ("spec", "containers")))


def env_sources(container: JsonObject) -> list[str]:
    """Return what a container takes its environment from, in order: ``configMap/name``, ``secret/name``."""
    pairs = (
        (kind, text(obj(source.get(f"{kind}Ref")), "name"))
        for source in objs(container.get("envFrom"))
        for kind in ("configMap", "secret")
    )
    return [f"{kind}/{name}" for kind, name in pairs if name]


async def config_values(context: CheckContext, tier: Tier | None = None) -> dict[str, str]:
    """Return every setting that the containers of the release's first part get, for judging in memory only.

    Of the same name, the later source wins, as in Kubernetes. The redactor knows all values that come from
    secrets. In a first launch what the chart renders stands for what will be there; other secrets are read.
    """
    tier = tier or context.tier
    values: dict[str, str] = {}
    for container in containers(pod_template(await deployment(context, first_part(context), tier))):
        for source in env_sources(container):
            kind, _, name = source.partition("/")
            if kind == "configMap":
                values |= _strings(obj((await _source(context, tier, "ConfigMap", name)).get("data")))
            else:
                values |= secret_values(await _source(context, tier, "Secret", name))
        values |= {
            text(one, "name"): text(one, "value") for one in objs(container.get("env")) if "value" in one
        }
    return values


async def _source(context: CheckContext, tier: Tier, kind: str, name: str) -> JsonObject:
    """Return a ConfigMap or Secret, as rendered where the chart of a first launch brings it."""
    if context.first(tier):
        try:
            return await context.manifest(tier).find(tier, kind, name)
        except NotFoundError:
            pass  # not the chart's: it has to be there already
    kube = context.clients.kube(tier)
    return await kube.get(f"/api/v1/namespaces/{kube.namespace}/{kind.lower()}s/{name}")


def _strings(data: JsonObject) -> dict[str, str]:
    return {key: value for key, value in data.items() if isinstance(value, str)}


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
