"""What lies around the release otherwise than one would expect, and rightly: cluster, secrets, buckets, values."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import cast

from console.rehearsal.dotmac.credentials import platform_secret
from console.rehearsal.dotmac.faults.changes import (
    chart_values,
    edit,
    gone,
    of_pods,
    secret,
    set_secret,
)
from console.rehearsal.dotmac.faults.kept import backups, bucket, image, lifecycle, statement
from console.rehearsal.dotmac.names import PULL_SECRET, TLS_SECRET, Env
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.sim.helm.releases import Release, Status, encode, secret_name
from console.rehearsal.sim.helm.render import load_chart
from console.rehearsal.sim.kubernetes.objects import stamp
from console.rehearsal.sim.s3.server import LifecycleRule
from console.rehearsal.world.fault import Apply, Fault, below, odd, together
from console.rehearsal.world.world import World
from state.base.clock import SECOND_US
from state.base.json import Json, JsonObject, items, objs

_PRODUCTION = Env.PRODUCTION
_RBAC = "rbac.authorization.k8s.io"
_MINUTE_US, _DAY_US, _WEEK_US = 60 * SECOND_US, 86_400 * SECOND_US, 7 * 86_400 * SECOND_US
SAFE: JsonObject = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def _everywhere(*changes: Callable[[Env], Apply]) -> Apply:
    return together(*(change(env) for env in Env for change in changes))


def _mesh(deployment: dict[str, Json]) -> None:
    """Give a deployment the sidecar of a service mesh, as its webhook does."""
    spec = below(deployment, "spec", "template", "spec")
    sidecar: JsonObject = {
        "name": "istio-proxy",
        "image": f"docker.io/istio/proxyv2@sha256:{'7' * 64}",
        "env": [{"name": "LOG_LEVEL", "value": "debug"}, {"name": "SECRET_KEY", "value": "short"}],
        "securityContext": SAFE,
    }
    own = [box for box in objs(spec["containers"]) if box.get("name") != sidecar["name"]]
    spec["containers"] = [*own, sidecar]


def _optional(deployment: dict[str, Json]) -> None:
    for box in objs(below(deployment, "spec", "template", "spec")["containers"]):
        more: JsonObject = {"secretRef": {"name": "dotmac-extra", "optional": True}}
        own = [source for source in items(box.get("envFrom")) if source != more]
        cast("dict[str, Json]", box)["envFrom"] = [*own, more]


def _by_key(deployment: dict[str, Json]) -> None:
    ref: JsonObject = {"secretKeyRef": {"name": "dotmac-platform-secrets", "key": "SECRET_KEY"}}
    for box in objs(below(deployment, "spec", "template", "spec")["containers"]):
        cast("dict[str, Json]", box)["env"] = [{"name": "SECRET_KEY", "valueFrom": ref}]


def _turned(deployment: dict[str, Json]) -> None:
    """Let the sources come in another order: they have no name in common."""
    for box in objs(below(deployment, "spec", "template", "spec")["containers"]):
        cast("dict[str, Json]", box)["envFrom"] = list(reversed(items(box.get("envFrom"))))


def _named(deployment: dict[str, Json]) -> None:
    for box in objs(below(deployment, "spec", "template", "spec")["containers"]):
        said: JsonObject = {"name": "OTEL_SERVICE_NAME", "value": str(box["name"])}
        where: JsonObject = {"name": "HOSTNAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
        cast("dict[str, Json]", box)["env"] = [said, where]


def _deployments(change: Callable[[dict[str, Json]], None], *parts: str) -> Apply:
    return together(*(edit("deployments", f"dotmac-{part}", change, env) for env in Env for part in parts))


_PODS = ("dotmac-backend", "dotmac-frontend", "dotmac-worker")


def _restarted(ended_us: int, since_us: int, reason: str, code: int) -> Apply:
    """Let every pod be four weeks old, restarted five times; the last end and the last start were so long ago."""

    def change(pod: dict[str, Json], world: World) -> None:
        now_us = world.clock.wall_us()
        made, ended, since = (stamp(now_us - ago) for ago in (4 * _WEEK_US, ended_us, since_us))
        below(pod, "metadata")["creationTimestamp"] = below(pod, "status")["startTime"] = made
        for one in objs(below(pod, "status").get("containerStatuses")):
            status = cast("dict[str, Json]", one)
            last: JsonObject = {"reason": reason, "exitCode": code, "startedAt": made, "finishedAt": ended}
            status["restartCount"], status["lastState"] = 5, {"terminated": last}
            status["state"] = {"running": {"startedAt": since}}

    def apply(world: World) -> None:
        for app in _PODS:
            for env in Env:
                of_pods(app, change)(world, env)

    return apply


def _record(name: str, version: int, status: Status, ago_us: int, *, chart: str = "") -> Apply:
    """Leave the record of a release in production's namespace."""

    def apply(world: World) -> None:
        at, namespace = world.clock.wall_us() - ago_us, _PRODUCTION.namespace
        document = load_chart(str(world.product(Dotmac).chart)).document()
        if chart:
            metadata = {**cast("dict[str, Json]", document["metadata"]), "name": chart}
            document = {**document, "metadata": metadata}
        release = Release(
            name=name,
            namespace=namespace,
            version=version,
            status=status,
            description="",
            chart=document,
            config={},
            manifest="",
            first_deployed_us=at,
            last_deployed_us=at,
        )
        labels = {"owner": "helm", "name": name, "status": status.value, "version": str(version)}
        where = {"name": secret_name(name, version), "namespace": namespace, "labels": labels}
        data = {"release": encode(release)}
        world.store.put("secrets", {"metadata": where, "type": "helm.sh/release.v1", "data": data})

    return apply


