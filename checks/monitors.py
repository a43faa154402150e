"""Whether what watches the release can be trusted: monitor the monitors, before a stop condition relies on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from checks.base import CheckContext, Outcome, Settings, check, failed
from checks.clients.kube_object import name_of
from checks.guides import watching
from checks.judging import FRESH, Findings, key, whole
from checks.workloads import parts_of, pods
from state.base.json import JsonObject, text
from state.base.numbers import plural
from state.base.times import SECOND_US
from state.view.enums import Verdict
from state.view.pods import condition_of

if TYPE_CHECKING:
    from checks.clients.prometheus import PrometheusClient, RangeSeries
    from state.base.clock import Clock
    from state.runbook.conditions import Monitors

_BACK_WITHIN: Final = 3
"""Samples after which a counter that fell is back where it was, where two processes answer in turn."""
_FEW: Final = 2
"""Returns that chance could make."""


class MonitorsSettings(Settings):
    """None: what is asked is the runbook's ``bake.monitors``, which the engine looks at all the time too."""


@check("telemetry.monitors", MonitorsSettings, guide=watching.MONITORS, ttl=FRESH)
async def monitors(_settings: MonitorsSettings, context: CheckContext) -> Outcome:
    """Judge that Prometheus is up and fresh, sees the release's targets, and counts what it should."""
    settings = context.runbook.bake.monitors
    if settings is None:
        return failed("the runbook doesn't say how to watch Prometheus itself; expected bake.monitors")
    prometheus = context.clients.prometheus(context.tier)
    outcome = await look(settings, prometheus, context.clock, first=context.first())
    if context.first() or outcome.verdict is not Verdict.PASS:
        return outcome
    findings = Findings()
    await _every_pod(settings, prometheus, context, findings)
    added = findings.outcome(outcome.summary)
    return replace(added, evidence={**outcome.evidence, **added.evidence})


async def _every_pod(
    settings: Monitors, prometheus: PrometheusClient, context: CheckContext, findings: Findings
) -> None:
    """Judge that of each part that is scraped every ready pod is: what is no target looks like no trouble."""
    answer = await findings.look(prometheus.query(settings.up))
    scraped = {pod for sample in answer or () if (pod := sample.labels.get("pod"))}
    for part in parts_of((), context) if scraped else ():
        running = await findings.look(pods(context, part))
        names = {name_of(pod) for pod in running or () if flag_ready(pod)}
        missing = sorted(names - scraped)
        if names & scraped:
            findings.saw(key("scraped", part), f"{len(names & scraped)} of {len(names)}")
            findings.need(not missing, f"Prometheus doesn't scrape {', '.join(missing[:3])} of {part}")


def flag_ready(pod: JsonObject) -> bool:
    """Return whether the kubelet says that a pod is ready."""
    return text(condition_of(pod, "Ready"), "status") == "True"


async def look(
    settings: Monitors, prometheus: PrometheusClient, clock: Clock, *, first: bool = False
) -> Outcome:
    """Return whether what a Prometheus says of the release can be trusted, and if not, why.

    ``first``: there is no release yet, so that nothing of it can be scraped.
    """
    findings = Findings()
    await findings.look(prometheus.ready())
    await _clock(settings, clock, prometheus, findings)
    if first:
        findings.defer("the release's scrape targets and counters: nothing exports them yet")
        return findings.outcome("")
    await _targets(settings, prometheus, findings)
    canary = await findings.look(prometheus.query(settings.canary))
    if canary is not None:
        values = [s.value for s in canary if math.isfinite(s.value)]
        findings.saw("canary", whole(values[0]) if values else None)
        findings.need(
            any(v > 0 for v in values), f"the canary query gives no number above zero: {settings.canary}"
        )
    for counter in settings.counters:
        await _counter(counter, settings, clock, prometheus, findings)
    return findings.outcome("Prometheus is up and fresh, its targets are up, its counters count")


async def _clock(settings: Monitors, clock: Clock, prometheus: PrometheusClient, findings: Findings) -> None:
    before = clock.wall_us() / SECOND_US
    answer = await findings.look(prometheus.query("time()"))
    after = clock.wall_us() / SECOND_US
    if answer is None:
        return
    if len(answer) != 1:
        findings.blind("Prometheus does not tell its time")
        return
    apart = max(before - answer[0].value, answer[0].value - after, 0.0)
    findings.saw("clocks_apart_s", whole(round(apart, 1)))
    findings.need(
        apart <= settings.skew,
        f"the clocks of the console and of Prometheus are {apart:.1f} s apart, more than {settings.skew:g} s: every "
        "for and every age is wrong by that",
    )


async def _targets(settings: Monitors, prometheus: PrometheusClient, findings: Findings) -> None:
    answer = await findings.look(prometheus.query(settings.up))
    if answer is None:
        return
    down = sorted(_target(s.labels) for s in answer if s.value != 1)
    findings.saw("targets", len(answer))
    findings.saw("targets_down", list(down[:10]))
    findings.need(bool(answer), f"Prometheus scrapes nothing of the release: {settings.up} is empty")
    findings.need(
        not down, f"{plural(len(down), 'scrape target is', 'scrape targets are')} down: {', '.join(down[:3])}"
    )
    age = await findings.look(prometheus.query(f"time() - max(timestamp({settings.up}))"))
    if age is not None and (len(age) != 1 or not math.isfinite(age[0].value)):
        findings.blind("Prometheus does not tell how old its newest scrape is")
    elif age:
        findings.saw("newest_scrape_s", whole(round(age[0].value, 1)))
        findings.need(
            age[0].value <= settings.max_age,
            f"the newest scrape is {age[0].value:.0f} s old, more than {settings.max_age:g} s",
        )


def _target(labels: object) -> str:
    told = labels if isinstance(labels, dict) else {}
    return str(told.get("pod") or told.get("instance") or "a target without a name")


async def _counter(
    counter: str, settings: Monitors, clock: Clock, prometheus: PrometheusClient, findings: Findings
) -> None:
    end = clock.wall_us() // SECOND_US
    answer = await findings.look(prometheus.query_range(counter, end - settings.span, end, settings.scrape))
    if answer is None:
        return
    if not answer:
        findings.blind(f"{counter} gives no series: nobody can tell whether several worker processes count")
    torn = [series for series in answer if returns([value for _, value in series.points]) >= _FEW]
    if torn:
        findings.wrong(_words(counter, torn))


def _words(counter: str, torn: Sequence[RangeSeries]) -> str:
    return (
        f"{counter} of {_target(dict(torn[0].labels))} jumps back and forth ({len(torn)} series do): several worker "
        "processes answer behind one target, so rate() sees restarts that never were and every ratio is wrong; run "
        "one worker for each pod, or let the ingress' metrics judge"
    )


def returns(values: Sequence[float]) -> int:
    """Return how often a counter fell and was back at its former height a few samples later.

    A restart doesn't come back: it begins again near zero and needs as long as before.
    """
    found = 0
    for index in range(1, len(values)):
        if values[index] < values[index - 1]:
            later = values[index + 1 : index + 1 + _BACK_WITHIN]
            found += any(value >= values[index - 1] for value in later)
    return found
