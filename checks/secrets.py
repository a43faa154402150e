"""Secrets are judged on their values in memory.

What is recorded is whether, how long, and a keyed fingerprint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.errors import NotFoundError
from checks.clients.kube_object import data_written_us
from checks.guides import accounts
from checks.judging import LASTING, STEADY, Findings, key
from checks.secret_strength import bits, fresh, is_published, length_class
from checks.workloads import config_values, env_taken_us, first_part, part_env, parts_of, pods
from state.base.json import Json
from state.base.numbers import plural
from state.view.enums import After, Tier

if TYPE_CHECKING:
    from checks.clients.clients import Clients
    from checks.container_env import ContainerEnv


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


@check("secrets.strong", StrongSettings, guide=accounts.STRONG, ttl=LASTING, after=(After.PREPARE,))
async def strong(settings: StrongSettings, context: CheckContext) -> Outcome:
    """Judge that secrets are present, long, random, not published, unique, and not staging's."""
    findings = Findings()
    env = await part_env(context, first_part(context))
    values = env.values
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
    await _other_parts(settings, values, context, findings)
    await _older_than_pods(env, context, findings)
    if settings.differs_from is not None and settings.differs_from is not context.tier:
        other = await findings.look(config_values(context, settings.differs_from))
        _unlike(settings, values, other or {}, findings)
    unlike = settings.differs_from
    found = "strong and unique" if unlike in {None, context.tier} else f"strong, unique and not {unlike}'s"
    return findings.outcome(f"{plural(len(settings.keys), 'secret is', 'secrets are')} {found}")


def _unlike(
    settings: StrongSettings, values: Mapping[str, str], other: Mapping[str, str], findings: Findings
) -> None:
    """Compare with another environment's settings, under whatever name they stand there."""
    for name in settings.keys:
        mine = values.get(name, "").strip()
        alike = sorted(there for there, value in other.items() if mine and value.strip() == mine)
        if name in alike:
            findings.wrong(f"{name} is the same as in {settings.differs_from}")
        elif alike:
            findings.wrong(f"{name} is {settings.differs_from}'s {alike[0]}")


async def _other_parts(
    settings: StrongSettings, values: Mapping[str, str], context: CheckContext, findings: Findings
) -> None:
    """Judge what other parts of the release get under the same names, where that is something else."""
    for part in parts_of((), context)[1:]:
        env = await findings.look(part_env(context, part))
        for name in (*settings.keys, *settings.others) if env is not None else ():
            value = env.values.get(name) if env is not None else None
            if value is None or value == values.get(name):
                continue
            full = name in settings.keys
            problem = (
                weakness(value, settings) if full else published(value, settings) and "is a known default"
            )
            findings.need(not problem, f"{name} of {part} {problem}")


async def _older_than_pods(env: ContainerEnv, context: CheckContext, findings: Findings) -> None:
    """Note secrets that were written after the pods took their environment from them: what runs has other values."""
    if context.first() or not env.secrets:
        return
    kube, part = context.clients.kube(context.tier), first_part(context)
    running = await findings.look(pods(context, part))
    started = [at for pod in running or () if (at := env_taken_us(pod, part))]
    if not started:
        return
    for name in sorted(env.secrets):
        found = await findings.look(kube.get(f"/api/v1/namespaces/{kube.namespace}/secrets/{name}"))
        written = data_written_us(found) if found is not None else 0
        stale = sum(at < written for at in started)
        findings.need(
            not stale,
            f"secret {name} was changed after {plural(stale, 'pod')} of {part} started, so what runs has what was in "
            "it before: restart the pods",
        )


def weakness(value: str, settings: StrongSettings) -> str:
    """Return in words what is wrong with a secret, or nothing."""
    if not value.strip():
        return "is missing or empty"
    if published(value, settings):
        return "is a known default"
    if len(value.strip()) < settings.min_length:
        return f"has {length_class(value.strip())} characters; expected at least {settings.min_length}"
    if bits(value) < settings.min_bits:
        return "is not random enough: few different characters"
    if bits(fresh(value)) < settings.min_bits:
        return "is not random enough: a repetition or a sequence"
    return ""


def published(value: str, settings: StrongSettings) -> bool:
    """Return whether a value is known to the world, or built from one that is."""
    return is_published(value, settings.known_bad, settings.suspicious)


def _record(value: str, problem: str, clients: Clients) -> Json:
    return {
        "present": bool(value),
        "length": length_class(value),
        "strong": not problem,
        "fingerprint": clients.fingerprint(value) if value else "",
    }


def _unique(settings: StrongSettings, values: Mapping[str, str], findings: Findings) -> None:
    allowed = {frozenset(pair) for pair in settings.same}
    names = [name for name in (*settings.keys, *settings.others) if values.get(name, "").strip()]
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            if values[one].strip() == values[other].strip() and frozenset((one, other)) not in allowed:
                findings.wrong(f"{one} and {other} are the same value")


class PresentSettings(Settings):
    """What the release's secrets must hold."""

    keys: tuple[str, ...]
    """Keys that a start needs."""
    pull_secrets: tuple[str, ...] = ()
    """Secrets for pulling images, which must exist too."""
    reported: tuple[str, ...] = ()
    """Secrets that a procedure names and the release does not mount: recorded, not required."""


@check("secrets.present", PresentSettings, guide=accounts.PRESENT, ttl=STEADY, after=(After.PREPARE,))
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
        keys |= {name for name, value in values.items() if value.strip()}
        if name in settings.pull_secrets:
            findings.need(
                _can_pull(values), f"secret {name} holds no .dockerconfigjson, so no image is pulled with it"
            )
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


def _can_pull(values: Mapping[str, str]) -> bool:
    """Return whether a secret is one that the kubelet pulls with: JSON under one of the two keys that it reads."""
    for name in (".dockerconfigjson", ".dockercfg"):
        try:
            if isinstance(json.loads(values.get(name, "")), dict):
                return True
        except (ValueError, RecursionError):
            continue
    return False


async def _mounted(context: CheckContext, findings: Findings) -> None:
    env = await findings.look(part_env(context, first_part(context)))
    if env is None:
        return
    for name in context.environment.secrets:
        findings.need(name in env.secrets, f"secret {name} exists and the release does not mount it")
