"""The operation under way, and the bake after it."""

from __future__ import annotations

from screens.kit import formats
from screens.kit.bar import bar
from screens.kit.plain import Line, Role, Span, crop, cut, fill, heading, row
from screens.kit.screen_state import ScreenState
from state.base.times import SECOND_US
from state.view.enums import OperationState
from state.view.launch import OperationView


def operation(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return the operation under way, or the newest one, and the bake; what next where there is none."""
    view = shown.view
    lines = [heading("OPERATION", width)]
    newest = view.running() or (view.operations[-1] if view.operations else None)
    if newest is None:
        lines.append(row(Span("No operation yet. d lists operations", Role.DIM)))
    else:
        lines += operation_lines(newest, shown.now_us, width)
    if view.bake is not None:
        lines.append(bake_line(shown, width))
    return lines[:height]


def operation_lines(one: OperationView, now_us: int, width: int) -> list[Line]:
    """Return an operation in two lines: state and time, then what it does at the moment."""
    end = one.finished_us or now_us
    took = (end - (one.started_us or one.intended_us)) / SECOND_US
    time = (
        f"{formats.stopwatch(took)} / {formats.stopwatch(one.timeout_s)}"
        if not one.state.ended
        else formats.stopwatch(took)
    )
    first = fill(
        row(formats.sign(formats.OPERATION[one.state]), " ", Span(one.id, Role.STRONG)), row(time), width
    )
    if one.state.ended:
        role = Role.PLAIN if one.state is OperationState.SUCCEEDED else Role.BAD
        return [first, row(Span(cut(f"  {one.verdict}", width), role))]
    step = one.steps[-1] if one.steps else None
    doing = f"  {step.name}: {step.state} {step.detail}" if step else "  about to begin"
    return [first, row(Span(cut(doing, width), Role.DIM))]


def bake_line(shown: ScreenState, width: int) -> Line:
    """Return the bake in a line: a bar, time seen good of the time wanted, why it stands still."""
    bake = shown.view.bake
    if bake is None:
        return ()
    role = {"running": Role.ACCENT, "done": Role.GOOD, "tripped": Role.BAD}.get(bake.state, Role.WARN)
    message = f" {formats.stopwatch(bake.good_s)} / {formats.stopwatch(bake.minimum_s)} good"
    why = f"  {bake.state}" + (f": {bake.why}" if bake.why else "")
    size = max(6, min(30, width - len(message) - len(why) - 6))
    return crop(
        row(
            Span("bake ", Role.STRONG),
            *bar(bake.good_s, bake.minimum_s, size, role),
            message,
            Span(why, role),
        ),
        width,
    )
