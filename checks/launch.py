"""Items that judge the launch itself, by its own log."""

from __future__ import annotations

from collections.abc import Sequence

from checks.base import RELEASES, CheckContext, Outcome, Settings, check
from checks.guides import launches
from checks.judging import FRESH, Findings, whole
from state.base.numbers import plural
from state.base.times import moment
from state.view.enums import After, BakeState, ConditionState, Judges, OperationKind, OperationState, Tier
from state.view.launch import ConditionView, GoodRevision, OperationView
from state.view.rollbacks import is_rolled_back


class BakeSettings(Settings):
    """None: how long is the runbook's ``bake``."""


@check(
    "launch.bake",
    BakeSettings,
    guide=launches.BAKE,
    ttl=FRESH,
    judges=Judges.LAUNCH,
    after=(*RELEASES, After.BAKE),
)
async def bake(_settings: BakeSettings, context: CheckContext) -> Outcome:
    """Judge that the bake lasted its minimum in seconds that were seen to be good.

    And that nothing tripped.
    """
    findings = Findings()
    seen = context.view.bake
    if seen is None:
        findings.blind("the bake has not begun: it starts with the production release")
        return findings.outcome("")
    good, minimum = seen.good_s, seen.minimum_s
    findings.saw("good_s", good)
    findings.saw("minimum_s", minimum)
    findings.saw("state", seen.state)
    for condition in context.view.conditions:
        if condition.state is ConditionState.TRIPPED:
            findings.wrong(f"stop condition {condition.title} tripped")
    if seen.state is BakeState.TRIPPED:
        findings.wrong(f"the bake was stopped by a stop condition ({seen.why or 'see the log'})")
    elif good < minimum:
        findings.blind(
            f"{good // 60} of {minimum // 60} minutes were seen to be good so far ({seen.why or seen.state})"
        )
    return findings.outcome(
        f"{plural(good // 60, 'minute was', 'minutes were')} seen to be good; no stop condition is tripped"
    )


class RollbackSettings(Settings):
    """None: the runbook's own deploy and rollback of the environment are meant."""


@check(
    "launch.rollback_ready",
    RollbackSettings,
    guide=launches.ROLLBACK,
    ttl=FRESH,
    judges=Judges.LAUNCH,
    after=(*RELEASES, After.BAKE),
)
async def rollback_ready(_settings: RollbackSettings, context: CheckContext) -> Outcome:
    """Judge that no stop condition is tripped without a rollback, and that the way back is still there."""
    findings = Findings()
    back = _last(context, OperationKind.ROLLBACK)
    verified = back is not None and back.state is OperationState.SUCCEEDED
    tripped = [
        one for one in context.view.conditions if one.state is ConditionState.TRIPPED or one.tripped_us
    ]
    for condition in tripped:
        undone = is_rolled_back(context.view, condition.env, condition.tripped_us)
        findings.need(
            undone, f"stop condition {condition.title} tripped and {condition.env} was not rolled back"
        )
    if back is not None and not verified:
        findings.wrong(f"the rollback is {back.state.value}: {back.verdict or 'not verified'}")
    for condition in context.view.conditions:
        value = whole(condition.value) if condition.value is not None else None
        findings.saw(f"condition_{condition.id.replace('-', '_')}", [condition.state.value, value])
        if condition.active and condition.state.blind and not verified:
            findings.blind(
                f"stop condition {condition.title} is {condition.state.value}: it could not be judged"
            )
    deploy = _last(context, OperationKind.DEPLOY)
    good = deploy.good if deploy is not None else None
    if good is None and deploy is not None and deploy.state is OperationState.SUCCEEDED:
        findings.saw("good_revision", "none: this was its first launch")
        for condition in tripped:
            findings.wrong(f"{condition.title} tripped, and a first launch has no revision to go back to")
        return findings.outcome(
            f"{_answered(tripped, back, context)}; a first launch: there is no revision to go back to, "
            "the way out is to uninstall it"
        )
    if good is None:
        findings.blind("no good revision is recorded: the deploy has not been run in this launch")
    else:
        await _still_there(good, context, findings)
    return findings.outcome(
        f"{_answered(tripped, back, context)}; the recorded good revision can still be returned to"
    )


def _answered(tripped: Sequence[ConditionView], back: OperationView | None, context: CheckContext) -> str:
    """Return what became of the trips, where each that stands was answered by a rollback."""
    if tripped:
        titles = ", ".join(one.title for one in tripped)
        to = f"revision {back.good.number}" if back is not None and back.good is not None else "the good one"
        return f"{titles} tripped, and {context.tier or Tier.PRODUCTION} was rolled back to {to}"
    seen = ", ".join(condition.title for condition in context.view.conditions if condition.acknowledged_us)
    return f"no stop condition is tripped{f'; {seen} had tripped and was acknowledged' if seen else ''}"


def _last(context: CheckContext, kind: OperationKind) -> OperationView | None:
    """Return what was run last of the environment's operations of a kind."""
    ids = {o.id for o in context.runbook.operations if o.kind is kind and o.env is context.tier}
    return next((o for o in reversed(context.view.operations) if o.id in ids), None)


async def _still_there(good: GoodRevision, context: CheckContext, findings: Findings) -> None:
    history = await findings.look(context.clients.helm(context.tier).history())
    findings.saw("good_revision", good.number)
    if history is None:
        return
    revision = next((one for one in history if one.revision == good.number), None)
    findings.saw("revisions", [one.revision for one in history][-10:])
    if revision is None:
        findings.wrong(f"revision {good.number}, the recorded good one, is no longer in helm's history")


class DeviationsSettings(Settings):
    """None: deviations are collected from the log."""


@check("launch.deviations", DeviationsSettings, guide=launches.DEVIATIONS, ttl=FRESH, judges=Judges.LAUNCH)
async def deviations(_settings: DeviationsSettings, context: CheckContext) -> Outcome:
    """Judge that everything waived, overridden, blind, late or manual is listed, with an owner and a follow-up."""
    findings = Findings()
    seen = context.view.deviations
    findings.saw(
        "deviations",
        [
            {
                "seq": one.seq,
                "what": one.what,
                "who": one.who,
                "at": moment(one.at_us).isoformat(timespec="seconds"),
                "owner": one.owner,
                "follow_up": one.follow_up,
                "link": one.link,
            }
            for one in seen
        ],
    )
    waived = {
        item.id: item.waiver.seq
        for gate in context.view.gates
        for item in gate.items
        if item.waiver is not None
    }
    listed = {one.seq for one in seen}
    for item, seq in waived.items():
        findings.need(seq in listed, f"item {item} was waived and is not in the list of deviations")
    for one in seen:
        findings.need(one.followed, f"deviation #{one.seq} lacks an owner and a follow-up: {one.what}")
    findings.saw("environment", str(context.tier or Tier.PRODUCTION))
    if not seen:
        return findings.outcome("there is no deviation")
    return findings.outcome(
        f"{plural(len(seen), 'deviation is', 'deviations are')} listed, each with an owner and a follow-up"
    )
