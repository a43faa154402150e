"""Items that judge the launch itself, by its own log."""

from __future__ import annotations

from collections.abc import Sequence

from checks.base import Around, Outcome, Settings, check
from checks.judging import FRESH, Findings, whole
from state.base.numbers import plural
from state.base.times import moment
from state.view.enums import ConditionState, OperationKind, OperationState, Tier
from state.view.launch import ConditionView, GoodRevision, OperationView
from state.view.rollbacks import is_rolled_back


class BakeSettings(Settings):
    """None: how long is the runbook's ``bake``."""


@check("launch.bake", BakeSettings, ttl=FRESH)
async def bake(_settings: BakeSettings, around: Around) -> Outcome:
    """Judge that the bake lasted its minimum in seconds that were seen to be good.

    And that nothing tripped.
    """
    found = Findings()
    seen = around.view.bake
    if seen is None:
        found.blind("the bake has not begun: it starts with the production release")
        return found.outcome("")
    good, minimum = seen.good_s, seen.minimum_s
    found.saw("good_s", good)
    found.saw("minimum_s", minimum)
    found.saw("state", seen.state)
    for condition in around.view.conditions:
        if condition.state is ConditionState.TRIPPED:
            found.wrong(f"stop condition {condition.title} tripped")
    if seen.state == "tripped":
        found.wrong(f"the bake was stopped by a stop condition ({seen.why or 'see the log'})")
    elif good < minimum:
        found.blind(
            f"{good // 60} of {minimum // 60} minutes were seen to be good so far ({seen.why or seen.state})"
        )
    return found.outcome(
        f"{plural(good // 60, 'minute was', 'minutes were')} seen to be good; no stop condition is tripped"
    )


class RollbackSettings(Settings):
    """None: the runbook's own deploy and rollback of the environment are meant."""


@check("launch.rollback_ready", RollbackSettings, ttl=FRESH)
async def rollback_ready(_settings: RollbackSettings, around: Around) -> Outcome:
    """Judge that no stop condition is tripped without a rollback, and that the way back is still there."""
    found = Findings()
    back = _last(around, OperationKind.ROLLBACK)
    verified = back is not None and back.state is OperationState.SUCCEEDED
    tripped = [one for one in around.view.conditions if one.state is ConditionState.TRIPPED or one.tripped_us]
    for condition in tripped:
        undone = is_rolled_back(around.view, condition.env, condition.tripped_us)
        found.need(
            undone, f"stop condition {condition.title} tripped and {condition.env} was not rolled back"
        )
    if back is not None and not verified:
        found.wrong(f"the rollback is {back.state.value}: {back.verdict or 'not verified'}")
    for condition in around.view.conditions:
        value = whole(condition.value) if condition.value is not None else None
        found.saw(f"condition_{condition.id.replace('-', '_')}", [condition.state.value, value])
        if condition.active and condition.state.blind and not verified:
            found.blind(
                f"stop condition {condition.title} is {condition.state.value}: it could not be judged"
            )
    deploy = _last(around, OperationKind.DEPLOY)
    good = deploy.good if deploy is not None else None
    if good is None:
        found.blind("no good revision is recorded: the deploy has not been run in this launch")
    else:
        await _still_there(good, around, found)
    return found.outcome(
        f"{_answered(tripped, back, around)}; the recorded good revision can still be returned to"
    )


def _answered(tripped: Sequence[ConditionView], back: OperationView | None, around: Around) -> str:
    """Return what became of the trips, where each that stands was answered by a rollback."""
    if tripped:
        titles = ", ".join(one.title for one in tripped)
        to = f"revision {back.good.number}" if back is not None and back.good is not None else "the good one"
        return f"{titles} tripped, and {around.tier or Tier.PRODUCTION} was rolled back to {to}"
    seen = ", ".join(one.title for one in around.view.conditions if one.acknowledged_us)
    return f"no stop condition is tripped{f'; {seen} had tripped and was acknowledged' if seen else ''}"


def _last(around: Around, kind: OperationKind) -> OperationView | None:
    """Return what was run last of the environment's operations of a kind."""
    ids = {o.id for o in around.runbook.operations if o.kind is kind and o.env is around.tier}
    return next((o for o in reversed(around.view.operations) if o.id in ids), None)


async def _still_there(good: GoodRevision, around: Around, found: Findings) -> None:
    history = await found.look(around.systems.helm(around.tier).history())
    found.saw("good_revision", good.number)
    if history is None:
        return
    revision = next((one for one in history if one.revision == good.number), None)
    found.saw("revisions", [one.revision for one in history][-10:])
    if revision is None:
        found.wrong(f"revision {good.number}, the recorded good one, is no longer in helm's history")


class DeviationsSettings(Settings):
    """None: deviations are collected from the log."""


@check("launch.deviations", DeviationsSettings, ttl=FRESH)
async def deviations(_settings: DeviationsSettings, around: Around) -> Outcome:
    """Judge that everything waived, overridden, blind, late or manual is in the list, with who and when."""
    found = Findings()
    seen = around.view.deviations
    found.saw(
        "deviations",
        [
            {
                "seq": one.seq,
                "what": one.what,
                "who": one.who,
                "at": moment(one.at_us).isoformat(timespec="seconds"),
            }
            for one in seen
        ],
    )
    waived = {
        item.id: item.waiver.seq
        for gate in around.view.gates
        for item in gate.items
        if item.waiver is not None
    }
    listed = {one.seq for one in seen}
    for item, seq in waived.items():
        found.need(seq in listed, f"item {item} was waived and is not in the list of deviations")
    for one in seen:
        found.need(bool(one.who), f"deviation {one.seq} has nobody who answers for it: {one.what}")
    found.saw("environment", str(around.tier or Tier.PRODUCTION))
    return found.outcome(f"{plural(len(seen), 'deviation is', 'deviations are')} listed, with who and when")
