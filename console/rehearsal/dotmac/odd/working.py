"""How the platform works and answers otherwise than one would expect, and rightly: times, texts, leftover pods."""

from __future__ import annotations

import json
from collections.abc import Callable

from console.rehearsal.dotmac.faults.changes import Flaw, answered, at_once, edit, switched
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.odd.around import SAFE
from console.rehearsal.dotmac.platform import Recording
from console.rehearsal.sim.kubernetes.objects import stamp
from console.rehearsal.world.fault import Apply, Fault, below, odd, together
from console.rehearsal.world.world import World
from state.base.clock import SECOND_US
from state.base.json import Json, JsonObject, obj

_DAY_US = 86_400 * SECOND_US
_JSON_LOG = (
    '{"level": "info", "msg": "debug toolbar is off"}',
    'ts=2026-11-30T17:00:01Z level=info msg="trace sampling 1%"',
    "2026-11-30 17:00:02 WARNING app: DEBUG was asked for and is not given",
)
_OLD_IMAGE = "registry.dotmac.test/dotmactech/old:1"
_PLANS = json.dumps([])


def _odd(name: str, item: str, what: str, *flaws: Flaw) -> Fault:
    """Return that both environments are odd, from the beginning on."""
    return odd(name, item, what, together(*(at_once(env, *flaws) for env in Env)))


def _pod(name: str, phase: str, reason: str = "") -> Apply:
    """Leave a pod in each namespace that nobody needs any more: it is two days old, and over."""

    def apply(world: World) -> None:
        at = stamp(world.clock.wall_us() - 2 * _DAY_US)
        for env in Env:
            meta: JsonObject = {
                "name": name,
                "namespace": env.namespace,
                "labels": {"app": "dotmac-backend"},
                "creationTimestamp": at,
            }
            spec: JsonObject = {
                "automountServiceAccountToken": False,
                "containers": [
                    {
                        "name": "backend",
                        "image": "registry.dotmac.test/dotmactech/old:1",
                        "securityContext": SAFE,
                    }
                ],
                "nodeName": "gone-1",
            }
            status: JsonObject = {"phase": phase, "startTime": at, **({"reason": reason} if reason else {})}
            world.store.put("pods", {"metadata": meta, "spec": spec, "status": status})

    return apply


def _annotated(deployment: dict[str, Json]) -> None:
    """Annotate as ``kubectl annotate`` does, outside of the template: nothing is rolled out for it."""
    notes = {**obj(below(deployment, "metadata").get("annotations")), "kubernetes.io/change-cause": "on-call"}
    below(deployment, "metadata")["annotations"] = notes


def _restarted(deployment: dict[str, Json]) -> None:
    """Restart as ``kubectl rollout restart`` does: by an annotation of the template."""
    meta = below(deployment, "spec", "template", "metadata")
    notes = {**obj(meta.get("annotations")), "kubectl.kubernetes.io/restartedAt": "2026-11-29T10:00:00Z"}
    meta["annotations"] = notes


def _everywhere(change: Callable[[dict[str, Json]], None]) -> Apply:
    parts = ("backend", "frontend", "worker")
    return together(*(edit("deployments", f"dotmac-{part}", change, env) for env in Env for part in parts))


def _job_of_old(world: World) -> None:
    """Leave a job that failed two days ago, which has nothing to do with the release's migrations."""
    at = stamp(world.clock.wall_us() - 2 * _DAY_US)
    for env in Env:
        where: JsonObject = {"name": "report-of-sunday", "namespace": env.namespace, "creationTimestamp": at}
        box: JsonObject = {"name": "report", "image": _OLD_IMAGE, "securityContext": SAFE}
        pod: JsonObject = {
            "automountServiceAccountToken": False,
            "restartPolicy": "Never",
            "containers": [box],
        }
        failed: JsonObject = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
        status: JsonObject = {"failed": 1, "startTime": at, "conditions": [failed]}
        spec: JsonObject = {"backoffLimit": 0, "suspend": True, "template": {"spec": pod}}
        world.store.put("jobs", {"metadata": where, "spec": spec, "status": status})


def _ingress(name: str, where: JsonObject, notes: JsonObject) -> Apply:
    """Add an ingress for the API's host in each namespace; ``where`` is its one path."""

    def apply(world: World) -> None:
        for env in Env:
            rule: JsonObject = {"host": env.hosts[0], "http": {"paths": [where]}}
            meta: JsonObject = {"name": name, "namespace": env.namespace, "annotations": notes}
            spec: JsonObject = {"ingressClassName": "nginx", "rules": [rule]}
            world.store.put("ingresses", {"metadata": meta, "spec": spec})

    return apply


