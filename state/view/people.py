"""The people that the runbook names: whose an account or a key is, what it may do, and who is a second person.

A second person is somebody else than the first: another account, of another person of the runbook, whose roles let
them grant what was requested. Where people share an account, only keys tell them apart: a word that is signed is that
of the key's holder, whatever account brought it; one that isn't may be anybody's who has the account.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from state.attest.sshsig import SignatureError, fingerprint, public_key
from state.view.enums import Role
from state.view.launch import LaunchView, PersonView

ACTING = frozenset({Role.CAPTAIN, Role.OPERATOR})
ATTESTING = frozenset({Role.CAPTAIN, Role.OPERATOR, Role.APPROVER})
GRANTING = frozenset({Role.CAPTAIN, Role.APPROVER})
KNOWN = frozenset(Role)
"""Roles with a meaning of their own; every other word is one of the runbook's, which items and operations ask for."""
ANYBODY = "*"
SINGLE_OPERATOR = "single operator: the runbook says that one person is enough, so nobody else looks at this"
NO_SECOND = "nobody else may grant an override or a waiver"
SECOND_FIX = "give a person with an account of their own the role approver, or say single_operator: true"
ALONE = "single operator: nobody else was asked"


@lru_cache(maxsize=256)
def fingerprints(keys: tuple[str, ...]) -> frozenset[str]:
    """Return the names of public keys (``SHA256:…``); a line that is none has no name."""
    found = set()
    for key in keys:
        try:
            found.add(fingerprint(public_key(key)))
        except SignatureError:
            continue
    return frozenset(found)


def people_of(view: LaunchView, account: str, key: str = "") -> tuple[PersonView, ...]:
    """Return the people that an account stands for; ``*`` stands for accounts that nobody names.

    With ``key``, the fingerprint of what signed: whose key it is, and nobody where it is nobody's.
    """
    if key:
        return tuple(p for p in view.people if key in fingerprints(p.signing_keys))
    named = tuple(p for p in view.people if account in p.accounts)
    return named or tuple(p for p in view.people if ANYBODY in p.accounts)


def same_person(view: LaunchView, account: str, other: str, key: str = "", other_key: str = "") -> bool:
    """Return whether two words may be one person's; ``*`` makes nobody the same as somebody else.

    One account is one person, unless both words are signed with keys of different people.
    """
    if (account == other and not (key and other_key)) or (key and key == other_key):
        return True
    mine, theirs = _named(view, account, key), _named(view, other, other_key)
    return bool(mine & theirs)


def _named(view: LaunchView, account: str, key: str) -> frozenset[str]:
    if key:
        return frozenset(person.id for person in people_of(view, account, key))
    return frozenset(person.id for person in view.people if account in person.accounts)


def roles_of(view: LaunchView, account: str, key: str = "") -> frozenset[str]:
    """Return the roles of an account, or of a key's holder."""
    return frozenset(role for person in people_of(view, account, key) for role in person.roles)


def acts(view: LaunchView, account: str) -> bool:
    """Return whether an account may drive: captains and operators."""
    return bool(roles_of(view, account) & ACTING)


def may_attest(roles: Iterable[str]) -> bool:
    """Return whether roles let somebody say a word on an item: all but an observer's do."""
    return any(role in ATTESTING or role not in KNOWN for role in roles)


def role_problem(view: LaunchView, role: str, account: str) -> str:
    """Return why an account can't do what a role is asked for, or nothing.

    What isn't signed may be anybody's who shares the account: each of them must have the role.
    """
    people = people_of(view, account)
    lacking = [person.id for person in people if role not in person.roles]
    if not role or (people and not lacking):
        return ""
    if len(lacking) < len(people):
        others = ", ".join(lacking)
        return (
            f"it takes {role}, and {account} is also the account of {others}, who isn't: give each their own"
        )
    own = ", ".join(sorted(roles_of(view, account))) or "nobody in the runbook"
    return f"it takes {role}, and {account} is {own}"


def keys_of(view: LaunchView, account: str) -> tuple[str, ...]:
    """Return the fingerprints of the keys that the runbook lists for an account, in its order."""
    return tuple(
        name for p in view.people if account in p.accounts for name in sorted(fingerprints(p.signing_keys))
    )


def grant_problem(
    view: LaunchView, requester: str, account: str, requester_key: str = "", key: str = ""
) -> str:
    """Return why somebody can't grant what another one requested, or nothing; keys are of what signed each.

    One account is one person, whatever the runbook calls it, unless keys of two people signed; two accounts of one
    person are one person too.
    """
    roles = roles_of(view, account, key)
    same = same_person(view, requester, account, requester_key, key)
    if same and view.scope.single_operator and Role.CAPTAIN in roles:
        return ""
    if account == requester and same:
        return "who requests something doesn't grant it: that takes somebody else, from an account of theirs"
    who = key or account
    if not roles & GRANTING:
        own = ", ".join(sorted(roles)) or "nobody in the runbook"
        return f"{who} is {own}: a grant takes {' or '.join(sorted(GRANTING))}"
    theirs = people_of(view, requester, requester_key)
    both = [p for p in people_of(view, account, key) if p in theirs]
    return f"{who} and {requester_key or requester} are the same person ({both[0].id})" if both else ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is in a launch, and may do."""

    who: str
    """``ann is Ann (captain)``."""
    may: str
    """``you may drive, sign and grant``."""
    known: bool
    acts: bool
    fix: str
    """What gives them more to do."""


def standing(view: LaunchView, account: str) -> Standing:
    """Return who an account is in a launch, and what it may do, in words."""
    people, roles = people_of(view, account), roles_of(view, account)
    fix = f"add {account} to accounts: of a person with the role captain or operator, under people:"
    if not people:
        who, may = f"{account} is nobody in the runbook", "no command of yours would be taken"
        return Standing(who, may, known=False, acts=False, fix=fix)
    who = f"{account} is {' and '.join(p.name for p in people)} ({', '.join(sorted(roles))})"
    verbs = [
        *(["drive"] if roles & ACTING else []),
        *(["sign"] if may_attest(roles) else []),
        *(["grant"] if roles & GRANTING else []),
    ]
    listed = f"{', '.join(verbs[:-1])} and {verbs[-1]}" if len(verbs) > 1 else "".join(verbs)
    may = f"you may {listed}" if verbs else "you may only watch"
    return Standing(who, may, known=True, acts=bool(roles & ACTING), fix=fix)


def seconds_of(view: LaunchView, account: str) -> tuple[str, ...]:
    """Return the names of those who could grant what an account requests, unsigned or signed with its own key."""
    keys = ("", *keys_of(view, account))
    granters = {one for key in keys for one in granters_of(view, account, key)}
    return tuple(
        p.name for p in view.people if granters & ({*p.accounts} | fingerprints(p.signing_keys)) and p.name
    )


def granters_of(view: LaunchView, requester: str, requester_key: str = "") -> tuple[str, ...]:
    """Return who may grant what somebody requests: accounts that the runbook names, and keys of who shares theirs."""
    named = (account for person in view.people for account in person.accounts if account != ANYBODY)
    found = [a for a in dict.fromkeys(named) if not grant_problem(view, requester, a, requester_key)]
    keys = (key for person in view.people for key in sorted(fingerprints(person.signing_keys)))
    shared = [
        key
        for key in dict.fromkeys(keys)
        if not found and not grant_problem(view, requester, requester, requester_key, key)
    ]
    return (*found, *shared)
