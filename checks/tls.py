"""Certificates, as a browser meets them and as the cluster holds them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from checks.base import CheckContext, CouldNotLookError, Outcome, Settings, check
from checks.clients.errors import NotFoundError
from checks.guides import browsers
from checks.judging import STEADY, Findings, key
from checks.unobserved import unobserved
from checks.workloads import ingresses, serves_host
from state.base.json import JsonObject, obj, objs, path, text, texts
from state.base.numbers import plural
from state.base.text import line
from state.base.times import moment

if TYPE_CHECKING:
    from checks.clients.tls import CertificateFacts


class CertificatesSettings(Settings):
    """What makes a certificate good enough."""

    min_days: int = 21
    """A certificate must be valid for so long yet."""
    issuer_forbidden: tuple[str, ...] = ("(STAGING)", "Fake LE", "Kubernetes Ingress Controller Fake")
    """Parts of the names of issuers that no browser trusts."""
    redirect: bool = True
    """Plain HTTP leads to https, where a pin does not hide it."""
    ingress: bool = True
    """The ingress names a TLS secret for every domain, and the secret exists."""


@check("tls.certificates", CertificatesSettings, guide=browsers.CERTIFICATES, ttl=STEADY)
async def certificates(settings: CertificatesSettings, context: CheckContext) -> Outcome:
    """Judge every domain's certificates: trusted, for their name, from a real authority, with time left."""
    findings = Findings()
    now = moment(context.clock.wall_us())
    if context.first():
        await _of_manifest(settings, context, findings)
        return findings.outcome("")
    ends: list[datetime] = []
    for domain in context.environment.domains.all():
        facts = await findings.look(context.clients.tls(context.tier).handshake(domain))
        if facts is not None:
            ends.append(facts.not_after)
            _judge(settings, facts, now, findings)
    if settings.redirect:
        await _redirects(context, findings)
    if settings.ingress:
        await _ingress(context, findings)
    count = len(context.environment.domains.all())
    days = min(((end - now).days for end in ends), default=0)
    return findings.outcome(
        f"{count} domains have trusted certificates, valid for {plural(days, 'more day')}"
        if count > 1
        else f"the certificate is trusted, and valid for {plural(days, 'more day')}"
    )


def _judge(
    settings: CertificatesSettings, facts: CertificateFacts, now: datetime, findings: Findings
) -> None:
    findings.saw(
        key(facts.host),
        {
            "issuer": facts.issuer,
            "names": list(facts.names),
            "not_after": facts.not_after.isoformat(),
            "serial": facts.serial,
            "protocol": facts.protocol,
            "trusted": facts.trusted,
        },
    )
    left = facts.not_after - now
    if not facts.covers(facts.host):
        findings.wrong(f"{facts.host}: the certificate is for {', '.join(facts.names) or 'no name'}")
    elif left <= timedelta(0):
        findings.wrong(f"{facts.host}: the certificate expired on {facts.not_after:%Y-%m-%d}")
    elif not facts.trusted:
        findings.wrong(f"{facts.host}: the certificate is not trusted ({facts.why_not})")
    elif left < timedelta(days=settings.min_days):
        findings.wrong(
            f"{facts.host}: the certificate ends in {left.days} days; expected {settings.min_days}"
        )
    bad = next((word for word in settings.issuer_forbidden if word.lower() in facts.issuer.lower()), None)
    findings.need(bad is None, f"{facts.host}: the certificate is from a test authority ({facts.issuer})")


async def _redirects(context: CheckContext, findings: Findings) -> None:
    web = context.clients.web(context.tier)
    for surface in context.environment.domains.named():
        reply = await findings.look(web.plain_http(surface, "/"))
        if reply is None:
            continue
        findings.saw(key(surface, "plain_http"), reply.status)
        if why := unobserved(reply):
            findings.blind(f"plain HTTP of the {surface} domain {why}")
            continue
        target = urlsplit(reply.header("location") or "")
        right = 300 <= reply.status <= 399 and target.scheme.lower() == "https"
        findings.need(
            right, f"plain HTTP of the {surface} domain answers {reply.status} and does not lead to https"
        )
        own = {domain.host.lower() for domain in context.environment.domains.all()}
        own |= {f"www.{host}" for host in own} | {host.removeprefix("www.") for host in own}
        findings.need(
            not right or (target.hostname or "") in own,
            f"plain HTTP of the {surface} domain leads to https of {line(target.hostname or 'nobody', 100)}, "
            "which the runbook does not name",
        )


async def _ingress(context: CheckContext, findings: Findings) -> None:
    kube = context.clients.kube(context.tier)
    listed = await findings.look(ingresses(context))
    if listed is None:
        return
    named = _named(listed, context, findings)
    for secret in sorted(set(named.values()) - {""}):
        try:
            seen = await kube.get(f"/api/v1/namespaces/{kube.namespace}/secrets/{secret}")
        except NotFoundError:
            findings.wrong(
                f"TLS secret {secret}, which an ingress names, does not exist: what is served is an old copy"
            )
            continue
        except CouldNotLookError as error:
            findings.blind(str(error))
            continue
        data = obj(seen.get("data"))
        findings.need(
            "tls.crt" in data and "tls.key" in data, f"TLS secret {secret} lacks tls.crt or tls.key"
        )
        findings.saw("tls_secret", secret)


def _named(ingresses: Iterable[JsonObject], context: CheckContext, findings: Findings) -> dict[str, str]:
    """Return the TLS secret of each host that ingresses name; a domain without one is wrong."""
    named: dict[str, str] = {}
    for ingress in ingresses:
        for entry in objs(path(ingress, ("spec", "tls"))):
            # Without hosts it is for all that the ingress serves.
            served = [text(rule, "host") for rule in objs(path(ingress, ("spec", "rules")))]
            named |= dict.fromkeys(texts(entry.get("hosts")) or served, text(entry, "secretName"))
    for domain in context.environment.domains.all():
        held = any(secret and serves_host(host, domain.host) for host, secret in named.items())
        findings.need(held, f"no ingress has a TLS secret for {domain.host}")
    return named


async def _of_manifest(settings: CertificatesSettings, context: CheckContext, findings: Findings) -> None:
    """Judge the ingresses that a first launch will install; what they present is seen after its deploy."""
    listed = await findings.look(ingresses(context))
    hosts = ", ".join(domain.host for domain in context.environment.domains.all())
    findings.defer(f"the certificate that {hosts} will present")
    if listed is None or not settings.ingress:
        return
    named = _named(listed, context, findings)
    kube = context.clients.kube(context.tier)
    for secret in sorted(set(named.values()) - {""}):
        try:
            await kube.get(f"/api/v1/namespaces/{kube.namespace}/secrets/{secret}")
            findings.saw(key("tls_secret", secret), "there")
        except NotFoundError:
            findings.saw(key("tls_secret", secret), "not issued yet")
        except CouldNotLookError as error:
            findings.blind(str(error))
