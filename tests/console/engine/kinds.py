"""Kinds of check that do what a test needs; registered when this module is imported."""

from __future__ import annotations

import asyncio

from checks.base import CheckContext, CouldNotLookError, Outcome, Settings, check, passed, unknown
from state.view.enums import Verdict


class Told(Settings):
    verdict: Verdict = Verdict.PASS
    summary: str = "as told"


gate = asyncio.Event()
"""What ``test.waits`` waits for."""


@check("test.passes", Settings)
async def passes(_settings: Settings, context: CheckContext) -> Outcome:
    return passed("it is well", {"Where": context.environment.title, "share": 0.5, "pods": ["a", "b"]})


@check("test.told", Told)
async def told(settings: Told, _around: CheckContext) -> Outcome:
    return Outcome(settings.verdict, settings.summary)


@check("test.raises", Settings)
async def raises(_settings: Settings, _around: CheckContext) -> Outcome:
    raise KeyError("hunter2 is a secret")


@check("test.blind", Settings)
async def blind(_settings: Settings, _around: CheckContext) -> Outcome:
    raise CouldNotLookError("the thing (production) is not there")


@check("test.hangs", Settings)
async def hangs(_settings: Settings, _around: CheckContext) -> Outcome:
    await asyncio.Event().wait()
    return unknown("never")


@check("test.writes", Settings, writes=True, ttl=60)
async def writes(_settings: Settings, _around: CheckContext) -> Outcome:
    return passed("left a trace")
