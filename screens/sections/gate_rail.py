"""The gates, a line each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from screens.kit import formats
from screens.kit.messages import ScreenRequested
from screens.kit.plain import Line, Role, Span, cut, fit, heading, row
from screens.kit.screen_state import ScreenState
from state.view.enums import GateStatus, Verdict
from state.view.launch import GateView, ItemView

DONE = frozenset({Verdict.PASS, Verdict.WAIVED})


def gates(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return a heading and a line per gate: key, status, items done of all, title."""
    view, now = shown.view, shown.now_us
    statuses = {g.number: g.status(now) for g in view.gates}
    count = sum(1 for s in statuses.values() if s is GateStatus.GO)
    role = Role.GOOD if count == len(statuses) and statuses else Role.PLAIN
    lines = [heading("GATES", width, Span(f"{count} of {len(statuses)} GO", role))]
    listed = view.gates if height > len(view.gates) else pressing_first(view.gates, statuses, now)
    lines += [gate_line(g, statuses[g.number], now, width) for g in listed]
    return lines


def pressing_first(
    gates: Sequence[GateView], statuses: Mapping[int, GateStatus], now_us: int
) -> list[GateView]:
    """Return gates in the order in which they need somebody, for where not all can be shown.

    What fails or is blind first, then where work goes on, then what is open, in their own order; GO last.
    """
    return sorted(gates, key=lambda gate: (_rank(gate, statuses[gate.number], now_us), gate.number))


def _rank(gate: GateView, status: GateStatus, now_us: int) -> int:
    if status in {GateStatus.NO_GO, GateStatus.BLIND, GateStatus.UNKNOWN}:
        return 0
    if any(item.verdict(now_us) is Verdict.RUNNING for item in gate.items):
        return 0
    return 2 if status is GateStatus.GO else 1


def gates_with_items(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return the gates with their items below them: of those that need somebody first, as far as there is room."""
    view, now = shown.view, shown.now_us
    if height <= len(view.gates):
        return gates(shown, width, height)[:height]
    statuses = {g.number: g.status(now) for g in view.gates}
    room = height - 1 - len(view.gates)
    opened: set[int] = set()
    for gate in pressing_first(view.gates, statuses, now):
        if len(gate.items) <= room:
            opened.add(gate.number)
            room -= len(gate.items)
    lines = gates(shown, width, 1)[:1]
    for gate in view.gates:
        lines.append(gate_line(gate, statuses[gate.number], now, width))
        lines += [item_line(one, now, width) for one in gate.items if gate.number in opened]
    return lines[:height]


def item_line(item: ItemView, now_us: int, width: int) -> Line:
    """Return an item in a line below its gate: ``   3.2 ✔ PASS    Admin UI has a strong CSP``."""
    sign = formats.sign(
        formats.NOT_APPLICABLE if item.not_applicable else formats.VERDICT[item.verdict(now_us)], 9
    )
    return row(
        "   ", Span(f"{item.id:<5}", Role.DIM), sign, " ", Span(cut(item.text, max(4, width - 18)), Role.DIM)
    )


def gate_line(gate: GateView, status: GateStatus, now_us: int, width: int) -> Line:
    """Return one gate: ``3 ✔ GO    6/6 Security and compliance``, with what is wrong behind it."""
    verdicts = [item.verdict(now_us) for item in gate.items]
    done = sum(1 for v in verdicts if v in DONE)
    signs = _wrong(verdicts)
    word = gate_sign(gate, status, now_us)
    room = width - 12 - max(8, len(word.text)) - sum(len(s.text) + 1 for s in signs)
    title = fit(gate.title, max(4, room)) if signs else cut(gate.title, max(4, room))
    tail: list[Span] = []
    for sign in signs:
        tail += [Span(" "), sign]
    return row(
        Span(f"{gate.number:>2} ", Role.KEY),
        Span(word.text.ljust(8), word.role),
        " ",
        Span(f"{done:>2}/{len(gate.items):<2}".ljust(6), Role.PLAIN if done else Role.DIM),
        Span(title, Role.STRONG if status is GateStatus.NO_GO else Role.PLAIN),
        *tail,
    )


def gate_sign(gate: GateView, status: GateStatus, now_us: int) -> Span:
    """Return a gate's status in words: ``✔ GO``, ``✔ GO at 18:07Z`` since a promotion, ``! GO, 2 deferred``."""
    sign = formats.sign(formats.GATE[status])
    if status is GateStatus.DEFERRED:
        return Span(f"! GO, {gate.deferred(now_us)} deferred", sign.role)
    if status is GateStatus.GO and gate.used_us:
        return Span(f"{sign.text} at {formats.clock(gate.used_us, seconds=False)}", sign.role)
    return sign


def at(lines: Sequence[Line], y: int, shown: ScreenState) -> ScreenRequested | None:
    """Return the gate or item that a line is about; nothing for the heading."""
    words = "".join(span.text for span in lines[y]).split() if 0 < y < len(lines) else []
    if not words:
        return None
    if words[0].isdigit():
        return ScreenRequested("gate", words[0])
    return ScreenRequested("item", words[0]) if shown.view.item(words[0]) is not None else None


def _wrong(verdicts: list[Verdict]) -> list[Span]:
    lines = []
    for verdict in (Verdict.FAIL, Verdict.UNKNOWN, Verdict.STALE, Verdict.RUNNING, Verdict.WAIVED):
        count = verdicts.count(verdict)
        if count:
            glyph, _, role = formats.VERDICT[verdict]
            lines.append(Span(f"{count}{glyph}", role))
    return lines
