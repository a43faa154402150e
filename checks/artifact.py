"""The artifact: one set of digests from the registry over staging to production."""

from __future__ import annotations

from checks.base import Around, Outcome, Settings, check
from checks.clients.errors import NotFoundError
from checks.clients.registry import ImageRef
from checks.judging import STEADY, Findings, key
from checks.workloads import parts_of, pods
from state.base.images import digest_of
from state.base.json import obj, objs, text
from state.base.numbers import plural
from state.view.enums import Tier
from state.view.pods import running_digests


class PublishedSettings(Settings):
    """How the candidate's tag is written."""

    tag: str | None = "{version}"
    """The tag that must still lead to the candidate's digest; None: images are named by digest alone."""


@check("artifact.published", PublishedSettings, ttl=STEADY)
async def published(settings: PublishedSettings, around: Around) -> Outcome:
    """Judge that the registry has the candidate's digests and that its tag still leads to them."""
    found = Findings()
    await _registry(settings.tag, around, found)
    tags = "" if settings.tag is None else ", and its tag leads to them"
    return found.outcome(f"the registry has the candidate's digests{tags}")


async def _registry(tag: str | None, around: Around, found: Findings) -> None:
    registry = around.systems.registry(around.tier)
    for part, reference in around.runbook.candidate.images.named().items():
        image = ImageRef.parse(reference)
        try:
            stored = await found.look(registry.digest(image))
        except NotFoundError:
            stored = None
        if stored is not None:
            found.saw(key(part, "stored"), stored)
            found.need(
                stored == image.digest, f"{part}: the registry answers another digest than it was asked for"
            )
        if tag is None:
            continue
        wanted = tag.replace("{version}", around.runbook.candidate.version)
        now = await found.look(registry.digest(ImageRef(image.host, image.repository, wanted, "")))
        if now is not None:
            found.saw(key(part, "tag"), now)
            found.need(
                now == image.digest,
                f"{part}: the tag {wanted} leads to {now[:19]} now, not to the candidate's {image.digest[:19]}",
            )


class SameSettings(Settings):
    """Which parts are compared."""

    parts: tuple[str, ...] = ()
    """None: every image of the candidate."""
    tag: str | None = "{version}"
    """The tag that must lead to the candidate's digest in the registry; none: digests alone."""
    chart: bool = True
    """Chart version and templates must be equal too."""


@check("artifact.same", SameSettings, ttl=STEADY)
async def same(settings: SameSettings, around: Around) -> Outcome:
    """Judge that staging and production run the candidate's digests, from the same chart."""
    found = Findings()
    parts = parts_of(settings.parts, around)
    for part in parts:
        wanted = digest_of(around.runbook.candidate.images.named().get(part, ""))
        for tier in (Tier.STAGING, Tier.PRODUCTION):
            running = await found.look(pods(around, part, tier)) or ()
            digests = {digest for pod in running for digest in running_digests(pod).values()}
            found.saw(key(part, tier), sorted(digests))
            if running and "" in digests | ({""} if not digests else set()):
                found.blind(f"{part} in {tier}: the cluster does not say which digest a pod runs")
            for digest in sorted(digests - {wanted, ""}):
                found.wrong(f"{part} in {tier} runs {digest[:19]}, not the candidate's {wanted[:19]}")
    await _registry(settings.tag, around, found)
    if settings.chart:
        await _chart(around, found)
    return found.outcome(
        f"{plural(len(parts), 'image')} and the chart are the same in staging and production"
    )


async def _chart(around: Around, found: Findings) -> None:
    staging = await found.look(around.systems.helm(Tier.STAGING).deployed())
    production = await found.look(around.systems.helm(Tier.PRODUCTION).deployed())
    if staging is None or production is None:
        return
    found.saw("chart_staging", f"{staging.chart}-{staging.chart_version}")
    found.saw("chart_production", f"{production.chart}-{production.chart_version}")
    found.need(
        (staging.chart, staging.chart_version) == (production.chart, production.chart_version),
        f"production has chart {production.chart_version}, staging tested {staging.chart_version}",
    )
    alike = staging.templates_sha == production.templates_sha
    found.saw("templates", "same" if alike else "differ")
    found.need(alike, "the chart's templates differ between staging and production under one version")


class CiSettings(Settings):
    """Where a commit's status is found."""

    path: str
    """With ``{commit}``."""
    checks_field: str = "checks"
    """Where the answer lists its checks."""
    name_field: str = "name"
    """Where a check's name is."""
    state_field: str = "state"
    """Where a check's state is."""
    required: tuple[str, ...]
    """Names of checks that must have succeeded."""
    good: tuple[str, ...] = ("success", "passed")
    """States that mean success."""
    pending: tuple[str, ...] = ("pending", "running", "queued")
    """States that mean: not known yet."""


@check("ci.passed", CiSettings, ttl=STEADY)
async def ci_passed(settings: CiSettings, around: Around) -> Outcome:
    """Judge that every required check of the candidate's commit succeeded in CI."""
    found = Findings()
    commit = around.runbook.candidate.commit
    expected = f"the status of commit {commit[:12]}"
    reply = await around.systems.ci(around.tier).send(
        "GET", settings.path.replace("{commit}", commit), expected=expected
    )
    told = obj(reply.need_success(expected=expected, permission="read the commit's status").object(expected))
    states = {
        text(one, settings.name_field): text(one, settings.state_field)
        for one in objs(told.get(settings.checks_field))
    }
    for name in settings.required:
        state = states.get(name, "absent")
        found.saw(key(name), state)
        if state in settings.pending or state == "absent":
            found.blind(f"CI check {name} is {state}")
        else:
            found.need(state in settings.good, f"CI check {name} is {state}")
    return found.outcome(f"{plural(len(settings.required), 'CI check')} of commit {commit[:12]} succeeded")
