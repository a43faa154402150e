"""The gates, a line each."""

from __future__ import annotations

from screens.kit import formats
from screens.kit.plain import Line, Role, Span, cut, fit, heading, row
from screens.kit.screen_state import ScreenState
from state.view.enums import GateStatus, Verdict
from state.view.launch import GateView

DONE = frozenset({Verdict.PASS, Verdict.WAIVED})


def gates(shown: ScreenState, width: int, height: int) -> list[Line]:
    """Return a heading and a line per gate: key, status, items done of all, title."""
    view, now = shown.view, shown.now_us
    statuses = {g.number: g.status(now) for g in view.gates}
    count = sum(1 for s in statuses.values() if s is GateStatus.GO)
    role = Role.GOOD if count == len(statuses) and statuses else Role.PLAIN
    lines = [heading("GATES", width, Span(f"{count} of {len(statuses)} GO", role))]
    lines += [gate_line(g, statuses[g.number], now, width) for g in view.gates]
    return lines


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


def _wrong(verdicts: list[Verdict]) -> list[Span]:
    lines = []
    for verdict in (Verdict.FAIL, Verdict.UNKNOWN, Verdict.STALE, Verdict.RUNNING, Verdict.WAIVED):
        count = verdicts.count(verdict)
        if count:
            glyph, _, role = formats.VERDICT[verdict]
            lines.append(Span(f"{count}{glyph}", role))
    return lines
