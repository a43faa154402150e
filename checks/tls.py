"""Certificates, as a browser meets them and as the cluster holds them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from checks.base import Around, Outcome, Settings, check
from checks.judging import STEADY, Findings, key
from state.base.json import obj, objs, path, text, texts
from state.base.numbers import plural
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


@check("tls.certificates", CertificatesSettings, ttl=STEADY)
async def certificates(settings: CertificatesSettings, around: Around) -> Outcome:
    """Judge every domain's certificates: trusted, for their name, from a real authority, with time left."""
    found = Findings()
    now = moment(around.clock.wall_us())
    ends: list[datetime] = []
    for domain in around.environment.domains.all():
        facts = await found.look(around.systems.tls(around.tier).handshake(domain))
        if facts is not None:
            ends.append(facts.not_after)
            _judge(settings, facts, now, found)
    if settings.redirect:
        await _redirects(around, found)
    if settings.ingress:
        await _ingress(around, found)
    count = len(around.environment.domains.all())
    days = min(((end - now).days for end in ends), default=0)
    return found.outcome(
        f"{count} domains have trusted certificates, valid for {plural(days, 'more day')}"
        if count > 1
        else f"the certificate is trusted, and valid for {plural(days, 'more day')}"
    )


def _judge(settings: CertificatesSettings, facts: CertificateFacts, now: datetime, found: Findings) -> None:
    found.saw(
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
        found.wrong(f"{facts.host}: the certificate is for {', '.join(facts.names) or 'no name'}")
    elif left <= timedelta(0):
        found.wrong(f"{facts.host}: the certificate expired on {facts.not_after:%Y-%m-%d}")
    elif not facts.trusted:
        found.wrong(f"{facts.host}: the certificate is not trusted ({facts.why_not})")
    elif left < timedelta(days=settings.min_days):
        found.wrong(f"{facts.host}: the certificate ends in {left.days} days; expected {settings.min_days}")
    bad = next((word for word in settings.issuer_forbidden if word.lower() in facts.issuer.lower()), None)
    found.need(bad is None, f"{facts.host}: the certificate is from a test authority ({facts.issuer})")


async def _redirects(around: Around, found: Findings) -> None:
    web = around.systems.web(around.tier)
    for surface in around.environment.domains.named():
        reply = await found.look(web.plain_http(surface, "/"))
        if reply is None:
            continue
        target = reply.header("location") or ""
        right = 300 <= reply.status <= 399 and target.startswith("https://")
        found.saw(key(surface, "plain_http"), reply.status)
        found.need(
            right, f"plain HTTP of the {surface} domain answers {reply.status} and does not lead to https"
        )


async def _ingress(around: Around, found: Findings) -> None:
    kube = around.systems.kube(around.tier)
    listed = await found.look(
        kube.list_objects(f"/apis/networking.k8s.io/v1/namespaces/{kube.namespace}/ingresses")
    )
    if listed is None:
        return
    named: dict[str, str] = {}
    for ingress in listed.items:
        for entry in objs(path(ingress, ("spec", "tls"))):
            named |= dict.fromkeys(texts(entry.get("hosts")), text(entry, "secretName"))
    for domain in around.environment.domains.all():
        found.need(bool(named.get(domain.host)), f"no ingress has a TLS secret for {domain.host}")
    for secret in sorted(set(named.values()) - {""}):
        seen = await found.look(kube.get(f"/api/v1/namespaces/{kube.namespace}/secrets/{secret}"))
        if seen is not None:
            data = obj(seen.get("data"))
            found.need(
                "tls.crt" in data and "tls.key" in data, f"TLS secret {secret} lacks tls.crt or tls.key"
            )
            found.saw("tls_secret", secret)
