"""Gate 2 and gate 5: unfinished functions, and the configuration."""

from __future__ import annotations

from console.rehearsal.dotmac.faults.changes import chart_values, config, set_secret, switch
from console.rehearsal.dotmac.platform import Feature, Outage
from console.rehearsal.world.fault import Fault, below, fails
from state.base.json import Json


def _no_final_domain(values: dict[str, Json]) -> None:
    below(values, "endpoints")["nextAuthUrl"] = "https://admin.example.com"


FAULTS: tuple[Fault, ...] = (
    fails(
        "partner-500",
        "2.1",
        "the partner endpoints are there and answer 500",
        switch("flows.partner", Feature.BROKEN),
    ),
    fails(
        "partner-forbidden",
        "2.1",
        "the partner endpoints answer 403 to partners: neither there nor disabled",
        switch("flows.partner", Feature.FORBIDDEN),
    ),
    fails(
        "awx-enabled",
        "2.2",
        "AWX provisioning is on, and no worker takes its jobs",
        switch("flows.provisioning", Feature.IMPLEMENTED),
    ),
    fails("awx-500", "2.2", "AWX provisioning answers 500", switch("flows.provisioning", Feature.BROKEN)),
    fails(
        "deployment-500",
        "2.2",
        "the deployment routes are there and answer 500",
        switch("flows.deployment", Feature.BROKEN),
    ),
    fails(
        "auth-metrics-zero",
        "2.3",
        "the login statistics are always zero",
        switch("flows.auth_metrics_zero", True),
    ),
    fails(
        "recent-audit-empty",
        "2.3",
        "the recent audit list is always empty",
        switch("flows.recent_audit_empty", True),
    ),
    fails("billing-zero", "2.3", "the billing summary is always zero", switch("flows.billing_zero", True)),
    fails(
        "placeholder-domain",
        "5.1",
        "NEXTAUTH_URL still is https://admin.example.com",
        prepare=chart_values(_no_final_domain, always=True),
    ),
    fails(
        "bundle-localhost",
        "5.1",
        "the Admin UI's scripts were built for localhost:8000",
        switch("web.bundle_api_url", "http://localhost:8000"),
    ),
    fails(
        "vault-localhost",
        "5.1",
        "VAULT__URL leads to localhost",
        set_secret("VAULT__URL", "http://localhost:8200"),
    ),
    fails(
        "cors-localhost",
        "5.2",
        "CORS still allows localhost:3000, with credentials",
        switch("web.cors_localhost", True),
    ),
    fails(
        "cors-plain-http",
        "5.2",
        "CORS allows the Admin UI's origin over plain HTTP",
        switch("web.cors_plain_http", True),
    ),
    fails(
        "cors-any-origin",
        "5.2",
        "CORS reflects every origin, with credentials",
        switch("web.cors_any_origin", True),
    ),
    fails(
        "cors-other-admin",
        "5.2",
        "CORS allows another Admin domain and not the one there is",
        switch("web.cors_origins", ["https://admin.dotmac.io"]),
    ),
    fails(
        "grafana-database",
        "5.3",
        "Grafana runs without its database",
        switch("observers.grafana_database", "failing"),
    ),
    fails("otlp-refuses", "5.3", "the OTLP receiver refuses traces", switch("observers.otlp_status", 503)),
    fails("debug-log", "5.4", "the platform logs at DEBUG", switch("health.log_level", "DEBUG")),
    fails(
        "debug-setting",
        "5.4",
        "GUNICORN_LOG_LEVEL is debug in the ConfigMap",
        config("GUNICORN_LOG_LEVEL", "debug"),
    ),
    fails("testing-mode", "5.4", "TESTING=1 turns the tenant checks off", config("TESTING", "1")),
    fails("stack-traces", "5.4", "errors show stack traces", switch("health.stack_traces", True)),
    fails("docs-public", "5.4", "the API's /docs are open", switch("health.docs_public", True)),
    fails("grafana-down", "5.3", "Grafana answers 503", switch("observers.grafana", Outage.UNAVAILABLE)),
)
