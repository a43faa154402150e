"""Gates 8 to 10: staging's rehearsal, the production release, and what comes after it."""

from __future__ import annotations

from aiohttp import web

from console.rehearsal.dotmac.alert_rules import rules
from console.rehearsal.dotmac.faults.changes import chart_values, database, platform, switch, when_live
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import HEAD, PREVIOUS_HEAD
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.sim.alertmanager import Config, Receiver, Route
from console.rehearsal.sim.kubernetes import PodPlan
from console.rehearsal.sim.prometheus.rules import AlertRule
from console.rehearsal.world.coupling import image_of
from console.rehearsal.world.fault import Apply, Expect, Fault, below, fails, misbehaves
from console.rehearsal.world.world import World
from state.base.json import Json, JsonObject, integer, obj, path

_STAGING, _PRODUCTION = Env.STAGING, Env.PRODUCTION
_CRASHED = 1
"""As what a container ends that fails."""


def _move_tag(dotmac: Dotmac) -> None:
    dotmac.artifacts.move_tag("backend")


def _small_staging(values: dict[str, Json]) -> None:
    below(values, "resources", "backend")["limits"] = {"cpu": "4", "memory": "16Gi"}
    below(values, "env")["environment"] = "development"


def _routes(config: Config) -> Apply:
    return lambda world: world.alertmanager.set_config(config)


def _dead_rule(world: World) -> None:
    where = f'namespace="{_PRODUCTION.namespace}"'
    dead = AlertRule("ApiDown", f"sum(rate(http_requests_total{{{where},status=~'5..'}}[5m])) > 0.05", 300)
    world.prometheus.set_rules([*rules(), dead])


def _pager_fails(world: World) -> None:
    world.alertmanager.failing.add("oncall-pager")


def _stops(env: Env, flow: str) -> Apply:
    return switch("flows.broken_paths", {flow: 500}, env)


def _unseen(env: Env, part: str) -> Apply:
    """Let a deployment be newer than what its controller has seen: its status is that of the spec before."""

    def apply(world: World) -> None:
        name = f"dotmac-{part}"

        async def hook(request: web.Request) -> web.StreamResponse | None:
            if request.method != "GET" or not request.path.endswith(f"/{env.namespace}/deployments/{name}"):
                return None
            live = world.store.need("deployments", env.namespace, name)
            meta = obj(live["metadata"])
            newer = {**meta, "generation": integer(meta, "generation") + 1}
            return web.json_response({**live, "metadata": newer})

        world.kube.hooks.append(hook)

    return apply


def _first_install_fails(world: World) -> None:
    """Let the first install's API crash at its start, until helm has given it up."""
    backend, given_up = world.product(Dotmac).artifacts.candidate["backend"], [not world.kept.first]

    def plan(pod: JsonObject) -> PodPlan | None:
        here = path(pod, ("metadata", "namespace")) == _PRODUCTION.namespace
        if given_up[0] or not here or backend not in image_of(pod) or _of_a_job(pod):
            return None
        given_up[0] = any(
            path(one, ("metadata", "labels", "status")) == "failed"
            for one in world.store.scan("secrets", _PRODUCTION.namespace)
        )
        return None if given_up[0] else PodPlan(ends_after_s=3.0, exit_code=_CRASHED, end_reason="Error")

    world.control.plans.append(plan)


def _of_a_job(pod: JsonObject) -> bool:
    return path(pod, ("spec", "restartPolicy")) != "Always"


