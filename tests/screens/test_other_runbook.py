"""A runbook with six gates on the screens: as many lines as gates, and no key that leads nowhere."""

from __future__ import annotations

import pytest

from console.engine.record.declarations import declarations, opened
from screens.gate import GateScreen
from state.runbook.load import load_runbook
from tests.paths import ROOT
from tests.screens.stage import app_of, picture
from tests.screens.story import Story

EXAMPLE = ROOT / "examples" / "web-service.yaml"


def shop(*, graphs: int = 3) -> Story:
    loaded = load_runbook(EXAMPLE)
    runbook = loaded.runbook.model_copy(update={"graphs": loaded.runbook.graphs[:graphs]})
    story = Story()
    for draft in (opened(runbook, "launch-1", loaded.digest), *declarations(runbook)):
        gate = int(draft.gate[1:]) if draft.gate else None
        story.tell(draft.kind, draft.fields(), gate=gate)
    return story


@pytest.mark.parametrize("size", [(80, 24), (200, 55)])
async def test_the_dashboard_has_as_many_lines_as_gates(size: tuple[int, int]) -> None:
    app, _ = app_of(shop())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        shown = [line[:38] for line in picture(app)]
        first = next(n for n, line in enumerate(shown) if "GATES" in line)
        assert "0 of 6 GO" in picture(app)[first]
        here = [line for line in shown[first + 1 :] if line.split()]
        numbers = [word for word in (line.split()[0] for line in here) if word.isdecimal()]
        assert numbers[:6] == ["1", "2", "3", "4", "5", "6"]
        if size[1] < 34:  # with more room their items stand below each
            below = [line for line in shown[first + 7 :] if line.strip()]
            assert shown.index(below[0]) == first + 7
        assert any("1-6 gate" in line for line in picture(app))


async def test_the_key_of_a_gate_that_is_not_there_does_nothing() -> None:
    app, _ = app_of(shop())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("7")
        assert app.screen is app.get_screen("dashboard")
        await pilot.press("6")
        gate = app.screen
        assert isinstance(gate, GateScreen)
        assert gate.number == 6
        await pilot.press("0")
        assert gate.number == 6
        assert any("GATE 6" in line and "Bake and alerts" in line for line in picture(app))
        await pilot.press("right")
        assert gate.number == 1
        keys = {entry.key: entry.title for entry in app.help_entries()}
        assert keys["1-6"] == "gate 1 to 6"


async def test_a_pipeline_that_the_runbook_does_not_have_takes_no_room() -> None:
    app, _ = app_of(shop())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("d")
        await pilot.pause()
        assert picture(app)[3].startswith("operation ")


@pytest.mark.parametrize(("key", "size"), [("g", (80, 24)), ("g", (200, 55)), ("b", (100, 40))])
async def test_a_graph_that_the_runbook_does_not_have_takes_no_room(key: str, size: tuple[int, int]) -> None:
    app, _ = app_of(shop(graphs=1))
    async with app.run_test(size=size) as pilot:
        await pilot.press(key)
        await pilot.pause()
        shown = [pane for pane in app.screen.query(".graph") if pane.display]
        assert len(shown) == 1
        assert any("5xx share" in line for line in picture(app))
        assert not any("latency ─" in line for line in picture(app))
