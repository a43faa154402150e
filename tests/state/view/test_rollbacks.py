"""Was it rolled back since: every kind of rollback, before, over and after a trip, in either environment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from state.view.enums import ConditionState, OperationKind, OperationState, Tier
from state.view.launch import LaunchView, OperationSpecView, OperationView
from state.view.rollbacks import (
    brought_back,
    failed_by_itself,
    is_rolled_back,
    is_way_back,
    newest_release,
    rollback_of,
    rollbacks_since,
    unanswered,
    was_back_before,
    way_back,
)
from state.view.watch import ConditionView

TRIP_US = 100
PRODUCTION, STAGING = Tier.PRODUCTION, Tier.STAGING
DEPLOY, MIGRATE, ROLLBACK = OperationKind.DEPLOY, OperationKind.MIGRATE, OperationKind.ROLLBACK
SUCCEEDED, FAILED, RUNNING = OperationState.SUCCEEDED, OperationState.FAILED, OperationState.RUNNING
ABORTED, UNKNOWN, INTENDED = OperationState.ABORTED, OperationState.UNKNOWN, OperationState.INTENDED


def ran(
    kind: OperationKind,
    state: OperationState,
    begun: int,
    ended: int = 0,
    env: Tier = PRODUCTION,
    actor: str = "ann",
) -> OperationView:
    return OperationView(
        begun, f"{env}.{kind}", kind, env, "t", actor, state, (), "", "", begun, 600, finished_us=ended
    )


def back(state: OperationState, begun: int, ended: int = 0, env: Tier = PRODUCTION) -> OperationView:
    return ran(ROLLBACK, state, begun, ended, env)


def own(state: OperationState, begun: int, ended: int = 0) -> OperationView:
    return ran(ROLLBACK, state, begun, ended, actor="engine")


RELEASED = ran(DEPLOY, SUCCEEDED, 10, 20)

CASES = [
    # what ran, brought back, is rolled back, was back before, the engine's own failed
    ("nothing", (), False, False, False, False),
    ("only the release", (RELEASED,), False, False, False, False),
    ("after the trip, verified", (RELEASED, back(SUCCEEDED, 110, 120)), True, True, False, False),
    ("begun with the trip", (RELEASED, back(SUCCEEDED, 100, 120)), True, True, False, False),
    ("over the trip, verified", (RELEASED, back(SUCCEEDED, 90, 120)), True, True, False, False),
    ("over the trip, under way", (RELEASED, back(RUNNING, 90)), False, False, False, False),
    ("over the trip, failed", (RELEASED, back(FAILED, 90, 120)), False, False, False, False),
    ("before the trip, verified", (RELEASED, back(SUCCEEDED, 30, 40)), False, False, True, False),
    ("before the trip, failed", (RELEASED, back(FAILED, 30, 40)), False, False, False, False),
    (
        "before the trip, then released again",
        (RELEASED, back(SUCCEEDED, 30, 40), ran(DEPLOY, SUCCEEDED, 50, 60)),
        False, False, False, False,
    ),
    ("staging's, verified", (RELEASED, back(SUCCEEDED, 110, 120, STAGING)), False, False, False, False),
    ("staging's, before", (RELEASED, back(SUCCEEDED, 30, 40, STAGING)), False, False, False, False),
    ("a person's, failed", (RELEASED, back(FAILED, 110, 120)), False, False, False, False),
    ("a person's, aborted", (RELEASED, back(ABORTED, 110, 120)), False, False, False, False),
    ("a person's, of unknown end", (RELEASED, back(UNKNOWN, 110, 120)), False, False, False, False),
    ("a person's, intended", (RELEASED, back(INTENDED, 110)), False, False, False, False),
    ("the engine's, under way", (RELEASED, own(RUNNING, 110)), False, False, False, False),
    ("the engine's, verified", (RELEASED, own(SUCCEEDED, 110, 120)), True, True, False, False),
    ("the engine's, failed", (RELEASED, own(FAILED, 110, 120)), False, False, False, True),
    ("the engine's, aborted", (RELEASED, own(ABORTED, 110, 120)), False, False, False, True),
    ("the engine's, of unknown end", (RELEASED, own(UNKNOWN, 110, 120)), False, False, False, True),
    ("the engine's, over another trip", (RELEASED, own(FAILED, 90, 120)), False, False, False, True),
    ("the engine's, of an earlier trip", (RELEASED, own(FAILED, 30, 40)), False, False, False, False),
    (
        "the engine's failed, then a person's verified",
        (RELEASED, own(FAILED, 110, 120), back(SUCCEEDED, 130, 140)),
        True, True, False, True,
    ),
    (
        "verified, then another one failed",
        (RELEASED, back(SUCCEEDED, 110, 120), back(FAILED, 130, 140)),
        True, False, False, False,
    ),
    (
        "verified, then released again",
        (RELEASED, back(SUCCEEDED, 110, 120), ran(DEPLOY, RUNNING, 130)),
        True, False, False, False,
    ),
    (
        "verified, then a migration",
        (RELEASED, back(SUCCEEDED, 110, 120), ran(MIGRATE, SUCCEEDED, 130, 140)),
        True, True, False, False,
    ),
    (
        "verified, then staging was released",
        (RELEASED, back(SUCCEEDED, 110, 120), ran(DEPLOY, SUCCEEDED, 130, 140, STAGING)),
        True, True, False, False,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("operations", "brought", "rolled_back", "before", "failed"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_since_a_trip(
    operations: tuple[OperationView, ...], brought: bool, rolled_back: bool, before: bool, failed: bool
) -> None:
    view = LaunchView(operations=operations)
    found = (
        brought_back(view, PRODUCTION, TRIP_US) is not None,
        is_rolled_back(view, PRODUCTION, TRIP_US),
        was_back_before(view, PRODUCTION, TRIP_US),
        failed_by_itself(view, PRODUCTION, TRIP_US) is not None,
    )
    assert found == (brought, rolled_back, before, failed)
    tripped = ConditionView("c", "t", "production", "ratio", 0.1, 60, "rollback", "q")
    tripped = replace(tripped, state=ConditionState.TRIPPED, tripped_us=TRIP_US)
    assert (unanswered(view, [tripped]) == []) is rolled_back
    assert unanswered(view, [replace(tripped, state=ConditionState.OK)]) == []


def test_a_rollback_of_staging_answers_a_trip_of_staging() -> None:
    view = LaunchView(operations=(back(SUCCEEDED, 110, 120, STAGING),))
    assert is_rolled_back(view, STAGING, TRIP_US)
    assert not is_rolled_back(view, PRODUCTION, TRIP_US)


def test_what_had_not_ended_at_the_moment_is_listed_the_newest_first() -> None:
    first, second = back(FAILED, 90, 100), back(RUNNING, 110)
    view = LaunchView(operations=(back(FAILED, 30, 40), first, second))
    assert rollbacks_since(view, PRODUCTION, TRIP_US) == [second, first]


def test_the_newest_release_is_a_deploy_or_a_rollback_of_its_environment() -> None:
    others = (ran(MIGRATE, SUCCEEDED, 30, 40), back(SUCCEEDED, 50, 60, STAGING))
    assert newest_release(LaunchView(operations=(RELEASED, *others))) is RELEASED
    assert newest_release(LaunchView(operations=others)) is None
    assert newest_release(LaunchView(operations=(RELEASED, *others)), STAGING) is others[1]


def spec(name: str, kind: OperationKind, env: Tier) -> OperationSpecView:
    return OperationSpecView(name, kind, env, "t", 9, (), ())


@pytest.mark.parametrize("turned", [False, True])
def test_the_rollback_of_an_environment_is_found_wherever_it_stands(turned: bool) -> None:
    specs = (
        spec("back", ROLLBACK, PRODUCTION),
        spec("staging.rollback", ROLLBACK, STAGING),
        spec("production.deploy", DEPLOY, PRODUCTION),
    )
    view = LaunchView(operation_specs=specs[::-1] if turned else specs)
    found = rollback_of(view), rollback_of(view, STAGING)
    assert [one.id for one in found if one is not None] == ["back", "staging.rollback"]
    assert rollback_of(LaunchView(operation_specs=specs[1:])) is None


@pytest.mark.parametrize(
    ("operation", "back"),
    [
        ("back", True),
        ("staging.rollback", True),
        ("production.rollback", True),  # the engine's own, where the runbook has none of that name
        ("production.deploy", False),
        ("named.rollback", False),  # the runbook says what it is
        ("", False),
    ],
)
def test_the_way_back_is_known_by_what_the_runbook_says_of_it(operation: str, back: bool) -> None:
    specs = (
        spec("back", ROLLBACK, PRODUCTION),
        spec("named.rollback", MIGRATE, PRODUCTION),
        spec("production.deploy", DEPLOY, PRODUCTION),
    )
    view = LaunchView(operation_specs=specs)
    assert is_way_back(view, operation) is back
    assert (way_back(view, PRODUCTION), way_back(view, STAGING)) == ("back", "staging.rollback")
