"""What helm's records and values files say about a release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from checks.base import RELEASES, CheckContext, Outcome, Settings, check
from checks.clients.errors import MisconfiguredError
from checks.clients.helm_release import HelmStatus, merge
from checks.guides import deliveries
from checks.judging import STEADY, Findings, key, lookup
from checks.workloads import (
    containers,
    deployment,
    own_container,
    parts_of,
    pod_template,
    ready_replicas,
)
from state.base import kube_yaml
from state.base.images import ImageRef, digest_of
from state.base.json import Json, JsonObject, obj, text
from state.base.quantities import quantity
from state.runbook.image_keys import keys_at, reference_in
from state.view.enums import Judges, Tier

if TYPE_CHECKING:
    from pathlib import Path

    from state.runbook.environment import Environment
    from state.runbook.image_keys import ImageKeys
    from state.runbook.models import Candidate

# As git shortens a commit.
_SHORT_COMMIT: Final = 7


class ValuesSettings(Settings):
    """Where values say what; ``{part}`` stands for each of ``parts``."""

    parts: tuple[str, ...] = ()
    """None: every image of the candidate."""
    image: str | None = None
    """Where the values name the image of a part, dotted; None: as ``chart.image_keys`` says, or ``image.{part}``."""
    resources: str = "resources.{part}"
    """Where the values hold requests and limits of a part, dotted."""
    hosts: dict[str, str] = {}
    """By the domain's word: where the values hold its host."""
    mutable_tags: tuple[str, ...] = (
        *(
            "latest",
            "main",
            "master",
            "trunk",
            "head",
            "dev",
            "develop",
            "stable",
            "edge",
            "nightly",
            "test",
            "",
        ),
        *("prod", "production", "stage", "staging", "live", "release", "current"),
    )
    """Tags that can move; an image with a digest may have any."""


@check(
    "helm.values", ValuesSettings, guide=deliveries.VALUES, ttl=STEADY, judges=Judges.CANDIDATE, rendered=True
)
async def values(settings: ValuesSettings, context: CheckContext) -> Outcome:
    """Judge the deployed release's values and the candidate's.

    Fixed images, requests and limits, final hosts.
    """
    findings = Findings()
    first = context.first()
    release = None if first else await findings.look(context.clients.helm(context.tier).deployed())
    if first:
        await _limits(context, findings)
    if release is not None:
        findings.saw("revision", release.revision)
        findings.saw("chart", f"{release.chart}-{release.chart_version}")
        _judge("deployed", release.values, settings, context, findings)
        await _live(settings, context, findings)
    candidate = findings.read(lambda: candidate_values(context.environment))
    if candidate is not None:
        _judge("candidate", candidate, settings, context, findings)
    if context.tier is not Tier.PRODUCTION:
        _judge_production(settings, context, findings)
    for part, reference in context.runbook.candidate.images.named().items():
        if candidate is not None:
            _same_image(part, reference, candidate, settings, context, findings)
        findings.need(bool(digest_of(reference)), f"the runbook names the {part} image without a digest")
    return findings.outcome("images are fixed, requests and limits are set, hosts are the final ones")


async def _limits(context: CheckContext, findings: Findings) -> None:
    """Judge requests and limits of every container that a first launch will install."""
    objects = await findings.look(context.manifest(context.tier).objects(context.tier)) or ()
    workloads = [one for one in objects if text(one, "kind") in {"Deployment", "StatefulSet", "DaemonSet"}]
    findings.saw("rendered_workloads", len(workloads))
    for one in workloads:
        for container in containers(pod_template(one)):
            for kind in ("requests", "limits"):
                for what in ("cpu", "memory"):
                    given = lookup(container, f"resources.{kind}.{what}")
                    name = text(container, "name")
                    findings.need(_is_set(given), f"as rendered: container {name} has no {what} {kind[:-1]}")


def _is_set(value: Json) -> bool:
    """Return whether a request or limit is one: of 0, a container may have all that there is."""
    return bool(value) and quantity(value) != 0


