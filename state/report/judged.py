"""What was judged: results of checks, people's words, waivers and gates, gathered while a log is folded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from state.base.frozen import remake, replace
from state.events.event import Body, Event, gate_number
from state.events.gates import (
    AttestSigned,
    AttestWithdrawn,
    CheckFinished,
    GateChanged,
    GateRecycled,
    ItemWaived,
)
from state.report.item_facts import (
    GateChange,
    GateFacts,
    ItemFacts,
    PartFacts,
    Recycling,
    Result,
    SignOff,
    StageFacts,
    Waiver,
    Withdrawal,
)
from state.view.enums import Verdict
from state.view.gates import CheckView, GateView, ItemView
from state.view.launch import LaunchView
from state.view.stages import parts_of, stage_verdict

STANDS = "stands"


@dataclass(slots=True)
class Judged:
    """Gathers what events say of gates and items."""

    results: list[Result] = field(default_factory=list)
    words: list[SignOff] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    waivers: list[Waiver] = field(default_factory=list)
    gate_changes: list[GateChange] = field(default_factory=list)
    recyclings: list[Recycling] = field(default_factory=list)
    _ended: dict[int, str] = field(default_factory=dict)
    """How a word ended that is on no item any more, by the event that gave it."""

    def take(self, before: LaunchView, event: Event, body: Body, after: LaunchView) -> None:
        """Take in one more event."""
        told = {"seq": event.seq, "at_us": event.wall_us}
        match body:
            case CheckFinished():
                check = _declared(before, body)
                kind, env = (check.kind, check.env) if check is not None else ("", "")
                began_us = check.started_us if check is not None else 0
                result = remake(Result, body, **told, kind=kind, env=env, began_us=began_us, newest=True)
                self.results.append(result)
            case AttestSigned():
                self.words.append(remake(SignOff, body, **told, actor=event.actor, standing=STANDS))
                self._note_ended(before, after, f"replaced by #{event.seq}", event.seq)
            case AttestWithdrawn():
                self.withdrawals.append(remake(Withdrawal, body, **told, actor=event.actor))
                self._note_ended(before, after, f"withdrawn by #{event.seq}")
            case ItemWaived():
                self.waivers.append(remake(Waiver, body, **told, actor=event.actor, expired=False))
            case GateChanged():
                number = gate_number(event.gate) or 0
                change = GateChange(**told, gate=number, before=body.from_, after=body.to)
                self.gate_changes.append(change)
            case GateRecycled():
                number = gate_number(event.gate) or 0
                self.recyclings.append(Recycling(**told, gate=number, by=event.actor, reason=body.reason))
                self._note_ended(before, after, f"out of date since #{event.seq} went back to gate {number}")
            case _:
                pass

    def _note_ended(self, before: LaunchView, after: LaunchView, how: str, new: int = 0) -> None:
        for seq in _words(before).keys() - _words(after).keys() - {new}:
            self._ended[seq] = how

    def gates(self, view: LaunchView) -> tuple[GateFacts, ...]:
        """Return the gates as they are at the end of a log, with all that was said of their items."""
        return tuple(self._gate(gate, view) for gate in view.gates)

    def _gate(self, gate: GateView, view: LaunchView) -> GateFacts:
        return GateFacts(
            number=gate.number,
            title=gate.title,
            recorded=view.statuses.get(gate.number),
            recorded_us=view.decided_us.get(gate.number, 0),
            at_end=gate.status(view.wall_us),
            used_us=gate.used_us,
            items=tuple(self._item(item, view) for item in gate.items),
        )

    def _item(self, item: ItemView, view: LaunchView) -> ItemFacts:
        facts = self._of(item.id, view)
        return replace(
            facts,
            text=item.text,
            question=item.question or "",
            owner=item.owner,
            links=item.links,
            not_applicable=item.not_applicable,
            verdict=item.verdict(view.wall_us),
            waived_until_us=item.waiver.until_us if item.waiver is not None else 0,
        )

    def _of(self, name: str, view: LaunchView) -> ItemFacts:
        return _facts(
            name,
            self._newest([one for one in self.results if one.item == name]),
            [self._standing(one, view) for one in self.words if one.item == name],
            [one for one in self.withdrawals if one.item == name],
        )

    def elsewhere(self, view: LaunchView) -> ItemFacts:
        """Return what was said of stages, and of items that no gate has at the end of a log."""
        known = {item.id for gate in view.gates for item in gate.items}
        return _facts(
            "",
            self._newest([one for one in self.results if one.item not in known]),
            [self._standing(one, view) for one in self.words if one.item not in known],
            [one for one in self.withdrawals if one.item not in known],
        )

    def _newest(self, results: list[Result]) -> list[Result]:
        last = {one.check: one.seq for one in results}
        return [replace(one, newest=last[one.check] == one.seq) for one in results]

    def _standing(self, word: SignOff, view: LaunchView) -> SignOff:
        stale = _words(view).get(word.seq)
        if stale is None:
            return replace(word, standing=self._ended.get(word.seq, "not counted: no item has it"))
        return replace(word, standing=f"stale: {stale}") if stale else word

    def waived(self, now_us: int) -> tuple[Waiver, ...]:
        """Return the waivers, as they are at a moment."""
        return tuple(replace(one, expired=now_us >= one.until_us) for one in self.waivers)


def _facts(
    name: str, results: Iterable[Result], words: Iterable[SignOff], withdrawals: Iterable[Withdrawal]
) -> ItemFacts:
    return ItemFacts(
        id=name,
        text="",
        question="",
        owner="",
        links=(),
        not_applicable="",
        verdict=Verdict.PENDING,
        results=tuple(results),
        words=tuple(words),
        withdrawals=tuple(withdrawals),
        waived_until_us=0,
    )


def _words(view: LaunchView) -> dict[int, str]:
    """Return why each word that is on an item is stale, by the event that gave it."""
    return {word.seq: word.stale for gate in view.gates for item in gate.items for word in item.words}


def _declared(view: LaunchView, body: CheckFinished) -> CheckView | None:
    item = view.item(body.item)
    here = item.checks if item is not None else ()
    stages = (check for stage in view.stages if stage.id == body.item for check in stage.checks)
    return next((check for check in (*here, *stages) if check.id == body.check), None)


def stages_of(view: LaunchView) -> tuple[StageFacts, ...]:
    """Return the stages of the pipeline as they are at the end of a log."""
    return tuple(
        StageFacts(
            id=stage.id,
            title=stage.title,
            verdict=stage_verdict(view, stage, view.wall_us),
            parts=tuple(remake(PartFacts, part) for part in parts_of(view, stage, view.wall_us)),
        )
        for stage in view.stages
    )
