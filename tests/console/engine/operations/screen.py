"""What a person reads of operations: the words that the screens draw, and whether they explain what helm says."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from screens.deploy import run_lines
from screens.dialogs.question import question_lines
from screens.kit.plain import Line
from screens.kit.screen_state import ScreenState
from state.fold import fold
from state.log.reader import LogReader
from state.view.enums import OperationState
from state.view.launch import LaunchView, OperationView
from state.view.preview import Preview

if TYPE_CHECKING:
    from tests.console.engine.operations.stand import Stand

WIDTH, HEIGHT = 100, 40
"""A screen of ordinary size: what doesn't fit on it is not said."""


def told(stand: Stand, run: OperationView | None = None) -> str:
    """Return what the operations' screen shows of a run, the newest where none is named, on one line."""
    return _run(run or stand.last(), stand.journal.view, stand.world.clock.wall_us())


def asked(preview: Preview) -> str:
    """Return what the dialog before an operation shows, on one line."""
    return _joined(question_lines(preview, WIDTH))


def unexplained(log: Path, statuses: dict[str, str]) -> list[str]:
    """Return which pending releases a log's newest operation neither explains nor offers a way out of.

    ``statuses``: what helm says of each environment's release. One that is still at work explains itself.
    """
    with closing(LogReader(log)) as reader:
        view = fold(reader.every())
    return [f"{env} is {now}: {why}" for env, now in statuses.items() if (why := _why_not(view, env, now))]


def _why_not(view: LaunchView, env: str, status: str) -> str:
    if not status.startswith("pending-"):
        return ""
    mine = [o for o in view.operations if o.env == env]
    if not mine:
        return "no operation of this launch looked at it"
    run = mine[-1]
    if run.state is OperationState.RUNNING:
        return ""
    shown = _run(run, view, run.finished_us)
    if status not in shown:
        return f"the screen says only {shown}"
    out = any(f"o: {first}" in shown for first in ("rollback", "retry"))
    return "" if out else f"the screen offers no way out: {shown}"


def _run(run: OperationView, view: LaunchView, now_us: int) -> str:
    return _joined(run_lines(run, ScreenState(view, now_us), WIDTH, HEIGHT))


def _joined(lines: Iterable[Line]) -> str:
    return " ".join(" ".join("".join(span.text for span in line) for line in lines).split())