async def _live(settings: ValuesSettings, context: CheckContext, findings: Findings) -> None:
    """Judge what the containers that run were given: values that a chart doesn't read limit nothing."""
    for part in parts_of(settings.parts, context):
        deployed = await findings.look(deployment(context, part))
        if deployed is None:
            continue
        resources = own_container(context, pod_template(deployed), part).get("resources")
        for kind in ("requests", "limits"):
            for what in ("cpu", "memory"):
                given = lookup(resources, f"{kind}.{what}")
                findings.need(_is_set(given), f"the container of {part} that runs has no {what} {kind[:-1]}")
        _fits(f"the container of {part} that runs", resources, findings)


def _fits(whose: str, resources: Json, findings: Findings) -> None:
    """Note a request above its limit: the API server refuses such a pod."""
    for what in ("cpu", "memory"):
        request, limit = (quantity(lookup(resources, f"{kind}.{what}")) for kind in ("requests", "limits"))
        if request is not None and limit is not None:
            findings.need(
                request <= limit, f"{whose} requests more {what} than its limit, so no pod is let in"
            )


def _judge_production(settings: ValuesSettings, context: CheckContext, findings: Findings) -> None:
    """Judge, where the candidate is in staging, also what it will be given in production: these are files."""
    there = replace(context, tier=Tier.PRODUCTION)
    values = findings.read(lambda: candidate_values(there.environment))
    if values is not None:
        _judge("production", values, settings, there, findings)


def candidate_values(environment: Environment) -> JsonObject:
    """Return the candidate's values: the chart's own where it is a folder, and the runbook's files over them.

    Raises MisconfiguredError where a file can't be read.
    """
    from pathlib import Path

    defaults = Path(environment.chart.path) / "values.yaml"
    return merge(_loaded(environment, defaults) if defaults.is_file() else {}, given_values(environment))


def given_values(environment: Environment) -> JsonObject:
    """Return what the runbook's values files give over the chart's defaults.

    Raises MisconfiguredError where a file can't be read.
    """
    merged: JsonObject = {}
    for path in environment.chart.values:
        merged = merge(merged, _loaded(environment, path))
    return merged


def _loaded(environment: Environment, path: Path) -> JsonObject:
    try:
        return obj(kube_yaml.load(path.read_bytes()))
    except (OSError, kube_yaml.KubeYamlError) as error:
        raise MisconfiguredError(
            f"values file {path} of {environment.title} cannot be read ({type(error).__name__})"
        ) from None


def _judge(
    which: str, release: JsonObject, settings: ValuesSettings, context: CheckContext, findings: Findings
) -> None:
    for part in parts_of(settings.parts, context):
        for keys in _keys(release, settings.image, part, context):
            reference = reference_in(release, keys)
            if reference is None:
                findings.wrong(f"{which}: no image for {part} at {', '.join(keys.named().values())}")
                continue
            image = ImageRef.parse(reference)
            fixed = bool(image.digest) or image.tag not in settings.mutable_tags
            findings.saw(key(which, part), image.digest or image.tag or "no tag")
            findings.need(
                fixed, f"{which}: the {part} image has the tag {image.tag or 'latest'}, which can move"
            )
        place = settings.resources.replace("{part}", part)
        for kind in ("requests", "limits"):
            for what in ("cpu", "memory"):
                given = lookup(release, f"{place}.{kind}.{what}")
                findings.need(_is_set(given), f"{which}: {part} has no {what} {kind[:-1]}")
        _fits(f"{which}: {part}", lookup(release, place), findings)
    for name, place in settings.hosts.items():
        host, expected = lookup(release, place), context.clients.web(context.tier).domain(name).host
        findings.need(host == expected, f"{which}: {place} is {host!r}; expected {expected}")


def _keys(release: JsonObject, place: str | None, part: str, context: CheckContext) -> tuple[ImageKeys, ...]:
    """Return where values name the image of a part: where a setting says it, or where the deploy puts it."""
    if place is not None:
        return (keys_at(release, place.replace("{part}", part)),)
    return context.environment.chart.keys_of(part)


def _same_image(
    part: str,
    reference: str,
    values: JsonObject,
    settings: ValuesSettings,
    context: CheckContext,
    findings: Findings,
) -> None:
    """Compare what the candidate's values name with the runbook: Git says what is launched, or it lies.

    The deploy gives the chart the runbook's images whatever the files say; the next deploy from Git would not.
    """
    image, candidate = ImageRef.parse(reference), context.runbook.candidate
    for keys in _keys(values, settings.image, part, context):
        named = reference_in(values, keys)
        given = ImageRef.parse(named or "")
        if named is None or (not given.digest and given.tag in settings.mutable_tags):
            continue  # that was said already
        if given.digest:
            findings.need(
                given.digest == image.digest,
                f"the candidate's values name another {part} image than the runbook",
            )
            continue
        findings.need(
            not given.repository or given.repository == image.repository,
            f"the candidate's values name {given.repository} for {part}; the runbook {image.repository}",
        )
        findings.need(
            is_candidates(given.tag, image.tag, candidate),
            f"the candidate's values name the {part} image by the tag {given.tag}; "
            f"the candidate is {image.tag or candidate.version}",
        )


