"""A table paints the rows that changed, wherever it is scrolled to."""

from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from screens.kit.table import Column, Row, Table


class Listing(App[None]):
    """Forty rows, of which some ten are seen."""

    def compose(self) -> ComposeResult:
        yield Table((Column("name", 8), Column("state", 0)), id="rows")


def rows(changed: int, word: str) -> list[Row]:
    return [Row(str(n), (f"row {n}", word if n == changed else "waits")) for n in range(40)]


@pytest.mark.parametrize("cursor", [0, 12, 39])
async def test_a_row_that_changes_is_painted_wherever_the_table_is_scrolled_to(cursor: int) -> None:
    app = Listing()
    async with app.run_test(size=(40, 12)) as pilot:
        table = app.query_one(Table)
        table.show_rows(rows(0, "waits"))
        await pilot.pause()
        table.select(str(cursor))
        await pilot.pause()
        seen = [strip.text for strip in app.screen._compositor.render_strips()[1:]]
        for name in [int(line.split()[1]) for line in seen if line.strip()]:
            table.show_rows(rows(name, "SUCCEEDED"))
            await pilot.pause()
            shown = [strip.text for strip in app.screen._compositor.render_strips()]
            assert [line.split()[1] for line in shown if "SUCCEEDED" in line] == [str(name)]
