"""What the platform is given: secrets and settings, and who was given power over it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import cast

from console.rehearsal.dotmac.credentials import platform_secret
from console.rehearsal.dotmac.faults.changes import (
    api_server_with,
    container_of,
    edit,
    edited,
    gone,
    of_candidate,
    of_pods,
    secret,
    set_secret,
    with_env,
)
from console.rehearsal.dotmac.names import PULL_SECRET, Env
from console.rehearsal.sim.kubernetes.objects import stamp
from console.rehearsal.world.fault import Apply, Fault, below, fails
from console.rehearsal.world.world import World
from state.base.clock import SECOND_US
from state.base.json import Json, JsonObject, objs

_DEFAULT = "dev-secret-key-change-me-min-32-chars"
_RBAC = "rbac.authorization.k8s.io"
_BACKEND, _WORKER, _FRONTEND = "dotmac-backend", "dotmac-worker", "dotmac-frontend"


def _named_otherwise(values: dict[str, str], world: World) -> None:
    values["SECRET_KEY"] = platform_secret(world.seed, Env.STAGING)["NEXTAUTH_SECRET"]


def _opaque(world: World) -> None:
    where = {"name": PULL_SECRET, "namespace": Env.PRODUCTION.namespace}
    gone("secrets", PULL_SECRET)(world)
    data: JsonObject = {"token": base64.b64encode(b"ghp_made_up").decode()}
    world.store.put("secrets", {"metadata": where, "type": "Opaque", "data": data})


def _staging_redis(key: str, number: int) -> Apply:
    """Let one of staging's settings lead to production's Redis, by another number and with a password of its own."""

    def change(values: dict[str, str], world: World) -> None:
        host = platform_secret(world.seed, Env.PRODUCTION)["REDIS__HOST"]
        values[key] = f"redis://staging:{values['REDIS__PASSWORD']}@{host}:6379/{number}"

    return secret(change, Env.STAGING)


def _bound(name: str, kind: str, subject: str, *rules: JsonObject) -> Apply:
    """Give somebody a role of these rules in production."""

    def apply(world: World) -> None:
        where: JsonObject = {"name": name, "namespace": Env.PRODUCTION.namespace}
        world.store.put("roles", {"metadata": where, "rules": list(rules)})
        world.store.put("rolebindings", _binding(where, kind, subject, "Role", name))

    return apply


def _cluster_admin(name: str, kind: str, subject: str) -> Apply:
    def apply(world: World) -> None:
        world.store.put(
            "clusterrolebindings", _binding({"name": name}, kind, subject, "ClusterRole", "cluster-admin")
        )

    return apply


def _binding(metadata: JsonObject, kind: str, subject: str, role_kind: str, role: str) -> JsonObject:
    return {
        "metadata": metadata,
        "roleRef": {"apiGroup": _RBAC, "kind": role_kind, "name": role},
        "subjects": [{"apiGroup": _RBAC, "kind": kind, "name": subject}],
    }


def _may(verbs: str, resources: str, group: str = "") -> JsonObject:
    return {
        "apiGroups": [group],
        "resources": list(resources.split()),
        "verbs": list(verbs.split()),
    }


def _power(name: str, what: str, *rules: JsonObject) -> Fault:
    return fails(name, "4.3", f"a contractor may {what} in production", _bound(name, "User", "eve", *rules))


def _prefixed(deployment: dict[str, Json]) -> None:
    for source in objs(container_of(deployment)["envFrom"]):
        cast("dict[str, Json]", source)["prefix"] = "APP_"


def _reads(queue: str) -> Callable[[dict[str, Json]], None]:
    def change(deployment: dict[str, Json]) -> None:
        box = container_of(deployment)
        box["command"], box["args"] = ["celery"], ["-A", "dotmac.worker", "worker", "-Q", queue]

    return change


def _started_before(pod: dict[str, Json], _: World) -> None:
    below(pod, "metadata", "annotations")["checksum/config"] = "0123456789abcdef"


def _crashed(reason: str, restarts: int) -> Callable[[dict[str, Json], World], None]:
    def change(pod: dict[str, Json], world: World) -> None:
        at = stamp(world.clock.wall_us() - 60 * SECOND_US)
        for one in objs(below(pod, "status").get("containerStatuses")):
            status = cast("dict[str, Json]", one)
            status["restartCount"] = restarts
            status["lastState"] = {
                "terminated": {"reason": reason, "exitCode": 137, "startedAt": at, "finishedAt": at}
            }

    return change


def _privileged(namespace: dict[str, Json]) -> None:
    below(namespace, "metadata", "labels")["pod-security.kubernetes.io/enforce"] = "privileged"


def _unlabelled(namespace: dict[str, Json]) -> None:
    below(namespace, "metadata", "labels").pop("pod-security.kubernetes.io/enforce", None)


def _namespace(change: Callable[[dict[str, Json]], None]) -> Apply:
    def apply(world: World) -> None:
        body = world.store.get("namespaces", "", Env.PRODUCTION.namespace)
        if body is not None:
            change(below(body))
            world.store.put("namespaces", body)

    return apply


_SECRETS: tuple[Fault, ...] = (
    fails(
        "secret-in-base64",
        "3.1",
        "SECRET_KEY is base64 of the published default",
        set_secret("SECRET_KEY", base64.b64encode(_DEFAULT.encode()).decode()),
    ),
    fails(
        "secret-in-hex",
        "3.1",
        "NEXTAUTH_SECRET is a published default in hexadecimal",
        set_secret("NEXTAUTH_SECRET", b"dev-nextauth-secret-change-me-min-32-chars".hex()),
    ),
    fails(
        "secret-line-feed",
        "3.1",
        "STORAGE__SECRET_KEY is minioadmin and the end of a line",
        set_secret("STORAGE__SECRET_KEY", "minioadmin\n"),
    ),
    fails(
        "secret-upper-case",
        "3.1",
        "SECRET_KEY is the published default in capitals",
        set_secret("SECRET_KEY", _DEFAULT.upper()),
    ),
    fails(
        "secret-words",
        "3.1",
        "SECRET_KEY is one word again and again",
        set_secret("SECRET_KEY", "password" * 6),
    ),
    fails(
        "secret-sequence",
        "3.1",
        "SECRET_KEY is the alphabet and the digits",
        set_secret("SECRET_KEY", "abcdefghijklmnopqrstuvwxyz0123456789"),
    ),
    fails(
        "secret-of-staging-elsewhere",
        "3.1",
        "production's SECRET_KEY is staging's NEXTAUTH_SECRET",
        secret(_named_otherwise),
    ),
    fails(
        "worker-default-secret",
        "3.1",
        "the worker alone has the published default as SECRET_KEY",
        edit("deployments", _WORKER, with_env({"name": "SECRET_KEY", "value": _DEFAULT})),
    ),
    fails(
        "secret-overridden",
        "3.1",
        "a literal in the API's deployment overrides the Secret with the published default",
        edit("deployments", _BACKEND, with_env({"name": "SECRET_KEY", "value": _DEFAULT})),
    ),
    fails(
        "secret-blank", "6.6", "SESSION_REDIS_URL is the end of a line", set_secret("SESSION_REDIS_URL", "\n")
    ),
    fails(
        "pull-secret-opaque", "6.6", "the secret for pulling images holds no configuration of Docker", _opaque
    ),
    fails(
        "same-redis-other-number",
        "4.1",
        "staging's Redis is a database number of production's, with a user of its own",
        _staging_redis("REDIS_URL", 9),
    ),
    fails(
        "same-broker",
        "4.1",
        "staging's jobs go through production's Redis, with a user of its own",
        _staging_redis("CELERY__BROKER_URL", 7),
    ),
)

_POWERS: tuple[Fault, ...] = (
    fails(
        "access-authenticated",
        "4.3",
        "everybody who has any account is cluster administrator",
        _cluster_admin("everybody", "Group", "system:authenticated"),
    ),
    fails(
        "access-anonymous",
        "4.3",
        "who has no account at all is cluster administrator",
        _cluster_admin("nobody", "User", "system:anonymous"),
    ),
    fails(
        "access-every-pod",
        "4.3",
        "every pod's account is cluster administrator",
        _cluster_admin("pods", "Group", "system:serviceaccounts"),
    ),
    _power("power-impersonate", "act as anybody", _may("impersonate", "users groups")),
    _power(
        "power-statefulsets",
        "change stateful sets and cron jobs",
        _may("create update", "statefulsets", "apps"),
    ),
    _power("power-attach", "attach to pods", _may("create", "pods/attach")),
    _power("power-debug", "put containers into running pods", _may("patch", "pods/ephemeralcontainers")),
    _power("power-port-forward", "reach the ports of pods", _may("create", "pods/portforward")),
    _power("power-delete-all", "delete all pods at once", _may("deletecollection", "pods secrets")),
    _power("power-tokens", "make tokens of any account", _may("create", "serviceaccounts/token")),
    _power("power-escalate", "give anybody any role", _may("bind escalate", "roles", _RBAC)),
    _power("power-ingresses", "lead the domains elsewhere", _may("patch", "ingresses", "networking.k8s.io")),
    fails(
        "namespace-privileged",
        "6.5",
        "the namespace's pod security forbids nothing",
        _namespace(_privileged),
    ),
    fails(
        "namespace-unlabelled", "6.5", "the namespace says nothing of pod security", _namespace(_unlabelled)
    ),
)

_POLICY, _LOG = "--audit-policy-file=/etc/kubernetes/audit.yaml", "--audit-log-path=/var/log/audit.log"
_AUDIT: tuple[Fault, ...] = (
    fails(
        "access-not-recorded",
        "4.3",
        "the cluster's API server has no audit policy: it records nothing",
        api_server_with(1, _LOG),
    ),
    fails(
        "access-recorded-nowhere",
        "4.3",
        "the cluster's API server has an audit policy, and keeps no log",
        api_server_with(1, _POLICY, "--audit-log-path="),
    ),
    fails(
        "access-recorded-by-one",
        "4.3",
        "one of the cluster's two API servers records nothing",
        api_server_with(2, "--audit-log-maxage=30"),
    ),
)

_SETTINGS: tuple[Fault, ...] = (
    of_candidate(
        "worker-prefix",
        "6.3",
        "the worker gets every setting under another name",
        edited("deployments", _WORKER, _prefixed),
    ),
    of_candidate(
        "worker-other-redis",
        "6.3",
        "the worker alone has another Redis, by a literal",
        edited(
            "deployments", _WORKER, with_env({"name": "REDIS_URL", "value": "redis://other.dotmac.test/0"})
        ),
    ),
    of_candidate(
        "worker-reads-celery",
        "6.3",
        "the worker's command line names a queue that nothing is put in",
        edited("deployments", _WORKER, _reads("celery")),
    ),
    of_candidate(
        "worker-pods-older",
        "6.3",
        "the worker's pods were started with another configuration than their deployment has",
        of_pods(_WORKER, _started_before),
    ),
    of_candidate(
        "api-pods-older",
        "6.3",
        "the API's pods were started with another configuration than their deployment has",
        of_pods(_BACKEND, _started_before),
    ),
    of_candidate(
        "api-out-of-memory",
        "6.2",
        "the API's pods ran out of memory a minute ago",
        of_pods(_BACKEND, _crashed("OOMKilled", 1)),
    ),
    of_candidate(
        "frontend-crashes",
        "6.2",
        "the Admin UI's pods crash again and again",
        of_pods(_FRONTEND, _crashed("Error", 9)),
    ),
    of_candidate(
        "frontend-localhost",
        "5.1",
        "the Admin UI's own container is told localhost",
        edited("deployments", _FRONTEND, with_env({"name": "API_URL", "value": "http://localhost:8000"})),
    ),
)

FAULTS: tuple[Fault, ...] = (*_SECRETS, *_POWERS, *_AUDIT, *_SETTINGS)
