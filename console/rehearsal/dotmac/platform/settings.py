"""What one environment's platform does, as switches: healthy unless a fault changes one.

Every field is read at the moment of an answer, so a fault can be flipped while the platform runs. The values
and their meanings are those measured on the real platform (its deviations are the faults, not the defaults).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from console.rehearsal.sim.certificate_authority import CertificateFault


class Csp(StrEnum):
    """The Content-Security-Policy that the ingress adds."""

    NONE = "none"
    WEAK = "weak"
    """With unsafe-inline and unsafe-eval in script-src."""
    STRONG = "strong"


class Feature(StrEnum):
    """The state of a group of routes that a launch may go without."""

    DISABLED = "disabled"
    """404, and absent from /openapi.json."""
    IMPLEMENTED = "implemented"
    FORBIDDEN = "forbidden"
    """403 for everybody: neither usable nor disabled."""
    BROKEN = "broken"
    """500 for everybody."""


class Recording(StrEnum):
    """What becomes of audit rows."""

    ON = "on"
    OFF = "off"
    DELAYED = "delayed"
    """Written ``audit_delay_s`` seconds later."""


class Metrics(StrEnum):
    """What GET /metrics answers."""

    PUBLIC = "public"
    INTERNAL = "internal"
    """403 through the ingress, 200 at the Service."""
    ABSENT = "absent"
    """404."""
    HTML = "html"
    """200 with a page of somebody else."""


class Outage(StrEnum):
    """How a server fails as a whole."""

    NONE = "none"
    UNAVAILABLE = "unavailable"
    """503 with the ingress controller's HTML."""
    HTML = "html"
    """200 with an HTML page, whatever was asked for."""
    LOGIN = "login"
    """302 to a page where one logs in."""
    DROP = "drop"
    """The connection is closed without an answer."""
    HANG = "hang"
    """No answer comes."""
    TRUNCATED = "truncated"
    """A JSON body that ends in the middle."""


class Vault(StrEnum):
    """The state of Vault; the platform itself calls every one of them healthy."""

    UNSEALED = "unsealed"
    SEALED = "sealed"
    UNINITIALISED = "uninitialised"


@dataclass(frozen=True, slots=True)
class Fixed:
    """An answer that is given whatever is asked, as by a proxy, a cache or a stub."""

    status: int
    text: str
    content_type: str = "application/json"
    location: str = ""


@dataclass(slots=True)
class Cookie:
    """The attributes of one cookie; ``same_site`` empty leaves the attribute out."""

    max_age_s: int | None
    http_only: bool = True
    secure: bool = True
    same_site: str = "strict"
    path: str = "/"
    domain: str = ""
    expires: str = ""
    """As in the header."""


def _api_cookies() -> dict[str, Cookie]:
    return {
        "access_token": Cookie(900),
        "refresh_token": Cookie(7 * 86400),
        "csrf_token": Cookie(7 * 86400, http_only=False),
    }


def _admin_cookies() -> dict[str, Cookie]:
    return {
        "__Secure-next-auth.session-token": Cookie(86400, same_site="Lax"),
        "__Host-next-auth.csrf-token": Cookie(None, same_site="Lax"),
        "__Secure-next-auth.callback-url": Cookie(None, same_site="Lax"),
    }


@dataclass(slots=True)
class AuthSettings:
    """Login, tokens, roles and limits."""

    cookies: dict[str, Cookie] = field(default_factory=_api_cookies)
    """Of the API's login, by name. Outside production the real platform sets neither Secure nor strict."""
    cookies_left_out: set[str] = field(default_factory=set)
    token_lifetime_s: int = 900
    forged_keys: set[str] = field(default_factory=set)
    """Keys besides the real one that a token may be signed with; "" is the empty key (blocker B3)."""
    forged_algorithms: set[str] = field(default_factory=lambda: {"HS256"})
    """Algorithms with which one of ``forged_keys`` is accepted."""
    unsigned_tokens: bool = False
    """Tokens with alg none are accepted."""
    unsigned_words: set[str] = field(default_factory=set)
    """Further spellings of none that are accepted, each as it is."""
    more_cookies: list[str] = field(default_factory=list)
    """Further Set-Cookie headers of a login."""
    refused_roles: set[str] = field(default_factory=set)
    """Accounts of these roles get 401, as with a changed password."""
    mfa_roles: set[str] = field(default_factory=set)
    """Accounts of these roles get 403 with X-2FA-Required."""
    role_overrides: dict[tuple[str, str], int] = field(default_factory=dict)
    """(role, path) -> status, instead of the role matrix; 200 lets in. "anonymous" is a role here."""
    foreign_tenant_served: bool = False
    """A tenant's member gets another tenant's data by X-Tenant-ID."""
    foreign_tenant_empty: bool = False
    """A tenant's member who names another tenant is shown that one, which has nothing."""
    foreign_tenant_status: int | None = None
    """What the ingress answers where another tenant is named, with its own page."""
    overexposed_reads: bool = False
    """Partners, rate limits and monitoring answer every login, as the real platform does."""
    cookie_login_limit: int | None = 5
    """POST /api/v1/auth/login/cookie per minute, source and user name; None: no limit."""
    login_limit: int | None = 100
    limit_window_s: int = 60
    limit_by_username: bool = True
    """False: one bucket per source address."""
    limit_for_all: bool = False
    """One bucket, so that a burst locks everybody out."""
    limiter_leaks: bool = False
    """After as many calls as its limit, a route answers 429 to everyone for ever (blocker B4)."""
    limit_headers: bool = False
    """429 carries Retry-After and X-RateLimit-*; the real platform sends none."""
    lockout_after: int | None = None
    """Failed logins after which a user name is refused; None: never."""
    lockout_status: int = 403
    csrf_missing_status: int = 403
    """500 on the real platform."""


