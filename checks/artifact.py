"""The artifact: one set of digests from the registry over staging to production."""

from __future__ import annotations

from checks.base import RELEASES, CheckContext, Outcome, Settings, check
from checks.clients.errors import NotFoundError
from checks.judging import STEADY, Findings, key
from checks.workloads import parts_of, pods
from state.base.images import ImageRef, digest_of
from state.base.numbers import plural
from state.view.enums import Judges, Tier
from state.view.pods import running_digests


class PublishedSettings(Settings):
    """How the candidate's tag is written."""

    tag: str | None = "{version}"
    """The tag that must still lead to the candidate's digest; None: images are named by digest alone."""


@check("artifact.published", PublishedSettings, ttl=STEADY, judges=Judges.LAUNCH)
async def published(settings: PublishedSettings, context: CheckContext) -> Outcome:
    """Judge that the registry has the candidate's digests and that its tag still leads to them."""
    findings = Findings()
    await _registry(settings.tag, context, findings)
    tags = "" if settings.tag is None else ", and its tag leads to them"
    return findings.outcome(f"the registry has the candidate's digests{tags}")


async def _registry(tag: str | None, context: CheckContext, findings: Findings) -> None:
    registry = context.clients.registry(context.tier)
    for part, reference in context.runbook.candidate.images.named().items():
        image = ImageRef.parse(reference)
        try:
            stored = await findings.look(registry.digest(image))
        except NotFoundError:
            stored = None
        if stored is not None:
            findings.saw(key(part, "stored"), stored)
            findings.need(
                stored == image.digest, f"{part}: the registry answers another digest than it was asked for"
            )
        if tag is None:
            continue
        expected = tag.replace("{version}", context.runbook.candidate.version)
        now = await findings.look(registry.digest(ImageRef(image.host, image.repository, expected, "")))
        if now is not None:
            findings.saw(key(part, "tag"), now)
            findings.need(
                now == image.digest,
                f"{part}: the tag {expected} leads to {now[:19]} now, not to the candidate's {image.digest[:19]}",
            )


class SameSettings(Settings):
    """Which parts are compared."""

    parts: tuple[str, ...] = ()
    """None: every image of the candidate."""
    tag: str | None = "{version}"
    """The tag that must lead to the candidate's digest in the registry; none: digests alone."""
    chart: bool = True
    """Chart version and templates must be equal too."""


@check("artifact.same", SameSettings, ttl=STEADY, judges=Judges.LAUNCH, after=RELEASES)
async def same(settings: SameSettings, context: CheckContext) -> Outcome:
    """Judge that staging and production run the candidate's digests, from the same chart."""
    findings = Findings()
    parts = parts_of(settings.parts, context)
    for part in parts:
        expected = digest_of(context.runbook.candidate.images.named().get(part, ""))
        for tier in (Tier.STAGING, Tier.PRODUCTION):
            running = await findings.look(pods(context, part, tier)) or ()
            digests = {digest for pod in running for digest in running_digests(pod).values()}
            findings.saw(key(part, tier), sorted(digests))
            if running and "" in digests | ({""} if not digests else set()):
                findings.blind(f"{part} in {tier}: the cluster does not say which digest a pod runs")
            for digest in sorted(digests - {expected, ""}):
                findings.wrong(f"{part} in {tier} runs {digest[:19]}, not the candidate's {expected[:19]}")
    await _registry(settings.tag, context, findings)
    if settings.chart:
        await _chart(context, findings)
    return findings.outcome(
        f"{plural(len(parts), 'image')} and the chart are the same in staging and production"
    )


async def _chart(context: CheckContext, findings: Findings) -> None:
    staging = await findings.look(context.clients.helm(Tier.STAGING).deployed())
    production = await findings.look(context.clients.helm(Tier.PRODUCTION).deployed())
    if staging is None or production is None:
        return
    findings.saw("chart_staging", f"{staging.chart}-{staging.chart_version}")
    findings.saw("chart_production", f"{production.chart}-{production.chart_version}")
    findings.need(
        (staging.chart, staging.chart_version) == (production.chart, production.chart_version),
        f"production has chart {production.chart_version}, staging tested {staging.chart_version}",
    )
    alike = staging.templates_sha == production.templates_sha
    findings.saw("templates", "same" if alike else "differ")
    findings.need(alike, "the chart's templates differ between staging and production under one version")
