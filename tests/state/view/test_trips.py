"""Trips belong to releases: which are open, what was rolled back, and how a launch stands in one word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from state.base.json import Json, JsonObject, obj
from state.base.times import clock
from state.events.bake import ConditionAcknowledged, ConditionAnswered, ConditionChanged
from state.events.launch import LaunchHeld, LaunchReleased, LaunchScrubbed
from state.fold import fold
from state.view.enums import ConditionState
from state.view.launch import LaunchView
from state.view.trips import Standing, breaching, open_trips, rolled_back_words, standing, unverified
from tests.screens import story
from tests.screens.story import Story

PRODUCTION = "production"


def released(told: Story, end: str = "succeeded", to: str = "v1.4.0") -> int:
    """Let a deploy of production run to an end; return its intent."""
    seq = told.intend("production.deploy", "deploy", PRODUCTION, to=to)
    told.finish(seq, "production.deploy", end, "as told")
    told.wait(60)
    return seq


def trip(told: Story, name: str = "error-rate", release: int = 0) -> None:
    told.wait(300)
    body: JsonObject = {
        "id": name, "state": "TRIPPED", "value": "0.08", "elapsed_s": 300, "reason": "", "active": True,
        "since_us": told.now_us, "at_us": told.now_us, **({"release": release} if release else {}),
    }  # fmt: skip
    told.tell(ConditionChanged.KIND, body)


def back(told: Story, end: str = "succeeded", number: int = 7) -> int:
    told.wait(60)
    seq = told.intend("production.rollback", "rollback", PRODUCTION, to=f"revision {number} (recorded good)")
    told.finish(seq, "production.rollback", end, "as told")
    return seq


def acknowledge(told: Story, name: str = "error-rate") -> None:
    told.wait(10)
    told.tell(ConditionAcknowledged.KIND, {"id": name, "comment": ""}, actor="ann")


def other_images(view: LaunchView) -> JsonObject:
    """Return a launch with other images, as a candidate that was changed is recorded."""
    images: list[Json] = [[name, f"r/{name}@sha256:{'e' * 64}"] for name, _ in view.candidate.images]
    return {"launch_id": "launch-1", "candidate": {"version": "v1.4.1", "images": images}}


def test_a_deploy_arms_its_conditions_anew_and_they_trip_again() -> None:
    told = story.ready()
    first = released(told)
    trip(told)
    assert [(t.condition, t.release) for t in open_trips(told.view(), PRODUCTION)] == [("error-rate", first)]
    second = released(told)
    view = told.view()
    armed = view.condition("error-rate")
    assert armed is not None
    assert (armed.state, armed.tripped_us, armed.release) == (ConditionState.WARMUP, 0, second)
    assert open_trips(view, PRODUCTION) == []
    trip(told, release=second)
    view = told.view()
    assert [(t.release, bool(t.acknowledged_us)) for t in view.trips] == [(first, False), (second, False)]
    assert [t.release for t in open_trips(view, PRODUCTION)] == [second]
    assert [mark.label for mark in view.marks].count("error-rate TRIPPED") == 2
    acknowledge(told)
    assert open_trips(told.view(), PRODUCTION) == []


def test_a_rollback_and_another_environments_deploy_arm_nothing() -> None:
    told = story.ready()
    released(told)
    trip(told)
    back(told)
    seq = told.intend("staging.deploy", "deploy", "staging")
    told.finish(seq, "staging.deploy", "succeeded", "as told")
    assert told.view().condition("error-rate").state is ConditionState.TRIPPED  # type: ignore[union-attr]  # there
    assert len(open_trips(told.view(), PRODUCTION)) == 1


def test_what_was_judged_of_an_earlier_release_and_written_later_is_nothing() -> None:
    told = story.ready()
    first = released(told)
    second = told.intend("production.deploy", "deploy", PRODUCTION)
    before = told.view()
    trip(told, release=first)
    told.tell(ConditionAcknowledged.KIND, {"id": "error-rate", "comment": "", "release": first}, actor="ann")
    told.tell(ConditionAnswered.KIND, {"id": "error-rate", "release": first, "how": "held"})
    view = told.view()
    assert view.conditions == before.conditions
    assert (view.trips, view.marks) == (before.trips, before.marks)
    trip(told, release=second)
    assert [t.release for t in told.view().trips] == [second]


def test_a_runbook_that_is_changed_takes_no_trip_back() -> None:
    told = story.ready()
    released(told)
    trip(told)
    declared = next(e for e in told.events if e.kind == "condition.declared" and e.body["id"] == "error-rate")
    told.tell("condition.declared", {**declared.body, "threshold": "0.5"})
    view = told.view()
    condition = view.condition("error-rate")
    assert condition is not None
    assert (condition.state, condition.threshold) == (ConditionState.TRIPPED, 0.5)
    told.tell("runbook.changed", {"digest": "x", "before": "y", "diff": [], "gone": ["condition error-rate"]})
    assert told.view().condition("error-rate") is None
    assert len(open_trips(told.view(), PRODUCTION)) == 1


@pytest.mark.parametrize("end", ["succeeded", "failed", "aborted", "unknown"])
def test_only_a_rollback_that_succeeded_is_verified(end: str) -> None:
    told = story.ready()
    released(told)
    assert unverified(told.view(), PRODUCTION) is None
    seq = back(told, end)
    found = unverified(told.view(), PRODUCTION)
    assert (found is None) is (end == "succeeded")
    assert found is None or found.seq == seq
    back(told)
    assert unverified(told.view(), PRODUCTION) is None


def test_a_candidate_that_was_rolled_back_is_named_with_what_it_did() -> None:
    told = story.ready()
    released(told)
    assert rolled_back_words(told.view(), PRODUCTION) == ""
    trip(told)
    trip(told, "latency-p95")
    assert rolled_back_words(told.view(), PRODUCTION) == ""
    back(told)
    view = told.view()
    titles = [f"{t.title} at {clock(t.at_us, seconds=False)}" for t in view.trips]
    assert (
        rolled_back_words(view, PRODUCTION)
        == f"this candidate tripped {', '.join(titles)} and was rolled back"
    )
    acknowledge(told)
    released(told)
    assert "and was rolled back" in rolled_back_words(told.view(), PRODUCTION)


def test_other_images_are_another_candidate_whatever_they_are_called() -> None:
    told = story.ready()
    released(told)
    trip(told)
    back(told)
    same = told.view()
    told.tell(
        "launch.opened",
        {
            "launch_id": "launch-1",
            "candidate": {
                "version": "v1.4.0-again",
                "images": [
                    [n, "other.example/x:tag@" + r.partition("@")[2]] for n, r in same.candidate.images
                ],
            },
        },
    )
    assert "was rolled back" in rolled_back_words(told.view(), PRODUCTION)
    told.tell("launch.opened", other_images(same))
    assert rolled_back_words(told.view(), PRODUCTION) == ""
    released(told, to="v1.4.1")
    assert rolled_back_words(told.view(), PRODUCTION) == ""


def test_a_rollback_without_a_trip_is_told_by_its_time_and_one_to_itself_is_none() -> None:
    told = story.ready()
    seq = released(told)
    assert told.view().operation(seq).revision == 8  # type: ignore[union-attr]  # it is there
    back(told)
    assert rolled_back_words(told.view(), PRODUCTION).startswith("this candidate was rolled back at 20:")
    itself = story.ready()
    released(itself, "failed")
    event = itself.intend("production.rollback", "rollback", PRODUCTION)
    given = next(e for e in itself.events if e.seq == event)
    good: JsonObject = {**obj(given.body["good"]), "number": 8}
    itself.events[event - 1] = replace(given, body={**given.body, "good": good})
    itself.finish(event, "production.rollback", "succeeded", "as told")
    assert rolled_back_words(itself.view(), PRODUCTION) == ""


def test_a_launch_stands_as_its_newest_events_say() -> None:
    told = story.ready()
    stands = [standing(told.view())]

    def note() -> None:
        stands.append(standing(told.view()))

    released(told)
    told.condition("error-rate", "BREACHING", value="0.08", elapsed=100)
    note()
    assert [c.id for c in breaching(told.view())] == ["error-rate"]
    trip(told)
    note()
    told.tell(LaunchHeld.KIND, {"reason": "it tripped"})
    note()
    back(told, "failed")
    note()
    acknowledge(told)
    note()
    back(told)
    note()
    told.tell(LaunchReleased.KIND, {"reason": "go on"}, actor="ann")
    note()
    trip(told)
    note()
    released(told)
    note()
    told.tell(LaunchHeld.KIND, {"reason": "lunch"}, actor="ann")
    note()
    told.tell(LaunchScrubbed.KIND, {"reason": "enough"}, actor="ann")
    note()
    assert stands == [
        *(Standing.RUNNING, Standing.BREACHING, Standing.TRIPPED, Standing.TRIPPED, Standing.TRIPPED),
        *(Standing.NOT_VERIFIED, Standing.ROLLED_BACK, Standing.ROLLED_BACK, Standing.TRIPPED),
        *(Standing.RUNNING, Standing.HELD, Standing.SCRUBBED),
    ]


def test_the_fold_in_two_parts_is_the_fold_in_one() -> None:
    told = story.ready()
    released(told)
    trip(told)
    back(told)
    acknowledge(told)
    released(told)
    trip(told)
    for cut in range(len(told.events) - 40, len(told.events)):
        assert fold(told.events[cut:], fold(told.events[:cut])) == told.view()
