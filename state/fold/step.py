"""The steps of the fold: what each kind of event does to a view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from state.events.event import Body, Event
from state.view.launch import LaunchView

B = TypeVar("B", bound=Body)
Step: TypeAlias = Callable[[LaunchView, Event, B], LaunchView]

STEPS: dict[type[Body], Callable[[LaunchView, Event, Any], LaunchView]] = {}
"""By the class of the body. Complete once ``state.fold`` is loaded."""


def step(kind: type[B]) -> Callable[[Step[B]], Step[B]]:
    """Make a function the step of a kind of event."""

    def register(function: Step[B]) -> Step[B]:
        STEPS[kind] = function
        return function

    return register


def no_effect(*kinds: type[Body]) -> None:
    """Say that kinds of events leave the view as it is: the log screen shows them, and readers of the log."""
    STEPS.update(dict.fromkeys(kinds, lambda view, _event, _body: view))
