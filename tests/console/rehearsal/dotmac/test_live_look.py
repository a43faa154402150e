"""The one live look at stop conditions (item 1.4), over a rehearsed world that is scraped every 15 seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from checks.base import CheckContext
from checks.clients.clients import Clients
from checks.judging import Findings
from checks.stop_conditions import look, windows
from console.rehearsal.world.fault import answering
from console.rehearsal.world.world import World
from state.runbook.conditions import SecondSource, StopCondition
from state.runbook.environment import Tier
from state.runbook.load import load_runbook
from state.view.enums import Verdict
from state.view.launch import LaunchView
from tests.console.rehearsal.worlds import running

REQUESTS = 'dotmac_http_requests_total{namespace="dotmac-production"}'
ALL = f"sum(rate({REQUESTS}[1m]))"


def condition(**changes: object) -> StopCondition:
    told = {
        "id": "c", "title": "c", "bad": ALL, "total": ALL, "threshold": "1%", "for": "5m",
        "bad_absent_is_zero": True, **changes,
    }  # fmt: skip
    return StopCondition.model_validate(told)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path / "world") as one:
        yield one


async def judged(world: World, one: StopCondition) -> tuple[Verdict, str]:
    runbook = load_runbook(world.runbook_path).runbook
    clients = Clients(runbook, world.clock)
    findings = Findings()
    try:
        await look(one, CheckContext(Tier.PRODUCTION, runbook, clients, world.clock, LaunchView()), findings)
    finally:
        await clients.aclose()
    outcome = findings.outcome("it can be judged")
    return outcome.verdict, outcome.summary


async def test_what_only_a_live_look_can_tell(world: World) -> None:
    assert await judged(world, condition()) == (Verdict.PASS, "it can be judged")

    short = ALL.replace("1m", "40s")
    verdict, told = await judged(world, condition(bad=short, total=short, window="40s", scrape="10s"))
    assert verdict is Verdict.FAIL
    assert "scrapes dotmac_http_requests_total every 15 s" in told
    assert "holds fewer than 4 scrapes" in told

    verdict, told = await judged(world, condition(bad="sum(rate(dotmac_http_error_total[1m]))"))
    assert (
        verdict is Verdict.UNKNOWN
    )  # a counter that never counted doesn't exist; nor does one that is misspelt
    assert "dotmac_http_error_total, which nobody exports" in told
    verdict, told = await judged(world, condition(total="sum(rate(dotmac_request_total[1m]))"))
    assert verdict is Verdict.FAIL
    assert "could never stop anything" in told

    twice = SecondSource(bad=f"rate({REQUESTS}[1m])", total=ALL)
    verdict, told = await judged(world, condition(second=twice))
    assert verdict is Verdict.FAIL
    assert "c (second bad) gives" in told
    assert "series where one is expected" in told

    world.prometheus.hooks.append(answering(503, "service unavailable"))
    verdict, told = await judged(world, condition())
    assert verdict is Verdict.UNKNOWN
    assert "503" in told


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ('namespace="dotmac-production",status_code=~"5.."', ""),
        ('namespace="dotmac-production",status_code=~"5..",endpoint!~"/health.*"', ""),
        (
            'namespace="dotmac-production",status=~"5.."',
            "for the label status, which none of its series has",
        ),
        (
            'namespace="dotmac-prod",status_code=~"5.."',
            f'looks at dotmac_http_requests_total{{namespace="dotmac-prod"}} and total at {REQUESTS}, which are',
        ),
        ('status_code=~"5.."', "which are not the same series (0 only in total,"),
        (
            'namespace="dotmac-production",status_code="5.."',
            'for status_code="5..", which no series has; a regular expression takes =~',
        ),
    ],
)
async def test_a_condition_that_could_never_trip_is_unknown(world: World, bad: str, words: str) -> None:
    one = condition(bad=f"sum(rate(dotmac_http_requests_total{{{bad}}}[1m]))")
    verdict, told = await judged(world, one)
    assert verdict is (Verdict.UNKNOWN if words else Verdict.PASS)
    assert words in told


async def test_a_condition_of_production_that_watches_staging_fails(world: World) -> None:
    one = condition(
        bad='sum(rate(dotmac_http_requests_total{namespace="dotmac-staging",status_code=~"5.."}[1m]))'
    )
    verdict, told = await judged(world, one)
    assert verdict is Verdict.FAIL
    assert 'watches namespace="dotmac-staging", which is staging, not production' in told


def test_the_windows_of_a_query() -> None:
    query = 'sum(rate(a{b="c"}[1m] offset 1d)) / (sum(rate(a{b="c"}[1m])) + sum(increase(d[2m])))'
    assert windows(query) == {('a{b="c"}', 60.0), ("d{}", 120.0)}
