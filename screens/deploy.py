"""Operations: what may be run and what keeps it locked, what runs, what ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widget import Widget

from screens.base import STYLES, LaunchScreen
from screens.kit import formats
from screens.kit.bar import bar
from screens.kit.lines import LineView
from screens.kit.messages import CommandRequested
from screens.kit.pane import Pane
from screens.kit.plain import Line, Role, Span, cut, fill, heading, row, wrap
from screens.kit.screen_state import ScreenState
from screens.kit.table import Column, Row, Table
from screens.sections.banner import request_words
from screens.sections.cluster import cluster, pod_line, pods_of
from screens.sections.log_tail import tail
from screens.sections.stages import stage_lines
from state.base.times import SECOND_US
from state.view.enums import OperationKind, OperationState, Tier
from state.view.first_launch import is_first, offered, way_out
from state.view.launch import LaunchView, OperationSpecView, OperationView, StepView
from state.view.locks import WAYS_BACK, Lock, LockKind, locks
from state.view.pods import is_ready
from state.view.requests import open_requests
from state.view.rollbacks import rollback_of, unanswered
from state.view.stages import stage_verdict
from state.view.trips import taken_back

MOST_REQUESTS = 3
MOST_LOCKS = 3
"""Lines that what locks an operation takes below its run: the preview has them all."""


_UNDONE = frozenset({OperationState.FAILED, OperationState.ABORTED, OperationState.UNKNOWN})
"""Ends of a run that somebody has to look into."""


class DeployScreen(LaunchScreen):
    """The operations that the runbook offers, and the run of the one under the cursor."""

    NAME = "deploy"
    CSS_PATH: ClassVar = [STYLES / "base.tcss", STYLES / "deploy.tcss"]
    KEYS = (
        ("enter", "preview and run"),
        ("x", "abort"),
        ("o", "what next"),
        ("tab", "output"),
        ("s", "pipeline"),
        ("b", "bake"),
        ("esc", "back"),
    )
    LIST = "operations"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "recover", "what may be done next", id="deploy.recover"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._placed = False
        """Whether the cursor stands where it began: on the operation that mattered when the screen was entered."""
        self._watched = 0
        """The run that the cursor followed: a new one that begins in sight is followed once."""

    def body(self) -> Iterable[Widget]:
        """Return the pipeline, open requests, the list of operations, the run's head, and its output."""
        yield Pane(stage_lines, id="stages")
        yield Pane(request_lines, id="requests")
        operations = Table(
            (Column("operation", 20), Column("lock", 18), Column("newest run", 18), Column("", 0)),
            id="operations",
        )
        yield Container(
            Vertical(operations, Pane(cluster, id="cluster"), Pane(tail, id="tail-beside"), id="list-box"),
            Vertical(Pane(self._run, id="run"), LineView(stick=True, id="output"), id="run-box"),
            id="deploy-box",
        )

    def entered(self) -> None:
        """Begin with the operation that matters now."""
        self._placed = False
        self._watched = 0

    def on_screen_resume(self) -> None:
        """Put the keys where the operations are; after a dialog the cursor stays where it was."""
        self.query_one(Table).focus()
        self.show(self.shown)

    def context(self) -> Mapping[str, str]:
        """Return the operation under the cursor."""
        key = self.query_one(Table).key
        return {"operation": key} if key else {}

    def choose(self, operation: str) -> None:
        """Put the cursor on an operation."""
        self.query_one(Table).select(operation)

    def refresh_body(self, shown: ScreenState) -> None:
        """Show the operations and the output of the newest run; the pipeline, where the runbook has one."""
        self.query_one("#stages", Pane).set_class(bool(shown.view.gates) and not shown.view.stages, "-absent")
        requests = self.query_one("#requests", Pane)
        wanted = len(request_lines(shown, self.size.width, MOST_REQUESTS))
        requests.styles.height, requests.display = wanted, wanted > 0
        table = self.query_one(Table)
        table.show_rows([operation_row(spec, shown) for spec in offered(shown.view)])
        if self.has_class("-beside"):
            table.styles.height = max(4, min(len(table.rows) + 1, self.size.height // 2)) + 1
            pods = self.query_one("#cluster", Pane)
            most = self.size.height // 2
            pods.styles.height = min(most, len(cluster(shown, max(20, pods.size.width), most)) + 1)
        else:
            table.styles.clear_rule("height")
        self._place(table, shown)
        run = self._chosen(shown)
        lines = run.output if run is not None else ()
        self.query_one(LineView).show_lines(
            lambda width: [row(Span(part, Role.DIM)) for text in lines for part in wrap(text, width)],
            about=str(run.seq) if run is not None else "",
        )

    def _place(self, table: Table, shown: ScreenState) -> None:
        """Put the cursor where it belongs: on what matters when the screen is entered, and on a run that begins.

        It never moves to what is merely wanted next: Enter may be on its way.
        """
        running = shown.view.running()
        began = running is not None and running.seq != self._watched
        if table.rows and (began or not self._placed):
            table.select(pressing(shown))
            self._placed = True
        self._watched = running.seq if running is not None else self._watched

    def _chosen(self, shown: ScreenState) -> OperationView | None:
        key = self.query_one(Table).key
        running = shown.view.running()
        return shown.view.last_operation(key) or (running if not key else None)

    def _run(self, shown: ScreenState, width: int, height: int) -> list[Line]:
        run = self._chosen(shown)
        spec = next((s for s in offered(shown.view) if s.id == self.query_one(Table).key), None)
        if run is None:
            return not_run(spec, shown, width)[:height]
        return run_lines(run, shown, width, height)

    def on_table_moved(self, event: Table.Moved) -> None:
        """Show the run of the operation that the cursor stands on."""
        event.stop()
        self.show(self.shown)

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Ask for the operation: its preview comes first."""
        event.stop()
        self.post_message(CommandRequested("operation.run", {"operation": event.key}))

    def action_recover(self) -> None:
        """Ask what may be done next, of the newest operation that has offers."""
        if self.shown.view.offering() is not None:
            self.post_message(CommandRequested("operation.recover"))
        else:
            self.flash("Nothing to recover")


def lock_words(spec: OperationSpecView, shown: ScreenState) -> Span:
    """Return what keeps an operation locked: ``✖ hold, gates 3 7, 7.1``, or that it is free."""
    closed = locks(shown.view, spec, shown.now_us)
    if not closed:
        return Span("✔ unlocked", Role.GOOD)
    gates = [int(lock.what) for lock in closed if lock.kind is LockKind.GATE]
    items = " ".join(lock.what for lock in closed if lock.kind in {LockKind.ITEM, LockKind.STAGE})
    others = [lock.kind.value for lock in closed if not lock.kind.by_judgement]
    named = ("gate" + ("s " if len(gates) > 1 else " ") + ranges(gates)) if gates else ""
    # Gates last: they are many before a launch, and what else locks must not be cut off behind them.
    return Span(f"✖ {', '.join(one for one in (*others, named, items) if one)}", Role.WARN)


def ranges(numbers: list[int]) -> str:
    """Return numbers with runs drawn together: ``1-6 8``."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return " ".join(f"{r[0]}-{r[-1]}" if len(r) > 2 else " ".join(map(str, r)) for r in runs)


def pressing(shown: ScreenState) -> str:
    """Return the operation that matters now: the one under way, the way back, or the next one to run."""
    view = shown.view
    running = view.running()
    if running is not None:
        return running.id
    specs = view.operation_specs
    tripped = {c.env for c in unanswered(view, view.conditions)}
    for env in (Tier.PRODUCTION, Tier.STAGING):
        back = way_out(view, env) or rollback_of(view, env)
        if env in tripped and back is not None:
            return back.id
    newest = view.operations[-1] if view.operations else None
    if newest is not None and newest.state is not OperationState.SUCCEEDED:
        return newest.id
    for spec in specs:
        run = view.last_operation(spec.id)
        done = run is not None and run.state is OperationState.SUCCEEDED
        judged = any(lock.kind.by_judgement for lock in locks(view, spec, shown.now_us))
        if not done and spec.kind not in WAYS_BACK and not judged and _wanted(spec, view):
            return spec.id
    return newest.id if newest is not None else ""


def _wanted(spec: OperationSpecView, view: LaunchView) -> bool:
    """Return whether an operation is one of this launch's: what is prepared, only of a first one."""
    return spec.kind != OperationKind.PREPARE or is_first(view)


def operation_row(spec: OperationSpecView, shown: ScreenState) -> Row:
    """Return an operation as a row: id, lock, newest run, title."""
    run = shown.view.last_operation(spec.id)
    told = Span("not run yet", Role.DIM)
    if run is not None:
        told = _newest(run, shown)
    cells = (Span(spec.id, Role.STRONG), lock_words(spec, shown), told, spec.title)
    return Row(spec.id, cells, bad=run is not None and run.state in _UNDONE)


def _newest(run: OperationView, shown: ScreenState) -> Span:
    """Return how an operation's newest run ended, and for a deploy whether it runs still."""
    back = taken_back(shown.view, run) if run.kind == OperationKind.DEPLOY else None
    if back is not None and back.state is OperationState.SUCCEEDED:
        return Span(f"! ROLLED BACK {formats.clock(back.finished_us, seconds=False)[:5]}", Role.WARN)
    glyph, word, role = formats.OPERATION[run.state]
    return Span(f"{glyph} {word} {formats.clock(run.intended_us, seconds=False)[:5]}", role)


def request_lines(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return what was requested of a second person and is open, the newest first."""
    found = reversed(open_requests(shown.view.requests, shown.now_us))
    lines = [
        row(Span(f"#{one.seq} ", Role.KEY), Span(cut(request_words(one, shown.now_us), width - 8), Role.WARN))
        for one in found
    ]
    return lines[: min(height, MOST_REQUESTS)]


def not_run(spec: OperationSpecView | None, shown: ScreenState, width: int) -> list[Line]:
    """Return what to say of an operation that has not run: what it needs."""
    if spec is None:
        return [heading("OPERATION", width)]
    lines = [heading(cut(spec.title, width - 8), width)]
    env = shown.view.environment(spec.env)
    lines.append(row("environment  ", Span(env.title if env else spec.env, Role.STRONG)))
    lines += [_need(lock, shown) for lock in locks(shown.view, spec, shown.now_us)]
    lines.append(row(Span("enter: preview the exact commands, what they touch, and the preflight", Role.DIM)))
    return lines


def _need(lock: Lock, shown: ScreenState) -> Line:
    if lock.kind is LockKind.ITEM:
        return row("needs item   ", Span(lock.what, Role.KEY))
    if lock.kind is LockKind.STAGE:
        stage = next((one for one in shown.view.stages if one.id == lock.what), None)
        if stage is not None:
            sign = formats.sign(formats.VERDICT[stage_verdict(shown.view, stage, shown.now_us)], 8)
            return row("needs stage  ", sign, f" {stage.title} ", Span("s: what it stands on", Role.DIM))
    gate = shown.view.gate(int(lock.what)) if lock.kind is LockKind.GATE else None
    if gate is None:
        return row("locked       ", Span(lock.words, Role.WARN))
    sign = formats.sign(formats.GATE[gate.status(shown.now_us)], 8)
    return row("needs gate   ", Span(f"{gate.number:>2} ", Role.KEY), sign, f" {gate.title}")


def run_lines(run: OperationView, shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return a run: state and time, from → to, commands, steps, rollout, verdict, what next.

    Where not all of it fits, the newest steps and the verdict stay, and the command is cut.
    """
    head = _run_head(run, shown, width)
    commands = [
        row(Span("$ " if n == 0 else "  ", Role.KEY), Span(part))
        for command in run.commands
        for n, part in enumerate(wrap(command, width - 2, most=3))
    ]
    end = _run_end(run, shown, width)
    steps = [_step(step, width) for step in run.steps]
    room = max(0, height - len(head) - len(end))
    steps = steps[-max(1, room - 2) :] if len(steps) > room - 1 else steps
    kept = commands[: max(1, room - len(steps))] if room > len(steps) else []
    lines = [*head, *kept]
    if run.good is not None and room > len(steps) + len(kept):
        good = f"recorded good: revision {run.good.number}, {run.good.status}, {run.good.manifest_sha[:12]}"
        lines.append(row(Span(good, Role.DIM)))
    return [*lines, *steps, *end][:height]


def _run_head(run: OperationView, shown: ScreenState, width: int) -> list[Line]:
    end = run.finished_us or shown.now_us
    took = (end - (run.started_us or run.intended_us)) / SECOND_US
    limit = formats.stopwatch(run.timeout_s)
    time = row(f"{formats.stopwatch(took)} / {limit} ", *bar(took, run.timeout_s, 12, Role.ACCENT))
    aborted = f", abort asked by {run.abort_by}" if run.abort_by else ""
    who = row(Span(f"by {run.actor} at {formats.clock(run.intended_us)}{aborted}", Role.DIM))
    return [
        heading(cut(run.title, width - 20), width, formats.sign(formats.OPERATION[run.state])),
        fill(who, time, width),
        row("from ", Span(run.from_what or "-", Role.STRONG), "  to ", Span(run.to_what, Role.STRONG)),
    ]


def _step(step: StepView, width: int) -> Line:
    sign = formats.STEP.get(step.state, ("·", step.state, Role.PLAIN))
    return row("  ", formats.sign(sign, 10), f" {step.name}  ", Span(cut(step.detail, width), Role.DIM))


def _run_end(run: OperationView, shown: ScreenState, width: int) -> list[Line]:
    lines: list[Line] = []
    if not run.state.ended:
        lines.append(_rollout(shown, run, width))
    if run.verdict:
        role = Role.GOOD if run.state is OperationState.SUCCEEDED else Role.BAD
        lines += [row(Span(text, role)) for text in wrap(run.verdict, width, most=3)]
    spec = next((s for s in shown.view.operation_specs if s.id == run.id), None)
    if run.state.ended and spec is not None:
        closed = locks(shown.view, spec, shown.now_us)
        lines += [_need(lock, shown) for lock in closed if not lock.kind.by_judgement][:MOST_LOCKS]
    if run.offers and run == shown.view.offering():
        lines.append(row(Span("o: ", Role.KEY), Span(cut(" · ".join(run.offers), width - 3), Role.ACCENT)))
    return lines


def _rollout(shown: ScreenState, run: OperationView, width: int) -> Line:
    now = shown.now_us
    pods = pods_of(shown.view, run.env, now)
    # Of the roll-out, not of all: before it began, every old pod was ready.
    new = [p for p in pods if p.created_us >= run.intended_us]
    counted = new or pods
    fine = sum(1 for p in counted if is_ready(p, now))
    waiting = next((p for p in counted if not is_ready(p, now)), None)
    words = f" {fine}/{len(counted)} {'new ready' if new else 'ready'}  "
    told = row("  pods ", *bar(fine, len(counted), 20, Role.ACCENT), words)
    return (*told, *pod_line(waiting, max(20, width - 45), now)) if waiting is not None else told
