"""Why a command would come to nothing now, in a few words: told beside it before anybody asks for it.

The engine decides, and may refuse for more than is known here; nothing is kept from anybody by this.
"""

from __future__ import annotations

from state.view.authority import needs_driving, roles_lacking
from state.view.closing import obstacles
from state.view.enums import ConditionState, LaunchState, Role
from state.view.launch import LaunchView
from state.view.locks import locks
from state.view.people import roles_of
from state.view.requests import open_requests


def why_locked(view: LaunchView, command: str, now_us: int, console: str, account: str) -> str:
    """Return why a command can't be given by a console and its account now, or nothing."""
    return _nothing_to_do(view, command, now_us) or _not_yours(view, command, console, account)


def why_operation_locked(view: LaunchView, operation: str, now_us: int) -> str:
    """Return what keeps an operation locked, or nothing."""
    spec = next((one for one in view.operation_specs if one.id == operation), None)
    closed = locks(view, spec, now_us) if spec is not None else []
    more = f" and {len(closed) - 1} more" if len(closed) > 1 else ""
    return f"{closed[0].words}{more}" if closed else ""


def _nothing_to_do(view: LaunchView, command: str, now_us: int) -> str:
    tripped = any(one.state is ConditionState.TRIPPED for one in view.conditions)
    facts: dict[str, tuple[bool, str]] = {
        "operation.abort": (view.running() is not None, "no operation runs"),
        "operation.recover": (view.offering() is not None, "nothing to recover"),
        "condition.acknowledge": (tripped, "no stop condition is tripped"),
        "launch.release": (view.hold is not None, "no hold"),
        "launch.hold": (view.hold is None, "it is held already"),
        "bake.extend": (view.bake is not None, "no bake runs"),
        "bake.finish": (view.bake is not None, "no bake runs"),
        "request.grant": (bool(open_requests(view.requests, now_us)), "nobody requests anything"),
        "request.refuse": (bool(open_requests(view.requests, now_us)), "nobody requests anything"),
        "request.withdraw": (bool(open_requests(view.requests, now_us)), "nobody requests anything"),
        "deviation.follow_up": (bool(view.deviations), "no deviation"),
    }
    possible, why = facts.get(command, (True, ""))
    if command == "launch.close" and view.state is LaunchState.RUNNING:
        return next(obstacles(view, now_us), "")
    return "" if possible else why


def _not_yours(view: LaunchView, command: str, console: str, account: str) -> str:
    if view.people and roles_lacking(view, command, account):
        return f"you are {', '.join(sorted(roles_of(view, account))) or Role.OBSERVER}"
    if not needs_driving(command):
        return ""
    driver = next((one for one in view.consoles if one.drives), None)
    if driver is None:
        return "no driver (t: take over)"
    return "" if driver.id == console else f"{driver.account} is driving (t: take over)"