def _role(name: str, subject: JsonObject, *rules: JsonObject) -> Apply:
    def apply(world: World) -> None:
        world.store.put("clusterroles", {"metadata": {"name": name}, "rules": list(rules)})
        ref = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name}
        body: JsonObject = {"metadata": {"name": name}, "roleRef": ref, "subjects": [subject]}
        world.store.put("clusterrolebindings", body)

    return apply


def _account(namespace: str, name: str) -> JsonObject:
    return {"kind": "ServiceAccount", "namespace": namespace, "name": name}


def _wildcard(ingress: dict[str, Json]) -> None:
    for entry in objs(below(ingress, "spec")["tls"]):
        hosts = [str(host) for host in items(entry.get("hosts"))]
        parents = {f"*.{host.partition('.')[2]}": None for host in hosts}
        cast("dict[str, Json]", entry)["hosts"] = list(parents)


def _without_hosts(ingress: dict[str, Json]) -> None:
    for entry in objs(below(ingress, "spec")["tls"]):
        cast("dict[str, Json]", entry).pop("hosts", None)


def _legacy_pull(world: World) -> None:
    where = {"name": PULL_SECRET, "namespace": _PRODUCTION.namespace}
    gone("secrets", PULL_SECRET)(world)
    data: JsonObject = {
        ".dockercfg": base64.b64encode(b'{"registry.dotmac.test": {"auth": "eA=="}}').decode()
    }
    world.store.put("secrets", {"metadata": where, "type": "kubernetes.io/dockercfg", "data": data})


def _more(values: dict[str, str], _: World) -> None:
    values.update({"FEATURE_NOTE": "example of a note", "EMPTY": ""})


def _rotated(values: dict[str, str], world: World) -> None:
    strong = platform_secret(world.seed + 1, _PRODUCTION)
    values["SECRET_KEY"] = strong["SECRET_KEY"] + strong["NEXTAUTH_SECRET"]


def _labels(namespace: dict[str, Json]) -> None:
    below(namespace, "metadata", "labels").update({"istio-injection": "enabled", "team": "platform"})


def _labelled(world: World) -> None:
    body = world.store.get("namespaces", "", _PRODUCTION.namespace)
    if body is not None:
        _labels(below(body))
        world.store.put("namespaces", body)


def _owners_alone() -> JsonObject:
    return statement({"StringEquals": {"aws:SourceVpce": "vpce-0123456789"}})


def _log_beside(world: World) -> None:
    bucket_of = world.objects.buckets[_PRODUCTION.bucket]
    at = bucket_of.objects[-1].modified
    bucket_of.objects = [
        *bucket_of.objects,
        *(type(bucket_of.objects[0])(f"exports/{n:05}.csv", at, size=10) for n in range(1500)),
    ]


