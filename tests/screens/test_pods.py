"""Pods on a screen: who is counted, and who is only listed."""

from __future__ import annotations

from screens.kit.table import Table
from tests.screens import story
from tests.screens.stage import app_of, text_of


async def test_a_pod_that_has_done_its_work_is_listed_and_not_counted() -> None:
    told = story.opened()
    told.pod("production", "db-migrate-dotmac-7-x1", "db-migrate", phase="Succeeded", ready=0)
    app, _ = app_of(told)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(0.1)
        shown = text_of(app)
        assert "✔ 7/7 ready" in shown
        assert "8/8" not in shown
        await pilot.press("p")
        await pilot.pause(0.1)
        rows = {row.key: row.cells for row in app.screen.query_one("#pods", Table).rows}
        assert rows["production/db-migrate-dotmac-7-x1"][3] == "-"
