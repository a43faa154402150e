"""Kinds of check that do what a test needs; registered when this module is imported."""

from __future__ import annotations

import asyncio

from checks.base import CheckContext, CouldNotLookError, Outcome, Settings, check, passed, unknown
from state.view.enums import After, Judges, Verdict


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


@check("test.migrated", Settings, after=(After.MIGRATE,))
async def migrated(_settings: Settings, _around: CheckContext) -> Outcome:
    return passed("the schema is at its head")


@check("test.baked", Settings, judges=Judges.LAUNCH, after=(After.DEPLOY, After.BAKE))
async def baked(_settings: Settings, _around: CheckContext) -> Outcome:
    return passed("it was long enough")


@check("test.behaves", Settings, judges=Judges.CANDIDATE, leaves="a footprint")
async def behaves(_settings: Settings, _around: CheckContext) -> Outcome:
    return passed("it behaves")


@check("test.waits", Settings, after=(After.MIGRATE,))
async def waits(_settings: Settings, _around: CheckContext) -> Outcome:
    await gate.wait()
    return passed("it was let go")
