"""Who may do what: the roles of an account, by the people that the runbook names."""

from __future__ import annotations

from console.engine.ports import Who
from state.view.launch import LaunchView, PersonView

CAPTAIN, OPERATOR, APPROVER = "captain", "operator", "approver"
ACTING = frozenset({CAPTAIN, OPERATOR})
ATTESTING = frozenset({CAPTAIN, OPERATOR, APPROVER})
SECONDING = frozenset({APPROVER, OPERATOR})
ANYBODY = "*"


def people_of(view: LaunchView, account: str) -> tuple[PersonView, ...]:
    """Return the people that an account stands for; ``*`` stands for accounts that nobody names."""
    named = tuple(p for p in view.people if account in p.accounts)
    return named or tuple(p for p in view.people if ANYBODY in p.accounts)


def roles_of(view: LaunchView, account: str) -> frozenset[str]:
    """Return the roles of an account."""
    return frozenset(role for person in people_of(view, account) for role in person.roles)


def acts(view: LaunchView, account: str) -> bool:
    """Return whether an account may drive: captains and operators."""
    return bool(roles_of(view, account) & ACTING)


def second_problem(view: LaunchView, who: Who, second: str) -> str:
    """Return why ``second`` (an account, or a person's id) can't be the second person, or nothing."""
    second = second.strip()
    if not second:
        return "a second person is needed"
    if second == who.account:
        return "the second person must be somebody else"
    own = people_of(view, who.account)
    person = next((p for p in view.people if p.id == second), None)
    people = (person,) if person is not None else tuple(p for p in view.people if second in p.accounts)
    if not people:
        return f"nobody in the runbook is called {second[:60]!r}"
    if any(p in own for p in people):
        return f"{second} is the same person as {who.account}"
    if not any(set(p.roles) & SECONDING for p in people):
        return f"{second} is neither an approver nor an operator"
    return ""


def seconds_of(view: LaunchView, who: Who) -> tuple[str, ...]:
    """Return what ``who`` may type for a second person, people's ids before their further accounts."""
    names = [person.id for person in view.people]
    names += [account for person in view.people for account in person.accounts if account != ANYBODY]
    return tuple(name for name in dict.fromkeys(names) if not second_problem(view, who, name))
