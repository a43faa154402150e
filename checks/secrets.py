"""Secrets are judged on their values in memory.

What is recorded is whether, how long, and a keyed fingerprint.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.errors import NotFoundError
from checks.judging import LASTING, STEADY, Findings, key
from checks.workloads import config_values
from state.base.json import Json
from state.base.numbers import plural
from state.view.enums import After, Tier

if TYPE_CHECKING:
    from checks.clients.clients import Clients


class StrongSettings(Settings):
    """Which settings are secrets and what makes one weak."""

    keys: tuple[str, ...]
    """Settings that must be there, strong, and unlike each other."""
    others: tuple[str, ...] = ()
    """Further settings that must not be known-bad where they are."""
    same: tuple[tuple[str, str], ...] = ()
    """Pairs that may be (and usually are) one value under two names."""
    min_length: int = 32
    """Characters, at least."""
    min_bits: int = 80
    """Entropy estimated from the characters' frequencies, times the length."""
    known_bad: tuple[str, ...] = ()
    """Values that are published."""
    suspicious: tuple[str, ...] = (
        "change-me",
        "changeme",
        "dev-",
        "dev_local",
        "your-",
        "example",
        "yourdomain",
    )
    """Parts that no generated secret has."""
    differs_from: Tier | None = Tier.STAGING
    """The environment whose values must be others; none: not compared."""


@check("secrets.strong", StrongSettings, ttl=LASTING, after=(After.PREPARE,))
async def strong(settings: StrongSettings, context: CheckContext) -> Outcome:
    """Judge that secrets are present, long, random, not published, unique, and not staging's."""
    findings = Findings()
    values = await config_values(context)
    for name in settings.keys:
        value = values.get(name, "")
        problem = weakness(value, settings)
        findings.saw(key(name), _record(value, problem, context.clients))
        findings.need(not problem, f"{name} {problem}")
    for name in settings.others:
        value = values.get(name, "")
        bad = bool(value) and published(value, settings)
        findings.saw(key(name), {"present": bool(value), "known_default": bad})
        findings.need(not bad, f"{name} is a known default")
    _unique(settings, values, findings)
    if settings.differs_from is not None and settings.differs_from is not context.tier:
        other = await findings.look(config_values(context, settings.differs_from))
        for name in settings.keys:
            if other is not None and values.get(name) and other.get(name) == values[name]:
                findings.wrong(f"{name} is the same as in {settings.differs_from}")
    return findings.outcome(
        f"{plural(len(settings.keys), 'secret is', 'secrets are')} strong, unique and not {settings.differs_from}'s"
    )


def weakness(value: str, settings: StrongSettings) -> str:
    """Return in words what is wrong with a secret, or nothing."""
    if not value:
        return "is missing or empty"
    if published(value, settings):
        return "is a known default"
    if len(value) < settings.min_length:
        return f"has {length_class(value)} characters; expected at least {settings.min_length}"
    if bits(value) < settings.min_bits:
        return "is not random enough: few different characters"
    return ""


def published(value: str, settings: StrongSettings) -> bool:
    """Return whether a value is known to the world, or built from one that is."""
    low = value.lower()
    return low in settings.known_bad or any(part in low for part in settings.suspicious)


def bits(value: str) -> int:
    """Return the entropy of a text as its characters' frequencies suggest it, in bits, rounded down."""
    counts = Counter(value)
    each = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values()) if value else 0.0
    return int(each * len(value))


def length_class(value: str) -> str:
    """Return how long a secret is, no finer than an evidence may tell."""
    for limit, words in ((1, "no"), (8, "1 to 7"), (16, "8 to 15"), (32, "16 to 31"), (64, "32 to 63")):
        if len(value) < limit:
            return words
    return "64 or more"


def _record(value: str, problem: str, clients: Clients) -> Json:
    return {
        "present": bool(value),
        "length": length_class(value),
        "strong": not problem,
        "fingerprint": clients.fingerprint(value) if value else "",
    }


def _unique(settings: StrongSettings, values: Mapping[str, str], findings: Findings) -> None:
    allowed = {frozenset(pair) for pair in settings.same}
    names = [name for name in settings.keys if values.get(name)]
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            if values[one] == values[other] and frozenset((one, other)) not in allowed:
                findings.wrong(f"{one} and {other} are the same value")


class PresentSettings(Settings):
    """What the release's secrets must hold."""

    keys: tuple[str, ...]
    """Keys that a start needs."""
    pull_secrets: tuple[str, ...] = ()
    """Secrets for pulling images, which must exist too."""
    reported: tuple[str, ...] = ()
    """Secrets that a procedure names and the release does not mount: recorded, not required."""


@check("secrets.present", PresentSettings, ttl=STEADY, after=(After.PREPARE,))
async def present(settings: PresentSettings, context: CheckContext) -> Outcome:
    """Judge that the secrets which the release mounts exist and have every key that a start needs."""
    findings = Findings()
    kube = context.clients.kube(context.tier)
    keys: set[str] = set()
    for name in (*context.environment.secrets, *settings.pull_secrets):
        base = f"/api/v1/namespaces/{kube.namespace}/secrets/{name}"
        try:
            values = await kube.secret(name)
        except NotFoundError:
            findings.wrong(f"secret {name} does not exist in {kube.namespace}")
            continue
        findings.saw(key(name), {"keys": len(values), "empty": sorted(k for k, v in values.items() if not v)})
        findings.need(bool(values), f"secret {name} is empty ({base})")
        keys |= {name for name, value in values.items() if value}
    missing = sorted(set(settings.keys) - keys)
    findings.saw("missing_keys", list(missing))
    if missing:
        findings.wrong(
            f"{len(missing)} of {plural(len(settings.keys), 'key')} missing or empty: {', '.join(missing[:8])}"
        )
    for name in settings.reported:
        try:
            await kube.secret(name)
            findings.saw(key("also", name), "exists")
        except NotFoundError:
            findings.saw(key("also", name), "not used by the chart")
    await _mounted(context, findings)
    held = plural(len(context.environment.secrets), "secret holds", "secrets hold")
    return findings.outcome(f"{held} all of {plural(len(settings.keys), 'key')}")


async def _mounted(context: CheckContext, findings: Findings) -> None:
    from checks.workloads import containers, deployment, env_sources, first_part, pod_template

    backend = await findings.look(deployment(context, first_part(context)))
    if backend is None:
        return
    sources = {source for box in containers(pod_template(backend)) for source in env_sources(box)}
    for name in context.environment.secrets:
        findings.need(f"secret/{name}" in sources, f"secret {name} exists and the release does not mount it")
