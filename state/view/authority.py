"""Who may give a command: by role, and from which console. The engine refuses by it, a console foretells by it."""

from __future__ import annotations

from state.view.launch import LaunchView
from state.view.people import ACTING, ATTESTING, GRANTING, may_attest, roles_of

_NO_ROLE_NEEDED = frozenset({"note.add", "pod.describe"})
"""Whoever may attach may write a note, and look at what runs: neither changes anything."""
_ATTESTING = frozenset({"attest.sign", "attest.withdraw", "deviation.follow_up", "poll.answer"})
_ANSWERING = frozenset({"request.grant", "request.refuse"})
_FROM_EVERY_CONSOLE = frozenset(
    {
        *("note.add", "pod.describe", "attest.sign", "attest.withdraw", "deviation.follow_up"),
        *("operation.abort", "launch.hold", "console.take_over"),
        *("request.grant", "request.refuse", "request.withdraw", "poll.answer"),
    }
)
"""An abort and a hold can't wait for a take-over; an attestation and a grant are a person's own word."""


def roles_lacking(view: LaunchView, command: str, account: str) -> frozenset[str]:
    """Return the roles that give a command, where an account has none of them; else nothing."""
    if command in _NO_ROLE_NEEDED:
        return frozenset()
    allowed = ATTESTING if command in _ATTESTING else GRANTING if command in _ANSWERING else ACTING
    roles = roles_of(view, account)
    may = roles & allowed or (command in _ATTESTING and may_attest(roles))
    return frozenset() if may else frozenset(allowed)


def needs_driving(command: str) -> bool:
    """Return whether a command is given from the console that drives alone."""
    return command not in _FROM_EVERY_CONSOLE
