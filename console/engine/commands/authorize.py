"""Whether an account may give a command at all: role, state of the launch, who drives."""

from __future__ import annotations

from console.engine.ports import ENGINE, Who
from state.view.enums import ENDED
from state.view.launch import LaunchView
from state.view.people import ACTING, ATTESTING, GRANTING, may_attest, roles_of

_AFTER_THE_END = frozenset({"note.add", "engine.stop", "console.take_over"})
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


def refusal(view: LaunchView, name: str, who: Who) -> str:
    """Return why ``who`` may not give the command ``name`` now, in one line, or nothing."""
    if view.state in ENDED and name not in _AFTER_THE_END:
        return f"the launch is {view.state}: nothing can be changed any more"
    if who == ENGINE:
        return ""
    return _role_refusal(view, name, who) or _driving_refusal(view, name, who)


def _role_refusal(view: LaunchView, name: str, who: Who) -> str:
    if name in _NO_ROLE_NEEDED:
        return ""
    allowed = ATTESTING if name in _ATTESTING else GRANTING if name in _ANSWERING else ACTING
    roles = roles_of(view, who.account)
    if roles & allowed or (name in _ATTESTING and may_attest(roles)):
        return ""
    own = ", ".join(sorted(roles)) or "nobody in the runbook"
    return f"you are {who.account} ({own}); this needs {' or '.join(sorted(allowed))}"


def _driving_refusal(view: LaunchView, name: str, who: Who) -> str:
    if name in _FROM_EVERY_CONSOLE:
        return ""
    driver = next((c for c in view.consoles if c.drives), None)
    if driver is None:
        return "no console drives this launch: take over first (t)"
    if driver.id == who.console:
        return ""
    return f"{driver.account} drives from console {driver.id}: take over first (t)"
