"""How a launch came out: the five lines on top of its report, and the way back after each trip."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from state.base.numbers import plural
from state.base.text import line
from state.base.times import SECOND_US, clock, date, span, stamp, stopwatch
from state.report.facts import Account, ConsoleFacts, Hold, Scope, SummaryLine
from state.report.item_facts import GateFacts
from state.report.run_facts import BakeFacts, WayBack
from state.view.ending import ending, is_over
from state.view.enums import BakeState, GateStatus, OperationKind, OperationState, Verdict
from state.view.launch import LaunchView, TripView
from state.view.rollbacks import rollbacks_since
from state.view.trips import standing


def ways_back(view: LaunchView, trips: Iterable[TripView]) -> tuple[WayBack, ...]:
    """Return the first trip of each release, and the rollback that answered it."""
    first: dict[tuple[str, int], TripView] = {}
    for trip in trips:
        first.setdefault((trip.env, trip.release), trip)
    return tuple(_way_back(view, trip) for trip in first.values())


def _way_back(view: LaunchView, trip: TripView) -> WayBack:
    deploys = (o.seq for o in view.operations if o.env == trip.env and o.kind == OperationKind.DEPLOY)
    until = min((seq for seq in deploys if seq > trip.seq), default=view.seq + 1)
    since = reversed(rollbacks_since(view, trip.env, trip.at_us))
    backs = [o for o in since if trip.release < o.seq < until]
    verified = next((o for o in backs if o.state is OperationState.SUCCEEDED), None)
    back = verified or (backs[-1] if backs else None)
    at_us = verified.finished_us if verified is not None else 0
    return WayBack(
        trip=trip.seq,
        condition=trip.condition,
        tripped_us=trip.at_us,
        rollback=back.seq if back is not None else 0,
        verified_us=at_us,
        seconds=max(0, at_us - trip.at_us) // SECOND_US if verified is not None else None,
    )


def summary(
    view: LaunchView,
    scope: Scope,
    *,
    gates: Sequence[GateFacts],
    backs: Sequence[WayBack],
    accounts: Sequence[Account],
    consoles: Sequence[ConsoleFacts],
    holds: Sequence[Hold],
    held_s: int,
    bakes: Sequence[BakeFacts],
) -> tuple[SummaryLine, ...]:
    """Return the five lines: outcome, who, how long, bake, deviations."""
    return (
        SummaryLine(about="Outcome", told="; ".join((_outcome(view, gates), *map(_told_back, backs)))),
        SummaryLine(about="Who", told=_who(gates, accounts, consoles)),
        SummaryLine(about="How long", told=_how_long(scope, holds, held_s)),
        SummaryLine(about="Bake", told="; ".join(map(_told_bake, bakes)) or "none began"),
        SummaryLine(about="Deviations", told=_deviated(view)),
    )


def _outcome(view: LaunchView, gates: Sequence[GateFacts]) -> str:
    go = sum(gate.at_end is GateStatus.GO for gate in gates)
    waived = sum(item.verdict is Verdict.WAIVED for gate in gates for item in gate.items)
    said = ending(view).split(" · ")[0] if is_over(view) else f"not ended: {standing(view).value}"
    return f"{said}; {go} of {plural(len(gates), 'gate')} GO" + (f", {waived} items waived" if waived else "")


def _told_back(back: WayBack) -> str:
    tripped = f"{back.condition} tripped {clock(back.tripped_us)}"
    if back.seconds is not None:
        return f"{tripped}, rollback verified {stopwatch(back.seconds)} later"
    return f"{tripped}, {'rollback NOT verified' if back.rollback else 'no rollback'}"


def _who(gates: Sequence[GateFacts], accounts: Sequence[Account], consoles: Sequence[ConsoleFacts]) -> str:
    drove = list(dict.fromkeys(line(one.account) for one in consoles if one.drove))
    words = [word for gate in gates for item in gate.items for word in item.words]
    signers = list(dict.fromkeys(line(word.actor) for word in words))
    others = [name for name in (line(one.account) for one in accounts) if name not in {*drove, *signers}]
    signed = sum(bool(word.key) for word in words)
    told = [f"{', '.join(drove) or 'nobody'} drove"]
    if words:
        told.append(f"{', '.join(signers)} gave {plural(len(words), 'sign-off')}, {signed} signed with a key")
    if others:
        told.append(f"also there: {', '.join(others)}")
    return "; ".join(told)


def _how_long(scope: Scope, holds: Sequence[Hold], held_s: int) -> str:
    if not scope.opened_us:
        return "no opening is written"
    same = date(scope.opened_us) == date(scope.ended_us)
    end = clock(scope.ended_us) if same else stamp(scope.ended_us)
    took = span((scope.ended_us - scope.opened_us) / SECOND_US)
    held = f", held {span(held_s)} in {plural(len(holds), 'hold')}" if holds else ", never held"
    return f"{took}, {stamp(scope.opened_us)} to {end}{held}"


def _told_bake(bake: BakeFacts) -> str:
    said = f"{stopwatch(bake.good_s)} of {stopwatch(bake.minimum_s)} healthy, {bake.state.value}"
    return said if bake.state is BakeState.DONE or not bake.why else f"{said}: {line(bake.why)}"


def _deviated(view: LaunchView) -> str:
    if not view.deviations:
        return "none"
    open_ = sum(not one.followed for one in view.deviations)
    return f"{len(view.deviations)}, {open_ or 'none'} without an owner and a follow-up"
