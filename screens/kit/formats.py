"""Verdicts, states, times and numbers as glyph, word and role. Every glyph is one cell wide."""

from __future__ import annotations

from datetime import UTC, datetime

from screens.kit.plain import Role, Span
from state.base import numbers
from state.base.clock import SECOND_US
from state.view.enums import ConditionState, GateStatus, OperationState, Verdict

GATE_KEYS = 10
"""Gates with a key of their own: 1 to 9, and 0 for the tenth."""

number, plural = numbers.number, numbers.plural

GATE = {
    GateStatus.GO: ("✔", "GO", Role.GOOD),
    GateStatus.NO_GO: ("✖", "NO-GO", Role.BAD),
    GateStatus.BLIND: ("?", "BLIND", Role.BLIND),
    GateStatus.OPEN: ("·", "OPEN", Role.PLAIN),
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
}
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
STEP = {
    "done": ("✔", "done", Role.GOOD),
    "failed": ("✖", "failed", Role.BAD),
    "running": ("…", "running", Role.ACCENT),
    "skipped": ("-", "skipped", Role.DIM),
}


def sign(told: tuple[str, str, Role], width: int = 0) -> Span:
    """Return glyph and word in the colour of their meaning, filled to ``width`` cells."""
    glyph, word, role = told
    return Span(f"{glyph} {word}".ljust(width), role)


def clock(at_us: int, *, seconds: bool = True) -> str:
    """Return the time of day in UTC: ``20:14:07Z``; a dash where there is none."""
    if at_us <= 0:
        return "--:--"
    return datetime.fromtimestamp(at_us / SECOND_US, UTC).strftime("%H:%M:%SZ" if seconds else "%H:%MZ")


def date(at_us: int) -> str:
    """Return the day in UTC: ``2026-12-01``; a dash where there is none."""
    return datetime.fromtimestamp(at_us / SECOND_US, UTC).strftime("%Y-%m-%d") if at_us > 0 else "-"


def span(seconds: float) -> str:
    """Return a length of time in at most two parts: ``45 s``, ``5 m 10 s``, ``2 h 05 m``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
    return f"{whole // 86_400} d {whole % 86_400 // 3600:02d} h"


def stopwatch(seconds: float) -> str:
    """Return a length of time as ``4:05`` or ``1:04:05``."""
    whole = max(0, int(seconds))
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def offset(at_us: int, start_us: int) -> str:
    """Return a moment as its distance from the launch's opening: ``T+0:14:07``."""
    seconds = (at_us - start_us) // SECOND_US
    mark = "T+" if seconds >= 0 else "T-"
    seconds = abs(seconds)
    return f"{mark}{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"


def ago(at_us: int, now_us: int) -> str:
    """Return how long ago a moment was; ``never`` where there is none."""
    return f"{span((now_us - at_us) / SECOND_US)} ago" if at_us > 0 else "never"


def gate_keys(gates: int) -> str:
    """Return the keys of a runbook's gates: ``1-6``, ``1-9 0``; of all that there can be where none is known."""
    if not gates or gates >= GATE_KEYS:
        return "1-9 0"
    return f"1-{gates}" if gates > 1 else "1"
