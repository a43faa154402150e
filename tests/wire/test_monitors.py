"""The monitors are monitored against a real Prometheus: dead targets, torn counters, clocks apart."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest

import tests.console.engine.kinds  # noqa: F401  registers the kinds that the runbook names
from checks import stop_conditions
from checks.base import CheckContext, Outcome
from checks.clients.clients import Clients
from checks.judging import Findings
from checks.monitors import MonitorsSettings, monitors
from state.base.clock import Clock, SystemClock
from state.runbook.conditions import Monitors, StopCondition
from state.runbook.environment import Tier
from state.runbook.load import load_runbook
from state.view.enums import Verdict
from state.view.launch import LaunchView
from tests.clocks import ManualClock
from tests.wire.test_conditions import ERRORS, SHARED, Site, site

pytestmark = [pytest.mark.wire, pytest.mark.needs("prometheus")]

SETTINGS = Monitors(
    up='up{job="toy"}',
    canary="sum(rate(toy_requests_total[4s]))",
    counters=('toy_requests_total{code="200"}',),
    max_age=3,
    scrape=1,
    span=60,
)


async def look(s: Site, clock: Clock) -> Outcome:
    runbook = load_runbook(s.runbook).runbook
    clients = Clients(runbook, clock)
    try:
        bake = runbook.bake.model_copy(update={"monitors": SETTINGS})
        watched = runbook.model_copy(update={"bake": bake})
        return await monitors(
            MonitorsSettings(), CheckContext(Tier.PRODUCTION, watched, clients, clock, LaunchView())
        )
    finally:
        await clients.aclose()


async def scrapes(s: Site) -> str:
    """Return what the live look says of a rate window of a second: half of the four scrapes that it must hold."""
    rate = "sum(rate(toy_requests_total[1s]))"
    narrow = {**ERRORS, **SHARED, "bad": rate, "total": rate, "window": 1, "scrape": "250ms"}
    runbook, clock, found = load_runbook(s.runbook).runbook, SystemClock(), Findings()
    clients = Clients(runbook, clock)
    context = CheckContext(Tier.PRODUCTION, runbook, clients, clock, LaunchView())
    try:
        await stop_conditions.look(StopCondition.model_validate(narrow), context, found)
    finally:
        await clients.aclose()
    return found.outcome("it can be judged").summary


async def test_what_is_wrong_with_the_monitors_is_said(tmp_path: Path) -> None:
    async with site(tmp_path) as s:
        async with asyncio.timeout(20):  # a Prometheus finds its targets within seconds
            while (await look(s, SystemClock())).verdict is not Verdict.PASS:  # noqa: ASYNC110  seen from outside
                await asyncio.sleep(0.5)
        apart = ManualClock(wall_us=int((time.time() - 30) * 1_000_000))
        assert "clocks of the console and of Prometheus are" in (await look(s, apart)).summary
        for _ in range(4):  # two workers in turn
            s.toy.switch(_good=s.toy._good - 500)
            await asyncio.sleep(1.1)
            s.toy.switch(_good=s.toy._good + 500)
            await asyncio.sleep(1.1)
        assert "several worker processes" in (await look(s, SystemClock())).summary
        assert re.search(r"scrapes toy_requests_total every 0\.[45]\d* s", await scrapes(s))
        await s.toy.die()
        await asyncio.sleep(1.5)
        assert "1 scrape target is down" in (await look(s, SystemClock())).summary
        s.server.kill()
        assert (await look(s, SystemClock())).verdict is not Verdict.PASS
