"""What keeps a launch from being closed.

A launch is closed when it is done: every gate GO, those that a promotion used as it used them, and the gates of the
release and of the time after it fresh; nothing failed since; every deviation has somebody who sees to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from state.base.numbers import plural
from state.view.enums import ConditionState, GateStatus, Verdict
from state.view.gates import PASSES, GateView
from state.view.launch import LaunchView
from state.view.locks import hold_words

_FEW = 3


def obstacles(view: LaunchView, now_us: int) -> Iterator[str]:
    """Yield what keeps a launch open at a moment, a line each, in the order in which it is told."""
    running = view.running()
    if running is not None:
        yield f"{running.id} is under way: abort it, or wait for its end"
    if held := hold_words(view):
        yield f"{held}: release it first"
    for condition in view.conditions:
        if condition.state is ConditionState.TRIPPED:
            yield f"stop condition {condition.title} is tripped"
    if not view.gates:
        yield "the launch has no gates"
    lacking = [one for one in view.deviations if not one.followed]
    if lacking:
        names = ", ".join(f"#{one.seq}" for one in lacking[:_FEW])
        more = f" and {len(lacking) - _FEW} more" if len(lacking) > _FEW else ""
        verb = plural(len(lacking), "deviation lacks", "deviations lack")
        yield f"{verb} an owner or a follow-up ({names}{more})"
    yield from _gates(view, now_us)


def _gates(view: LaunchView, now_us: int) -> Iterator[str]:
    """Yield which gates are not GO: a few with their items, many by their status."""
    left = [(gate, gate.status(now_us)) for gate in view.gates]
    left = [(gate, status) for gate, status in left if status is not GateStatus.GO]
    if len(left) <= _FEW:
        yield from (f"gate {gate.number} is {status}{_items(gate, now_us)}" for gate, status in left)
        return
    for status in dict.fromkeys(status for _, status in left):
        numbers = [str(gate.number) for gate, one in left if one is status]
        names = f"gate {numbers[0]} is" if len(numbers) == 1 else f"gates {', '.join(numbers)} are"
        yield f"{names} {status}"


def _items(gate: GateView, now_us: int) -> str:
    """Return which items keep a gate from GO, the worst first."""
    left = [(item.id, verdict) for item in gate.items if (verdict := item.verdict(now_us)) not in PASSES]
    left.sort(key=lambda one: (one[1] is not Verdict.FAIL, one[1] is not Verdict.UNKNOWN))
    if not left:
        return ""
    more = f" and {len(left) - _FEW} more" if len(left) > _FEW else ""
    return f" ({', '.join(f'{name} {verdict}' for name, verdict in left[:_FEW])}{more})"
