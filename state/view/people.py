"""The people that the runbook names: whose an account is, what it may do, and who is a second person.

A second person is somebody else than the first: another account, of another person of the runbook, whose roles let
them grant what was requested.
"""

from __future__ import annotations

from state.view.enums import Role
from state.view.launch import LaunchView, PersonView

ACTING = frozenset({Role.CAPTAIN, Role.OPERATOR})
ATTESTING = frozenset({Role.CAPTAIN, Role.OPERATOR, Role.APPROVER})
GRANTING = frozenset({Role.CAPTAIN, Role.APPROVER})
ANYBODY = "*"


def people_of(view: LaunchView, account: str) -> tuple[PersonView, ...]:
    """Return the people that an account stands for; ``*`` stands for accounts that nobody names."""
    named = tuple(p for p in view.people if account in p.accounts)
    return named or tuple(p for p in view.people if ANYBODY in p.accounts)


def same_person(view: LaunchView, account: str, other: str) -> bool:
    """Return whether two accounts are one person's; ``*`` makes nobody the same as somebody else."""
    return account == other or any(account in p.accounts and other in p.accounts for p in view.people)


def roles_of(view: LaunchView, account: str) -> frozenset[str]:
    """Return the roles of an account."""
    return frozenset(role for person in people_of(view, account) for role in person.roles)


def acts(view: LaunchView, account: str) -> bool:
    """Return whether an account may drive: captains and operators."""
    return bool(roles_of(view, account) & ACTING)


def grant_problem(view: LaunchView, requester: str, account: str) -> str:
    """Return why an account can't grant what another one requested, or nothing.

    One account is one person, whatever the runbook calls it; two accounts of one person are one person too.
    """
    if account == requester:
        return "who requests something doesn't grant it: that takes somebody else, from an account of theirs"
    if not roles_of(view, account) & GRANTING:
        own = ", ".join(sorted(roles_of(view, account))) or "nobody in the runbook"
        return f"{account} is {own}: a grant takes {' or '.join(sorted(GRANTING))}"
    both = [p for p in people_of(view, account) if p in people_of(view, requester)]
    return f"{account} and {requester} are the same person ({both[0].id})" if both else ""


def granters_of(view: LaunchView, requester: str) -> tuple[str, ...]:
    """Return the accounts that the runbook names and that may grant what an account requests."""
    named = (account for person in view.people for account in person.accounts if account != ANYBODY)
    return tuple(a for a in dict.fromkeys(named) if not grant_problem(view, requester, a))
