from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import replace

import pytest

from console.ui.kind_text import kind_text
from screens.deploy import ranges
from screens.gate import check_lines
from screens.kit.lines import LineView
from screens.kit.table import Table
from state.base.codec import LOG
from state.events.declared import OperationDeclared
from state.view.enums import Verdict
from state.view.gates import CheckView
from tests.screens import story
from tests.screens.stage import SCREENS, app_of, picture, text_of


async def test_a_gate_shows_verdicts_evidence_and_freshness() -> None:
    told = story.opened()
    told.check("3.2", "fail", "unsafe-inline is allowed", evidence={"csp": "default-src 'unsafe-inline'"})
    told.wait(91)
    app, _ = app_of(told)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await pilot.pause(0.1)
        await pilot.press("down")
        await pilot.pause(0.1)
        text = text_of(app)
        assert "GATE 3" in text
        assert "✖ NO-GO" in text
        assert "3.2  ✖ FAIL" in text
        assert "unsafe-inline is allowed" in text
        assert "default-src 'unsafe-inline'" in text
        assert '"csp": "default-src' not in text
        assert "1 m 30 s ago" in text
        await pilot.press("right")
        await pilot.pause(0.1)
        assert "GATE 4" in text_of(app)
        await pilot.press("0")
        await pilot.pause(0.1)
        assert "GATE 10" in text_of(app)
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert "GATES" in text_of(app)


async def test_evidence_that_is_too_old_is_stale() -> None:
    told = story.opened()
    told.check("3.2", "pass", "fine")
    told.check("3.2", "pass", "fine", n=1)
    told.wait(2 * 86_400)
    app, _ = app_of(told)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await pilot.pause(0.1)
        assert "3.2  ~ STALE" in text_of(app)


async def test_the_cursor_stays_with_its_item_when_rows_change() -> None:
    told = story.opened()
    app, source = app_of(told)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("p")
        await pilot.pause(0.1)
        table = app.screen.query_one("#pods", Table)
        await pilot.press("down", "down", "down")
        chosen = table.key
        told.pod("production", "aaa-first", "aaa", phase="Pending", ready=0)
        source.tell()
        await pilot.pause(0.3)
        assert table.rows[0].key == "production/aaa-first"
        assert table.key == chosen
        told.tell("pod.gone", {"env": chosen.split("/")[0], "name": chosen.split("/")[1]})
        source.tell()
        await pilot.pause(0.3)
        assert table.key in {r.key for r in table.rows}


async def test_operations_tell_their_locks() -> None:
    app, _ = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("d")
        await pilot.pause(0.1)
        text = text_of(app)
        assert "✖ gates 1-6 8, 7.1" in text
        assert "✖ gates 1-8" in text
        assert "✔ unlocked" in text


async def test_a_deploy_shows_steps_time_output_and_the_recorded_good() -> None:
    app, source = app_of(story.deploying())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("d")
        await pilot.pause(0.15)
        text = text_of(app)
        for told in (
            "… RUNNING",
            "from revision 7, v1.3.9  to v1.4.0",
            "$ helm upgrade --install dotmac",
            "recorded good: revision 7",
            "✔ done",
            "0:19 / 15:00",
            "waiting for 2 of 3 replicas",
            "0/1 new ready",
        ):
            assert told in text, told
        source.story.finish(
            source.story.view().operations[-1].seq,
            "production.deploy",
            "failed",
            "helm: timed out",
            offers=("retry", "production.rollback"),
        )
        source.tell()
        await pilot.pause(0.3)
        assert "o: retry · production.rollback" in text_of(app)
        await pilot.press("o")
        await pilot.pause(0.1)
        await pilot.press("2", "enter")
        await pilot.pause(0.2)
        await pilot.press("ctrl+g")
        await pilot.pause(0.1)
        assert source.given[0][:2] == ("operation.recover", {"choice": "production.rollback"})


