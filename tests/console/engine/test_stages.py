"""Stages of the pipeline in an engine: run by a command, judged by their own checks, and what they lock."""

from __future__ import annotations

from pathlib import Path

import yaml

from console.engine.operations.preview.gate_locks import locks
from state.base.json import Json
from state.events.gates import CheckFinished, CheckStarted
from state.view.enums import Tier, Verdict
from state.view.launch import LaunchView
from state.view.stages import stage_verdict
from tests.console.engine.stand import Stand, stand

TEST: dict[str, Json] = {
    "id": "test",
    "title": "Test",
    "steps": ["Run the tests."],
    "parts": [
        {"check": {"kind": "test.passes"}},
        {"item": "3.1"},
        {
            "check": {
                "kind": "test.told",
                "with": {"verdict": "fail", "summary": "CI job unit-tests is failure"},
            }
        },
    ],
}
BUILD: dict[str, Json] = {
    "id": "build",
    "title": "Build",
    "steps": ["Build."],
    "parts": [{"check": {"kind": "test.passes"}}],
}


def rewrite(s: Stand, *stages: dict[str, Json]) -> None:
    """Give the stand's runbook these stages, and let them lock production's deploy."""
    book = yaml.safe_load(s.runbook.read_text())
    book["stages"] = list(stages)
    for operation in book["operations"]:
        if operation["id"] == "production.deploy":
            operation["requires"] = {"stages": [stage["id"] for stage in stages]}
    s.runbook.write_text(yaml.safe_dump(book))


def verdicts(view: LaunchView, now_us: int) -> dict[str, str]:
    return {stage.id: stage_verdict(view, stage, now_us).value for stage in view.stages}


def told(s: Stand) -> list[str]:
    """Return what the engine says against production's deploy because of stages."""
    operation = s.engine.loaded.runbook.operation("production.deploy")
    assert operation is not None
    found = locks(s.view, s.engine.loaded.runbook, operation, (), s.clock.wall_us())
    return [f.words for f in found if f.words.startswith("stage ")]


async def test_a_stage_is_run_by_a_command_and_locks_what_asks_for_it(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        rewrite(s, BUILD, TEST)
        await s.open()
        client = await s.attach("ann")
        assert verdicts(s.view, s.clock.wall_us()) == {"build": "pending", "test": "pending"}
        assert told(s) == ["stage build is pending", "stage test is pending"]
        reply = await client.command("stage.run", {"stage": "build"})
        assert (reply.ok, reply.message) == (True, "1 check started")
        await s.until(lambda v: v.stages[0].checks[0].verdict is Verdict.PASS)
        assert verdicts(s.view, s.clock.wall_us()) == {"build": "pass", "test": "pending"}
        assert told(s) == ["stage test is pending"]
        assert (await client.command("stage.run", {"stage": "test"})).message == "2 checks started"
        await s.until(lambda v: all(c.finished_us for c in v.stages[1].checks))
        assert verdicts(s.view, s.clock.wall_us()) == {"build": "pass", "test": "fail"}
        assert told(s) == ["stage test is fail"]
        events = [e for kind in (CheckStarted, CheckFinished) for e in s.events(kind.KIND)]
        assert {(e.body["item"], e.body["check"], e.gate) for e in events} == {
            ("build", "build/0", None), ("test", "test/0", None), ("test", "test/1", None),
        }  # fmt: skip
        await s.clock.advance(5 * 3600)
        assert verdicts(s.view, s.clock.wall_us())["build"] == "stale"
        assert "stage build is stale" in told(s)
        await client.close()


async def test_a_stage_that_is_not_there_or_has_no_checks_is_refused(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        rewrite(s, BUILD, {**TEST, "parts": [{"item": "3.1"}]})
        await s.open()
        client = await s.attach("ann")
        for args, message in (
            ({"stage": "tset"}, "there is no stage tset"),
            ({}, "stage.run needs a stage of the pipeline"),
            ({"stage": "test"}, "stage test has no checks of its own: it stands on items and operations"),
        ):
            reply = await client.command("stage.run", dict(args))
            assert (reply.ok, reply.message) == (False, message)
        await client.close()


async def test_a_log_goes_on_with_its_stages_and_a_changed_one_is_judged_anew(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        rewrite(s, BUILD, TEST)
        await s.open()
        client = await s.attach("ann")
        assert (await client.command("launch.run")).ok
        await s.until(lambda v: all(c.finished_us for stage in v.stages for c in stage.checks))
        await client.close()
        await s.close()
        await s.open()
        assert verdicts(s.view, s.clock.wall_us()) == {"build": "pass", "test": "fail"}
        await s.close()
        other = {**BUILD, "parts": [{"check": {"kind": "test.passes", "env": Tier.STAGING.value}}]}
        rewrite(s, other, TEST)
        await s.open()
        assert verdicts(s.view, s.clock.wall_us()) == {"build": "pending", "test": "fail"}


async def test_a_check_that_an_engine_left_running_is_unknown(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        rewrite(s, {**BUILD, "parts": [{"check": {"kind": "test.hangs", "timeout": "1h"}}]})
        await s.open()
        client = await s.attach("ann")
        assert (await client.command("stage.run", {"stage": "build"})).ok
        await s.until(lambda v: v.stages[0].checks[0].verdict is Verdict.RUNNING)
        assert told(s) == ["stage build is running"]
        await client.close()
        await s.close()
        await s.open()
        (check,) = s.view.stages[0].checks
        assert (check.verdict, check.summary) == (Verdict.UNKNOWN, "the engine was stopped while it ran")
