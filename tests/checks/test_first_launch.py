"""Every kind of check in a first launch: what it says before anything is installed, and what is deferred."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from checks.base import (
    CheckContext,
    CheckKind,
    NothingRunsError,
    Outcome,
    Settings,
    deferred,
    passed,
    unknown,
)
from checks.clients.helm_release import Release
from checks.rendered import Rendered
from console.engine.checks.first_launch import FirstLaunch, judge
from console.engine.engine import Engine
from console.engine.ports import Who
from console.engine.record.releases import Releases, presence_of
from state.events.world import ReleaseSeen
from state.view.enums import Judges, Presence, Tier, Verdict
from state.view.launch import LaunchView
from tests.console.rehearsal.worlds import running

ANN = Who("ann", "socket peer uid 1000 (ann)")
LATER, PASS, FAIL, BLIND = Verdict.DEFERRED, Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
BEFORE: Mapping[str, Verdict] = {
    "1.1/0": PASS,
    "1.3/0": PASS,
    "1.4/0": LATER,
    "3.1/0": BLIND,
    "4.1/0": BLIND,
    "4.2/0": LATER,
    "4.3/0": PASS,
    "5.3/0": LATER,
    "5.3/1": LATER,
    "6.1/0": LATER,
    "6.4/0": PASS,
    "6.5/0": FAIL,
    "6.6/0": FAIL,
    "6.7/1": PASS,
    "7.1/0": PASS,
    "7.2/0": BLIND,
}
"""What is judged in production before a release, where not even a namespace is there."""
PREPARED = {"3.1/0": PASS, "4.1/0": PASS, "6.5/0": PASS, "6.6/0": PASS}
"""What differs once it was prepared."""
RENDERED = {"3.1/0", "4.1/0", "6.1/0", "6.6/0"}
"""What stands on the manifest, and says so."""


@asynccontextmanager
async def first_launch(folder: Path) -> AsyncIterator[Engine]:
    async with running(folder / "w", rate=1.0, first=True) as world:
        engine = await Engine.open(world.runbook_path, folder / "a.lclog", world.clock, account="ann")
        try:
            yield engine
        finally:
            await engine.close()


async def judged(engine: Engine, *names: str) -> dict[str, tuple[Verdict, str]]:
    """Run checks and return verdict and summary of each."""
    items = {name.partition("/")[0] for name in names}
    engine.runner.start([ref for ref in engine.runner.checks(items) if ref.id in names], "ann")
    await engine.runner.idle()
    found = [c for g in engine.journal.view.gates for i in g.items for c in i.checks if c.id in names]
    return {check.id: (check.verdict, check.summary) for check in found}


@pytest.mark.timeout(240)
async def test_what_each_check_says_before_anything_is_installed(tmp_path: Path) -> None:
    async with first_launch(tmp_path) as engine:
        found = await judged(engine, *BEFORE)
        assert {name: verdict for name, (verdict, _) in found.items()} == dict(BEFORE), found
        reply = await engine.operations.start("production.prepare", ANN, None)
        assert reply.ok, reply.message
        await engine.journal.until(lambda view: view.running() is None)
        found = await judged(engine, *BEFORE)
        assert {name: verdict for name, (verdict, _) in found.items()} == {**BEFORE, **PREPARED}, found
        told = {name for name, (_, summary) in found.items() if "as rendered; nothing runs yet" in summary}
        assert told == RENDERED


def context(presence: Presence | None) -> CheckContext:
    """Return a context of production of which helm's history was seen so."""
    seen = ReleaseSeen(
        env="production",
        presence=presence or Presence.UNKNOWN,
        namespace=True,
        revision=0,
        status="",
        reason="",
    )
    view = replace(LaunchView(), releases={"production": seen} if presence is not None else {})
    nothing: Any = None
    return CheckContext(Tier.PRODUCTION, nothing, nothing, nothing, view)


def kind(judges: Judges, *, raises: bool = False, rendered: bool = False) -> CheckKind[Settings]:
    async def look(_settings: Settings, _context: CheckContext) -> Outcome:
        if raises:
            raise NothingRunsError("no pod of it runs yet")
        return passed("ran")

    return CheckKind("k", Settings, look, 60.0, writes=False, judges=judges, rendered=rendered)


