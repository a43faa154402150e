"""What comes next, at every moment of a launch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from state.commands import BY_NAME
from state.events.event import Event
from state.fold import fold
from state.view.enums import LaunchState
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
