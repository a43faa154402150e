"""Gates 3 and 5: what browsers make of the platform's policies, cookies and origins, and limits that limit nobody."""

from __future__ import annotations

from console.rehearsal.dotmac.faults.changes import (
    Flaw,
    configured,
    edited,
    of_candidate,
    released,
    switched,
)
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import Cookie
from console.rehearsal.dotmac.platform.ingress import admin_csp
from console.rehearsal.world.fault import Fault, below
from state.base.json import Json

_ANY_ADMIN = r"https://admin\.(?:staging\.)?dotmac\.test"


def _policy(directive: str, sources: str) -> Flaw:
    """Return that the Admin UI's policy has another directive than a good one has."""
    clauses = [clause.strip() for clause in admin_csp(Env.PRODUCTION.hosts[0]).split(";")]
    kept = [clause for clause in clauses if clause.partition(" ")[0] != directive]
    return switched("web.csp_admin_text", "; ".join([*kept, f"{directive} {sources}"]))


def _cookie(name: str, **changes: object) -> Flaw:
    given: dict[str, object] = {"max_age_s": 900, **changes}
    return switched(f"auth.cookies.{name}", Cookie(**given))  # type: ignore[arg-type]  # checked when it is made


def _sets(*headers: str) -> Flaw:
    return switched("auth.more_cookies", list(headers))


def _limit(value: str | None) -> Flaw:
    def change(ingress: dict[str, Json]) -> None:
        annotations = below(ingress, "metadata", "annotations")
        annotations.pop("nginx.ingress.kubernetes.io/limit-rps", None)
        if value is not None:
            annotations["nginx.ingress.kubernetes.io/limit-rps"] = value

    return edited("ingresses", "dotmac-ingress", change)


FAULTS: tuple[Fault, ...] = (
    *released(
        "csp-any-host",
        "3.2",
        "the CSP lets scripts come from any host and port",
        _policy("script-src", "*:*"),
    ),
    *released(
        "csp-any-https", "3.2", "the CSP lets every https host in", _policy("script-src", "'self' https:")
    ),
    *released(
        "csp-data-scripts",
        "3.2",
        "the CSP takes scripts from data: URLs",
        _policy("script-src", "'self' data:"),
    ),
    *released(
        "csp-fixed-nonce",
        "3.2",
        "the CSP's nonce was built in and is the same in every answer",
        _policy("script-src", "'self' 'nonce-c3RhdGljbm9uY2UxMjM0NQ=='"),
    ),
    *released(
        "csp-attributes",
        "3.2",
        "the CSP allows inline event handlers by script-src-attr",
        _policy("script-src-attr", "'unsafe-inline'"),
    ),
    *released(
        "csp-framed", "3.2", "the CSP lets any site frame the Admin UI", _policy("frame-ancestors", "*")
    ),
    *released("hsts-short", "3.2", "HSTS lasts five minutes", switched("web.hsts", "max-age=300")),
    *released(
        "cookie-no-path",
        "3.4",
        "the access cookie has no Path, so it goes to the login's folder alone",
        _cookie("access_token", path=""),
    ),
    *released(
        "cookie-until-2037",
        "3.4",
        "the access cookie lives until 2037, by its Expires",
        _cookie("access_token", max_age_s=None, expires="Thu, 31 Dec 2037 23:55:55 GMT"),
    ),
    *released(
        "cookie-twice",
        "3.4",
        "the access cookie is set once more, for scripts and plain HTTP too",
        _sets("access_token=abc; Path=/; SameSite=Strict; Max-Age=900"),
    ),
    *released(
        "cookie-remembers",
        "3.4",
        "the login sets a further cookie that lets its holder in, and no attribute",
        _sets("remember_session=8c1f3f0b9a; Path=/"),
    ),
    *released(
        "cookie-deleted",
        "3.4",
        "the access cookie is deleted by the login, and never set",
        _cookie("access_token", max_age_s=0),
    ),
    *released(
        "cookie-same-site-none",
        "3.4",
        "the access cookie goes along with every other site's requests",
        _cookie("access_token", same_site="none"),
    ),
    *released(
        "cors-open-end",
        "5.2",
        "CORS allows every host that begins as the Admin UI's",
        switched("web.cors_pattern", _ANY_ADMIN),
    ),
    *released(
        "cors-any-character",
        "5.2",
        "CORS allows hosts with any character in place of a dot",
        switched("web.cors_pattern", r"https://admin.(?:staging.)?dotmac.test$"),
    ),
    *released(
        "cors-any-port",
        "5.2",
        "CORS allows every port of the Admin UI's host",
        switched("web.cors_pattern", _ANY_ADMIN + r"(?::\d+)?$"),
    ),
    *released(
        "cors-subdomains",
        "5.2",
        "CORS allows every subdomain, of which one may be a stranger's",
        switched("web.cors_pattern", r"https?://[^/]+\.dotmac\.test$"),
    ),
    *released(
        "cors-old-admin",
        "5.2",
        "CORS__ORIGINS still lists the Admin UI's domain of before",
        configured("CORS__ORIGINS", '["https://old-admin.dotmac.test"]'),
    ),
    *released(
        "cors-null", "5.2", "CORS allows sandboxed frames of anybody", switched("web.cors_pattern", "null$")
    ),
    *released(
        "cors-answers-any",
        "5.2",
        "preflights are right, and plain answers are for any origin",
        switched("web.cors_answers_any", True),
    ),
    of_candidate(
        "ingress-limit-zero", "3.3", "the ingress' rate limit is 0, which limits nobody", _limit("0")
    ),
    of_candidate("ingress-limit-gone", "3.3", "the candidate's ingress has no rate limit", _limit(None)),
)