@pytest.mark.parametrize(
    ("presence", "judges", "raises", "rendered", "verdict"),
    [
        (Presence.ABSENT, Judges.CANDIDATE, False, False, LATER),
        (Presence.UNFINISHED, Judges.CANDIDATE, False, False, LATER),
        (Presence.ABSENT, Judges.CANDIDATE, False, True, PASS),
        (Presence.ABSENT, Judges.CANDIDATE, True, True, LATER),
        (Presence.ABSENT, Judges.ENVIRONMENT, False, False, PASS),
        (Presence.ABSENT, Judges.ENVIRONMENT, True, False, LATER),
        (Presence.ABSENT, Judges.LAUNCH, True, False, LATER),
        (Presence.PRESENT, Judges.CANDIDATE, False, False, PASS),
        (Presence.UNKNOWN, Judges.CANDIDATE, False, False, PASS),
        (None, Judges.CANDIDATE, False, False, PASS),
        (Presence.PRESENT, Judges.ENVIRONMENT, True, False, None),
        (Presence.UNKNOWN, Judges.ENVIRONMENT, True, False, None),
    ],
)
async def test_what_is_deferred(
    presence: Presence | None, judges: Judges, raises: bool, rendered: bool, verdict: Verdict | None
) -> None:
    work = judge(kind(judges, raises=raises, rendered=rendered), {}, context(presence))
    if verdict is None:
        with pytest.raises(NothingRunsError):
            await work
    else:
        assert (await work).verdict is verdict


class _Looks:
    def __init__(self, presence: Presence) -> None:
        self._presence = presence

    async def look(self) -> ReleaseSeen:
        return replace(context(self._presence).view.releases["production"], reason="no route")


@pytest.mark.parametrize(
    ("outcome", "presence", "verdict"),
    [
        (deferred("later"), Presence.ABSENT, LATER),
        (deferred("later"), Presence.UNFINISHED, LATER),
        (deferred("later"), Presence.PRESENT, BLIND),
        (deferred("later"), Presence.UNKNOWN, BLIND),
        (passed("ran"), Presence.PRESENT, PASS),
        (unknown("lost"), Presence.PRESENT, BLIND),
    ],
)
async def test_it_is_looked_again_before_anything_is_deferred(
    outcome: Outcome, presence: Presence, verdict: Verdict
) -> None:
    async def render(_tier: Tier) -> str:
        return ""

    first = FirstLaunch(cast("Releases", _Looks(presence)), render)
    assert (await first.admitted(outcome)).verdict is verdict


def release(revision: int, status: str) -> Release:
    return Release(
        *("dotmac", revision, status, "c", "1", "", ""),
        values={},
        templates_sha="",
        manifest_sha="",
        manifest="",
        hooks=(),
    )


@pytest.mark.parametrize(
    ("history", "presence"),
    [
        ([], Presence.ABSENT),
        ([(1, "failed")], Presence.UNFINISHED),
        ([(1, "pending-install")], Presence.UNFINISHED),
        ([(1, "failed"), (2, "failed")], Presence.UNFINISHED),
        ([(1, "deployed")], Presence.PRESENT),
        ([(1, "failed"), (2, "deployed")], Presence.PRESENT),
        ([(1, "superseded"), (2, "failed")], Presence.PRESENT),
        ([(4, "failed"), (5, "failed")], Presence.PRESENT),
    ],
)
def test_what_a_history_tells(history: list[tuple[int, str]], presence: Presence) -> None:
    assert presence_of([release(*one) for one in history]) is presence


MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: { name: a }
---
kind: Deployment
metadata: { name: a }
"""


async def test_the_manifest_is_asked_by_kind_and_name_and_that_is_noted() -> None:
    async def render(_tier: Tier) -> str:
        return MANIFEST

    rendered = Rendered(render)
    before = rendered.used
    assert (await rendered.find(Tier.PRODUCTION, "Deployment", "a"))["kind"] == "Deployment"
    assert (before, rendered.used) == (False, True)
    with pytest.raises(Exception, match="renders no Deployment b for production"):
        await rendered.find(Tier.PRODUCTION, "Deployment", "b")
