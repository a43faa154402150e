"""Gate 3: security and compliance."""

from __future__ import annotations

from console.rehearsal.dotmac.credentials import platform_secret
from console.rehearsal.dotmac.faults.changes import answered, released, secret, set_secret, switched
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import Csp, Recording
from console.rehearsal.world.fault import Fault, fails
from console.rehearsal.world.world import World

_DEFAULT = "dev-secret-key-change-me-min-32-chars"


def _repeated(values: dict[str, str], _: World) -> None:
    values["NEXTAUTH_SECRET"] = values["SECRET_KEY"]


def _of_staging(values: dict[str, str], world: World) -> None:
    values["SECRET_KEY"] = platform_secret(world.seed, Env.STAGING)["SECRET_KEY"]


FAULTS: tuple[Fault, ...] = (
    fails(
        "secret-default",
        "3.1",
        "SECRET_KEY is the long default that the platform itself accepts",
        set_secret("SECRET_KEY", _DEFAULT),
    ),
    fails(
        "secret-short",
        "3.1",
        "NEXTAUTH_SECRET has eleven characters",
        set_secret("NEXTAUTH_SECRET", "k7Gq2xRw9Lp"),
    ),
    fails(
        "secret-monotone",
        "3.1",
        "SECRET_KEY is long and has two different characters",
        set_secret("SECRET_KEY", "ab" * 24),
    ),
    fails("secret-repeated", "3.1", "NEXTAUTH_SECRET is the same value as SECRET_KEY", secret(_repeated)),
    fails("secret-of-staging", "3.1", "production's SECRET_KEY is staging's", secret(_of_staging)),
    *released(
        "forged-empty-key",
        "3.1",
        "a token signed with the empty key is accepted",
        switched("auth.forged_keys", {""}),
    ),
    *released(
        "forged-default-key",
        "3.1",
        "a token signed with a published key is accepted",
        switched("auth.forged_keys", {"change-me", "default-secret-change-this"}),
    ),
    *released(
        "unsigned-token",
        "3.1",
        "a token without a signature is accepted",
        switched("auth.unsigned_tokens", True),
    ),
    *released(
        "csp-weak", "3.2", "the CSP allows unsafe-inline and unsafe-eval", switched("web.csp_admin", Csp.WEAK)
    ),
    *released("csp-missing", "3.2", "the Admin UI has no CSP", switched("web.csp_admin", Csp.NONE)),
    *released("csp-report-only", "3.2", "the CSP only reports", switched("web.csp_report_only", True)),
    *released("hsts-missing", "3.2", "no HSTS header", switched("web.hsts", None)),
    *released("nosniff-missing", "3.2", "no X-Content-Type-Options header", switched("web.nosniff", False)),
    *released(
        "rate-limit-off",
        "3.3",
        "wrong passwords can be tried without limit",
        switched("auth.cookie_login_limit", None),
    ),
    *released(
        "rate-limit-for-all",
        "3.3",
        "one attacker behind the ingress locks everybody out",
        switched("auth.limit_for_all", True),
    ),
    *released(
        "limiter-leaks",
        "3.3",
        "after some logins the login refuses everybody for ever",
        switched("auth.limiter_leaks", True),
    ),
    *released(
        "cookie-no-samesite",
        "3.4",
        "the refresh cookie alone has no SameSite",
        switched("auth.cookies.refresh_token.same_site", ""),
    ),
    *released(
        "cookie-not-secure",
        "3.4",
        "the access cookie is sent over plain HTTP",
        switched("auth.cookies.access_token.secure", False),
    ),
    *released(
        "cookie-not-httponly",
        "3.4",
        "scripts can read the access cookie",
        switched("auth.cookies.access_token.http_only", False),
    ),
    *released(
        "cookie-domain",
        "3.4",
        "the refresh cookie goes to every host of the domain",
        switched("auth.cookies.refresh_token.domain", "dotmac.test"),
    ),
    *released(
        "user-lists-tenants",
        "3.5",
        "a tenant's user can list all tenants",
        switched("auth.role_overrides", {("tenant_user", "/api/v1/tenants"): 200}),
    ),
    *released(
        "partner-sees-invoices",
        "3.5",
        "a partner can read invoices",
        switched("auth.role_overrides", {("partner", "/api/v1/billing/invoices"): 200}),
    ),
    *released(
        "anonymous-audit",
        "3.5",
        "the audit list is open to everybody",
        switched("auth.role_overrides", {("anonymous", "/api/v1/audit/activities"): 200}),
    ),
    *released(
        "foreign-tenant",
        "3.5",
        "a tenant's user reads another tenant's data by a header",
        switched("auth.foreign_tenant_served", True),
    ),
    *released(
        "platform-api-500",
        "3.5",
        "everything below /api/platform/v1 answers 500, whoever asks",
        switched("flows.platform_v1_broken", True),
    ),
    *released(
        "platform-api-refuses",
        "3.5",
        "the platform's API takes its own administrator for nobody",
        answered("/api/platform/v1/tenants", 401, '{"detail": "Authentication required"}'),
    ),
    *released(
        "platform-api-open",
        "3.5",
        "the platform's API lets every login in",
        switched("flows.platform_v1_open", True),
    ),
    *released("audit-off", "3.6", "failed logins are not recorded", switched("flows.audit", Recording.OFF)),
    *released(
        "audit-late", "3.6", "audit rows come ten minutes late", switched("flows.audit", Recording.DELAYED)
    ),
    *released(
        "audit-hidden",
        "3.6",
        "the audit list stays empty though rows are written",
        switched("flows.audit_api_empty", True),
    ),
)
