"""Whether an account may give a command at all: role, state of the launch, who drives."""

from __future__ import annotations

from console.engine.ports import ENGINE, Who
from state.view.authority import needs_driving, roles_lacking
from state.view.enums import ENDED
from state.view.launch import LaunchView
from state.view.people import roles_of

_AFTER_THE_END = frozenset({"note.add", "engine.stop", "console.take_over"})


def refusal(view: LaunchView, name: str, who: Who) -> str:
    """Return why ``who`` may not give the command ``name`` now, in one line, or nothing."""
    if view.state in ENDED and name not in _AFTER_THE_END:
        return f"the launch is {view.state}: nothing can be changed any more"
    if who == ENGINE:
        return ""
    return _role_refusal(view, name, who) or _driving_refusal(view, name, who)


def _role_refusal(view: LaunchView, name: str, who: Who) -> str:
    lacking = roles_lacking(view, name, who.account)
    if not lacking:
        return ""
    own = ", ".join(sorted(roles_of(view, who.account))) or "nobody in the runbook"
    return f"you are {who.account} ({own}); this needs {' or '.join(sorted(lacking))}"


def _driving_refusal(view: LaunchView, name: str, who: Who) -> str:
    if not needs_driving(name):
        return ""
    driver = next((c for c in view.consoles if c.drives), None)
    if driver is None:
        return "no console drives this launch: take over first (t)"
    if driver.id == who.console:
        return ""
    return f"{driver.account} drives from console {driver.id}: take over first (t)"
