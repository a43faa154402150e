"""The one live look at a stop condition before it is relied upon: what a runbook alone can't tell of its queries.

Each gives one number, asks for metrics that exist, and its rate windows hold four of the scrapes that really
come. What Prometheus can't be asked about is unknown, never a pass.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from checks.base import CheckContext, CouldNotLookError
from checks.clients.errors import RejectedError
from checks.condition_selectors import NOWHERE, Match, problems, selectors
from checks.judging import Findings, key, whole
from checks.rules import exists, metrics_of
from state.base.times import SECOND_US
from state.runbook.promql import nodes

if TYPE_CHECKING:
    from checks.clients.prometheus import PrometheusClient
    from state.runbook.conditions import StopCondition

_SCRAPES: Final = 4
"""Scrapes that a rate window holds at least."""
_WINDOWS: Final = 10
"""How many windows back scrapes are counted."""
_SPARE: Final = 1.1
"""A few scrapes may have been missed."""
_FULL: Final = 1.7
"""How many times more scrapes the whole of a history holds than half of it, where it is long enough."""


async def look(condition: StopCondition, context: CheckContext, findings: Findings) -> None:
    """Note what is wrong with the queries of a condition, or can't be seen."""
    _own_environment(condition, context, findings)
    if context.first(condition.env):
        await _before_a_first_launch(condition, context, findings)
        return
    prometheus = context.clients.prometheus(condition.env)
    at_s = context.clock.wall_us() / SECOND_US
    for name, query, may_be_absent in _queries(condition):
        await _number(condition, name, query, may_be_absent, prometheus, at_s, findings)
    for words in await findings.look(problems(condition, prometheus, at_s)) or ():
        if not words.endswith(NOWHERE):  # told above
            findings.blind(f"{condition.id} could never trip: {words}")
    for selector, window in sorted({one for _, query, _ in _queries(condition) for one in windows(query)}):
        await _scrapes(condition, selector, window, prometheus, findings)


def _own_environment(condition: StopCondition, context: CheckContext, findings: Findings) -> None:
    """Note a query that watches another environment's namespace, as one does that was copied from there."""
    spaces = {tier: one.kube.namespace for tier, one in context.runbook.environments.items()}
    own = spaces.get(condition.env, "")
    others = {space: tier for tier, space in spaces.items() if space != own}
    for name, query, _ in _queries(condition):
        matches = (match for selector in selectors(query) for match in selector.matches)
        for match in dict.fromkeys(matches):
            whose = next((tier for space, tier in others.items() if _selects(match, space)), None)
            if whose is not None and not _selects(match, own):
                findings.wrong(
                    f"{condition.id} ({name}) watches {match}, which is {whose}, not {condition.env}"
                )


def _selects(match: Match, value: str) -> bool:
    """Return whether a matcher takes a value; one that excludes asks for nothing, nor does what Python can't read."""
    if match.sign == "=":
        return match.value == value
    try:
        return match.sign == "=~" and re.fullmatch(match.value, value) is not None
    except re.error:
        return False


async def _before_a_first_launch(condition: StopCondition, context: CheckContext, findings: Findings) -> None:
    """Note what Prometheus refuses already; numbers come with the release."""
    prometheus = context.clients.prometheus(condition.env)
    for name, query, _ in _queries(condition):
        try:
            await prometheus.query(query, context.clock.wall_us() / SECOND_US)
        except RejectedError as error:
            findings.wrong(f"{condition.id} ({name}): {error}")
        except CouldNotLookError as error:
            findings.blind(f"{condition.id} ({name}): {error}")
    findings.defer(f"{condition.id} has no numbers before the release: nothing exports them yet")


def _queries(condition: StopCondition) -> Iterator[tuple[str, str, bool]]:
    """Yield (part, query, whether no series means zero)."""
    for part in ("bad", "good", "total", "value"):
        for name, source in (("", condition), ("second ", condition.second)):
            if source is not None and (query := getattr(source, part)):
                yield f"{name}{part}", query, part == "bad" and source.bad_absent_is_zero


def windows(query: str) -> set[tuple[str, float]]:
    """Return (selector, seconds) of every range in a query; its offsets are left out."""
    found = set()
    for node in nodes(query):
        if isinstance(node, promql.MatrixSelector):
            selector = str(node.vector_selector)
            for word in (" offset ", " @ "):
                selector = selector.rpartition(word)[0] or selector
            found.add((selector, node.range.total_seconds()))
    return found


async def _number(
    condition: StopCondition,
    part: str,
    query: str,
    may_be_absent: bool,
    prometheus: PrometheusClient,
    at_s: float,
    findings: Findings,
) -> None:
    name = f"{condition.id} ({part})"
    try:
        samples = await prometheus.query(query, at_s)
        dead = [metric for metric in sorted(metrics_of(query)) if not await exists(prometheus, metric)]
    except RejectedError as error:
        findings.wrong(f"{name}: {error}")
        return
    except CouldNotLookError as error:
        findings.blind(f"{name}: {error}")
        return
    numbers = [sample.value for sample in samples if math.isfinite(sample.value)]
    findings.saw(key(condition.id, part.replace(" ", "_")), [whole(number) for number in numbers[:3]])
    if len(samples) > 1 and condition.reduce is None:
        findings.wrong(f"{name} gives {len(samples)} series where one is expected; say how with reduce:")
    elif dead and may_be_absent:
        findings.blind(
            f"{name} asks for {', '.join(dead)}, which nobody exports: either it never happened yet, or the name "
            "is wrong and could never stop anything"
        )
    elif dead:
        findings.wrong(
            f"{name} asks for {', '.join(dead)}, which nobody exports: it could never stop anything"
        )
    elif not numbers and not may_be_absent:
        findings.blind(f"{name} gives no number now: no data, so it could not stop anything")


async def _scrapes(
    condition: StopCondition, selector: str, window: float, prometheus: PrometheusClient, findings: Findings
) -> None:
    """Compare a rate window with how often the series that it reads are really scraped."""
    span = round(_WINDOWS * window)
    counts = []
    for seconds in (span, span // 2):
        answer = await findings.look(prometheus.query(f"max(count_over_time({selector}[{seconds}s]))"))
        if answer is None:
            return
        counts.append(answer[0].value if answer else 0.0)
    whole_span, half = counts
    if whole_span < _FULL * half or half < 1:
        if whole_span:  # where there is nothing at all, that was said
            findings.blind(
                f"{condition.id}: {span} s of history are needed to see how often {selector} is scraped"
            )
        return
    # By the newer half alone where the older one has fewer: it may begin with the release, in the middle of it.
    scrape = span / whole_span if whole_span >= 2 * half - 1 else (span // 2) / half
    findings.saw(key(condition.id, "scrape_s"), whole(round(scrape, 1)))
    if window * _SPARE < _SCRAPES * scrape:
        findings.wrong(
            f"{condition.id}: Prometheus scrapes {selector.partition('{')[0]} every {scrape:.2g} s, so its rate "
            f"window of {window:g} s holds fewer than {_SCRAPES} scrapes (they take {_SCRAPES * scrape:.2g} s)"
        )
