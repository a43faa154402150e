"""The rehearsal's platform: what API, Admin UI and data stores of one environment answer, over real sockets.

settings = PlatformSettings()
platform = Platform("production", settings, clock, seed, Path("production.db"),
                    {"platform_admin": ("smoke-admin", "…", None), "tenant_admin": ("…", "…", "smoke"), …},
                    metrics_text, ("api.example.com", "admin.example.com"), revision=PREVIOUS_HEAD)
authority = Authority(seed, clock, folder)             authority.ca_file: what clients trust
ingress = Ingress(platform, authority)
https = await listen(ingress.https_application(), ssl_context=ingress.ssl_context())   https.port, https.url
http = await listen(ingress.http_application())        redirects to https
api = await listen(platform.api_application())         the Service behind the ingress: plain HTTP
admin = await listen(platform.admin_application())
watching = await listen(platform.observers_application())   Grafana, Jaeger, Loki, OTLP, Vault, GitHub
task = asyncio.create_task(platform.run())             the worker's jobs and late audit rows
platform.database.url                                  SQLAlchemy URL, read-only
platform.database.migrate("create_licensing_enums")    what the migration job does
platform.secret("jwt")                                 goes into the Secret as AUTH__JWT_SECRET_KEY
settings.web.csp_admin = Csp.WEAK                      a fault: every switch works at once
settings.database = DatabaseSettings(missing_columns=("roles.parent_id",))
await https.close(); platform.close()
"""

from __future__ import annotations

from console.rehearsal.dotmac.platform.database import Activity, Database
from console.rehearsal.dotmac.platform.ingress import Ingress
from console.rehearsal.dotmac.platform.schema import HEAD, PREVIOUS_HEAD
from console.rehearsal.dotmac.platform.service import Accounts, Platform
from console.rehearsal.dotmac.platform.settings import (
    AuthSettings,
    Cookie,
    Csp,
    DatabaseSettings,
    Feature,
    Fixed,
    FlowSettings,
    HealthSettings,
    Metrics,
    ObserverSettings,
    Outage,
    PlatformSettings,
    Recording,
    Vault,
    WebSettings,
)

__all__ = [
    "HEAD",
    "PREVIOUS_HEAD",
    "Accounts",
    "Activity",
    "AuthSettings",
    "Cookie",
    "Csp",
    "Database",
    "DatabaseSettings",
    "Feature",
    "Fixed",
    "FlowSettings",
    "HealthSettings",
    "Ingress",
    "Metrics",
    "ObserverSettings",
    "Outage",
    "Platform",
    "PlatformSettings",
    "Recording",
    "Vault",
    "WebSettings",
]
