"""Gate 2 and gate 5: unfinished functions, and the configuration."""

from __future__ import annotations

from console.rehearsal.dotmac.faults.changes import (
    Form,
    chart_values,
    config,
    configured,
    released,
    set_secret,
    switch,
    switched,
    two_forms,
    when_live,
)
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import Feature, Outage
from console.rehearsal.world.fault import Fault, below, fails, together
from state.base.json import Json


def _no_final_domain(values: dict[str, Json]) -> None:
    below(values, "endpoints")["nextAuthUrl"] = "https://admin.example.com"


FAULTS: tuple[Fault, ...] = (
    *released(
        "partner-500",
        "2.1",
        "the partner endpoints are there and answer 500",
        switched("flows.partner", Feature.BROKEN),
    ),
    *released(
        "partner-forbidden",
        "2.1",
        "the partner endpoints answer 403 to partners: neither there nor disabled",
        switched("flows.partner", Feature.FORBIDDEN),
    ),
    *released(
        "awx-enabled",
        "2.2",
        "AWX provisioning is on, and no worker takes its jobs",
        switched("flows.provisioning", Feature.IMPLEMENTED),
    ),
    *released(
        "awx-500", "2.2", "AWX provisioning answers 500", switched("flows.provisioning", Feature.BROKEN)
    ),
    *released(
        "deployment-500",
        "2.2",
        "the deployment routes are there and answer 500",
        switched("flows.deployment", Feature.BROKEN),
    ),
    *released(
        "auth-metrics-zero",
        "2.3",
        "the login statistics are always zero",
        switched("flows.auth_metrics_zero", True),
    ),
    *released(
        "recent-audit-empty",
        "2.3",
        "the recent audit list is always empty",
        switched("flows.recent_audit_empty", True),
    ),
    *released(
        "billing-zero", "2.3", "the billing summary is always zero", switched("flows.billing_zero", True)
    ),
    *two_forms(
        "placeholder-domain",
        "5.1",
        "NEXTAUTH_URL still is https://admin.example.com",
        Form(prepare=chart_values(_no_final_domain, previous=True)),
        Form(prepare=together(*(chart_values(_no_final_domain, env) for env in Env))),
    ),
    fails(
        "placeholder-live",
        "5.1",
        "production's values alone say that NEXTAUTH_URL is https://admin.example.com",
        prepare=chart_values(_no_final_domain),
        live=True,
    ),
    *released(
        "bundle-localhost",
        "5.1",
        "the Admin UI's scripts were built for localhost:8000",
        switched("web.bundle_api_url", "http://localhost:8000"),
    ),
    fails(
        "vault-localhost",
        "5.1",
        "VAULT__URL leads to localhost",
        set_secret("VAULT__URL", "http://localhost:8200"),
        live=True,
    ),
    *released(
        "cors-localhost",
        "5.2",
        "CORS still allows localhost:3000, with credentials",
        switched("web.cors_localhost", True),
    ),
    *released(
        "cors-plain-http",
        "5.2",
        "CORS allows the Admin UI's origin over plain HTTP",
        switched("web.cors_plain_http", True),
    ),
    *released(
        "cors-any-origin",
        "5.2",
        "CORS reflects every origin, with credentials",
        switched("web.cors_any_origin", True),
    ),
    *released(
        "cors-other-admin",
        "5.2",
        "CORS allows another Admin domain and not the one there is",
        switched("web.cors_origins", ["https://admin.dotmac.io"]),
    ),
    fails(
        "grafana-database",
        "5.3",
        "Grafana runs without its database",
        switch("observers.grafana_database", "failing"),
    ),
    fails("otlp-refuses", "5.3", "the OTLP receiver refuses traces", switch("observers.otlp_status", 503)),
    *released("debug-log", "5.4", "the platform logs at DEBUG", switched("health.log_level", "DEBUG")),
    *released(
        "debug-setting",
        "5.4",
        "GUNICORN_LOG_LEVEL is debug in the ConfigMap",
        configured("GUNICORN_LOG_LEVEL", "debug"),
    ),
    *released("testing-mode", "5.4", "TESTING=1 turns the tenant checks off", configured("TESTING", "1")),
    fails(
        "testing-live",
        "5.4",
        "once it is live, somebody sets TESTING=1 in production",
        when_live(Env.PRODUCTION, config("TESTING", "1")),
        live=True,
    ),
    *released("stack-traces", "5.4", "errors show stack traces", switched("health.stack_traces", True)),
    *released("docs-public", "5.4", "the API's /docs are open", switched("health.docs_public", True)),
    fails("grafana-down", "5.3", "Grafana answers 503", switch("observers.grafana", Outage.UNAVAILABLE)),
)
