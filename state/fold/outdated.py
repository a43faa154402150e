"""What an operation means for evidence: what gets out of date, what a promotion used, when a second look counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from state.base.frozen import replace
from state.events.event import Event
from state.view import attestations
from state.view.enums import After, Look, Verdict
from state.view.launch import CheckView, GateView, ItemView, LaunchView


def change_checks(view: LaunchView, change: Callable[[CheckView], CheckView]) -> LaunchView:
    """Return the view in which every check is changed; gates in which none is stay the same objects."""

    def in_item(item: ItemView) -> ItemView:
        checks = tuple(change(c) for c in item.checks)
        return item if checks == item.checks else replace(item, checks=checks)

    def in_gate(gate: GateView) -> GateView:
        items = tuple(in_item(i) for i in gate.items)
        return gate if items == gate.items else replace(gate, items=items)

    gates = tuple(in_gate(g) for g in view.gates)
    return view if gates == view.gates else replace(view, gates=gates)


def outdate(view: LaunchView, event: Event, env: str, cause: After, words: str) -> LaunchView:
    """Return the view in which what ended in an environment makes the evidence about it stale."""

    def stale(check: CheckView) -> CheckView:
        if check.env != env or cause not in check.after:
            return check
        return replace(check, since=words, since_seq=event.seq)

    return change_checks(view, stale)


def outdate_words(view: LaunchView, env: str, cause: After, words: str, gate: int = 0) -> LaunchView:
    """Return the view in which what people said about such evidence is stale, but for what a promotion used.

    ``gate``: only on items of this one; 0: of all. A release is another thing than the one that words were about. A
    migration is that only for its own gate: what it leaves as it was elsewhere is judged again, and says so.
    """

    def about(item: ItemView) -> bool:
        mine = not gate or item.id.partition(".")[0] == str(gate)
        outdated = any(c.counts and c.env == env and cause in c.after for c in item.checks)
        return mine and outdated and not item.used_us

    return attestations.void(view, about, f"{words} since")


def use_gates(view: LaunchView, numbers: Iterable[int], at_us: int) -> LaunchView:
    """Return the view in which what these gates judged was used at a moment; 0: nothing uses it any more."""
    used = frozenset(numbers)

    def in_gate(gate: GateView) -> GateView:
        if gate.number not in used or gate.used_us == at_us:
            return gate
        return replace(gate, items=tuple(replace(i, used_us=at_us) for i in gate.items))

    return replace(view, gates=tuple(in_gate(g) for g in view.gates))


def use_stages(view: LaunchView, ids: Iterable[str], at_us: int) -> LaunchView:
    """Return the view in which what these stages judged was used at a moment; 0: nothing uses it any more."""
    used = frozenset(ids)
    return replace(view, stages=tuple(replace(s, used_us=at_us) if s.id in used else s for s in view.stages))


def second_look(view: LaunchView, *, due: bool) -> LaunchView:
    """Return the view in which the second look counts, with nothing seen yet, or doesn't count."""

    def change(check: CheckView) -> CheckView:
        if check.look is not Look.LIVE:
            return check
        return replace(check, due=due, verdict=Verdict.PENDING if due else check.verdict)

    return change_checks(view, change)
