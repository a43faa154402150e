"""The package: chart and values, as they lie in the working tree, name what was built."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.errors import MisconfiguredError
from checks.guides import deliveries
from checks.helm import candidate_values, is_candidates
from checks.judging import STEADY, Findings, key
from state.base import kube_yaml
from state.base.images import ImageRef
from state.base.json import JsonObject, obj, objs, text
from state.base.numbers import plural
from state.runbook.image_keys import reference_in
from state.view.enums import Judges, Tier

if TYPE_CHECKING:
    from state.runbook.environment import Environment

_OCI: Final = "oci://"
_CHART_FILE: Final = "Chart.yaml"
_CHART_BYTES: Final = 1 << 20
_ARCHIVE: Final = re.compile(r"-v?\d[^-]*(?:-.*)?\.tgz$")
"""What follows the name in an archive's: its version."""


class PackagedSettings(Settings):
    """What of the package is looked at."""

    environments: tuple[Tier, ...] = (Tier.STAGING, Tier.PRODUCTION)
    """Whose values must name the candidate's images."""
    chart: bool = True
    """Whether the chart must be there in its version, with the charts that it depends on."""


@check("artifact.packaged", PackagedSettings, guide=deliveries.PACKAGED, ttl=STEADY, judges=Judges.LAUNCH)
async def packaged(settings: PackagedSettings, context: CheckContext) -> Outcome:
    """Judge that the values files name each image of the candidate, and that the chart is complete in its version."""
    findings = Findings()
    for tier in settings.environments:
        environment = context.runbook.environments[tier]
        values = findings.read(lambda of=environment: candidate_values(of))  # type: ignore[misc]  # bound now
        if values is not None:
            for part, reference in context.runbook.candidate.images.named().items():
                _names(environment, part, reference, values, context, findings)
        if settings.chart:
            await _chart(environment, context, findings)
    images = plural(len(context.runbook.candidate.images.named()), "image")
    where = " and ".join(str(tier) for tier in settings.environments)
    chart = "; the chart is complete" if settings.chart else ""
    return findings.outcome(f"the values of {where} name the candidate's {images}{chart}")


def _names(
    environment: Environment,
    part: str,
    reference: str,
    values: JsonObject,
    context: CheckContext,
    findings: Findings,
) -> None:
    image, candidate, whose = ImageRef.parse(reference), context.runbook.candidate, environment.tier
    for keys in environment.chart.keys_of(part):
        named = reference_in(values, keys)
        given = ImageRef.parse(named or "")
        findings.saw(key(whose, part), given.digest or given.tag or "nothing")
        if not given.digest and not given.tag:
            place = ", ".join(keys.named().values())
            findings.wrong(
                f"the values of {whose} name no {part} image: {candidate.version} is expected at {place}"
            )
        elif given.digest:
            findings.need(
                given.digest == image.digest,
                f"the values of {whose} name {given.digest[:19]} for {part}; the candidate is {image.digest[:19]}",
            )
        else:
            findings.need(
                is_candidates(given.tag, image.tag, candidate),
                f"the values of {whose} name the {part} image by the tag {given.tag}; "
                f"the candidate is {image.tag or candidate.version}",
            )


async def _chart(environment: Environment, context: CheckContext, findings: Findings) -> None:
    chart, whose = environment.chart, environment.tier
    if chart.path.startswith(_OCI):
        host, _, repository = chart.path.removeprefix(_OCI).partition("/")
        stored = await findings.look(
            context.clients.registry(whose).digest(ImageRef(host, repository, chart.version, ""))
        )
        findings.saw(key(whose, "chart"), {"version": chart.version, "digest": stored or ""})
        return
    told = findings.read(lambda: _chart_file(Path(chart.path), environment))
    if told is None:
        return
    version = text(told, "version")
    findings.saw(key(whose, "chart"), {"name": text(told, "name"), "version": version})
    findings.need(
        version == chart.version,
        f"the chart of {whose} is {version or 'without a version'}; expected {chart.version}",
    )
    there = _vendored(Path(chart.path))
    for name in (text(one, "name") for one in objs(told.get("dependencies"))):
        findings.need(
            there is None or name in there,
            f"the chart of {whose} needs {name}, which is not in its charts folder: run helm dependency build",
        )


def _chart_file(chart: Path, environment: Environment) -> JsonObject:
    """Return what a chart says of itself, in a folder or an archive.

    Raises MisconfiguredError where that can't be read.
    """
    try:
        raw = (chart / _CHART_FILE).read_bytes() if chart.is_dir() else _from_archive(chart)
        told = kube_yaml.load(raw)
    except (OSError, tarfile.TarError, kube_yaml.KubeYamlError) as error:
        raise MisconfiguredError(
            f"the chart {chart} of {environment.title} cannot be read ({type(error).__name__}); "
            "expected a folder or an archive on this machine, or oci://"
        ) from None
    if not isinstance(told, Mapping):
        raise MisconfiguredError(f"{chart} of {environment.title} has no {_CHART_FILE} that names the chart")
    return obj(told)


def _from_archive(chart: Path) -> bytes:
    with tarfile.open(chart) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.count("/") == 1 else None
            if file is not None and member.name.endswith(f"/{_CHART_FILE}"):
                return file.read(_CHART_BYTES)
    raise tarfile.ReadError(f"no {_CHART_FILE}")


def _vendored(chart: Path) -> set[str] | None:
    """Return the names of the charts in a chart's own folder; None for an archive: helm looked when it packed it."""
    if not chart.is_dir():
        return None
    folder = chart / "charts"
    if not folder.is_dir():
        return set()
    return {one.name if one.is_dir() else _ARCHIVE.sub("", one.name) for one in folder.iterdir()}
