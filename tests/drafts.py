"""Drafts of bodies as the log holds them, also of such as this version wouldn't write."""

from __future__ import annotations

from state.base.codec import LOG, Notes
from state.base.json import JsonObject
from state.events.bodies import BODIES
from state.events.event import Body, Draft, Unlisted


def draft(
    kind: str, fields: JsonObject, gate: str | None = None, ref: int | None = None, actor: str = "engine"
) -> Draft:
    """Return a draft whose body is written exactly as it is given."""
    return Draft(body(kind, fields), gate, ref, actor)


def body(kind: str, fields: JsonObject) -> Body:
    """Return a body of its class where this version writes just these fields, and as it stands otherwise."""
    if kind in BODIES:
        made = LOG.load(BODIES[kind], fields, Notes())
        if LOG.dump(made) == fields:
            return made
    return Unlisted(str(kind), fields)
