"""Trips belong to releases: which are open, what a candidate did in this launch before, how production stands now.

A release is a deploy, from its intent on. Conditions are armed anew by it, so that they judge it alone and can trip
again; what tripped before stays known. A rollback is no release: what tripped stays tripped until it is acknowledged.
"""

from __future__ import annotations

from enum import StrEnum

from state.base.frozen import replace
from state.base.images import digest_of
from state.base.times import clock
from state.view.enums import ConditionState, LaunchState, OperationKind, OperationState, Tier
from state.view.launch import LaunchView, OperationView, TripView
from state.view.rollbacks import newest_deploy, newest_release
from state.view.watch import ConditionView


class Standing(StrEnum):
    """How a launch stands, in the one word of its header: what matters most comes first."""

    CLOSED = "closed"
    SCRUBBED = "scrubbed"
    TRIPPED = "tripped"
    """A condition of production is tripped, and nothing answered it yet."""
    NOT_VERIFIED = "not verified"
    """Production was to be rolled back, and it was not verified that it is."""
    ROLLED_BACK = "rolled back"
    HELD = "held"
    BREACHING = "breaching"
    RUNNING = "running"


def armed(condition: ConditionView, release: int, at_us: int) -> ConditionView:
    """Return a condition as a new release begins: nothing of an earlier one counts; a mute lasts its time."""
    return replace(
        condition,
        state=ConditionState.WARMUP,
        elapsed_s=0,
        reason="",
        since_us=condition.since_us if condition.state is ConditionState.WARMUP else at_us,
        tripped_us=0,
        acknowledged_by="",
        acknowledged_us=0,
        rolls_back_us=0,
        disarmed="",
        answered=False,
        release=release,
    )


def open_trips(view: LaunchView, env: str) -> list[TripView]:
    """Return an environment's trips of the release that was deployed last and that nobody has acknowledged."""
    newest = newest_deploy(view, env)
    release = newest.seq if newest is not None else 0
    return [t for t in view.trips if t.env == env and t.release == release and not t.acknowledged_us]


def unverified(view: LaunchView, env: str) -> OperationView | None:
    """Return the newest rollback of an environment where it ended and nobody knows what runs, or None."""
    newest = newest_release(view, env)
    if newest is None or newest.kind != OperationKind.ROLLBACK or not newest.state.ended:
        return None
    return None if newest.state is OperationState.SUCCEEDED else newest


def rolled_back_words(view: LaunchView, env: str) -> str:
    """Return that an environment's candidate was rolled back in this launch, and why; nothing where it wasn't.

    A candidate is its images' digests, whatever it is called. A rollback that finished a deploy, as one to the
    revision of that very deploy does, took nothing back.
    """
    images = images_of(view)
    for deploy in reversed(view.operations) if images else ():
        if deploy.kind != OperationKind.DEPLOY or deploy.env != env or deploy.images != images:
            continue
        back = taken_back(view, deploy)
        if back is None:
            continue
        titles = dict.fromkeys(
            f"{t.title} at {clock(t.at_us, seconds=False)}" for t in view.trips if t.release == deploy.seq
        )
        if titles:
            return f"this candidate tripped {', '.join(titles)} and was rolled back"
        return f"this candidate was rolled back at {clock(back.intended_us, seconds=False)}"
    return ""


def images_of(view: LaunchView) -> tuple[tuple[str, str], ...]:
    """Return (container, digest) of the candidate; an image that no digest names stands as it is written."""
    return tuple((name, digest_of(reference) or reference) for name, reference in view.candidate.images)


def taken_back(view: LaunchView, deploy: OperationView) -> OperationView | None:
    """Return the rollback that followed a deploy, before any other one of the environment; None where none did."""
    for later in view.operations:
        if later.seq <= deploy.seq or later.env != deploy.env:
            continue
        if later.kind == OperationKind.DEPLOY:
            return None
        if later.kind == OperationKind.ROLLBACK and later.started_us:
            itself = later.good is not None and later.good.number == deploy.revision
            return None if itself else later
    return None


def standing(view: LaunchView) -> Standing:
    """Return how the launch stands, by what its newest events say of production."""
    env = Tier.PRODUCTION
    if view.state is LaunchState.CLOSED:
        return Standing.CLOSED
    if view.state is LaunchState.SCRUBBED:
        return Standing.SCRUBBED
    newest = newest_release(view, env)
    back = newest is not None and newest.kind == OperationKind.ROLLBACK
    if back and newest is not None and newest.state is OperationState.SUCCEEDED:
        since = newest.finished_us
        again = any(c.tripped_us > since for c in _tripped(view, env))
        return Standing.TRIPPED if again else Standing.ROLLED_BACK
    if _tripped(view, env):
        return Standing.TRIPPED
    if unverified(view, env) is not None:
        return Standing.NOT_VERIFIED
    if view.state is LaunchState.HELD:
        return Standing.HELD
    return Standing.BREACHING if breaching(view) else Standing.RUNNING


def breaching(view: LaunchView) -> list[ConditionView]:
    """Return the conditions that will trip unless their breach ends."""
    return [c for c in view.conditions if c.state is ConditionState.BREACHING and c.active and not c.shadow]


def _tripped(view: LaunchView, env: str) -> list[ConditionView]:
    return [c for c in view.conditions if c.env == env and c.state is ConditionState.TRIPPED]