_CLUSTER: tuple[Fault, ...] = (
    odd(
        "mesh",
        "6.3",
        "a service mesh put its sidecar beside everything",
        _deployments(_mesh, "backend", "frontend", "worker"),
    ),
    odd(
        "optional-source",
        "6.3",
        "a source of settings is optional, and not there",
        _deployments(_optional, "backend", "worker"),
    ),
    odd(
        "settings-by-key",
        "3.1",
        "SECRET_KEY is given by a reference to its key",
        _deployments(_by_key, "backend", "worker"),
    ),
    odd(
        "sources-turned",
        "6.3",
        "the worker's sources of settings come in another order",
        _deployments(_turned, "worker"),
    ),
    odd(
        "own-names",
        "6.3",
        "API and worker have names of their own for traces",
        _deployments(_named, "backend", "worker"),
    ),
    odd(
        "restarts-long-ago",
        "6.2",
        "pods were restarted some times, three weeks ago",
        _restarted(3 * _WEEK_US, 3 * _WEEK_US, "Completed", 0),
    ),
    odd(
        "nodes-back",
        "6.2",
        "the nodes were down for two days, and their pods run again since a minute",
        _restarted(2 * _DAY_US, _MINUTE_US, "Unknown", 255),
    ),
    odd(
        "uninstalled-release",
        "6.5",
        "the history of a release was kept that was uninstalled",
        _record("trial", 1, Status.UNINSTALLED, _WEEK_US),
    ),
    odd(
        "helper-uninstalled-twice",
        "6.5",
        "two uninstalled releases left their history",
        together(
            _record("trial", 1, Status.SUPERSEDED, 2 * _WEEK_US),
            _record("trial", 2, Status.UNINSTALLED, _WEEK_US),
        ),
    ),
    odd(
        "operator-of-its-own",
        "4.3",
        "an operator may do everything in its own API group",
        _role(
            "cert-manager",
            _account("cert-manager", "controller"),
            {"apiGroups": ["cert-manager.io", "acme.cert-manager.io"], "resources": ["*"], "verbs": ["*"]},
        ),
    ),
    odd(
        "monitoring-reads",
        "4.3",
        "the monitoring may read pods, services and endpoints of every namespace",
        _role(
            "monitoring",
            _account("monitoring", "prometheus"),
            {
                "apiGroups": [""],
                "resources": ["pods", "services", "endpoints", "nodes/metrics"],
                "verbs": ["get", "list", "watch"],
            },
        ),
    ),
    odd(
        "everybody-discovers",
        "4.3",
        "everybody with an account may ask what the cluster serves",
        _role(
            "discover",
            {"kind": "Group", "apiGroup": _RBAC, "name": "system:authenticated"},
            {"nonResourceURLs": ["/api", "/apis", "/healthz", "/version"], "verbs": ["get"]},
        ),
    ),
    odd("namespace-labels", "6.5", "the namespace has further labels", _labelled),
    odd(
        "wildcard-ingress",
        "6.1",
        "the ingress names a wildcard for its certificate",
        _everywhere(lambda env: edit("ingresses", "dotmac-ingress", _wildcard, env)),
    ),
    odd(
        "ingress-without-hosts",
        "6.1",
        "the ingress' certificate is for all that it serves",
        _everywhere(lambda env: edit("ingresses", "dotmac-ingress", _without_hosts, env)),
    ),
    odd(
        "tls-secret-labelled",
        "6.1",
        "the certificate's Secret has its authority too",
        edit("secrets", TLS_SECRET, lambda body: below(body, "data").update({"ca.crt": "eA=="})),
    ),
    odd("pull-secret-old", "6.6", "the secret for pulling images is of the old form", _legacy_pull),
)

_KEPT: tuple[Fault, ...] = (
    odd("secret-more", "6.6", "the Secret holds more than is asked for, and one empty value", secret(_more)),
    odd("secret-longer", "3.1", "SECRET_KEY is twice as long as others", secret(_rotated)),
    odd(
        "secret-by-chance",
        "3.1",
        "a strong secret holds dev- by chance",
        set_secret("SECRET_KEY", "q7Rk2vXdev-9LmZt4WbYc6HnPs8JgUf3AeKo5TzQ"),
    ),
    odd(
        "bucket-for-some",
        "6.4",
        "the bucket's policy lets one network in",
        bucket(lambda one: setattr(one, "policy", (_owners_alone(),))),
    ),
    odd(
        "lifecycle-of-all",
        "6.4",
        "one lifecycle rule is for the whole bucket",
        lifecycle(LifecycleRule("all", 365, "")),
    ),
    odd(
        "lifecycle-several",
        "6.4",
        "beside the rule of the backups another one ends unfinished uploads, and one is disabled",
        lifecycle(
            LifecycleRule("old", 90, "backups/platform/"),
            LifecycleRule("abort", 7, "", expires=False),
            LifecycleRule("off", 1, "", enabled=False),
        ),
    ),
    odd(
        "encryption-by-kms",
        "6.4",
        "the bucket is encrypted with a key of its own",
        bucket(lambda one: setattr(one, "encryption", "aws:kms")),
    ),
    odd("backup-checksums", "7.1", "a checksum lies beside each backup", backups(beside=".sha256")),
    odd("backup-parts", "7.1", "each backup is written in parts", backups(parts=8, size=268_435_456)),
    odd("backup-packed", "7.1", "the backups are packed", backups(suffix=".sql.gz")),
    odd("bucket-full", "7.1", "the bucket holds more than a list tells at once", _log_beside),
    odd(
        "values-by-version",
        "6.7",
        "production's values name the API by the candidate's version",
        chart_values(image("backend", "v1.4.0")),
    ),
)

ODD: tuple[Fault, ...] = (*_CLUSTER, *_KEPT)
