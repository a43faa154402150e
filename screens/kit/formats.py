"""Verdicts, states, times and numbers as glyph, word and role. Every glyph is one cell wide."""

from __future__ import annotations

from screens.kit.plain import Role, Span
from state.base import numbers, times
from state.view.enums import ConditionState, GateStatus, OperationState, Severity, Verdict

GATE_KEYS = 10
"""Gates with a key of their own: 1 to 9, and 0 for the tenth."""

number, plural = numbers.number, numbers.plural
clock, date, stamp, span, stopwatch, offset, ago = (
    times.clock, times.date, times.stamp, times.span, times.stopwatch, times.offset, times.ago,
)  # fmt: skip

GATE = {
    GateStatus.GO: ("✔", "GO", Role.GOOD),
    GateStatus.NO_GO: ("✖", "NO-GO", Role.BAD),
    GateStatus.BLIND: ("?", "BLIND", Role.BLIND),
    GateStatus.OPEN: ("·", "OPEN", Role.PLAIN),
    GateStatus.DEFERRED: ("»", "DEFER", Role.WARN),
    GateStatus.UNKNOWN: ("?", "UNKNOWN", Role.BLIND),
}
VERDICT = {
    Verdict.PASS: ("✔", "PASS", Role.GOOD),
    Verdict.FAIL: ("✖", "FAIL", Role.BAD),
    Verdict.UNKNOWN: ("?", "UNKNOWN", Role.BLIND),
    Verdict.PENDING: ("·", "PENDING", Role.PLAIN),
    Verdict.RUNNING: ("…", "RUNNING", Role.ACCENT),
    Verdict.STALE: ("~", "STALE", Role.WARN),
    Verdict.WAIVED: ("!", "WAIVED", Role.WARN),
    Verdict.DEFERRED: ("»", "DEFERRED", Role.WARN),
}
NOT_APPLICABLE = ("-", "N/A", Role.DIM)
"""In place of a verdict, where the runbook says that an item doesn't apply."""
CONDITION = {
    ConditionState.WARMUP: ("·", "WARMUP", Role.DIM),
    ConditionState.OK: ("✔", "OK", Role.GOOD),
    ConditionState.BREACHING: ("!", "BREACHING", Role.WARN),
    ConditionState.TRIPPED: ("✖", "TRIPPED", Role.BAD),
    ConditionState.NO_DATA: ("?", "NO DATA", Role.BLIND),
    ConditionState.NO_TRAFFIC: ("?", "NO TRAFFIC", Role.BLIND),
    ConditionState.STALE: ("?", "STALE", Role.BLIND),
    ConditionState.ERROR: ("?", "ERROR", Role.BLIND),
    ConditionState.MUTED: ("-", "MUTED", Role.DIM),
    ConditionState.UNKNOWN: ("?", "UNKNOWN", Role.BLIND),
}
OPERATION = {
    OperationState.INTENDED: ("·", "INTENDED", Role.ACCENT),
    OperationState.RUNNING: ("…", "RUNNING", Role.ACCENT),
    OperationState.SUCCEEDED: ("✔", "SUCCEEDED", Role.GOOD),
    OperationState.FAILED: ("✖", "FAILED", Role.BAD),
    OperationState.ABORTED: ("!", "ABORTED", Role.WARN),
    OperationState.UNKNOWN: ("?", "UNKNOWN", Role.BLIND),
}
SEVERITY = {Severity.PLAIN: Role.PLAIN, Severity.BLIND: Role.BLIND, Severity.BAD: Role.BAD}
STEP = {
    "done": ("✔", "done", Role.GOOD),
    "failed": ("✖", "failed", Role.BAD),
    "running": ("…", "running", Role.ACCENT),
    "skipped": ("-", "skipped", Role.DIM),
}


def sign(lines: tuple[str, str, Role], width: int = 0) -> Span:
    """Return glyph and word in the colour of their meaning, filled to ``width`` cells."""
    glyph, word, role = lines
    return Span(f"{glyph} {word}".ljust(width), role)


def gate_keys(gates: int) -> str:
    """Return the keys of a runbook's gates: ``1-6``, ``1-9 0``; of all that there can be where none is known."""
    if not gates or gates >= GATE_KEYS:
        return "1-9 0"
    return f"1-{gates}" if gates > 1 else "1"
