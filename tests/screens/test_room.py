"""Where there is room, it is used; where there is little, what needs somebody comes first."""

from __future__ import annotations

import re

import pytest

from screens.gate import item_lines
from screens.kit.lines import LineView
from screens.kit.pane import Pane
from screens.kit.plain import Line
from screens.kit.table import Table
from screens.sections.evidence_table import evidence_lines
from screens.sections.gate_rail import gates_with_items
from state.view.enums import Danger, GateStatus, Look, Verdict
from state.view.gates import CheckView, ItemView
from state.view.preview import Preview
from tests.screens import story
from tests.screens.frames import settled
from tests.screens.stage import app_of, picture, text_of

BESIDE = {
    "gate": ("3", "#items", "#detail-box"),
    "pipeline": ("s", "#stages", "#detail-box"),
    "deploy": ("d", "#operations", "#run-box"),
    "log": ("l", "#events", "#detail-box"),
    "pods": ("p", "#pods", "#detail-box"),
}


@pytest.mark.parametrize("name", BESIDE)
async def test_a_list_and_its_evidence_stand_side_by_side_from_120_columns(name: str) -> None:
    key, list_, detail = BESIDE[name]
    app, _ = app_of(story.piped() if name == "pipeline" else story.deploying())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(key)
        await settled(app, pilot)
        left, right = app.screen.query_one(list_).region, app.screen.query_one(detail).region
        assert left.right <= right.x
        assert left.y == right.y
        assert right.height > 30
        await pilot.resize_terminal(119, 40)
        await settled(app, pilot)
        below = app.screen.query_one(detail)
        assert not below.display or below.region.y >= app.screen.query_one(list_).region.bottom


def words(lines: list[Line]) -> list[str]:
    return ["".join(span.text for span in line).rstrip() for line in lines]


def test_evidence_is_a_table_with_what_failed_first() -> None:
    told = words(
        evidence_lines(
            '{"admin_csp": ["script-src unsafe-inline"], "docs": 404, "hsts_days": 365,'
            ' "nested": {"paths": 11, "on": true}, "problems": ["script-src allows unsafe-inline on admin csp"]}',
            60,
        )
    )
    assert told[0].startswith("✖ problems")
    assert told[1].split("  ")[0].startswith("› admin csp")
    assert {"  docs": "404", "  hsts days": "365", "  nested.paths": "11", "  nested.on": "yes"}.items() <= {
        "  " + one.strip().split("  ", 1)[0]: one.strip().split("  ", 1)[1].strip()
        for one in told
        if "  " in one.strip()
    }.items()
    assert words(evidence_lines("no JSON [/", 60)) == ["no JSON [/"]
    assert evidence_lines("", 60) == []


def test_what_failed_stands_before_what_was_not_seen_and_what_a_deploy_will_tell() -> None:
    told = words(evidence_lines('{"after_the_deploy": ["c"], "not_seen": ["b"], "problems": ["a"]}', 60))
    assert [one.split()[1] for one in told] == ["problems", "not", "after"]


def test_the_worst_check_of_an_item_is_read_first() -> None:
    said = [
        *(Verdict.PASS, Verdict.DEFERRED, Verdict.PENDING, Verdict.STALE, Verdict.RUNNING),
        *(Verdict.UNKNOWN, Verdict.FAIL),
    ]
    checks = tuple(
        CheckView(f"6.2/{n}", f"kind.{n}", "production", 60, writes=False, verdict=verdict)
        for n, verdict in enumerate(said)
    )
    later = CheckView("6.2/9", "kind.9", "production", 60, writes=False, look=Look.LIVE)
    told = "\n".join(words(item_lines(ItemView("6.2", "Health", None, (later, *checks)), 0, 80)))
    places = [told.index(f"kind.{n}") for n in (6, 5, 4, 3, 2, 1, 0, 9)]
    assert places == sorted(places)


async def test_e_shows_evidence_as_json_and_as_a_table_again() -> None:
    told = story.ready()
    told.check("3.2", "fail", "no policy", evidence={"header": "none", "problems": ["no policy"]})
    app, _ = app_of(told)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3", "down")
        await settled(app, pilot)
        detail = app.screen.query_one(LineView)
        assert '"problems": [' not in detail.text
        assert "✖ problems" in detail.text
        await pilot.press("e")
        await settled(app, pilot)
        assert '"problems": [' in detail.text
        await pilot.press("e")
        await settled(app, pilot)
        assert '"problems": [' not in detail.text


