"""The type of a step of the fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from state.events import Event
from state.view import LaunchView

Step: TypeAlias = Callable[[LaunchView, Event], LaunchView]
Steps: TypeAlias = Mapping[str, Step]