def is_candidates(tag: str, own: str, candidate: Candidate) -> bool:
    """Return whether a tag is the candidate's: its own, its version with or without a v, or its commit."""
    bare = candidate.version.removeprefix("v")
    short = len(tag) >= _SHORT_COMMIT and candidate.commit.startswith(tag)
    return tag in {own, candidate.version, bare, f"v{bare}"} or short


class DeployedSettings(Settings):
    """What a rehearsed release must look like."""

    parts: tuple[str, ...] = ()
    """None: every image of the candidate."""
    image: str | None = None
    """Where the values name the image of a part, dotted; None: as ``chart.image_keys`` says, or ``image.{part}``."""
    like: Tier | None = None
    """The environment whose values it may differ from only in ``may_differ``."""
    may_differ: tuple[str, ...] = ()
    """Beginnings of dotted keys."""


@check(
    "helm.candidate_deployed",
    DeployedSettings,
    guide=deliveries.DEPLOYED,
    ttl=STEADY,
    judges=Judges.LAUNCH,
    after=RELEASES,
)
async def candidate_deployed(settings: DeployedSettings, context: CheckContext) -> Outcome:
    """Judge that the candidate is deployed, complete.

    And configured like production but for the named keys.
    """
    findings = Findings()
    release = await context.clients.helm(context.tier).latest()
    findings.saw("revision", release.revision)
    findings.saw("status", release.status)
    findings.need(
        release.status == HelmStatus.DEPLOYED,
        f"helm revision {release.revision} is {release.status}; expected deployed",
    )
    expected = context.environment.chart.version
    findings.need(
        release.chart_version == expected,
        f"chart version {release.chart_version} is deployed; expected {expected}",
    )
    for part in parts_of(settings.parts, context):
        digest = digest_of(context.runbook.candidate.images.named().get(part, ""))
        named = [
            digest_of(reference_in(release.values, keys) or "")
            for keys in _keys(release.values, settings.image, part, context)
        ]
        right = bool(digest) and all(one == digest for one in named)
        findings.need(right, f"the {part} image of revision {release.revision} is not the candidate's")
        deployed = await findings.look(deployment(context, part))
        if deployed is not None:
            ready, replicas = ready_replicas(deployed)
            findings.saw(key(part), {"ready": ready, "wanted": replicas, "candidate": right})
            findings.need(ready >= replicas > 0, f"{part}: {ready} of {replicas} replicas are ready")
    if settings.like is not None:
        _differences(settings, context, release.own, findings)
    return findings.outcome(
        f"revision {release.revision} is the candidate and complete"
        + (f", and configured like {settings.like}" if settings.like is not None else "")
    )


def _differences(
    settings: DeployedSettings, context: CheckContext, ours: JsonObject, findings: Findings
) -> None:
    """Compare what a release was given with what the other environment's files will give the candidate there.

    What is deployed there now is no measure: it is the release that the candidate replaces.
    """
    like = settings.like or Tier.PRODUCTION
    theirs = findings.read(lambda: given_values(context.runbook.environments[like]))
    if theirs is None:
        return
    one, other = dict(flat(ours)), dict(flat(theirs))
    keys = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    unexpected = [name for name in keys if not name.startswith(settings.may_differ or ("\0",))]
    findings.saw("keys_that_differ", list(keys[:40]))
    if unexpected:
        findings.wrong(f"{context.tier} differs from {like} in {', '.join(unexpected[:6])}")


def flat(value: Json, prefix: str = "") -> Iterator[tuple[str, Json]]:
    """Yield what an object holds, by dotted keys; lists stay whole."""
    if isinstance(value, Mapping) and value:
        for name, one in value.items():
            yield from flat(one, f"{prefix}.{name}" if prefix else name)
    else:
        yield prefix, value
