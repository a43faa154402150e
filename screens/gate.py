"""One gate: its items, what the checks saw, what people said."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.message import Message
from textual.widget import Widget

from screens.base import STYLES, LaunchScreen
from screens.kit import formats
from screens.kit.lines import LineView
from screens.kit.messages import CommandRequested, ExplanationRequested, ScreenRequested
from screens.kit.pane import Pane
from screens.kit.plain import Line, Role, Span, cut, fill, row, wrap
from screens.kit.screen_state import ScreenState
from screens.kit.table import Column, Row, Table
from screens.sections import gate_rail, item_words
from screens.sections.evidence_table import evidence_lines
from screens.sections.gate_rail import DONE, gate_sign
from state.base.times import SECOND_US
from state.view.enums import Look, Verdict
from state.view.gates import PROBLEMS, next_problem, worst_first
from state.view.launch import CheckView, GateView, ItemView

LATER = frozenset({Verdict.RUNNING, Verdict.DEFERRED})
"""What nobody can do anything about at the moment."""
_ROOMY = 76
"""From so many cells on there is room for what both looks say."""
_WIDE = 110
"""From so many cells on there is room for a column's whole name."""


class GateScreen(LaunchScreen):
    """A gate with its items and, for the one under the cursor, all evidence."""

    NAME = "gate"
    CSS_PATH: ClassVar = [STYLES / "base.tcss", STYLES / "gate.tcss"]
    KEYS = (
        ("r", "run item"),
        ("R", "run all"),
        ("a", "attest"),
        ("w", "waive"),
        ("u", "follow up"),
        ("←→", "gate"),
        ("e", "JSON"),
        ("tab", "evidence"),
        ("esc", "back"),
    )
    LIST = "items"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "run_item", "run the item's checks", id="gate.run_item"),
        Binding("R", "run_gate", "run all checks of the gate", id="gate.run_all"),
        Binding("a", "attest", "attest GO or NO-GO", id="gate.attest"),
        Binding("w", "waive", "waive the item", id="gate.waive"),
        Binding("W", "withdraw", "withdraw the attestation", id="gate.withdraw"),
        Binding("i", "explain", "what the item's checks ask and prove, and how to mend", id="gate.explain"),
        Binding("u", "follow_up", "name who sees to a deviation", id="gate.follow_up"),
        Binding("e", "raw", "evidence as JSON, or as a table", id="gate.evidence"),
        Binding("left", "turn(-1)", "gate before", id="gate.before"),
        Binding("right", "turn(1)", "next gate", id="gate.next"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.number = 1
        self._raw = False
        """Whether evidence is shown as JSON."""
        self._wanted = ""
        """The item that the cursor shall stand on as soon as it is listed."""

    def body(self) -> Iterable[Widget]:
        """Return the heading, the items, and the detail of one."""
        yield Pane(self._heading, id="gate-heading")
        items = Table(
            (
                Column("", 4),
                Column("verdict", 9),
                Column("checks", 7),
                Column("in staging", 10, wanted=_ROOMY, narrower=_WIDE),
                Column("candidate in staging", 20, wanted=_WIDE),
                Column("live", 9, wanted=_ROOMY),
                Column("person", 8),
                Column("item", 0),
            ),
            id="items",
        )
        yield Container(
            Vertical(items, Pane(gate_rail.gates_with_items, id="others"), id="list-box"),
            Vertical(LineView(id="detail"), id="detail-box"),
            id="gate-box",
        )

    def on_screen_resume(self) -> None:
        """Put the keys where the items are."""
        self.query_one(Table).focus()

    def open(self, number: int, item: str = "") -> None:
        """Show a gate with the cursor on an item; on none: on the first that is open."""
        self.number = number
        self._wanted = item or self._open_after("")
        self.show(self.shown)

    def done(self, command: str, args: Mapping[str, str]) -> None:
        """Move on from an item that a person just gave their word on."""
        item = args.get("item", "")
        if command in {"attest.sign", "item.waive"} and item == self.query_one(Table).key:
            self.query_one(Table).select(self._open_after(item))

    def _open_after(self, item: str) -> str:
        """Return the next item after one that isn't done, from the top again after the last; that one: none is."""
        gate, now = self.shown.view.gate(self.number), self.shown.now_us
        items = gate.items if gate is not None else ()
        at = next((n for n, one in enumerate(items) if one.id == item), -1)
        around = (*items[at + 1 :], *items[: max(at, 0)])
        left = (
            one.id for one in around if one.verdict(now) not in DONE and one.checks_verdict(now) not in LATER
        )
        return next(left, item or (items[0].id if items else ""))

    def context(self) -> Mapping[str, str]:
        """Return the gate and the item under the cursor."""
        table = self.query_one(Table)
        return {"gate": str(self.number), **({"item": table.key} if table.key else {})}

    def refresh_body(self, shown: ScreenState) -> None:
        """Show the gate's items and the one under the cursor."""
        gate, start_us = shown.view.gate(self.number), shown.view.scope.window_start_us
        items = gate.items if gate is not None else ()
        table = self.query_one("#items", Table)
        table.show_rows([item_row(item, shown.now_us, start_us) for item in items])
        if self.has_class("-beside"):  # what the items leave is for the gates around them
            table.styles.height = max(4, min(len(items) + 1, self.size.height // 2))
        elif table.styles.height is not None:
            table.styles.clear_rule("height")
        if self._wanted:
            self.query_one(Table).select(self._wanted)
            self._wanted = ""
        self._detail()

    def _heading(self, shown: ScreenState, width: int, height: int) -> list[Line]:
        gate = shown.view.gate(self.number)
        if gate is None:
            return [row(Span(f"There is no gate {self.number} yet", Role.DIM))]
        return [gate_heading(gate, shown.now_us, width, shown.view.scope.window_start_us)]

    def _item(self) -> ItemView | None:
        return self.shown.view.item(self.query_one(Table).key)

    def _detail(self) -> None:
        item, now = self._item(), self.shown.now_us
        start_us = self.shown.view.scope.window_start_us
        view = self.query_one(LineView)
        if item is None:
            view.show_lines(lambda _: [], about="")
            return
        raw = self._raw
        view.show_lines(lambda width: item_lines(item, now, width, start_us, raw=raw), about=item.id)

    def on_table_moved(self, event: Table.Moved) -> None:
        """Show the detail of the item that the cursor stands on."""
        event.stop()
        self._detail()

    def on_table_chosen(self, event: Table.Chosen) -> None:
        """Go to the evidence."""
        event.stop()
        self.query_one(LineView).focus()

    def _ask(self, command: str) -> None:
        item = self._item()
        if item is not None:
            self.post_message(CommandRequested(command, {"item": item.id}))

    def action_run_item(self) -> None:
        """Ask for the item's checks."""
        item = self._item()
        if item is not None and not item.checks:
            self.flash(f"{item.id} has no automatic check: a person answers it (a)")
            return
        self._ask("check.run")

    def action_run_gate(self) -> None:
        """Ask for all checks of the gate."""
        self.post_message(CommandRequested("gate.run", {"gate": str(self.number)}))

    def action_attest(self) -> None:
        """Ask for an attestation."""
        self._ask("attest.sign")

    def action_raw(self) -> None:
        """Show evidence as JSON, or as a table again."""
        self._raw = not self._raw
        self._detail()

    def problem(self, by: int) -> bool:
        """Go to the next item that is a problem, in this gate or another one."""
        view, here = self.shown.view, self.query_one(Table).key
        found = next_problem(view.gates, here, self.shown.now_us, by)
        if found is None:
            return False
        self.post_message(ScreenRequested("item", found))
        return True

    def leads_to(self, pane: Pane, y: int) -> Message | None:
        """Return the gate or item that a click in the list of all gates asks for."""
        return gate_rail.at(pane.lines, y, self.shown) if pane.id == "others" else super().leads_to(pane, y)

    def action_withdraw(self) -> None:
        """Ask for taking an attestation back."""
        self._ask("attest.withdraw")

    def action_waive(self) -> None:
        """Ask for a waiver."""
        self._ask("item.waive")

    def action_follow_up(self) -> None:
        """Ask for an owner and a follow-up of a deviation."""
        self.post_message(CommandRequested("deviation.follow_up", {}))

    def action_explain(self) -> None:
        """Ask for what the kinds of the item's checks tell of themselves."""
        item = self._item()
        kinds = list(dict.fromkeys(check.kind for check in item.checks)) if item is not None else []
        if kinds:
            self.post_message(ExplanationRequested(kinds))
        elif item is not None:
            self.flash(f"{item.id} has no automatic check: a person answers it (a)")

    def action_turn(self, by: int) -> None:
        """Go to the gate before or after."""
        numbers = [g.number for g in self.shown.view.gates] or [1]
        place = numbers.index(self.number) if self.number in numbers else 0
        self.post_message(ScreenRequested("gate", str(numbers[(place + by) % len(numbers)])))


def gate_heading(gate: GateView, now_us: int, width: int, start_us: int = 0) -> Line:
    """Return a gate's number, title, status, items done, and how many are overdue or don't apply."""
    done = sum(1 for i in gate.items if i.verdict(now_us) in DONE)
    left = row(Span(f"GATE {gate.number}  ", Role.HEAD), Span(cut(gate.title, width - 30), Role.STRONG))
    right = row(gate_sign(gate, gate.status(now_us), now_us), f"  {done}/{len(gate.items)} done ")
    if gate.owed:
        right = (*right, Span(f" » waits for {', '.join(_items_of(gate.owed))} ", Role.WARN))
    away = sum(bool(i.not_applicable) for i in gate.items)
    late = sum(i.overdue(start_us, now_us) for i in gate.items)
    if away:
        right = (*right, Span(f" {away} n/a ", Role.DIM))
    if late:
        right = (*right, Span(f" ! {late} overdue ", Role.WARN))
    return fill(left, right, width)


def _items_of(checks: Iterable[str]) -> list[str]:
    """Return the items of checks that a first deploy deferred, each once."""
    return list(dict.fromkeys(check.partition("/")[0] for check in checks))


def item_row(item: ItemView, now_us: int, start_us: int = 0) -> Row:
    """Return an item as a row: verdict, what checks say, what a person said, its text."""
    verdict = item.verdict(now_us)
    checks = item.checks_verdict(now_us)
    if item.checks:
        counting = [c for c in item.checks if c.counts]
        passed = sum(1 for c in counting if c.at(now_us) is Verdict.PASS)
        glyph, _, role = formats.VERDICT[checks]
        seen = Span(f"{glyph} {passed}/{len(counting)}", role)
    else:
        seen = Span("-", Role.DIM)
    staging = _look(item, Look.CANDIDATE, now_us)
    late = item.overdue(start_us, now_us)
    return Row(
        item.id,
        (
            Span(item.id, Role.KEY),
            formats.sign(formats.NOT_APPLICABLE if item.not_applicable else formats.VERDICT[verdict]),
            seen,
            staging,
            staging,
            _look(item, Look.LIVE, now_us),
            item_words.person(item),
            Span(f"! overdue: {item.text}", Role.WARN) if late else item.text,
        ),
        bad=verdict in PROBLEMS and not item.not_applicable,
    )


def _look(item: ItemView, look: Look, now_us: int) -> Span:
    """Return what one look at the candidate says: ``✔ PASS``; ``later`` where it comes after the promotion."""
    verdict = item.look(look, now_us)
    if verdict is None:
        return Span("-", Role.DIM)
    if not any(check.counts for check in item.checks if check.look is look):
        return Span("later", Role.DIM)
    return formats.sign(formats.VERDICT[verdict])


def item_lines(
    item: ItemView, now_us: int, width: int, start_us: int = 0, *, dialog: bool = False, raw: bool = False
) -> list[Line]:
    """Return all that is known of an item: text, owner, waiver, question, words, the worst check first.

    ``start_us`` is when the launch window opens: what is due is due before that. ``dialog``: for the one that attests
    it, without keys and without the evidence. ``raw``: with the evidence as JSON.
    """
    lines = [row(Span(text, Role.STRONG)) for text in wrap(f"{item.id} {item.text}", width)]
    lines += item_words.plan_lines(item, start_us, now_us, width)
    if item.waiver is not None:
        lines += _waiver(item, now_us, width)
    lines += item_words.word_lines(item, now_us, width, dialog=dialog)
    for check in worst_first(item.checks, now_us):
        lines += check_lines(check, now_us, width, evidence=not dialog, raw=raw)
    return lines


def _waiver(item: ItemView, now_us: int, width: int) -> list[Line]:
    waiver = item.waiver
    if waiver is None:
        return []
    left = (waiver.until_us - now_us) / SECOND_US
    until = f"for {formats.span(left)} more" if left > 0 else "the waiver is over"
    second = f" with {waiver.second}" if waiver.second else ""
    head = row(Span("! WAIVED ", Role.WARN), f"by {waiver.actor}{second}, {until}: ")
    return [head, *(row(Span(f"  {t}")) for t in wrap(waiver.reason, width - 2))]


_LOOKS = {Look.CANDIDATE: ": candidate in staging", Look.LIVE: ": live"}


def check_lines(
    check: CheckView, now_us: int, width: int, *, evidence: bool = True, raw: bool = False
) -> list[Line]:
    """Return a check: verdict, what it judges, its summary, the way out, how fresh it is, its evidence.

    The evidence is a table, or JSON where it is wanted ``raw``.
    """
    verdict = check.at(now_us)
    where = _LOOKS.get(check.look, f" in {check.env}" if check.env else "")
    writes = Span(" writes", Role.WARN) if check.writes else Span("")
    left = row(formats.sign(formats.VERDICT[verdict], 10), Span(f" {check.kind}{where}", Role.STRONG), writes)
    lines = [fill(left, row(Span(freshness(check, now_us), Role.DIM)), width)]
    if verdict is Verdict.STALE and check.since:
        lines.append(row(Span(f"  stale: {check.since} since", Role.WARN)))
    lines += [row(f"  {text}") for text in wrap(check.summary, width - 2) if text]
    for way in check.ways if verdict is check.verdict else ():
        first, *rest = wrap(way, width - 4) or [""]
        lines.append(row(Span("  → ", Role.ACCENT), first))
        lines += [row(f"    {text}") for text in rest]
    if evidence and not raw:
        lines += evidence_lines(check.evidence, width)
    for text in pretty(check.evidence).split("\n") if evidence and raw else ():
        lines += [row(Span(f"  {part}", Role.DIM)) for part in wrap(text, width - 2) if part]
    return lines


def freshness(check: CheckView, now_us: int) -> str:
    """Return how old a result is and how long it is valid: ``3 m 10 s ago, 0.1 s, valid 24 h 00 m``."""
    if check.verdict is Verdict.RUNNING:
        return f"runs since {formats.span((now_us - check.started_us) / SECOND_US)}"
    if not check.counts:
        return "runs by itself after the promotion"
    if not check.finished_us:
        return "never run"
    took = (check.finished_us - check.started_us) / SECOND_US if check.started_us else 0
    return f"{formats.ago(check.finished_us, now_us)}, {took:.1f} s, valid {formats.span(check.ttl_s)}"


def pretty(evidence: str) -> str:
    """Return evidence as indented JSON; as it is where it is none."""
    if not evidence:
        return ""
    try:
        return json.dumps(json.loads(evidence), indent=2, ensure_ascii=False, sort_keys=True)
    except ValueError:
        return evidence
