"""The artifact: one set of digests from the registry over staging to production."""

from __future__ import annotations

from checks.base import RELEASES, CheckContext, CouldNotLookError, Outcome, Settings, check
from checks.clients.errors import NotFoundError
from checks.clients.kube_object import name_of
from checks.container_env import repository_of
from checks.guides import deliveries
from checks.judging import STEADY, Findings, key
from checks.running_images import others_than
from checks.workloads import parts_of, pods
from state.base.images import ImageRef, digest_of, is_loaded
from state.base.json import JsonObject, obj, objs, path, text
from state.base.numbers import plural
from state.view.enums import Judges, Tier


class PublishedSettings(Settings):
    """How the candidate's tag is written."""

    tag: str | None = "{version}"
    """The tag that must still lead to the candidate's digest; None: images are named by digest alone."""


@check("artifact.published", PublishedSettings, guide=deliveries.PUBLISHED, ttl=STEADY, judges=Judges.LAUNCH)
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
            stored = await registry.digest(image)
        except NotFoundError:
            findings.wrong(f"{part}: the registry has no {image.digest[:19]} of {image.repository}")
            stored = None
        except CouldNotLookError as error:
            findings.blind(str(error))
            stored = None
        if stored is not None:
            findings.saw(key(part, "stored"), stored)
            findings.need(
                stored == image.digest, f"{part}: the registry answers another digest than it was asked for"
            )
        if tag is None:
            continue
        expected = tag.replace("{version}", context.runbook.candidate.version)
        try:
            now = await registry.digest(ImageRef(image.host, image.repository, expected, ""))
        except NotFoundError:
            findings.wrong(f"{part}: the registry has no tag {expected} of {image.repository}")
        except CouldNotLookError as error:
            findings.blind(str(error))
        else:
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


@check("artifact.same", SameSettings, guide=deliveries.SAME, ttl=STEADY, judges=Judges.LAUNCH, after=RELEASES)
async def same(settings: SameSettings, context: CheckContext) -> Outcome:
    """Judge that staging and production run the candidate's digests, from the same chart."""
    findings = Findings()
    parts = parts_of(settings.parts, context)
    for part in parts:
        reference = context.runbook.candidate.images.named().get(part, "")
        for tier in (Tier.STAGING, Tier.PRODUCTION):
            await _runs(part, reference, tier, context, findings)
    await _cron_job(context, findings)
    await _registry(settings.tag, context, findings)
    if settings.chart:
        await _chart(context, findings)
    chart = " and the chart" if settings.chart else ""
    are = "are" if settings.chart or len(parts) != 1 else "is"
    return findings.outcome(f"{plural(len(parts), 'image')}{chart} {are} the same in staging and production")


async def _runs(part: str, reference: str, tier: Tier, context: CheckContext, findings: Findings) -> None:
    """Judge the part's own containers in every pod, those that run before it among them; sidecars are others'."""
    running = await findings.look(pods(context, part, tier)) or ()
    told: dict[str, str] = {}
    seen: set[str] = set()
    loaded: set[str] = set()
    for pod in running:
        boxes = own_states(pod, part, reference)
        told |= {f"{name_of(pod)}/{text(box, 'name')}": digest_of(text(box, "imageID")) for box in boxes}
        seen |= {digest_of(text(box, "imageID")) for box in boxes}
        loaded |= {digest_of(one) for one in (text(box, "imageID") for box in boxes) if is_loaded(one)}
        if not boxes:
            findings.blind(f"{part} in {tier}: the cluster does not say which digest {name_of(pod)} runs")
    findings.saw(key(part, tier), sorted(seen))
    if not told:
        return
    expected = digest_of(reference)
    others = await others_than(reference, told, context.clients.registry(tier), findings, loaded=loaded)
    for digest in sorted(set(others.values())):
        box = next(name for name, one in others.items() if one == digest)
        which = "" if box.endswith(f"/{part}") else f" ({box.rpartition('/')[2]})"
        findings.wrong(f"{part} in {tier} runs {digest[:19]}{which}, not the candidate's {expected[:19]}")


def own_states(pod: JsonObject, part: str, reference: str) -> list[JsonObject]:
    """Return the statuses of a pod's containers that are of the part: by name or by the image's repository."""
    repository = repository_of(reference)
    status = obj(pod.get("status"))
    states = [*objs(status.get("containerStatuses")), *objs(status.get("initContainerStatuses"))]
    return [
        state
        for state in states
        if text(state, "name") == part
        or repository in {repository_of(text(state, "image")), repository_of(_bare(text(state, "imageID")))}
    ]


def _bare(image_id: str) -> str:
    """Return an imageID as a reference: some runtimes write ``docker-pullable://`` before it."""
    return image_id.rpartition("://")[2]


async def _cron_job(context: CheckContext, findings: Findings) -> None:
    """Judge the images of the cron job that this launch migrates with: it runs later than everything else."""
    migration = context.runbook.candidate.migration
    if migration is None or migration.cronjob is None:
        return
    kube = context.clients.kube(context.tier)
    try:
        found = await kube.get(f"/apis/batch/v1/namespaces/{kube.namespace}/cronjobs/{migration.cronjob}")
    except NotFoundError:
        findings.saw("cronjob", f"{migration.cronjob} is not there")
        return
    except CouldNotLookError as error:
        findings.blind(str(error))
        return
    images = {repository_of(one): digest_of(one) for one in context.runbook.candidate.images.named().values()}
    template = obj(path(found, ("spec", "jobTemplate", "spec", "template", "spec")))
    for box in (*objs(template.get("initContainers")), *objs(template.get("containers"))):
        named = text(box, "image")
        expected, digest = images.get(repository_of(named)), digest_of(named)
        findings.need(
            not expected or not digest or digest == expected,
            f"cron job {migration.cronjob} names {digest[:19]}, not the candidate's {str(expected)[:19]}",
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
