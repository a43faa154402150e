"""A view as JSON and back: the keyframe that a console gets when it attaches."""

from __future__ import annotations

from state.base.codec import WIRE
from state.base.json import JsonObject
from state.view.launch import LaunchView


def dump_view(view: LaunchView) -> JsonObject:
    """Return a view as a JSON object."""
    return WIRE.dump(view)


def load_view(body: object) -> LaunchView:
    """Return the view that ``dump_view`` made.

    A field that the other side doesn't send keeps its default; one that it doesn't know is left out. Raises
    FieldError where a value has another shape than the view's.
    """
    return WIRE.load(LaunchView, body)
