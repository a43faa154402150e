"""A first launch: what is there of a release, what its deploy deferred, and what has to pass since."""

from __future__ import annotations

from state.base.frozen import replace
from state.base.maps import with_item
from state.events.event import Event
from state.events.operations import OperationIntended
from state.events.world import ReleaseSeen
from state.fold.launch import deviate
from state.fold.outdated import change_checks
from state.fold.step import step
from state.view.enums import OperationKind, OperationState, Presence, Tier, Verdict
from state.view.first_launch import FIRST
from state.view.launch import CheckView, LaunchView, OperationView

FOLLOW_UP = "judged by itself after the deploy, whose gate waits until it has passed"
"""What is done about a deviation that a first deploy deferred."""


@step(ReleaseSeen)
def _seen(view: LaunchView, event: Event, body: ReleaseSeen) -> LaunchView:
    view = replace(view, releases=with_item(view.releases, body.env, body))
    if body.presence in FIRST:
        return view
    found = body.presence is Presence.PRESENT
    return _due(view, event, body.env, "a release was found" if found else "the release can't be seen")


def deferred(view: LaunchView) -> list[tuple[str, CheckView]]:
    """Return (item, check) of everything that waits for a first deploy."""
    return [
        (item.id, check)
        for gate in view.gates
        for item in gate.items
        for check in item.checks
        if check.verdict is Verdict.DEFERRED and check.counts
    ]


def note_deferred(view: LaunchView, event: Event, body: OperationIntended) -> LaunchView:
    """Return the view in which everything that a promotion goes ahead without is a deviation, each once."""
    spec = next((s for s in view.operation_specs if s.id == body.id), None)
    if body.kind != OperationKind.DEPLOY or body.env != Tier.PRODUCTION or spec is None:
        return view
    locking = {item.id for gate in view.gates if gate.number in spec.gates for item in gate.items}
    known = {one.what for one in view.deviations}
    for item, check in deferred(view):
        what = f"{item} deferred: {check.summary}"
        if item in locking and what not in known:
            view, known = deviate(view, event, what), {*known, what}
            # Nobody has to remember it: the engine judges it after the deploy, and the deploy's gate waits for that.
            last = replace(view.deviations[-1], owner=event.actor, follow_up=FOLLOW_UP)
            view = replace(view, deviations=(*view.deviations[:-1], last))
    return view


def follow_release(view: LaunchView, event: Event, ended: OperationView) -> LaunchView:
    """Return the view after an operation that may have made or taken away a release.

    A first deploy that succeeded makes everything due that was deferred; its own gate owes it until it has passed.
    """
    seen = view.releases.get(ended.env)
    if seen is None or ended.state is not OperationState.SUCCEEDED:
        return view
    if ended.kind == OperationKind.UNINSTALL:
        gone = replace(seen, presence=Presence.ABSENT, revision=0, status="")
        return replace(view, releases=with_item(view.releases, ended.env, gone))
    if ended.kind != OperationKind.DEPLOY:
        return view
    there = replace(
        seen, presence=Presence.PRESENT, namespace=True, revision=ended.revision, status="deployed"
    )
    view = replace(view, releases=with_item(view.releases, ended.env, there))
    spec = next((s for s in view.operation_specs if s.id == ended.id), None)
    owed = tuple(check.id for _, check in deferred(view) if check.env == ended.env)
    if spec is not None and ended.env == Tier.PRODUCTION and owed:
        gates = (
            replace(g, owed=tuple(dict.fromkeys((*g.owed, *owed)))) if g.number == spec.gate else g
            for g in view.gates
        )
        view = replace(view, gates=tuple(gates))
    return _due(view, event, ended.env, f"{ended.id} ran")


def _due(view: LaunchView, event: Event, env: str, words: str) -> LaunchView:
    """Return the view in which what was deferred in an environment has to be judged."""

    def due(check: CheckView) -> CheckView:
        if check.env != env or check.verdict is not Verdict.DEFERRED:
            return check
        return replace(check, since=words, since_seq=event.seq)

    return change_checks(view, due)
