"""The people that the runbook names: whose an account is, what it may do, and who is a second person.

A second person is somebody else than the first: another person of the runbook, by whatever account, who is an
approver or an operator.
"""

from __future__ import annotations

from state.view.enums import Role
from state.view.launch import LaunchView, PersonView

ACTING = frozenset({Role.CAPTAIN, Role.OPERATOR})
ATTESTING = frozenset({Role.CAPTAIN, Role.OPERATOR, Role.APPROVER})
SECONDING = frozenset({Role.APPROVER, Role.OPERATOR})
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


def second_problem(view: LaunchView, account: str, second: str) -> str:
    """Return why ``second`` (an account, or a person's id) can't be the second person, or nothing."""
    second = second.strip()
    if not second:
        return "a second person is needed"
    if second == account:
        return "the second person must be somebody else"
    own = people_of(view, account)
    person = next((p for p in view.people if p.id == second), None)
    people = (person,) if person is not None else tuple(p for p in view.people if second in p.accounts)
    if not people:
        return f"nobody in the runbook is called {second[:60]!r}"
    if any(p in own for p in people):
        return f"{second} is the same person as {account}"
    if not any(set(p.roles) & SECONDING for p in people):
        return f"{second} is neither an approver nor an operator"
    return ""


def seconds_of(view: LaunchView, account: str) -> tuple[str, ...]:
    """Return what an account may type for a second person, people's ids before their further accounts."""
    names = [person.id for person in view.people]
    names += [one for person in view.people for one in person.accounts if one != ANYBODY]
    return tuple(name for name in dict.fromkeys(names) if not second_problem(view, account, name))
