"""Whether a launch is a first one: what helm's history said of the release, and what this launch did since.

What can't be seen is unknown, and that is not "first": nothing is deferred then.
"""

from __future__ import annotations

from state.view.enums import OperationKind, OperationState, Presence, Tier
from state.view.launch import LaunchView

FIRST = frozenset({Presence.ABSENT, Presence.UNFINISHED})


def is_first(view: LaunchView, env: str = Tier.PRODUCTION) -> bool:
    """Return whether no release was ever complete in an environment, as far as helm's history was seen."""
    seen = view.releases.get(env)
    return seen is not None and seen.presence in FIRST


def began_first(view: LaunchView, env: str = Tier.PRODUCTION) -> bool:
    """Return whether this launch is, or was, the first of an environment: its deploy found nothing to return to."""
    return is_first(view, env) or any(
        o.kind == OperationKind.DEPLOY
        and o.env == env
        and o.state is OperationState.SUCCEEDED
        and o.good is None
        for o in view.operations
    )