@dataclass(slots=True)
class WebSettings:
    """What the ingress and the Admin UI send to a browser."""

    csp_admin: Csp = Csp.STRONG
    csp_api: Csp = Csp.STRONG
    csp_admin_text: str | None = None
    """The Admin UI's policy, in place of that of ``csp_admin``; ``{nonce}`` is another one in each answer."""
    csp_admin_more: tuple[str, ...] = ()
    """Further headers of that name."""
    csp_admin_meta: str = ""
    """A policy that the Admin UI's pages give in themselves."""
    csp_report_only: bool = False
    hsts: str | None = "max-age=31536000; includeSubDomains"
    nosniff: bool = True
    frame_options: str | None = "DENY"
    admin_cookies: dict[str, Cookie] = field(default_factory=_admin_cookies)
    cors_origins: list[str] | None = None
    """None: the Admin UI's https origin only."""
    cors_localhost: bool = False
    """http://localhost:3000 and :3001 are allowed with credentials, the real platform's default."""
    cors_plain_http: bool = False
    """The http variant of the Admin UI's origin is allowed."""
    cors_any_origin: bool = False
    """Any origin is reflected, with credentials."""
    cors_pattern: str = ""
    """A regular expression whose matches are allowed, from an origin's beginning on, as careless code tries it."""
    cors_answers_any: bool = False
    """Preflights are right, and plain answers are for any origin."""
    admin_answers: dict[str, Fixed] = field(default_factory=dict)
    """Path of the Admin UI -> what is answered there."""
    admin_head: str = ""
    """More HTML in the head of each page of the Admin UI."""
    bundle_more: str = ""
    """More text in the Admin UI's script."""
    admin_login_status: int = 200
    admin_broken_paths: dict[str, int] = field(default_factory=dict)
    bundle_api_url: str | None = None
    """Baked into the Admin UI's JavaScript; None: the API's https origin. The default is localhost."""
    redirect_status: int | None = 308
    """Of plain HTTP; None: no redirect, the platform answers in clear text."""
    redirect_host: str = ""
    """Where plain HTTP leads to; empty: the same host."""
    certificate: CertificateFault = CertificateFault.NONE
    api_outage: Outage = Outage.NONE
    admin_outage: Outage = Outage.NONE


@dataclass(slots=True)
class HealthSettings:
    """The health family and what belongs to debugging."""

    status: int = 200
    text: str = "healthy"
    version: str = "1.0.0"
    """The real platform says 1.0.0 unless APP_VERSION is set: no artifact's identity."""
    reported_environment: str | None = None
    """None: the environment's own name."""
    failing_services: set[str] = field(default_factory=set)
    """Readiness answers 200 with healthy false and these in failed_services."""
    ready_status: int = 200
    metrics: Metrics = Metrics.PUBLIC
    trusted_hosts_enforced: bool = True
    """False: a bogus Host header gets 200, as with a wildcard in TRUSTED_HOSTS (blocker B2)."""
    docs_public: bool = False
    openapi_public: bool = True
    stack_traces: bool = False
    """A 500 has details.stack_trace, as with a root logger at DEBUG."""
    log_level: str = "INFO"
    """DEBUG: the log has DEBUG lines."""
    log_more: tuple[str, ...] = ()
    """Further lines of the API's log."""
    log_elsewhere: bool = False
    """The pods' own log is empty: it is written to somewhere else."""


