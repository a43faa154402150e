"""Gate 1 and gate 4: the launch's setting, and what staging and production share."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from console.rehearsal.dotmac.credentials import platform_secret
from console.rehearsal.dotmac.faults.changes import database, released, secret, switched, template
from console.rehearsal.dotmac.names import Env
from console.rehearsal.world.cluster_seed import role_binding
from console.rehearsal.world.fault import Apply, Fault, added, below, fails
from console.rehearsal.world.runbook import stamp
from console.rehearsal.world.world import World
from state.base.clock import SECOND_US
from state.base.json import Json, objs
from state.base.times import moment

_PRODUCTION = Env.PRODUCTION


def _window(begins_h: int, ends_h: int) -> Apply:
    """Move the launch window: hours from the world's beginning."""

    def apply(world: World) -> None:
        opened, hour = world.kept.opened_us, 3600 * SECOND_US
        span: dict[str, Json] = {
            "start": stamp(opened + begins_h * hour),
            "end": stamp(opened + ends_h * hour),
        }
        world.control.runbook_changes.append(lambda book: below(book, "scope").update({"window": span}))

    return apply


def _freeze(world: World) -> None:
    """Freeze production, every week and on every day of it: from before now on until after."""
    now = moment(world.kept.opened_us)
    freeze: dict[str, Json] = {
        "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "from": f"{now - timedelta(hours=1):%H:%M}",
        "to": f"{now + timedelta(hours=20):%H:%M}",
        "timezone": "UTC",
        "reason": "Christmas trade",
    }
    world.control.runbook_changes.append(lambda book: below(book, "scope").update({"freezes": [freeze]}))


def _region(world: World) -> None:
    for node in world.store.list("nodes"):
        below(node, "metadata", "labels")["topology.kubernetes.io/region"] = "us-east-1"
        world.store.put("nodes", node)


def _condition_without_metric(world: World) -> None:
    def change(runbook: dict[str, Json]) -> None:
        for condition in objs(runbook["conditions"]):
            if condition.get("id") == "latency-p95":
                query = str(condition["value"]).replace(
                    "dotmac_http_request_duration", "http_request_duration"
                )
                cast("dict[str, Json]", condition)["value"] = query

    world.control.runbook_changes.append(change)


def _as_in_production(*keys: str) -> Apply:
    """Give staging's Secret some values of production's."""

    def change(values: dict[str, str], world: World) -> None:
        theirs = platform_secret(world.seed, _PRODUCTION)
        values.update({key: theirs[key] for key in keys})

    return secret(change, Env.STAGING)


def _same_bucket(world: World) -> None:
    def change(runbook: dict[str, Json]) -> None:
        environments = cast("dict[str, dict[str, dict[str, Json]]]", runbook["environments"])
        environments["staging"]["objectstore"] = dict(environments["production"]["objectstore"])

    world.control.runbook_changes.append(change)


FAULTS: tuple[Fault, ...] = (
    fails("window-over", "1.1", "the launch window ended an hour ago", _window(-5, -1)),
    fails("window-ahead", "1.1", "the launch window opens tomorrow", _window(20, 26)),
    fails("production-frozen", "1.1", "a freeze lies over the launch window", _freeze),
    *released(
        "module-off", "1.2", "billing is in scope and switched off", switched("flows.features.billing", False)
    ),
    *released(
        "module-extra",
        "1.2",
        "the partner module is switched on without being in scope",
        switched("flows.features.partner", True),
    ),
    fails("wrong-region", "1.3", "the nodes run in another region than the launch is for", _region),
    fails(
        "condition-without-metric",
        "1.4",
        "a stop condition asks for a metric that nobody exports",
        _condition_without_metric,
    ),
    fails(
        "same-database",
        "4.1",
        "staging and production have different hosts and are one database system",
        database(Env.STAGING, identity_of="production"),
    ),
    fails(
        "same-redis",
        "4.1",
        "staging uses production's Redis",
        _as_in_production(
            "REDIS_URL",
            "SESSION_REDIS_URL",
            "REDIS__HOST",
            "REDIS__PASSWORD",
            "CELERY__BROKER_URL",
            "CELERY__RESULT_BACKEND",
        ),
    ),
    fails(
        "same-storage-key",
        "4.1",
        "staging has production's key to the object store",
        _as_in_production("STORAGE__ACCESS_KEY", "STORAGE__SECRET_KEY"),
    ),
    fails("same-bucket", "4.1", "staging keeps its files in production's bucket", _same_bucket),
    fails(
        "same-vault",
        "4.1",
        "staging uses production's Vault",
        _as_in_production("VAULT__URL", "VAULT__TOKEN"),
    ),
    fails(
        "tenants-copied",
        "4.2",
        "production's tenants were copied into staging",
        database(Env.STAGING, tenants_of="production"),
    ),
    fails(
        "everybody-edits",
        "4.3",
        "every developer may change production and read its secrets",
        added("rolebindings", role_binding(_PRODUCTION.namespace, "developers", "edit", "developers")),
    ),
    fails(
        "admin-for-a-robot",
        "4.3",
        "a build robot is cluster administrator in production",
        added(
            "rolebindings", role_binding(_PRODUCTION.namespace, "ci", "cluster-admin", "ci-deployer", "User")
        ),
    ),
    fails(
        "pod-token",
        "4.3",
        "the frontend's pods get a Kubernetes token that they don't need",
        prepare=template(
            "frontend-deployment.yaml",
            "automountServiceAccountToken: false",
            "automountServiceAccountToken: true",
        ),
    ),
)
