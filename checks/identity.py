"""Whether what a check of the candidate looked at was the candidate, before it looked and after.

What runs is read from the cluster both times, never from memory: the digests that the pods of the release run,
and helm's newest deployed revision with its chart and values. A verdict about anything else is none.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from checks.base import CheckContext, Outcome, unknown
from checks.clients.errors import NotFoundError
from checks.clients.redact import secretish
from checks.helm import flat, given_values
from checks.owned import asleep, owned
from checks.rendered import documents
from checks.running_images import as_released
from state.base import kube_yaml
from state.base.images import digest_of, short
from state.base.json import Json, JsonObject, objs, path, text
from state.view.enums import OperationKind
from state.view.pods import observe, other_version, running_digests, serves, unnamed_digests

if TYPE_CHECKING:
    from checks.clients.helm_release import Release

_KEYS_TOLD = 4


@dataclass(frozen=True, slots=True)
class Identity:
    """What runs of a release at one moment."""

    images: tuple[tuple[str, str], ...]
    """(container, digest), each pair once, sorted."""
    revision: int
    chart: str
    """Its name and version."""
    values: str
    """A hash of what the release was given over the chart's defaults, but for values under secret names."""

    def evidence(self) -> JsonObject:
        """Return it for the evidence of a check."""
        return {
            "images": {name: short(digest) for name, digest in self.images},
            "revision": self.revision,
            "chart": self.chart,
            "values": self.values,
        }


async def judged(context: CheckContext, probe: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """Return what ``probe`` finds, where the candidate runs in the context's environment before it and after.

    Else it is unknown, in words that say what to run; where something else runs before, nothing is probed. Raises
    CouldNotLookError where what runs can't be read.
    """
    before, problem = await _look(context)
    if before is None or problem:
        return unknown(problem, {} if before is None else {"judged": before.evidence()})
    outcome = await probe()
    after, problem = await _look(context)
    if after != before or problem:
        now: JsonObject = {} if after is None else {"afterwards": after.evidence()}
        where = context.environment.title
        return unknown(
            f"the release in {where} changed while it was judged: run it again",
            {**outcome.evidence, "judged": before.evidence(), **now},
        )
    return replace(outcome, evidence={**outcome.evidence, "judged": before.evidence()})


async def _look(context: CheckContext) -> tuple[Identity | None, str]:
    """Return what runs, and why it isn't the candidate, or nothing."""
    tier, environment = context.tier, context.environment
    try:
        release = await context.clients.helm(tier).now()
    except NotFoundError:
        return None, f"no release of {environment.release} is in {environment.title}: {_todo(context)}"
    images = await _running(context, release)
    own = {key: value for key, value in flat(release.own) if value is not None}
    seen = Identity(images, release.revision, f"{release.chart} {release.chart_version}", _hash(own))
    difference = (
        other_version(images, context.runbook.candidate.images.named())
        or _other_chart(context, release)
        or _other_values(context, own)
    )
    if difference:
        return seen, f"{environment.title} doesn't run the candidate ({difference}): {_todo(context)}"
    return seen, ""


async def _running(context: CheckContext, release: Release) -> tuple[tuple[str, str], ...]:
    """Return what the containers of the release run: (container, digest), each pair once, sorted."""
    kube, tier = context.clients.kube(context.tier), context.tier
    named = documents(release.manifest)
    found = await owned(kube, kube.namespace, release.name, named, context.clock.wall_us())
    serving = [pod for one in found for pod in one.pods if serves(observe(tier, pod))]
    images = {pair for pod in serving for pair in running_digests(pod).items()}
    images |= asleep(found, {name for name, _ in images})
    candidate = context.runbook.candidate.images.named()
    if not other_version(images, candidate):
        return tuple(sorted(images))
    asked_for = {
        text(container, "name"): text(container, "image")
        for pod in serving
        for container in objs(path(pod, ("spec", "containers")))
    }
    unnamed = {pair for pod in serving for pair in unnamed_digests(pod)}
    return await as_released(images, candidate, asked_for, unnamed, context.clients.registry(tier))


def _other_chart(context: CheckContext, release: Release) -> str:
    chart = context.environment.chart
    told = f"{release.chart} {release.chart_version}"
    name = _chart_name(Path(chart.path)) or release.chart
    expected = f"{name} {chart.version}"
    return "" if told == expected else f"its chart is {told} instead of {expected}"


def _chart_name(folder: Path) -> str:
    """Return what a chart's folder calls itself; nothing where the chart is no folder on this machine."""
    try:
        told = kube_yaml.load((folder / "Chart.yaml").read_bytes())
    except (OSError, kube_yaml.KubeYamlError):
        return ""
    return str(told.get("name") or "") if isinstance(told, dict) else ""


def _other_values(context: CheckContext, own: JsonObject) -> str:
    """Return which values differ from the files of the runbook, in words, or nothing.

    A value that names the candidate's image is what a deploy sets over the files.
    """
    expected = _said(dict(flat(given_values(context.environment))))
    own = _said(own)
    set_by_deploy = _image_words(context.runbook.candidate.images.named().values())
    differing = [
        key
        for key in sorted(own.keys() | expected.keys())
        if not _same(own.get(key), expected.get(key)) and _word(own.get(key)) not in set_by_deploy
    ]
    if not differing:
        return ""
    more = f" and {len(differing) - _KEYS_TOLD} more" if len(differing) > _KEYS_TOLD else ""
    return f"other values than in its files: {', '.join(differing[:_KEYS_TOLD])}{more}"


def _said(values: JsonObject) -> JsonObject:
    """Return values without those that say nothing: a null takes a default away, and helm keeps ``{}`` of its map."""
    return {key: value for key, value in values.items() if value is not None and value != {}}


def _word(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _image_words(references: Iterable[str]) -> frozenset[str]:
    """Return the ways in which a chart's values name an image: as a whole, or in parts."""
    words: set[str] = set()
    for reference in references:
        name, _, _ = reference.partition("@")
        registry, _, path = name.partition("/")
        digest = digest_of(reference)
        words |= {reference, name, registry, path, digest, digest.removeprefix("sha256:")}
    return frozenset(words - {""})


def _same(ours: Json, theirs: object) -> bool:
    # A date is one only to the reader of this file: helm keeps it as it is written.
    return ours == theirs or isinstance(theirs, date)


def _hash(own: JsonObject) -> str:
    public = {key: value for key, value in own.items() if not any(secretish(part) for part in key.split("."))}
    return sha256(json.dumps(public, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _todo(context: CheckContext) -> str:
    """Return what brings the candidate there."""
    deploys = [o for o in context.runbook.operations if o.kind is OperationKind.DEPLOY]
    ours = [o.id for o in deploys if o.env is context.tier]
    return f"run {ours[-1]}" if ours else "deploy it there"
