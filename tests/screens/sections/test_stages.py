from __future__ import annotations

from dataclasses import replace

from screens.kit.screen_state import ScreenState
from screens.sections.stages import stage_lines, stage_sign
from state.view.launch import StageView
from tests.screens import story


def stage(*parts: str) -> StageView:
    return StageView("s", "Staging deploy", (), parts)


def test_a_stage_is_what_its_parts_add_up_to() -> None:
    told = story.tripped()
    view, now = told.view(), told.now_us
    items = {item.verdict(now).value: item.id for gate in view.gates for item in gate.items}
    done = f"item:{items['pass']}"
    released = next(o for o in view.operations if o.state.value == "succeeded")
    assert stage_sign(stage(done), view, now)[0] == "✔"
    assert stage_sign(stage(done, f"operation:{released.id}"), view, now)[0] == "✔"
    assert stage_sign(stage(done, f"item:{items['pending']}"), view, now)[0] == "·"
    assert stage_sign(stage(done, "operation:never.run"), view, now)[0] == "·"
    assert stage_sign(stage(), view, now)[0] == "·"
    failed = replace(released, seq=view.seq + 1, state=type(released.state).FAILED)
    worse = replace(view, operations=(*view.operations, failed))
    assert stage_sign(stage(done, f"operation:{released.id}"), worse, now)[0] == "✖"


def test_all_stages_are_shown_in_one_row_or_in_two() -> None:
    told = story.tripped()
    view = replace(told.view(), stages=tuple(stage() for _ in range(6)))
    shown = ScreenState(view, told.now_us)
    assert [len(stage_lines(shown, width, 2)) for width in (200, 80)] == [1, 2]
    text = "".join(span.text for line in stage_lines(shown, 80, 2) for span in line)
    assert all(f"{number} Staging deploy" in text for number in range(1, 7))
