"""Answers of somebody or something else: a proxy, a cache, a stub, a page for browsers. None of them is a pass."""

from __future__ import annotations

import json

from aiohttp import web

from console.rehearsal.dotmac.faults.changes import (
    Flaw,
    admin_answered,
    answered,
    at_once,
    released,
    switched,
)
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import Feature
from console.rehearsal.dotmac.platform.routes.admin import CHUNK
from console.rehearsal.sim.nginx import UNAVAILABLE_PAGE
from console.rehearsal.world.fault import Apply, Expect, Fault, answering, blinds, fails
from console.rehearsal.world.world import World
from state.base.json import Json

_PARTNER = "/api/v1/partner/tenants"
_SUMMARY = "/api/v1/platform/billing/summary"
_FAILING = "/api/v1/jobs/dashboard"
_PLANS = "/api/v1/billing/subscriptions/plans"
_APP = "<!DOCTYPE html><html><head><title>DotMac</title></head><body><div id='root'></div></body></html>"
_NODE = (
    "TypeError: Cannot read properties of undefined (reading 'id')\n"
    "    at Dashboard.load (/app/dist/jobs.js:41:17)\n    at process.processTicksAndRejections (node:internal:95:5)"
)
_MAINTENANCE = (
    "<!DOCTYPE html><html><head><title>Down for maintenance</title>"
    f'<script src="{CHUNK}" defer=""></script></head><body><h1>We are down for maintenance</h1></body></html>'
)


def _proxied(path: str, status: int) -> Flaw:
    return answered(path, status, UNAVAILABLE_PAGE, "text/html")


def _json(path: str, body: Json) -> Flaw:
    return answered(path, 200, json.dumps(body))


def _lists_nothing(part: str) -> Apply:
    """Let every list of a kind in production be an object without anything, as of a broken aggregated API."""
    answer = answering(200, "{}", "application/json")

    def apply(world: World) -> None:
        token = world.account(Env.PRODUCTION)

        async def hook(request: web.Request) -> web.StreamResponse | None:
            theirs = world.kube.user_of(request) == token
            return await answer(request) if theirs and request.path.endswith(part) else None

        world.kube.hooks.append(hook)

    return apply


FAULTS: tuple[Fault, ...] = (
    *released(
        "partner-page",
        "2.1",
        "the partner endpoints answer with the page of an application",
        answered(_PARTNER, 200, _APP, "text/html"),
        expect=Expect.UNKNOWN,
    ),
    *released(
        "partner-unavailable",
        "2.1",
        "the ingress answers 503 in place of the partner endpoints",
        _proxied(_PARTNER, 503),
        expect=Expect.UNKNOWN,
    ),
    *released(
        "partner-half",
        "2.1",
        "one partner endpoint is there, and the others are not",
        _json(_PARTNER, {"items": []}),
    ),
    *released(
        "billing-zero-text",
        "2.3",
        "the billing summary is always zero, as text",
        _json(_SUMMARY, {"invoices": "0.00"}),
    ),
    *released(
        "billing-nothing",
        "2.3",
        "the billing summary has no field of what it should tell",
        _json(_SUMMARY, {}),
    ),
    *released(
        "module-served",
        "1.2",
        "the deployment module is switched off and served all the same",
        switched("flows.deployment", Feature.IMPLEMENTED),
    ),
    *released(
        "log-elsewhere",
        "5.4",
        "the API's log is written to somewhere else",
        switched("health.log_elsewhere", True),
        expect=Expect.UNKNOWN,
    ),
    *released(
        "debug-in-json",
        "5.4",
        "the API logs JSON at DEBUG",
        switched("health.log_more", ('{"level": "debug", "message": "SELECT 1"}',)),
    ),
    *released(
        "stack-trace-of-node",
        "5.4",
        "errors show a stack trace of Node",
        answered(_FAILING, 500, _NODE, "text/plain"),
    ),
    *released(
        "nothing-fails",
        "5.4",
        "what should fail doesn't, so no error was seen",
        _json(_FAILING, {"jobs": 3}),
        expect=Expect.UNKNOWN,
    ),
    *released(
        "script-is-a-page",
        "5.1",
        "the Admin UI's script is the page of the application",
        admin_answered(CHUNK, 200, _APP),
        expect=Expect.UNKNOWN,
    ),
    *released(
        "metrics-of-the-ingress",
        "6.2",
        "the ingress answers 504 in place of /metrics",
        _proxied("/metrics", 504),
        expect=Expect.UNKNOWN,
    ),
    *released(
        "foreign-tenant-empty",
        "3.5",
        "a tenant's user becomes another tenant's by a header, one that is empty",
        switched("auth.foreign_tenant_empty", True),
    ),
    *released(
        "foreign-tenant-502",
        "3.5",
        "the ingress answers 502 where another tenant is named",
        switched("auth.foreign_tenant_status", 502),
        expect=Expect.UNKNOWN,
    ),
    *released(
        "forged-hs512",
        "3.1",
        "a token that was signed with a published key by HS512 is accepted",
        switched("auth.forged_keys", {"change-me"}),
        switched("auth.forged_algorithms", {"HS512"}),
    ),
    *released(
        "forged-hs384",
        "3.1",
        "a token that was signed with the empty key by HS384 is accepted",
        switched("auth.forged_keys", {""}),
        switched("auth.forged_algorithms", {"HS384"}),
    ),
    *released(
        "unsigned-capital",
        "3.1",
        "a token without a signature is accepted where its algorithm is called None",
        switched("auth.unsigned_words", {"None"}),
    ),
    *released(
        "audit-as-success",
        "3.6",
        "the audit trail has a failed login as one that succeeded",
        switched("flows.failed_login_action", "login_success"),
    ),
    *released(
        "audit-as-granted",
        "3.6",
        "the audit trail says of a failed login that access was granted",
        switched("flows.failed_login_action", "access_granted"),
    ),
    blinds(
        "login-maintenance",
        "8.3",
        "the Admin UI's login in staging is a page that says maintenance",
        at_once(Env.STAGING, admin_answered("/login", 200, _MAINTENANCE)),
    ),
    blinds(
        "profile-page",
        "8.3",
        "who asks in staging for the own profile gets a page",
        at_once(Env.STAGING, answered("/api/v1/auth/me", 200, _APP, "text/html")),
    ),
    blinds(
        "plans-throttled",
        "8.3",
        "the list of plans in staging answers 429",
        at_once(Env.STAGING, answered(_PLANS, 429, '{"error": "Too many requests"}')),
    ),
    fails(
        "permissions-nothing",
        "8.3",
        "who asks in staging for permissions is told nothing",
        at_once(Env.STAGING, _json("/api/v1/auth/rbac/my-permissions", {})),
    ),
    blinds("roles-nothing", "4.3", "the cluster lists roles as an empty object", _lists_nothing("/roles")),
    blinds(
        "bindings-nothing",
        "4.3",
        "the cluster lists role bindings as an empty object",
        _lists_nothing("/rolebindings"),
    ),
    blinds("nodes-nothing", "1.3", "the cluster lists nodes as an empty object", _lists_nothing("/nodes")),
)
