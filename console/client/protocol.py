"""The words that a console and an engine exchange: JSON lines with a version.

A console says ``hello`` and gets ``welcome``, one ``keyframe`` (a whole view) and from then on every
committed ``event``, and a ``beat`` twice a second. It asks ``preview``, ``command``, ``events`` (a page of
the log) and gets a ``reply`` that carries the ``id`` of its request. A frame is at most 8 MiB.
"""

from __future__ import annotations

import json

from state.base.codec import WIRE
from state.base.json import FieldError, Json, JsonObject
from state.events.event import Event

VERSION = 1
# A keyframe is a whole view in one line; asyncio's default limit is 64 KiB.
FRAME_LIMIT = 8 * 1024 * 1024
BEAT_S = 0.5
"""Seconds of real time between two beats; a console calls an engine dead after 2 s without one."""


class WireError(ValueError):
    """A frame that is not ours, or of another version."""


def encode(frame: JsonObject) -> bytes:
    """Return a frame as one line."""
    return json.dumps({"v": VERSION, **frame}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> JsonObject:
    """Return a frame from one line.

    Raises WireError where it is no JSON object or of another version.
    """
    try:
        frame = json.loads(line)
    except (ValueError, RecursionError) as error:  # the latter: nested too deep to be one of ours
        raise WireError("a frame that is not JSON") from error
    if not isinstance(frame, dict):
        raise WireError("a frame that is not an object")
    if frame.get("v") != VERSION:
        raise WireError(
            f"the other side speaks version {frame.get('v')!r}, this one {VERSION}: use one release"
        )
    return frame


def load_event(value: Json) -> Event:
    """Return the event of a frame.

    Raises WireError where a field is missing.
    """
    try:
        return WIRE.load(Event, value)
    except FieldError as error:
        raise WireError(f"an event frame: {error}") from error
