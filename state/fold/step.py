"""The type of a step of the fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from state.events.event import Event
from state.view.launch import LaunchView

Step: TypeAlias = Callable[[LaunchView, Event], LaunchView]
Steps: TypeAlias = Mapping[str, Step]
