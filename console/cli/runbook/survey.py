"""What a cluster tells of a service that is to be launched: releases, images, deployments, names, monitoring.

Everything is only read. What an account may not read is left out: the runbook keeps a placeholder there, which
``runbook check`` names.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from checks.clients.kube import KubeClient
from checks.clients.redact import Redactor
from checks.errors import CouldNotLookError
from state.base.images import digest_of
from state.base.json import JsonObject, obj, objs, text, texts
from state.runbook.environment import Kube

_HELM = "owner=helm,status=deployed"


@dataclass(frozen=True, slots=True)
class Release:
    """A release of helm: its name, and where it is."""

    name: str
    namespace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """What a cluster told of one namespace."""

    releases: tuple[Release, ...] = ()
    """Of the namespace first."""
    images: Mapping[str, str] = field(default_factory=dict)
    """By container: the reference with its digest, as its pods run it."""
    deployment: str = ""
    """How a deployment is named by its release and container, as the runbook writes it; empty where no rule fits."""
    hosts: tuple[str, ...] = ()
    """Of the namespace's ingresses."""
    monitors: Mapping[str, str] = field(default_factory=dict)
    """``prometheus`` and ``alertmanager``: hosts of ingresses, anywhere in the cluster."""
    unread: tuple[str, ...] = ()
    """What the cluster didn't tell, and why."""


async def survey(kube: Kube, release: str = "") -> Surveyed:
    """Ask a cluster. Raises CouldNotLookError where it doesn't answer at all, or the context isn't there."""
    client = KubeClient(kube, kube.context, Redactor())
    unread: list[str] = []
    try:
        await client.alive(8.0)
        releases = await _releases(client, unread)
        name = release or next((one.name for one in releases if one.namespace == kube.namespace), "")
        pods = await _listed(client, f"/api/v1/namespaces/{kube.namespace}/pods", unread)
        pods = [one for one in pods if not name or _of_release(one, name)] or pods
        own = await _listed(
            client, f"/apis/networking.k8s.io/v1/namespaces/{kube.namespace}/ingresses", unread
        )
        everywhere = await _listed(client, "/apis/networking.k8s.io/v1/ingresses", [])
    finally:
        await client.aclose()
    return Surveyed(
        releases=tuple(releases),
        images=_images(pods),
        deployment=_naming(pods, name),
        hosts=tuple(dict.fromkeys(host for one in own for host in _hosts(one))),
        monitors=_monitors([host for one in everywhere for host in _hosts(one)]),
        unread=tuple(unread),
    )


async def _listed(
    client: KubeClient, path: str, unread: list[str], query: Mapping[str, str] | None = None
) -> list[JsonObject]:
    try:
        return list((await client.list_objects(path, query)).items)
    except CouldNotLookError as error:
        unread.append(str(error))
        return []


async def _releases(client: KubeClient, unread: list[str]) -> list[Release]:
    """Return every release that the account may see: of the whole cluster, or else of the namespace."""
    failed: list[str] = []
    query = {"labelSelector": _HELM}
    found = await _listed(client, "/api/v1/secrets", failed, query)
    if failed:
        found = await _listed(client, f"/api/v1/namespaces/{client.namespace}/secrets", unread, query)
    metas = [obj(one.get("metadata")) for one in found]
    releases = {Release(text(obj(meta.get("labels")), "name"), text(meta, "namespace")) for meta in metas}
    named = [one for one in releases if one.name]
    return sorted(named, key=lambda one: (one.namespace != client.namespace, one.namespace, one.name))


def _of_release(pod: JsonObject, release: str) -> bool:
    meta = obj(pod.get("metadata"))
    labels = obj(meta.get("labels"))
    label = text(labels, "app.kubernetes.io/instance")
    return label == release if label else text(meta, "name").startswith(f"{release}-")


def _images(pods: list[JsonObject]) -> dict[str, str]:
    """Return the images of pods that nothing ends: those of jobs would be released too."""
    found: dict[str, str] = {}
    for pod in pods:
        if text(obj(pod.get("spec")), "restartPolicy") not in {"", "Always"}:
            continue
        running = {text(one, "name"): one for one in objs(obj(pod.get("status")).get("containerStatuses"))}
        for container in objs(obj(pod.get("spec")).get("containers")):
            name, image = text(container, "name"), text(container, "image")
            digest = digest_of(image) or digest_of(text(running.get(name, {}), "imageID"))
            if name and digest:
                found.setdefault(name, f"{_repository(image)}@{digest}")
    return found


def _repository(image: str) -> str:
    bare = image.partition("@")[0]
    head, _, tail = bare.rpartition("/")
    tail = tail.partition(":")[0]
    return f"{head}/{tail}" if head else tail


def _naming(pods: list[JsonObject], release: str) -> str:
    for pod in pods:
        labels = obj(obj(pod.get("metadata")).get("labels"))
        name = text(obj(pod.get("metadata")), "name")
        hashed = text(labels, "pod-template-hash")
        if not hashed or f"-{hashed}-" not in name:
            continue
        deployment = name.rpartition(f"-{hashed}-")[0]
        for container in objs(obj(pod.get("spec")).get("containers")):
            part = text(container, "name")
            if release and deployment == f"{release}-{part}":
                return "{release}-{part}"
            if deployment == part:
                return "{part}"
            if deployment.endswith(part) and part:
                return f"{deployment.removesuffix(part)}{{part}}"
    return ""


def _hosts(ingress: JsonObject) -> list[str]:
    spec = obj(ingress.get("spec"))
    named = [text(rule, "host") for rule in objs(spec.get("rules"))]
    tls = [host for one in objs(spec.get("tls")) for host in texts(one.get("hosts"))]
    return [host for host in [*named, *tls] if host and "*" not in host]


def _monitors(hosts: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("prometheus", "alertmanager"):
        with suppress(StopIteration):
            found[name] = next(host for host in hosts if name in host)
    return found