FAULTS: tuple[Fault, ...] = (
    Fault(
        name="first-install-fails",
        item="9.1",
        expect=Expect.FAIL,
        what="the API of a first install crashes at its start until helm gives it up",
        apply=_first_install_fails,
        first=True,
    ),
    fails(
        "staging-not-like-production",
        "8.1",
        "staging runs with other settings and limits than production",
        prepare=chart_values(_small_staging, _STAGING),
    ),
    fails(
        "staging-rollout-unseen",
        "8.1",
        "staging's frontend was changed a moment ago, and its controller hasn't seen it yet",
        _unseen(_STAGING, "frontend"),
    ),
    fails(
        "staging-behind",
        "8.2",
        "staging's migration ends well and stops before the head",
        database(_STAGING, heads=(PREVIOUS_HEAD,)),
    ),
    fails(
        "staging-two-heads",
        "8.2",
        "staging's alembic_version has two rows",
        database(_STAGING, heads=(HEAD, PREVIOUS_HEAD)),
    ),
    fails(
        "smoke-flow-500",
        "8.3",
        "the list of plans answers 500 in staging",
        _stops(_STAGING, "/api/v1/billing/subscriptions/plans"),
    ),
    fails("jobs-stuck", "8.3", "jobs in staging wait for ever", switch("flows.jobs_stuck", True, _STAGING)),
    fails("jobs-fail", "8.3", "every job in staging fails", switch("flows.jobs_fail", True, _STAGING)),
    fails(
        "login-refused",
        "8.3",
        "the smoke tenant's user cannot log in to staging",
        switch("auth.refused_roles", {"tenant_user"}, _STAGING),
    ),
    fails(
        "traces-lost",
        "8.4",
        "no trace of a request to staging appears",
        switch("observers.traces_recorded", False, _STAGING),
    ),
    fails(
        "logs-lost",
        "8.4",
        "no log line of a request to staging appears",
        switch("observers.logs_recorded", False, _STAGING),
    ),
    fails(
        "digest-differs",
        "9.1",
        "the candidate's tag was moved after staging was tested",
        when_live(_STAGING, platform(_move_tag)),
    ),
    fails(
        "database-taken-back",
        "9.2",
        "after the release somebody takes production's database back a revision",
        when_live(_PRODUCTION, database(heads=(PREVIOUS_HEAD,))),
    ),
    fails(
        "rollout-unseen",
        "9.3",
        "production's frontend was changed after the release, and its controller hasn't seen it yet",
        _unseen(_PRODUCTION, "frontend"),
    ),
    fails(
        "production-unhealthy",
        "9.3",
        "the candidate is not healthy in production",
        when_live(_PRODUCTION, switch("health.failing_services", {"database"})),
    ),
    fails(
        "bad-candidate",
        "9.4",
        "the candidate fails 8 % of production's requests and is slow",
        misbehaves(_PRODUCTION, error_ratio=0.08, p95_s=2.5),
    ),
    fails(
        "slow-candidate",
        "9.4",
        "the candidate answers slowly in production",
        misbehaves(_PRODUCTION, p95_s=2.2),
    ),
    fails(
        "auth-candidate",
        "9.4",
        "the candidate fails 5 % of production's logins",
        misbehaves(_PRODUCTION, auth_error_ratio=0.05),
    ),
    fails(
        "throttling-candidate",
        "9.4",
        "the candidate answers 4 % of production's requests with 429",
        misbehaves(_PRODUCTION, too_many_ratio=0.04),
    ),
    fails(
        "rate-limited-clients",
        "9.4",
        "the candidate's rate limit turns 5 % of production's requests away, but for logins",
        misbehaves(_PRODUCTION, limited_ratio=0.05),
    ),
    fails(
        "customer-flow-500",
        "10.1",
        "once it is live, the billing settings answer 500 in production",
        when_live(_PRODUCTION, _stops(_PRODUCTION, "/api/v1/billing/settings")),
    ),
    fails(
        "receiver-dev-null",
        "10.2",
        "every alert goes to a receiver that tells nobody",
        _routes(Config((Receiver("dev-null", ""),), Route("dev-null"))),
    ),
    fails(
        "receiver-itself",
        "10.2",
        "alerts go to the platform's own webhook alone",
        _routes(Config((Receiver("dotmac-webhook"),), Route("dotmac-webhook"))),
    ),
    fails("pager-fails", "10.2", "the on-call receiver cannot be reached", _pager_fails),
    fails("dead-alert-rule", "10.2", "an alert rule asks for a metric that nobody exports", _dead_rule),
)
