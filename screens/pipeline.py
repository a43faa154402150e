"""The pipeline: each stage, and what it stands on: which job, check, item or operation, when, with its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widget import Widget

from screens.base import STYLES, LaunchScreen
from screens.gate import check_lines
from screens.kit import formats
from screens.kit.lines import LineView
from screens.kit.messages import CommandRequested
from screens.kit.pane import Pane
from screens.kit.plain import Line, Role, Span, cut, fill, heading, row, wrap
from screens.kit.screen_state import ScreenState
from screens.kit.table import Column, Row, Table
from state.view.gates import PROBLEMS, worst_first
from state.view.launch import LaunchView, StageView
from state.view.stages import PartKind, PartView, is_good, parts_of, stage_verdict

_APART = " "
"""Between a stage's id and a part's place in a row's key; no id has it."""
_HOW = {
    PartKind.ITEM: "item",
    PartKind.OPERATION: "operation",
    PartKind.CHECK: "check",
    PartKind.UNKNOWN: "part",
}


class PipelineScreen(LaunchScreen):
    """The stages with their parts and, for the one under the cursor, all evidence."""

    NAME = "pipeline"
    CSS_PATH: ClassVar = [STYLES / "base.tcss", STYLES / "pipeline.tcss"]
    KEYS = (("r", "run stage"), ("R", "run all"), ("tab", "evidence"), ("d", "operations"), ("esc", "back"))
    LIST = "stages"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run_stage", "run the stage's own checks", id="pipeline.run_stage"),
        Binding("R", "run_all", "run every check of the launch", id="pipeline.run_all"),
    ]

    def body(self) -> Iterable[Widget]:
        """Return the heading, the stages with their parts, and the detail of one."""
        yield Pane(pipeline_heading, id="pipeline-heading")
        yield Container(
            Table((Column("stage", 28), Column("verdict", 9), Column("when", 9), Column("", 0)), id="stages"),
            Vertical(LineView(id="detail"), id="detail-box"),
            id="pipeline-box",
        )

    def on_screen_resume(self) -> None:
        """Put the keys where the stages are."""
        self.query_one(Table).focus()

    def context(self) -> Mapping[str, str]:
        """Return the stage under the cursor."""
        key = self.query_one(Table).key.partition(_APART)[0]
        return {"stage": key} if key else {}

    def refresh_body(self, shown: ScreenState) -> None:
        """Show the stages and the one under the cursor."""
        self.query_one(Table).show_rows(stage_rows(shown.view, shown.now_us))
        self._detail()

    def _stage(self) -> tuple[StageView | None, str]:
        name, _, place = self.query_one(Table).key.partition(_APART)
        return next((s for s in self.shown.view.stages if s.id == name), None), place

    def _detail(self) -> None:
        stage, place = self._stage()
        view, now, lines = self.shown.view, self.shown.now_us, self.query_one(LineView)
        if stage is None:
            lines.show_lines(lambda _: [], about="")
            return
        parts = parts_of(view, stage, now)
        if place.isdigit() and int(place) < len(parts):
            part = parts[int(place)]
            lines.show_lines(lambda width: part_lines(part, now, width), about=self.query_one(Table).key)
        else:
            lines.show_lines(lambda width: stage_detail(stage, parts, now, width), about=stage.id)

    def on_table_moved(self, event: Table.Moved) -> None:
        """Show the detail of the stage or part that the cursor stands on."""
        event.stop()
        self._detail()

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Go to the evidence."""
        event.stop()
        self.query_one(LineView).focus()

    def action_run_stage(self) -> None:
        """Ask for the stage's own checks."""
        stage, _ = self._stage()
        if stage is not None and not stage.checks:
            self.flash(f"{stage.title} has no checks of its own: it stands on items and operations")
        elif stage is not None:
            self.post_message(CommandRequested("stage.run", {"stage": stage.id}))

    def action_run_all(self) -> None:
        """Ask for every check of the launch."""
        self.post_message(CommandRequested("launch.run"))


def pipeline_heading(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return which commit goes through the pipeline, and how many of its stages are good."""
    view = shown.view
    if not view.stages:
        return [row(Span("The runbook has no pipeline" if view.gates else "", Role.DIM))]
    good = sum(1 for stage in view.stages if is_good(stage_verdict(view, stage, shown.now_us)))
    commit = f"{view.candidate.version}, commit {view.candidate.commit[:12]}"
    left = row(Span("PIPELINE  ", Role.HEAD), Span(cut(commit, width - 30), Role.STRONG))
    return [fill(left, row(f"{good}/{len(view.stages)} good "), width)][:height]


def stage_rows(view: LaunchView, now_us: int) -> list[Row]:
    """Return every stage as a row, and below it a row for each of its parts."""
    rows: list[Row] = []
    for number, stage in enumerate(view.stages, start=1):
        verdict = stage_verdict(view, stage, now_us)
        sign = formats.sign(formats.VERDICT[verdict])
        rows.append(
            Row(stage.id, (Span(f"{number} {stage.title}", Role.STRONG), sign, "", " ".join(stage.steps)))
        )
        for place, part in enumerate(parts_of(view, stage, now_us)):
            glyph, word, role = formats.VERDICT[part.verdict]
            when = formats.clock(part.at_us) if part.at_us else "-"
            told = part.words or part.title
            cells = (f"    {part_name(part)}", Span(f"{glyph} {word}", role), Span(when, Role.DIM), told)
            rows.append(Row(f"{stage.id}{_APART}{place}", cells, bad=part.verdict in PROBLEMS))
    return rows


def part_name(part: PartView) -> str:
    """Return what a part is, in a few cells: ``item 6.7``, ``staging.deploy``, ``ci.passed``."""
    match part.kind:
        case PartKind.CHECK:
            return part.title or part.name
        case PartKind.ITEM:
            return f"item {part.name}"
        case _:
            return part.name


def stage_detail(stage: StageView, parts: list[PartView], now_us: int, width: int) -> list[Line]:
    """Return what is done in a stage, and each of its parts with its evidence."""
    lines = [row(Span(text, Role.STRONG)) for step in stage.steps for text in wrap(f"· {step}", width)]
    if not parts:
        lines.append(row(Span("it stands on nothing: the runbook gives it no parts", Role.WARN)))
    for part in parts:
        lines += part_lines(part, now_us, width)
    return lines


def part_lines(part: PartView, now_us: int, width: int) -> list[Line]:
    """Return a part: what it is, its verdict, when, what was found, and the checks with their evidence."""
    if part.kind is PartKind.CHECK and part.checks:
        return [
            line for check in worst_first(part.checks, now_us) for line in check_lines(check, now_us, width)
        ]
    sign = formats.sign(formats.VERDICT[part.verdict])
    lines = [heading(cut(f"{_HOW[part.kind]} {part.name}", width - 12), width, sign)]
    lines += [row(f"  {text}") for text in wrap(part.title, width - 2) if text]
    lines.append(row(Span(f"  {formats.ago(part.at_us, now_us)}" if part.at_us else "  not yet", Role.DIM)))
    if part.kind is not PartKind.ITEM:
        lines += [row(f"  {text}") for text in wrap(part.words, width - 2) if text]
    for check in worst_first(part.checks, now_us):
        lines += check_lines(check, now_us, width)
    return lines
