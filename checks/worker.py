"""The worker runs what the API runs, with what the API knows, and reads the queues that work is put in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.kube_object import name_of
from checks.judging import FRESH, Findings, key
from checks.workloads import (
    config_values,
    containers,
    deployment,
    env_sources,
    pod_template,
    pods,
    ready_replicas,
)
from state.base.images import digest_of
from state.base.json import JsonObject, obj, objs, path, text
from state.base.numbers import plural
from state.view.enums import Judges
from state.view.pods import restarts_of, running_digests

if TYPE_CHECKING:
    from collections.abc import Iterable


class ParitySettings(Settings):
    """What API and worker must have in common."""

    api: str
    """The part that puts work in the queues."""
    worker: str
    """The part that does it."""
    same_image: bool = False
    """Both run one image, with different commands."""
    checksums: tuple[str, ...] = ("checksum/config", "checksum/secret")
    """Annotations that change with the configuration: equal means started with the same."""
    queues_key: str | None = None
    """The setting that lists the worker's queues."""
    queues: tuple[str, ...] = ()
    """Queues that tasks are put in."""
    max_restarts: int = 0
    """A container that restarted more often is not healthy."""


@check("worker.parity", ParitySettings, ttl=FRESH, judges=Judges.CANDIDATE, rendered=True)
async def parity(settings: ParitySettings, context: CheckContext) -> Outcome:
    """Judge that the worker has the API's environment and secrets, runs its named image.

    And reads every queue.
    """
    findings = Findings()
    api = await deployment(context, settings.api)
    worker = await deployment(context, settings.worker)
    _same_environment(api, worker, findings)
    _same_checksums(settings, api, worker, findings)
    _images(settings, api, worker, findings)
    if not context.first():
        ready, expected = ready_replicas(worker)
        findings.saw("worker_replicas", {"ready": ready, "wanted": expected})
        findings.need(ready >= expected > 0, f"{ready} of {plural(expected, 'worker')} ready")
    running = await findings.look(pods(context, settings.worker)) or ()
    _running(settings.worker, worker, running, findings)
    restarts = sum(map(restarts_of, running))
    findings.saw("worker_restarts", restarts)
    findings.need(restarts <= settings.max_restarts, f"the worker was restarted {restarts} times")
    if settings.queues_key is not None:
        await _queues(settings, context, findings)
    return findings.outcome("the worker has the API's configuration and secrets, and reads every queue")


def _same_environment(api: JsonObject, worker: JsonObject, findings: Findings) -> None:
    sources, own = [], []
    for deployed in (api, worker):
        box = next(iter(containers(pod_template(deployed))), {})
        sources.append(env_sources(box))
        own.append({text(one, "name") for one in objs(box.get("env"))})
    findings.saw("env_from_api", list(sources[0]))
    findings.saw("env_from_worker", list(sources[1]))
    shown = [", ".join(source) or "nothing" for source in sources]
    findings.need(
        sources[0] == sources[1], f"the worker's environment is from {shown[1]}, the API's from {shown[0]}"
    )
    extra = sorted(own[0] ^ own[1])
    findings.need(not extra, f"only one of API and worker has {', '.join(extra)}")


def _same_checksums(
    settings: ParitySettings, api: JsonObject, worker: JsonObject, findings: Findings
) -> None:
    for name in settings.checksums:
        pair = [
            text(obj(path(pod_template(one), ("metadata", "annotations"))), name) for one in (api, worker)
        ]
        findings.saw(key(name), "same" if pair[0] == pair[1] else "differ")
        findings.need(
            pair[0] == pair[1], f"API and worker were started with different {name.rpartition('/')[2]}"
        )


def _images(settings: ParitySettings, api: JsonObject, worker: JsonObject, findings: Findings) -> None:
    named = [text(next(iter(containers(pod_template(one))), {}), "image") for one in (api, worker)]
    digests = [digest_of(image) or image.rpartition(":")[2] for image in named]
    findings.saw("api_image", digests[0])
    findings.saw("worker_image", digests[1])
    if settings.same_image:
        findings.need(named[0] == named[1], "API and worker name different images")


def _running(part: str, deployed: JsonObject, running: Iterable[JsonObject], findings: Findings) -> None:
    expected = {
        text(box, "name"): digest_of(text(box, "image")) for box in containers(pod_template(deployed))
    }
    for pod in running:
        for name, digest in running_digests(pod).items():
            if expected.get(name) and digest and digest != expected[name]:
                findings.wrong(
                    f"{part}: {name_of(pod)} runs {digest[:19]}, its deployment names {expected[name][:19]}"
                )


async def _queues(settings: ParitySettings, context: CheckContext, findings: Findings) -> None:
    values = await findings.look(config_values(context))
    if values is None:
        return
    read = {one.strip() for one in values.get(settings.queues_key or "", "").split(",")} - {""}
    unread = sorted(set(settings.queues) - read)
    findings.saw("queues_read", sorted(read))
    findings.need(not unread, f"no worker reads the queue {', '.join(unread)}: its tasks wait for ever")
