"""Items that judge the launch by its own view."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from checks.base import CheckContext
from checks.clients.clients import Clients
from checks.registry import kind
from state.base.times import moment
from state.runbook.environment import Tier
from state.runbook.load import load_runbook
from state.runbook.models import CheckSpec, Freeze, Window
from state.view.enums import BakeState, ConditionState, OperationState, Verdict
from state.view.launch import (
    BakeView,
    ConditionView,
    DeviationView,
    GateView,
    GoodRevision,
    ItemView,
    LaunchView,
    OperationSpecView,
    OperationView,
    WaiverView,
)
from tests.checks.sop import Stage, staged
from tests.clocks import ManualClock
from tests.paths import SOP_RUNBOOK

CONDITION = ConditionView(
    "errors", "HTTP 5xx share", "production", "ratio", 0.01, 300, "ask", "q", active=True
)
GOOD = GoodRevision(1, "deployed", "x", ())


def operation(
    name: str, state: OperationState, at_us: int = 10, good: GoodRevision | None = None
) -> OperationView:
    env, _, what = name.partition(".")
    return OperationView(1, name, what, env, name, "ann", state, (), "", "", at_us, 600, good=good)


async def judge(name: str, view: LaunchView, stage: Stage) -> tuple[Verdict, str]:
    seen = await stage.judge("x", CheckSpec(kind=name), view)
    return seen.outcome.verdict, seen.outcome.summary


@pytest.mark.parametrize(
    ("bake", "state", "verdict"),
    [
        (None, ConditionState.OK, Verdict.UNKNOWN),
        (BakeView(0, 1800, 1800, BakeState.DONE), ConditionState.OK, Verdict.PASS),
        (BakeView(0, 1800, 900, BakeState.RUNNING), ConditionState.OK, Verdict.UNKNOWN),
        (BakeView(0, 1800, 900, BakeState.TRIPPED), ConditionState.TRIPPED, Verdict.FAIL),
        (BakeView(0, 1800, 1800, BakeState.DONE), ConditionState.TRIPPED, Verdict.FAIL),
    ],
)
async def test_the_bake(
    bake: BakeView | None, state: ConditionState, verdict: Verdict, tmp_path: Path
) -> None:
    runbook = load_runbook(SOP_RUNBOOK).runbook
    view = LaunchView(bake=bake, conditions=(replace(CONDITION, state=state),))
    judged = kind("launch.bake")
    assert judged is not None
    context = CheckContext(Tier.PRODUCTION, runbook, Clients(runbook), ManualClock(), view)
    assert (await judged.run({}, context)).verdict is verdict


async def test_the_way_back(tmp_path: Path) -> None:
    deployed = operation("production.deploy", OperationState.SUCCEEDED, good=GOOD)
    fine = LaunchView(operations=(deployed,), conditions=(CONDITION,))
    tripped = replace(CONDITION, state=ConditionState.TRIPPED, tripped_us=20)
    quiet = replace(CONDITION, state=ConditionState.OK)
    back = operation("production.rollback", OperationState.SUCCEEDED, 30, GOOD)
    early = replace(back, intended_us=15)
    async with staged(tmp_path) as stage:
        for view, verdict, words in (
            (LaunchView(), Verdict.UNKNOWN, "no good revision is recorded"),
            (
                replace(fine, conditions=(quiet,)),
                Verdict.PASS,
                "no stop condition",
            ),
            (
                replace(fine, conditions=(tripped,)),
                Verdict.FAIL,
                "tripped and production was not rolled back",
            ),
            (
                replace(fine, conditions=(tripped,), operations=(deployed, back)),
                Verdict.PASS,
                "HTTP 5xx share tripped, and production was rolled back to revision 1;",
            ),
            (
                replace(fine, conditions=(tripped,), operations=(deployed, early)),
                Verdict.FAIL,
                "tripped and production was not rolled back",
            ),
            (
                replace(fine, conditions=(replace(quiet, acknowledged_us=30),)),
                Verdict.PASS,
                "no stop condition is tripped; HTTP 5xx share had tripped and was acknowledged",
            ),
            (
                replace(fine, operations=(replace(deployed, good=replace(GOOD, number=99)),)),
                Verdict.FAIL,
                "no longer in helm's history",
            ),
            (
                replace(fine, conditions=(replace(CONDITION, state=ConditionState.NO_DATA),)),
                Verdict.UNKNOWN,
                "could not be judged",
            ),
        ):
            found, summary = await judge("launch.rollback_ready", view, stage)
            assert (found, words in summary) == (verdict, True), summary


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("begins", "ends", "red", "words"),
    [
        (-1, 1, True, "production is frozen now, until"),
        (1, 2, True, "production is frozen in the launch window,"),
        (3, 5, True, "production is frozen in the launch window,"),
        (4, 5, False, ""),  # as the window ends
        (-2, 0, False, ""),  # over
    ],
)
async def test_a_freeze_in_what_is_left_of_the_window(
    begins: int, ends: int, red: bool, words: str, tmp_path: Path
) -> None:
    async with staged(tmp_path) as stage:
        now = moment(stage.world.clock.wall_us())
        window = Window(start=now - 2 * HOUR, end=now + 4 * HOUR)
        once = Freeze(start=now + begins * HOUR, end=now + ends * HOUR, reason="closing")
        scope = stage.runbook.scope.model_copy(update={"window": window, "freezes": (once,)})
        frozen = replace(stage, runbook=stage.runbook.model_copy(update={"scope": scope}))
        verdict, summary = await judge("scope.window", LaunchView(), frozen)
        assert (verdict, words in summary) == (Verdict.FAIL if red else Verdict.PASS, True), summary
        assert ("closing" in summary) is red


async def test_deviations_and_the_backup_before_a_migration(tmp_path: Path) -> None:
    waiver = WaiverView(7, "ann", "accepted", "bob", 1, 10)
    gate = GateView(3, "x", (ItemView("3.2", "x", None, waiver=waiver),))
    listed = DeviationView(7, "3.2 waived", "ann", 1)
    async with staged(tmp_path) as stage:
        assert (await judge("launch.deviations", LaunchView(), stage))[0] is Verdict.PASS
        assert (await judge("launch.deviations", LaunchView(gates=(gate,)), stage))[0] is Verdict.FAIL
        view = LaunchView(gates=(gate,), deviations=(listed,))
        asked = (Verdict.FAIL, "deviation #7 lacks an owner and a follow-up: 3.2 waived")
        assert await judge("launch.deviations", view, stage) == asked
        owned = replace(listed, owner="cy")
        assert (await judge("launch.deviations", replace(view, deviations=(owned,)), stage))[
            0
        ] is Verdict.FAIL
        followed = replace(owned, follow_up="rotate it", link="https://tracker.example/1")
        fine = await judge("launch.deviations", replace(view, deviations=(followed,)), stage)
        assert fine == (Verdict.PASS, "1 deviation is listed, each with an owner and a follow-up")
        spec = CheckSpec.model_validate(
            {"kind": "data.backup", "with": {"prefix": "backups/platform/", "max_age": "1h"}}
        )
        migrated = operation("production.migrate", OperationState.SUCCEEDED, stage.world.clock.wall_us())
        seen = await stage.judge("7.1", spec, LaunchView(operations=(migrated,)))
        assert seen.outcome.verdict is Verdict.PASS
        assert "before the migration" in seen.outcome.summary
        early = replace(migrated, intended_us=stage.world.clock.wall_us() - 4 * 86_400_000_000)
        seen = await stage.judge("7.1", spec, LaunchView(operations=(early,)))
        assert seen.outcome.summary == "there is no backup before the migration"


async def test_before_the_migration_what_is_wrong_says_so(tmp_path: Path) -> None:
    spec = CheckSpec.model_validate({"kind": "data.smoke", "with": {"columns": ["roles.none"]}})
    declared = OperationSpecView("production.migrate", "migrate", "production", "Migrate", 7, (), ())
    early = LaunchView(operation_specs=(declared,))
    missing = "column roles.none is missing"
    async with staged(tmp_path) as stage:
        runs = operation("production.migrate", OperationState.RUNNING)
        done = operation("production.migrate", OperationState.SUCCEEDED)
        for view, told in (
            (LaunchView(), missing),
            (early, f"not migrated yet: run production.migrate ({missing})"),
            (replace(early, operations=(runs,)), missing),
            (replace(early, operations=(done,)), f"{missing} although the migration ran"),
        ):
            seen = await stage.judge("7.3", spec, view)
            assert (seen.outcome.verdict, seen.outcome.summary) == (Verdict.FAIL, told)
        head = CheckSpec.model_validate({"kind": "data.migrations"})
        seen = await stage.judge("7.2", head, early)
        assert seen.outcome.verdict is Verdict.FAIL
        assert seen.outcome.summary.startswith("not migrated yet: run production.migrate (the database is at")
