"""What comes next, at every moment of a launch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from state.commands import BY_NAME
from state.events.event import Event
from state.events.operations import OperationFinished
from state.fold import fold
from state.view.enums import LaunchState, Verdict
from state.view.gates import CheckView
from state.view.launch import LaunchView
from state.view.next_step import NextStep, next_step
from tests.screens import story

MOMENTS = ("opened", "ready", "piped", "deploying", "baking", "tripped", "rolled_back", "hostile")


def following(view: LaunchView, now_us: int = 0) -> NextStep:
    step = next_step(view, now_us or view.wall_us, "ann")
    assert step is not None
    return step


@pytest.mark.parametrize(
    ("moment", "words", "command"),
    [
        ("opened", "1.1 attest: Launch date and window", "attest.sign"),
        ("ready", "Promote the candidate to production", "operation.run"),
        ("deploying", "production.deploy is running", ""),
        ("baking", "bake: 13:00 of 30:00 healthy", ""),
        ("tripped", "HTTP 5xx share tripped: Roll production back", "operation.run"),
        ("rolled_back", "acknowledge the trip of HTTP 5xx share", "condition.acknowledge"),
    ],
)
def test_each_moment_has_its_next_step(moment: str, words: str, command: str) -> None:
    told = getattr(story, moment)()
    step = following(told.view(), told.now_us)
    assert step.words.startswith(words)
    assert step.command == command


@pytest.mark.parametrize("moment", MOMENTS)
def test_from_the_first_gate_on_there_always_is_one_and_it_can_be_taken(moment: str) -> None:
    events: list[Event] = getattr(story, moment)().events
    for n in range(1, len(events) + 1):
        view = fold(events[:n])
        step = next_step(view, view.wall_us, "ann")
        assert (step is not None) == bool(view.gates)
        if step is None or not step.command:
            continue
        spec = BY_NAME[step.command]
        assert {name for name, _ in step.args} <= {p.name for p in spec.parameters}
        assert not step.waits


def test_a_launch_that_is_over_has_none() -> None:
    view = story.baking().view()
    for state in (LaunchState.CLOSED, LaunchState.SCRUBBED):
        assert next_step(replace(view, state=state), view.wall_us, "ann") is None


def test_a_hold_is_released_before_anything_goes_on() -> None:
    view = replace(story.opened().view(), state=LaunchState.HELD)
    assert following(view).command == "launch.release"


def with_checks(view: LaunchView, item: str, *checks: CheckView) -> LaunchView:
    """Return the view in which an item has these checks."""
    gates = tuple(
        replace(g, items=tuple(replace(i, checks=checks) if i.id == item else i for i in g.items))
        for g in view.gates
    )
    return replace(view, gates=gates)


def check(name: str, **facts: object) -> CheckView:
    """Return a check of the environment, as it is before it runs but for some facts."""
    made = CheckView(id=name, kind="scope.window", env="production", ttl_s=3600, writes=False)
    return replace(made, **facts)  # type: ignore[arg-type]  # facts of any field


PASSED = {"verdict": Verdict.PASS, "finished_us": story.START_US}
RAN = {"since": "staging.deploy ran", "since_seq": 9}


@pytest.mark.parametrize(
    ("checks", "words", "command"),
    [
        # the first item's checks, what is named next, the command that takes it
        ((check("1.1/0"),), "run 1 check of gate 1", "gate.run"),
        ((check("1.1/0", verdict=Verdict.RUNNING), check("1.1/1")), "1.2 attest", "attest.sign"),
        ((check("1.1/0", **PASSED, **RAN),), "1.2 attest", "attest.sign"),
        ((check("1.1/0", **RAN),), "1.2 attest", "attest.sign"),
        ((check("1.1/0", verdict=Verdict.UNKNOWN, **RAN),), "1.1 run its checks again: staging", "check.run"),
        (
            (check("1.1/0", verdict=Verdict.FAIL, summary="no window", finished_us=story.START_US),),
            "1.1 fix it, then run its checks again: no window",
            "check.run",
        ),
        (
            (check("1.1/0", verdict=Verdict.UNKNOWN, summary="no answer"),),
            "1.1 run its checks again: no answer",
            "check.run",
        ),
        ((check("1.1/0", **PASSED),), "1.1 attest", "attest.sign"),
    ],
)
def test_what_is_under_way_is_not_asked_for(checks: tuple[CheckView, ...], words: str, command: str) -> None:
    step = following(with_checks(story.opened().view(), "1.1", *checks), story.START_US)
    assert step.words.startswith(words)
    assert step.command == command


def test_the_migrations_of_staging_follow_its_deploy_whatever_is_judged_already() -> None:
    told = story.opened()
    seq = told.intend("staging.deploy", "deploy", "staging")
    told.tell(
        OperationFinished.KIND,
        {"id": "staging.deploy", "state": "succeeded", "verdict": "", "revision": 2, "offers": []},
        ref=seq,
        gate=8,
    )
    step = following(told.view(), told.now_us)
    assert step.words == "Run the migrations in staging"
    assert step.args == (("operation", "staging.migrate"),)