@pytest.mark.parametrize("size", [(200, 55), (240, 60)])
@pytest.mark.parametrize("keys", ["g", "3", "d", "b", "lm"])
async def test_nothing_is_black_where_there_is_room(size: tuple[int, int], keys: str) -> None:
    app, _ = app_of(story.tripped())
    async with app.run_test(size=size) as pilot:
        await pilot.press(*keys)
        await settled(app, pilot)
        rows = picture(app)
        blank = [n for n, row in enumerate(rows) if not row.strip(" │┃")]
        assert len(blank) <= size[1] // 5, "\n".join(rows)


async def test_gates_show_their_items_where_there_is_room() -> None:
    app, _ = app_of(story.tripped())
    async with app.run_test(size=(200, 55)) as pilot:
        await settled(app, pilot)
        gates = app.screen.query_one("#gates", Pane).text
        assert "3.2" in gates
        assert "1.1" in gates


async def test_the_gate_at_work_comes_first_at_60x15() -> None:
    told = story.tripped()
    told.check("9.1", "fail", "a stop condition is tripped")
    app, source = app_of(told)
    async with app.run_test(size=(60, 15)) as pilot:
        await settled(app, pilot)
        first = app.screen.query_one("#gates", Pane).text.split("\n")[1]
        view, now = source.story.view(), source.story.now_us
        number = int(first.split()[0])
        gate = view.gate(number)
        assert gate is not None
        assert gate.status(now) is GateStatus.NO_GO
        shown = app._shown
        assert len(gates_with_items(shown, 40, 4)) == 4


async def test_graphs_stand_on_one_axis_of_a_round_time_with_the_deploy_on_it() -> None:
    app, _ = app_of(story.tripped())
    async with app.run_test(size=(200, 55)) as pilot:
        await pilot.press("b")
        await settled(app, pilot)
        graphs = [pane.text.split("\n") for pane in app.screen.query(".graph").results(Pane) if pane.display]
        axes = [lines[-1] for lines in graphs if len(lines) > 3]
        assert len(axes) >= 2
        assert len({axis.index("▲") for axis in axes}) == 1
        assert "deploy" in axes[0]
        heads = {
            told[1].strip() for lines in graphs if (told := re.search(r"last ((\d+ [hms] ?)+)", lines[0]))
        }
        assert len(heads) == 1
        assert heads <= {"15 m 00 s", "30 m 00 s", "1 h 00 m"}


async def test_each_stop_condition_has_a_bar() -> None:
    app, _ = app_of(story.tripped())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("b")
        await settled(app, pilot)
        lines = app.screen.query_one("#conditions", Pane).text.split("\n")[1:]
        assert any("━" in line for line in lines)


async def test_the_log_begins_with_milestones_and_m_shows_every_event() -> None:
    app, source = app_of(story.deploying())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("l")
        await settled(app, pilot)
        table = app.screen.query_one("#events", Table)
        few = len(table.rows)
        assert 0 < few < len(source.story.events)
        assert "milestones" in text_of(app)
        await pilot.press("m")
        await settled(app, pilot)
        assert len(table.rows) == len(source.story.events)
        await pilot.press("m", "escape")
        await settled(app, pilot)
        assert app.screen is app._screens["dashboard"]


async def test_a_pod_opens_with_what_the_engine_is_asked_for() -> None:
    app, source = app_of(story.deploying())
    source.previews["pod.describe"] = Preview(
        "pod.describe",
        "Describe",
        Danger.SAFE,
        allowed=True,
        told=(
            "! not ready: readiness probe failed",
            "✖ api: waiting (CrashLoopBackOff)",
            "# LOG api",
            "│ boom",
        ),
    )
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("p")
        await settled(app, pilot)
        detail = app.screen.query_one("#detail", LineView)
        assert "digest" in detail.text
        assert "boom" not in detail.text
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await settled(app, pilot)
        assert "not ready: readiness probe failed" in detail.text
        assert "boom" in detail.text
        await pilot.press("down")
        await settled(app, pilot)
        assert "boom" not in detail.text
        assert source.given == []