async def test_a_trip_puts_the_way_back_under_the_cursor() -> None:
    app, _ = app_of(story.tripped())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("d")
        await pilot.pause(0.15)
        assert app.screen.query_one("#operations", Table).key == "production.rollback"


async def test_the_bake_says_what_is_good_and_why_it_stands_still() -> None:
    app, _ = app_of(story.tripped())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("b")
        await pilot.pause(0.1)
        text = text_of(app)
        assert "13:00 of 30:00 healthy" in text
        assert "TRIPPED: HTTP 5xx share over 1.00 % at " in text
        assert "now 4.20 %" in text
        assert "▲deploy" in text
        assert "×" in text


async def test_the_log_has_every_event_and_filters_them() -> None:
    told = story.rolled_back()
    told.check("3.2", "fail", "unsafe-inline is allowed")
    app, source = app_of(told)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("l", "m", "end")
        await pilot.pause(0.4)
        table = app.screen.query_one("#events", Table)
        assert len(table.rows) == len(told.events)
        assert table.key == str(len(told.events))
        await pilot.press("slash")
        await pilot.press(*"gate:9", "space", *"rollback")
        await pilot.pause(0.2)
        assert 0 < len(table.rows) < 12
        assert all("rollback" in " ".join(str(c) for c in r.cells) for r in table.rows)
        await pilot.press("enter", "home")
        await pilot.pause(0.1)
        assert "operation.intended" in app.screen.query_one("#detail", LineView).text
        kept = table.key
        told.tell("note.add", {"text": "x"})
        source.tell()
        await pilot.pause(0.3)
        assert table.key == kept
        await pilot.press("escape")
        await pilot.pause(0.2)
        assert len(table.rows) == len(told.events)
        assert table.key == kept


async def test_the_log_shows_what_people_did_and_what_was_decided() -> None:
    told = story.rolled_back()
    app, _ = app_of(told)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("l")
        await pilot.pause(0.4)
        table = app.screen.query_one("#events", Table)
        kinds = {told.events[int(r.key) - 1].kind for r in table.rows}
        assert {"launch.opened", "condition.changed", "operation.intended", "operation.finished"} <= kinds
        assert not kinds & {"check.finished", "metric.batch", "pod.changed", "operation.step"}
        await pilot.press("m")
        await pilot.pause(0.2)
        assert len(table.rows) == len(told.events)


async def test_the_log_follows_its_end_and_reads_older_pages() -> None:
    told = story.ready()
    told.samples(15 * 1200)
    app, source = app_of(told)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("l", "m", "end")
        await pilot.pause(0.6)
        table = app.screen.query_one("#events", Table)
        assert len(table.rows) == len(told.events) > 1200
        told.samples(30)
        source.tell()
        await pilot.pause(0.4)
        assert table.key == str(len(told.events))


async def test_a_lost_engine_is_said_on_every_screen() -> None:
    app, source = app_of(story.ready())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        source.lost = "the engine was silent for 2 s"
        source.tell()
        for key in SCREENS.values():
            await pilot.press(key)
            await pilot.pause(0.15)
            assert any("ENGINE LOST: the engine was silent for 2 s" in one for one in picture(app)), key


def test_runs_of_numbers_are_drawn_together() -> None:
    assert ranges([1, 2, 3, 4, 5, 6, 8]) == "1-6 8"
    assert ranges([3, 4]) == "3 4"
    assert ranges([]) == ""