@dataclass(slots=True)
class FlowSettings:
    """The platform's work: routes, jobs, audit trail, alerts."""

    partner: Feature = Feature.DISABLED
    provisioning: Feature = Feature.DISABLED
    """AWX; IMPLEMENTED has a queue that nobody reads unless ``provisioning_worker`` is on."""
    provisioning_worker: bool = False
    deployment: Feature = Feature.DISABLED
    platform_v1_broken: bool = False
    """Everything below /api/platform/v1 answers 500 (blocker B5)."""
    platform_v1_open: bool = False
    """Below /api/platform/v1 a route that asks for no role of its own answers every login."""
    answers: dict[str, Fixed] = field(default_factory=dict)
    """API path -> what is answered there, whoever asks."""
    broken_paths: dict[str, int] = field(default_factory=dict)
    """API path -> status for every caller, whatever else is set: a failing flow, a 501."""
    error_share: float = 0.0
    """Share of API requests that answer 500, drawn from the seed; health and metrics never do."""
    latency_ms: float = 0.0
    """Real milliseconds before each answer of the API."""
    jobs_stuck: bool = False
    """Jobs stay pending: no worker reads the queue they are put in (blocker B6)."""
    jobs_fail: bool = False
    job_queue_s: float = 1.0
    job_run_s: float = 3.0
    audit: Recording = Recording.ON
    failed_login_action: str = "login_failed"
    """What the audit trail calls a failed login."""
    audit_delay_s: float = 600.0
    audit_api_empty: bool = False
    """The audit list is empty although rows are written."""
    auth_metrics_zero: bool = False
    recent_audit_empty: bool = False
    billing_zero: bool = False
    webhook_channels: int = 2
    """Channels told per alert; 0: nobody was."""
    webhook_secret_set: bool = True
    feature_flags_redis: bool = True
    features: dict[str, bool] = field(
        default_factory=lambda: {
            "auth": True,
            "tenants": True,
            "billing": True,
            "monitoring": True,
            "jobs": True,
            "partner": False,
            "awx_provisioning": False,
            "deployment": False,
        }
    )
    """What /api/v1/platform/config says is on."""


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """What the database is and holds; replace the whole value to change it."""

    heads: tuple[str, ...] | None = None
    """Rows of alembic_version after a migration; None: the one that was asked for."""
    missing_tables: tuple[str, ...] = ()
    missing_columns: tuple[str, ...] = ()
    """``table.column``, left out although the head is reached (blocker B1)."""
    missing_roles: bool = False
    """The start-up seeding of roles never ran."""
    identity_of: str | None = None
    """Environment whose database system this one is too; None: its own."""
    tenants_of: str | None = None
    """Environment whose tenants were copied in; None: its own."""


@dataclass(slots=True)
class ObserverSettings:
    """What watches the platform: traces, logs, dashboards, Vault, CI."""

    traces_recorded: bool = True
    trace_service: str = "dotmac-platform"
    trace_delay_s: float = 2.0
    logs_recorded: bool = True
    log_delay_s: float = 1.0
    grafana: Outage = Outage.NONE
    grafana_database: str = "ok"
    jaeger: Outage = Outage.NONE
    loki: Outage = Outage.NONE
    otlp_status: int = 200
    vault: Vault = Vault.UNSEALED
    ci: Outage = Outage.NONE
    ci_checks: dict[str, str] = field(
        default_factory=lambda: {
            "build-backend": "success",
            "build-frontend": "success",
            "build-worker": "success",
            "unit-tests": "success",
            "integration-tests": "success",
            "frontend-lint": "success",
            "frontend-types": "success",
        }
    )
    """Job -> its newest attempt, in GitHub's words: success, failure, in_progress …"""
    ci_earlier: dict[str, str] = field(default_factory=lambda: {"integration-tests": "failure"})
    """Job -> the attempt before: it doesn't count."""
    ci_absent: set[str] = field(default_factory=set)
    """Jobs that never ran for the commit."""
    ci_reported: frozenset[str] = frozenset({"frontend-lint", "frontend-types"})
    """Jobs of another system, which GitHub knows by a commit status alone."""
    ci_unknown_commit: bool = False
    """GitHub doesn't know the commit."""


@dataclass(slots=True)
class PlatformSettings:
    """All switches of one environment, launch-ready: staging's are production's (SOP 8.1).

    By itself the platform sets its cookies neither Secure nor strict outside production, and shows /docs.
    """

    auth: AuthSettings = field(default_factory=AuthSettings)
    web: WebSettings = field(default_factory=WebSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    flows: FlowSettings = field(default_factory=FlowSettings)
    observers: ObserverSettings = field(default_factory=ObserverSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
