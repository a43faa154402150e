"""The bodies of every kind of event, and how they are read: a word or a field that is strange ends nothing.

A log may be of another version. A word that a closed set of this version lacks is read as its ``UNKNOWN``; a field
that is missing or of another type has its default; fields and kinds that aren't known are passed over. All of it
is noted, so that a reader can say so.
"""

from __future__ import annotations

from typing import TypeVar

from state.base.codec import LOG, Notes
from state.events import bake, declared, gates, launch, log, operations, polls, requests, world
from state.events.event import BODIES, REDACTED_BODY, Body, Event, Unlisted

__all__ = ["BODIES", "body_as", "body_of", "decode"]
_SUBJECTS = (bake, declared, gates, launch, log, operations, polls, requests, world)
"""Loading them fills ``BODIES``."""

B = TypeVar("B", bound=Body)


def decode(event: Event) -> tuple[Body, Notes]:
    """Return an event's body, and what of it this version doesn't know."""
    notes = Notes()
    kind = BODIES.get(event.kind)
    if kind is None:
        return Unlisted(event.kind, event.body), notes
    body = LOG.load(kind, event.body, notes)
    if event.body == REDACTED_BODY:
        notes.fields.clear()
    return body, notes


def body_of(event: Event) -> Body:
    """Return an event's body."""
    return decode(event)[0]


def body_as(kind: type[B], event: Event) -> B:
    """Return the body of an event whose kind is known already."""
    return LOG.load(kind, event.body, Notes())