async def test_the_pipeline_tells_what_each_stage_stands_on() -> None:
    app, source = app_of(story.piped())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("s")
        await pilot.pause(0.1)
        text = text_of(app)
        assert "PIPELINE  v1.4.0, commit" in text
        assert "1/4 good" in text
        rows = {
            row.key: [getattr(cell, "text", cell) for cell in row.cells]
            for row in app.screen.query_one(Table).rows
        }
        assert rows["build"][:2] == ["1 Build", "✔ PASS"]
        assert rows["test"][:2] == ["2 Test", "✖ FAIL"]
        assert rows["package"][:2] == ["3 Package", "· PENDING"]
        assert rows["test 0"][:2] == ["    ci.passed", "✖ FAIL"]
        assert rows["test 0"][3] == "CI job unit-tests is failure"
        assert rows["staging-deploy 0"][:3] == ["    staging.deploy", "· PENDING", "-"]
        assert rows["staging-deploy 1"][:2] == ["    item 8.3", "✔ PASS"]
        assert rows["staging-deploy"][1] == "· PENDING"
        assert "What is done in Build." in text
        assert re.search(r"build worker +success", text)
        await pilot.press("down", "down", "down")
        await pilot.pause(0.1)
        assert re.search(r"attempts +2", text_of(app))
        await pilot.press("r")
        await pilot.pause(0.1)
        assert source.given[-1][:2] == ("stage.run", {"stage": "test"})
        await pilot.press("end", "r")
        await pilot.pause(0.1)
        assert "Staging deploy has no checks of its own" in text_of(app)


async def test_an_operation_that_a_stage_locks_says_which() -> None:
    told = story.piped()
    spec = next(s for s in told.view().operation_specs if s.id == "production.deploy")
    needs = LOG.dump(replace(spec, id="production.careful", stages=("build", "test")))
    told.tell(OperationDeclared.KIND, needs)
    app, _ = app_of(told)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("d")
        await pilot.pause(0.1)
        await pilot.press("end")
        await pilot.pause(0.1)
        assert "✖ test" in text_of(app)
        assert "needs stage  ✖ FAIL   Test s: what it stands on" in text_of(app)


def test_the_way_out_stands_below_a_fail_as_long_as_it_stands() -> None:
    failed = CheckView(
        *("3.2/0", "web.csp", "production", 60),
        writes=False,
        verdict=Verdict.FAIL,
        summary="no policy",
        ways=("send a Content-Security-Policy with script-src",),
        finished_us=1,
    )

    def shown(now_us: int) -> str:
        return "\n".join("".join(span.text for span in line) for line in check_lines(failed, now_us, 60))

    assert "→ send a Content-Security-Policy with script-src" in shown(2)
    assert "→" not in shown(120_000_000), "stale"


async def test_what_a_check_proves_and_how_to_mend_it_is_read_on_its_gate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def told_of(kinds: Iterable[str]) -> str:
        return f"{', '.join(kinds)}\n\nA PASS PROVES\n  That it is so."

    monkeypatch.setattr("console.ui.navigation.kind_text", told_of)
    told = story.opened()
    told.check("3.2", "fail", "no policy")
    app, _ = app_of(told)
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("3")
        await pilot.pause(0.1)
        await pilot.press("down")
        await pilot.pause(0.1)
        await pilot.press("i")
        for _ in range(100):
            await pilot.pause(0.1)
            if "A PASS PROVES" in "\n".join(picture(app)):
                break
        assert "A PASS PROVES" in "\n".join(picture(app))
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert "A PASS PROVES" not in "\n".join(picture(app))


async def test_what_takes_long_to_read_opens_over_no_other_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = asyncio.Event()

    async def told_of(kinds: Iterable[str]) -> str:
        await answers.wait()
        return "A PASS PROVES"

    monkeypatch.setattr("console.ui.navigation.kind_text", told_of)
    told = story.opened()
    told.check("3.2", "fail", "no policy")
    app, _ = app_of(told)
    async with app.run_test(size=(100, 40)) as pilot:
        await pilot.press("3", "down", "i")
        await pilot.pause(0.1)
        await pilot.press("escape", "p")
        await pilot.pause(0.1)
        reading = [one for one in app.workers if one.group == "explain"]
        answers.set()
        await app.workers.wait_for_complete(reading)
        await pilot.pause(0.1)
        assert app.screen is app._screens["pods"]


@pytest.mark.timeout(300)
async def test_what_is_read_there_is_what_the_command_line_tells() -> None:
    assert "\nA PASS PROVES\n" in await kind_text(["web.csp"])
