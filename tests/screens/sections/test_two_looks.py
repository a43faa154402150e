"""A gate's screen has a column for each look, and a live look that fails stands in the banner with the way back."""

from __future__ import annotations

from screens.gate import item_row
from screens.kit.plain import Span
from screens.kit.screen_state import Mode, ScreenState
from screens.sections.banner import banner
from screens.sections.gate_rail import gate_sign
from state.view.enums import Verdict
from tests.state.fold.test_outdated import CANDIDATE, LIVE, Launch


def looks(launch: Launch) -> tuple[str, str]:
    """Return what the columns of 3.2 say: candidate in staging, and live."""
    item = launch.view.item("3.2")
    assert item is not None
    cells = item_row(item, launch.view.wall_us).cells
    shown = [cell.text if isinstance(cell, Span) else cell for cell in cells]
    return shown[4], shown[5]


def told(launch: Launch, mode: Mode = Mode.LIVE) -> str:
    lines = banner(ScreenState(launch.view, launch.view.wall_us, mode), 100, 5)
    return "\n".join("".join(span.text for span in line) for line in lines)


def test_both_looks_have_a_column() -> None:
    launch = Launch()
    assert looks(launch) == ("· PENDING", "later")
    launch.judge(CANDIDATE)
    assert looks(launch) == ("✔ PASS", "later")
    launch.done("staging.deploy")
    assert looks(launch) == ("~ STALE", "later")
    launch.judge(CANDIDATE)
    launch.done("production.deploy")
    assert looks(launch) == ("✔ PASS", "· PENDING")
    launch.judge(LIVE)
    assert looks(launch) == ("✔ PASS", "✔ PASS")
    gate = launch.gate(3)
    sign = gate_sign(gate, gate.status(launch.view.wall_us), launch.view.wall_us)
    assert sign.text.startswith("✔ GO at ")
    assert sign.text.endswith("Z")


def test_a_live_look_that_fails_names_its_item_and_the_way_back() -> None:
    launch = Launch()
    launch.judge(CANDIDATE)
    launch.done("production.deploy")
    assert "FAILS" not in told(launch)
    launch.judge(LIVE, Verdict.FAIL)
    (line,) = told(launch).splitlines()
    assert line.startswith(" ✖ 3.2 FAILS IN PRODUCTION: so ")
    assert line.endswith(" B: roll back ")
    assert "B:" not in told(launch, Mode.REPLAY)
    launch.done("production.rollback")
    assert "FAILS" not in told(launch)
