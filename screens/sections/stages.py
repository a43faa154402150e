"""The pipeline's stages in a line, each with what it stands on added up; ``s`` opens what that is."""

from __future__ import annotations

from screens.kit import formats
from screens.kit.plain import Line, Role, Span, cut, row
from screens.kit.screen_state import ScreenState
from state.view.launch import LaunchView, StageView
from state.view.stages import stage_verdict

_ALL_IN_ONE_ROW = 116


def stage_sign(stage: StageView, view: LaunchView, now_us: int) -> tuple[str, Role]:
    """Return a stage's glyph and role: the worst of its parts; good only where every part is."""
    glyph, _, role = formats.VERDICT[stage_verdict(view, stage, now_us)]
    return glyph, role


def stage_lines(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return the stages in one row, or in two where the terminal is narrow."""
    view = shown.view
    stages = view.stages
    many = len(stages) if width >= _ALL_IN_ONE_ROW else (len(stages) + 1) // 2
    lines: list[Line] = []
    for start in range(0, len(stages), max(1, many)):
        spans = [Span("pipeline  " if start == 0 else " " * 10, Role.DIM)]
        for number, stage in enumerate(stages[start : start + many], start=start + 1):
            glyph, role = stage_sign(stage, view, shown.now_us)
            spans += [Span(f"{glyph} ", role), Span(f"{number} {cut(stage.title, 22)}   ")]
        lines.append(row(*spans))
    return lines[:height]