def _to(service: str, port: int) -> JsonObject:
    return {"service": {"name": service, "port": {"number": port}}}


_SOLVER = _ingress(
    "cm-acme-http-solver-x",
    {
        "path": "/.well-known/acme-challenge/x",
        "pathType": "ImplementationSpecific",
        "backend": _to("cm-acme-http-solver", 8089),
    },
    {},
)
_CANARY = _ingress(
    "dotmac-canary",
    {"path": "/", "pathType": "Prefix", "backend": _to("dotmac-backend", 8000)},
    {"nginx.ingress.kubernetes.io/canary": "true", "nginx.ingress.kubernetes.io/canary-weight": "0"},
)


ODD: tuple[Fault, ...] = (
    _odd("jobs-slow", "8.3", "a job waits ten seconds, and runs for ten", switched("flows.job_queue_s", 10.0),
         switched("flows.job_run_s", 10.0)),
    _odd("answers-slow", "8.3", "every answer takes a fifth of a second", switched("flows.latency_ms", 200.0)),
    _odd("plans-none", "8.3", "there are no plans to subscribe to yet",
         answered("/api/v1/billing/subscriptions/plans", 200, _PLANS)),
    _odd("audit-late", "2.3", "audit rows are written three seconds late",
         switched("flows.audit", Recording.DELAYED), switched("flows.audit_delay_s", 3.0)),
    _odd("channels-many", "10.2", "five channels are told of each alert", switched("flows.webhook_channels", 5)),
    _odd("version-own", "6.2", "the platform tells a version of its own", switched("health.version", "2026.11")),
    _odd("log-structured", "5.4", "the log has JSON and key-value lines that name debug and trace",
         switched("health.log_more", _JSON_LOG)),
    _odd("docs-a-page", "5.4", "/docs answers 404 with a page",
         answered("/docs", 404, "<!doctype html><title>Not found</title>", "text/html")),
    _odd("docs-forbidden-page", "5.4", "/docs answers 403 with a page of the platform",
         answered("/docs", 403, "<!doctype html><title>Forbidden</title>", "text/html")),
    _odd("frames-by-csp", "3.2", "framing is forbidden by the CSP alone", switched("web.frame_options", None)),
    _odd("hsts-of-one-host", "3.2", "HSTS is for the one host", switched("web.hsts", "max-age=63072000")),
    _odd("hsts-in-capitals", "3.2", "HSTS is written in capitals",
         switched("web.hsts", "MAX-AGE=31536000; INCLUDESUBDOMAINS")),
    _odd("redirect-302", "6.1", "plain HTTP is redirected by 302", switched("web.redirect_status", 302)),
    _odd("redirect-307", "6.1", "plain HTTP is redirected by 307", switched("web.redirect_status", 307)),
    _odd("page-with-data", "3.2", "the pages hold data for their script, which is none itself",
         switched("web.admin_head", '<script type="application/json" id="__NEXT_DATA__">{"props":{}}</script>')),
    _odd("page-preloads", "5.1", "the pages preload their script",
         switched("web.admin_head", '<link rel="preload" as="script" href="/_next/static/chunks/main.js">')),
    _odd("script-mapped", "5.1", "the script names its source map, and documentation",
         switched("web.bundle_more", "/* see https://nextjs.org/docs */\n//# sourceMappingURL=main.js.map")),
    _odd("limit-for-names", "3.3", "the limiter tells when to come again, and locks by 429",
         switched("auth.limit_headers", True), switched("auth.cookie_login_limit", 4)),
    _odd("token-short", "3.1", "a token lives for five minutes", switched("auth.token_lifetime_s", 300)),
    odd("pod-evicted", "6.2", "a pod was evicted two days ago, and is still listed",
        _pod("dotmac-backend-evicted", "Failed", "Evicted")),
    odd("pod-done", "6.2", "a pod that somebody started by hand has done its work",
        _pod("shell-of-somebody", "Succeeded")),
    odd("annotated", "6.3", "an annotation was written on the workloads by hand", _everywhere(_annotated)),
    odd("restarted", "6.3", "the workloads were restarted by hand, a day ago", _everywhere(_restarted)),
    odd("job-failed-once", "6.2", "a job of somebody else failed two days ago", _job_of_old),
    odd("acme-solver", "6.1", "a certificate is being renewed: its solver has an ingress", _SOLVER),
    odd("canary-over", "3.3", "the ingress of a canary gets no traffic any more", _CANARY),
)  # fmt: skip
