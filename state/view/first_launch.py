"""Whether a launch is a first one: what helm's history said of the release, and what this launch did since.

What can't be seen is unknown, and that is not "first": nothing is deferred then.
"""

from __future__ import annotations

from state.view.enums import OperationKind, OperationState, Presence, Tier
from state.view.launch import LaunchView, OperationSpecView, OperationView
from state.view.rollbacks import way_back

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


_SUFFIX = ".uninstall"
_PENDING = "pending"
"""How helm's words begin for a revision whose operation never ended; a rollback to itself ends it."""


def uninstall_of(env: str) -> str:
    """Return the id of the operation that takes a first install away."""
    return f"{env}{_SUFFIX}"


def way_out(view: LaunchView, env: str = Tier.PRODUCTION) -> OperationSpecView | None:
    """Return what takes away a first install, where one stands that has no revision to go back to; or None."""
    return _uninstall(view, env) if _offers_it(view, env) or _stands_alone(view, env) else None


def _uninstall(view: LaunchView, env: str) -> OperationSpecView:
    gate = max((spec.gate for spec in view.operation_specs if spec.env == env), default=1)
    title = f"Take the first install of {env} away"
    return OperationSpecView(uninstall_of(env), OperationKind.UNINSTALL, env, title, gate, (), ())


def _offers_it(view: LaunchView, env: str) -> bool:
    """Return whether the newest operation on a release said so: helm's history is looked at again only after it."""
    newest = view.offering()
    return newest is not None and newest.env == env and OperationKind.UNINSTALL in newest.offers


def _stands_alone(view: LaunchView, env: str) -> bool:
    seen = view.releases.get(env)
    if seen is None or not seen.revision or seen.status.startswith(_PENDING):
        return False
    deploys = [
        o for o in view.operations if o.env == env and o.kind == OperationKind.DEPLOY and o.state.ended
    ]
    return deploys[-1].good is None if deploys else is_first(view, env)


def offered(view: LaunchView, env: str = Tier.PRODUCTION) -> tuple[OperationSpecView, ...]:
    """Return the operations that may be asked for: the runbook's, and the way out of a first install.

    One that was taken away in this launch stays among them: its run is to be seen.
    """
    known = {spec.id for spec in view.operation_specs}
    ran = view.last_operation(uninstall_of(env)) is not None
    if uninstall_of(env) in known or not (ran or way_out(view, env)):
        return view.operation_specs
    return (*view.operation_specs, _uninstall(view, env))


def taken_up(view: LaunchView, last: OperationView, choice: str) -> str:
    """Return the id of the operation that an offer stands for: its own again, or a way back of its environment."""
    if choice == OperationKind.ROLLBACK:
        return way_back(view, last.env)
    if choice == OperationKind.STOP_JOB:
        return stop_of(last.env)
    if choice == OperationKind.UNINSTALL:
        return uninstall_of(last.env)
    return migration_of(view, last.env) if last.kind == OperationKind.STOP_JOB else last.id


def stop_of(env: str) -> str:
    """Return the id of the operation that stops an environment's migration job."""
    return f"{env}.{OperationKind.STOP_JOB}"


def migration_of(view: LaunchView, env: str) -> str:
    """Return the id of an environment's newest migration; empty where there was none."""
    found = (o.id for o in reversed(view.operations) if o.env == env and o.kind == OperationKind.MIGRATE)
    return next(found, "")


def comes_before(view: LaunchView, spec: OperationSpecView, release: OperationSpecView) -> bool:
    """Return whether an operation is run before a release: what is prepared, only for a first launch."""
    if spec.id == release.id or spec.kind in {OperationKind.ROLLBACK, OperationKind.UNINSTALL}:
        return False
    return spec.kind != OperationKind.PREPARE or is_first(view)
