"""Operations make their checks run: what one made out of date is judged again without anybody asking for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from checks.looks import traces_after
from console.engine.checks import after_operations
from console.engine.checks.after_operations import outdated
from console.engine.ports import Who
from state.base.json import Json
from state.commands import Confirmation
from state.events.bake import BakeFinished, BakeStarted
from state.events.gates import CheckStarted
from state.events.operations import OperationFinished, OperationIntended
from state.runbook.load import load_runbook
from state.view.enums import Danger, Verdict
from state.view.launch import CheckView, LaunchView
from state.view.preview import Preview
from tests.console.engine import kinds
from tests.console.engine.stand import Stand, stand
from tests.drafts import draft

CHECKS: dict[str, list[dict[str, Json]]] = {
    "3.2": [{"kind": "test.behaves"}],
    "3.3": [{"kind": "test.passes"}],
    "7.2": [{"kind": "test.migrated"}],
    "8.2": [{"kind": "test.migrated", "env": "staging"}],
    "8.3": [{"kind": "test.waits", "env": "staging"}],
    "9.4": [{"kind": "test.baked"}],
}


@pytest.fixture
async def standing(tmp_path: Path) -> AsyncIterator[Stand]:
    async with stand(tmp_path) as one:
        sop = yaml.safe_load(one.runbook.read_text())
        for item in (item for gate in sop["gates"] for item in gate["items"]):
            item.pop("checks", None)
            if item["id"] in CHECKS:
                item["checks"] = CHECKS[item["id"]]
        one.runbook.write_text(yaml.safe_dump(sop))
        kinds.gate = asyncio.Event()  # an event belongs to the loop of its test
        kinds.gate.set()
        yield one
        kinds.gate.set()


def check(view: LaunchView, name: str) -> CheckView:
    return next(c for g in view.gates for i in g.items for c in i.checks if c.id == name)


async def intend(s: Stand, operation: str) -> int:
    env, _, kind = operation.partition(".")
    body: dict[str, Json] = {
        "id": operation, "kind": kind, "env": env, "title": "t", "commands": [], "from": "a", "to": "b",
        "timeout_s": 60, "good": None,
    }  # fmt: skip
    return (await s.engine.journal.record(draft(OperationIntended.KIND, body, "g08", actor="ann"))).seq


async def end(s: Stand, operation: str, intended: int, state: str = "succeeded") -> None:
    body: dict[str, Json] = {"id": operation, "state": state, "verdict": "v", "revision": 2, "offers": []}
    await s.engine.journal.record(draft(OperationFinished.KIND, body, "g08", intended))


async def done(s: Stand, operation: str) -> None:
    await end(s, operation, await intend(s, operation))


def starts(s: Stand) -> list[tuple[Json, str]]:
    return [(event.body["check"], event.actor) for event in s.events(CheckStarted.KIND)]


async def quiet(s: Stand) -> None:
    """Give what would run by mistake the time to begin."""
    await asyncio.sleep(0.8)
    await s.engine.runner.idle()


async def test_what_a_migration_makes_true_is_judged_when_it_ended_and_nothing_else(standing: Stand) -> None:
    await standing.open()
    await quiet(standing)
    assert starts(standing) == []
    await done(standing, "staging.migrate")
    changed = ("3.2/0", "8.2/0", "8.3/0")
    await standing.until(lambda v: all(check(v, n).finished_us and not check(v, n).since for n in changed))
    await quiet(standing)
    assert sorted(starts(standing)) == [("3.2/0", "engine"), ("8.2/0", "engine"), ("8.3/0", "engine")]


async def test_nothing_runs_by_itself_while_an_operation_is_under_way(standing: Stand) -> None:
    await standing.open(run=False)
    runbook = standing.engine.loaded.runbook
    await done(standing, "staging.migrate")
    assert [ref.id for ref in outdated(runbook, standing.view)] == ["3.2/0", "8.2/0", "8.3/0"]
    intended = await intend(standing, "staging.deploy")
    assert outdated(runbook, standing.view) == []
    await end(standing, "staging.deploy", intended, "failed")
    assert [ref.id for ref in outdated(runbook, standing.view)] == ["3.2/0", "8.2/0", "8.3/0"]


async def test_a_person_s_own_run_is_left_alone_and_judged_again_where_it_began_too_early(
    standing: Stand,
) -> None:
    kinds.gate.clear()
    await standing.open()
    client = await standing.attach("ann")
    intended = await intend(standing, "staging.migrate")
    assert (await client.command("check.run", {"item": "8.3"})).ok
    await standing.until(lambda v: check(v, "8.3/0").verdict is Verdict.RUNNING)
    await end(standing, "staging.migrate", intended)
    await asyncio.sleep(0.8)
    assert [name for name, _ in starts(standing)].count("8.3/0") == 1
    kinds.gate.set()
    view = await standing.until(
        lambda v: check(v, "8.3/0").verdict is Verdict.PASS and not check(v, "8.3/0").since
    )
    assert check(view, "8.3/0").at(view.wall_us) is Verdict.PASS
    assert [row for row in starts(standing) if row[0] == "8.3/0"] == [("8.3/0", "ann"), ("8.3/0", "engine")]


async def test_an_engine_that_starts_anew_goes_on_where_the_one_before_it_stopped(standing: Stand) -> None:
    kinds.gate.clear()
    await standing.open()
    await done(standing, "staging.migrate")
    await standing.until(lambda v: check(v, "8.3/0").verdict is Verdict.RUNNING)
    await standing.close()
    kinds.gate.set()
    await standing.open()
    view = await standing.until(lambda v: check(v, "8.3/0").verdict is Verdict.PASS)
    assert check(view, "8.3/0").since == ""


async def test_the_live_look_comes_by_itself_once_and_only_after_the_promotion(standing: Stand) -> None:
    await standing.open()
    client = await standing.attach("ann")
    assert (await client.command("gate.run", {"gate": "3"})).ok
    await quiet(standing)
    assert [name for name, _ in starts(standing)] == ["3.2/0", "3.3/0"]
    await standing.released()
    await standing.until(
        lambda v: check(v, "3.2/0/live").verdict is Verdict.UNKNOWN
    )  # no cluster to see it in
    await quiet(standing)
    assert [name for name, _ in starts(standing)][2:] == ["3.2/0/live"]
    preview = await client.preview("gate.run", {"gate": "3"})
    assert any("3.2 test.behaves leaves a footprint (production)" in line for line in preview.blast)


async def test_what_judges_the_bake_waits_for_its_end(standing: Stand) -> None:
    await standing.open()
    await standing.released()
    await quiet(standing)
    assert "9.4/0" not in dict(starts(standing))
    started = draft(BakeStarted.KIND, {"minimum_s": 1800, "maximum_s": 3600}, "g09")
    await standing.clock.advance(1)
    await standing.engine.journal.record(started)
    await quiet(standing)
    assert "9.4/0" not in dict(starts(standing))
    ended = draft(BakeFinished.KIND, {"good_s": 1800, "outcome": "done", "why": ""}, "g09")
    await standing.engine.journal.record(ended)
    await standing.until(lambda v: check(v, "9.4/0").verdict is Verdict.PASS)


def test_the_promotion_tells_what_the_checks_after_it_leave(standing: Stand) -> None:
    runbook = load_runbook(standing.runbook).runbook
    promotion = runbook.operation("production.deploy")
    staging = runbook.operation("staging.deploy")
    assert promotion is not None
    assert staging is not None
    assert traces_after(runbook, promotion) == {"a footprint (production)": ["3.2"]}
    assert traces_after(runbook, staging) == {}


@pytest.mark.parametrize("goes_on", [True, False])
async def test_what_the_next_operation_would_make_out_of_date_is_not_begun(
    standing: Stand, goes_on: bool
) -> None:
    """Whoever runs one operation after another asks for the next at once; who only looks keeps nothing waiting."""
    await standing.open()
    commands = standing.engine.commands
    commands.asked += 1  # a preview is being made
    await done(standing, "staging.migrate")
    await quiet(standing)
    assert starts(standing) == []
    intended = await intend(standing, "staging.migrate") if goes_on else 0
    commands.asked -= 1
    await quiet(standing)
    assert bool(starts(standing)) is not goes_on
    if goes_on:
        await end(standing, "staging.migrate", intended)
        await standing.until(lambda v: bool(check(v, "8.2/0").finished_us))
    assert [name for name, _ in starts(standing)].count("8.2/0") == 1


async def test_a_preview_that_never_ends_keeps_no_look_waiting(
    standing: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(after_operations, "_MOST_S", 0.5)
    await standing.open()
    standing.engine.commands.asked += 1
    await done(standing, "staging.migrate")
    await standing.until(lambda v: bool(check(v, "8.2/0").finished_us))


async def test_a_command_of_an_operation_is_counted_while_it_is_answered(
    standing: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    await standing.open()
    commands = standing.engine.commands
    seen: list[int] = []

    async def prepared(*_: object) -> tuple[None, Preview]:
        seen.append(commands.asked)
        return None, Preview("x", "", Danger.SAFE, allowed=False, reason="no")

    monkeypatch.setattr(commands, "_prepared", prepared)
    who = Who("ann", "test")
    await commands.preview("operation.run", {}, who)
    await commands.preview("note.add", {}, who)
    await commands.run("operation.run", {}, Confirmation(), who)
    assert seen == [1, 0, 1]
    assert commands.asked == 0
