"""The worker runs what the API runs, with what the API knows, and reads the queues that work is put in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.kube_object import name_of
from checks.container_env import queues_of
from checks.guides import configuration
from checks.judging import FRESH, Findings, key
from checks.running_images import others_than
from checks.workloads import (
    deployment,
    env_of,
    own_container,
    pod_template,
    pods,
    ready_replicas,
)
from state.base.images import digest_of
from state.base.json import JsonObject, obj, path, text
from state.base.numbers import plural
from state.view.enums import Judges
from state.view.pods import restarts_lately, running_digests, unnamed_digests

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from checks.container_env import ContainerEnv

_NAMED: Final = 5


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
    may_differ: tuple[str, ...] = (
        *("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "DD_SERVICE", "SERVICE_NAME"),
        *("PORT", "HOSTNAME"),
    )
    """Settings by which a process says what it is, and not how it works."""
    max_restarts: int = 0
    """A container that was restarted more often within a day is not healthy."""


@check(
    "worker.parity",
    ParitySettings,
    guide=configuration.PARITY,
    ttl=FRESH,
    judges=Judges.CANDIDATE,
    rendered=True,
)
async def parity(settings: ParitySettings, context: CheckContext) -> Outcome:
    """Judge that the worker has the API's environment and secrets, runs its named image.

    And reads every queue.
    """
    findings = Findings()
    deployed = {part: await deployment(context, part) for part in (settings.api, settings.worker)}
    api, worker = deployed[settings.api], deployed[settings.worker]
    boxes = [own_container(context, pod_template(one), part) for part, one in deployed.items()]
    envs = [await findings.look(env_of(context, box)) for box in boxes]
    if envs[0] is not None and envs[1] is not None:
        await _same_environment(settings, [envs[0], envs[1]], context, findings)
    _same_checksums(settings, api, worker, findings)
    _images(settings, boxes, findings)
    if not context.first():
        ready, expected = ready_replicas(worker)
        findings.saw("worker_replicas", {"ready": ready, "wanted": expected})
        findings.need(ready >= expected > 0, f"{ready} of {plural(expected, 'worker')} ready")
    running = await findings.look(pods(context, settings.worker)) or ()
    await _running(settings.worker, boxes[1], running, context, findings)
    for part, one in deployed.items():
        there = running if part == settings.worker else await findings.look(pods(context, part)) or ()
        _older_pods(part, one, there, findings)
    restarts = sum(restarts_lately(pod, context.clock.wall_us()) for pod in running)
    findings.saw("worker_restarts", restarts)
    findings.need(
        restarts <= settings.max_restarts, f"the worker was restarted {plural(restarts, 'time')} within a day"
    )
    if settings.queues:
        _queues(settings, boxes[1], envs[1], findings)
    queues = f", and reads {plural(len(settings.queues), 'queue')}" if settings.queues else ""
    return findings.outcome(f"the worker has the API's configuration and secrets{queues}")


async def _same_environment(
    settings: ParitySettings, envs: Sequence[ContainerEnv], context: CheckContext, findings: Findings
) -> None:
    """Compare what both get, name by name and value by value: where it comes from doesn't matter."""
    api, worker = (env.values for env in envs)
    either = {name for name in api.keys() | worker.keys() if name not in settings.may_differ}
    findings.saw("settings_compared", len(either))
    only = sorted(name for name in either if (name in api) != (name in worker))
    findings.need(not only, f"only one of API and worker has {_some(only)}")
    prints = context.clients.fingerprint
    other = sorted(
        name for name in either & api.keys() & worker.keys() if prints(api[name]) != prints(worker[name])
    )
    findings.saw("settings_that_differ", list(other[:20]))
    findings.need(not other, f"the worker has another value than the API for {_some(other)}")
    if not either:
        findings.blind("neither API nor worker has any setting, so nothing could be compared")


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _older_pods(part: str, deployed: JsonObject, running: Iterable[JsonObject], findings: Findings) -> None:
    """Note pods that were made from an older template: their annotations tell of another configuration."""
    expected = obj(path(pod_template(deployed), ("metadata", "annotations")))
    for pod in running:
        given = obj(path(pod, ("metadata", "annotations")))
        apart = sorted(name for name in expected if name in given and given[name] != expected[name])
        findings.need(
            not apart,
            f"{part}: {name_of(pod)} was started with another {', '.join(apart[:_NAMED])} than its deployment has",
        )


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


def _images(settings: ParitySettings, boxes: Sequence[JsonObject], findings: Findings) -> None:
    named = [text(box, "image") for box in boxes]
    digests = [digest_of(image) or image.rpartition(":")[2] for image in named]
    findings.saw("api_image", digests[0])
    findings.saw("worker_image", digests[1])
    if settings.same_image:
        findings.need(named[0] == named[1], "API and worker name different images")


async def _running(
    part: str, box: JsonObject, running: Sequence[JsonObject], context: CheckContext, findings: Findings
) -> None:
    """Compare what the part's own container runs with what its deployment names, by what the registry says of it."""
    name, named = text(box, "name"), text(box, "image")
    expected = digest_of(named)
    if not expected:
        return
    told = {name_of(pod): running_digests(pod).get(name, "") for pod in running}
    loaded = {digest for pod in running for box, digest in unnamed_digests(pod) if box == name}
    registry = context.clients.registry(context.tier)
    others = await others_than(named, told, registry, findings, loaded=loaded)
    for pod, digest in others.items():
        findings.wrong(f"{part}: {pod} runs {digest[:19]}, its deployment names {expected[:19]}")


def _queues(settings: ParitySettings, box: JsonObject, env: ContainerEnv | None, findings: Findings) -> None:
    """Judge which queues the worker reads: those of its command line, or else of the setting."""
    if env is None:
        return
    by_command = queues_of(box, env.values)
    told = env.values.get(settings.queues_key or "", "") if settings.queues_key is not None else ""
    read = set(by_command) if by_command is not None else {one.strip() for one in told.split(",")} - {""}
    findings.saw("queues_read", sorted(read))
    findings.saw(
        "queues_from", "its command line" if by_command is not None else settings.queues_key or "nothing"
    )
    if by_command is None and settings.queues_key is None:
        findings.blind(
            "the worker's command line names no queue and the runbook no setting that does: queues_key"
        )
        return
    unread = sorted(set(settings.queues) - read)
    findings.need(not unread, f"no worker reads the queue {', '.join(unread)}: its tasks wait for ever")
