"""What an approval is for: images, chart, values files, migration. A change of any of them voids it.

The log keeps fingerprints (``candidate.seen``): when the engine starts, and with every attestation that finds
them changed. An attestation stands for the parts that were seen last before it, or with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from checks.base import CouldNotLookError
from checks.clients.kube_object import secret_values
from checks.clients.redact import Redactor
from console.engine.operations.helm.brought_values import brought_values
from console.engine.operations.helm.private_copy import Parts, PrivateCopy, input_parts
from console.engine.operations.preview.manifest import documents, parted
from state.base import kube_yaml
from state.base.json import text
from state.events.bodies import body_as
from state.events.event import Draft, Event
from state.events.operations import CandidateSeen
from state.runbook.environment import Chart
from state.runbook.models import Candidate, Runbook
from state.view.enums import Tier
from state.view.launch import AttestationView, LaunchView

if TYPE_CHECKING:
    from checks.clients.clients import Clients
    from state.runbook.environment import Environment


@dataclass(frozen=True, slots=True)
class Seen:
    """The parts of an environment as the log has them: from an event on, or for one attestation."""

    seq: int
    ref: int | None
    env: str
    parts: Parts


def parts_of(runbook: Runbook, tier: Tier) -> Parts:
    """Return (what, fingerprint) of everything that a deploy to an environment is made of."""
    chart = runbook.environments[tier].chart
    return (*_candidate_parts(runbook.candidate), *input_parts(chart, chart))


def parts_with(runbook: Runbook, copy: PrivateCopy) -> Parts:
    """Return the same of a private copy: what it holds, whatever the originals hold by now."""
    return (*_candidate_parts(runbook.candidate), *copy.parts)


def _candidate_parts(candidate: Candidate) -> Parts:
    images = "\n".join(f"{name}={ref}" for name, ref in candidate.images.named().items())
    return (
        ("images", _sha(images.encode())),
        (
            "migration",
            _sha(candidate.migration.model_dump_json().encode() if candidate.migration is not None else b""),
        ),
    )


def seen_draft(tier: Tier, parts: Parts, ref: int | None = None) -> Draft:
    """Return the event that keeps an environment's parts."""
    return Draft(CandidateSeen(tier.value, parts), ref=ref)


def seen_of(event: Event) -> Seen:
    """Return what a ``candidate.seen`` says."""
    body = body_as(CandidateSeen, event)
    return Seen(event.seq, event.ref, body.env, body.parts)


def void(view: LaunchView, seen: Sequence[Seen], gates: Sequence[int], tier: Tier, now: Parts) -> str:
    """Return which approvals of these gates are void, and why; or nothing.

    An approval from before anything was seen can't be judged, and is void too.
    """
    mine = [one for one in seen if one.env == tier]
    changed: set[str] = set()
    items_of: list[str] = []
    for gate in view.gates:
        for item in gate.items if gate.number in gates else ():
            if item.attestation is None or not item.attestation.go:
                continue
            before = _for(item.attestation, mine)
            differ = {name for name, digest in now if (name, digest) not in before}
            if differ:
                changed |= differ
                items_of.append(item.id)
    if not items_of:
        return ""
    more = f" and {len(items_of) - 3} more" if len(items_of) > 3 else ""
    return (
        f"changed since it was approved: {', '.join(sorted(changed))}; the approvals of "
        f"{', '.join(items_of[:3])}{more} are for something else: attest them again"
    )


def _for(attestation: AttestationView, seen: Sequence[Seen]) -> Parts:
    """Return the parts that an attestation stands for."""
    with_it = [one for one in seen if one.ref == attestation.seq]
    before = [one for one in seen if one.seq < attestation.seq]
    newest = max(with_it or before, key=lambda one: one.seq, default=None)
    return newest.parts if newest is not None else ()


def register_secrets(chart: Chart, redactor: Redactor) -> None:
    """Let the redactor know what looks like a secret in the values files and in the values that charts bring."""
    for path in chart.values:
        with suppress(OSError):
            _register_settings(path.read_bytes(), redactor)
    for raw in brought_values(Path(chart.path)):
        _register_settings(raw, redactor)


def _register_settings(raw: bytes, redactor: Redactor) -> None:
    with suppress(kube_yaml.KubeYamlError):  # helm will say what is wrong with it
        for keys, value in kube_yaml.settings(raw):
            redactor.register_setting(keys, value)


async def register_mounted(runbook: Runbook, clients: Clients) -> None:
    """Let the redactor know what the Secrets hold that releases mount: a hook, or helm itself, may print them.

    Of every environment, because one that is launched may have been given another's. What can't be read is not known.
    """

    async def read(environment: Environment, name: str) -> None:
        where = f"/api/v1/namespaces/{environment.kube.namespace}/secrets/{name}"
        with suppress(CouldNotLookError):
            await clients.kube(environment.tier).get(where)  # the client tells the redactor what it reads

    named = [(env, name) for env in runbook.environments.values() for name in env.secrets]
    await asyncio.gather(*(read(env, name) for env, name in named))


def register_rendered(manifest: str, redactor: Redactor) -> None:
    """Let the redactor know what the Secrets of a manifest hold, whatever its values are called in the chart.

    Raises UnreadableManifestError where a part that may be a Secret can't be read: then it doesn't know them.
    """
    # Of a large chart only these parts are read: it is done for every look at helm's history.
    for part in parted(manifest):
        for document in documents(part) if "Secret" in part else ():
            if text(document, "kind") == "Secret":
                for key, value in secret_values(document).items():
                    redactor.register_pair(key, value)


def _sha(raw: bytes) -> str:
    return sha256(raw).hexdigest()
