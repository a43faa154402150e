"""Whether what a runbook asks of people can be done by the people that it names, found when it is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from itertools import combinations, product

from state.base.lookalikes import resembling
from state.base.numbers import plural
from state.runbook.models import Item, Person, Runbook
from state.view.people import ACTING, ANYBODY, ATTESTING, KNOWN, fingerprints, may_attest

_ALIKE = 0.8
"""How alike two words are of which one is likely a slip of the pen for the other: ``aprover``, ``operater``."""
Found = tuple[tuple[str | int, ...], str]
"""Keys below ``attest`` at which something is wrong, and what was expected there."""
Who = frozenset[frozenset[str]]
"""People, each by their accounts: two entries that share an account are one person, unless keys tell them apart."""


def problems(runbook: Runbook, item: Item) -> Iterator[Found]:
    """Yield what nobody could do of that which an item's ``attest`` asks."""
    attest = item.attest
    if attest is None:
        return
    if attest.role is not None and not may_attest([attest.role]):
        yield ("role",), f"who is {attest.role} may not attest: {_or(ATTESTING)} was expected"
        return
    wrong = [*_exclusions(runbook, item)]
    yield from wrong
    if wrong:
        return
    # That somebody among "everybody else" would do can't be ruled out.
    if (signers := _signers(runbook, item)) is None:
        return
    roles = _or(ATTESTING if attest.role is None else [attest.role])
    if len(signers) < attest.people:
        asked = plural(attest.people, "person has", "people have")
        key = "role" if attest.role is not None and attest.people == 1 else "people"
        yield (key,), f"{asked} to sign, and the runbook names {len(signers)} with an account who is {roles}"
    elif attest.excluded and not _left(runbook, item, signers):
        yield (
            ("not",),
            f"who is left is fewer than {plural(attest.people, 'person', 'people')} who is {roles}, whoever did that",
        )


def shared(runbook: Runbook) -> Iterator[Found]:
    """Yield where two of the people that a runbook names can't be told apart: one id, one key, or one account.

    An account that several people share is fine where each has a key: then signatures tell who it was.
    """
    for index, person in enumerate(runbook.people):
        place, before = ("people", index), runbook.people[:index]
        if any(other.id == person.id for other in before):
            yield (*place, "id"), f"{person.id} stands twice: everybody has an id of their own"
        elif like := resembling(person.id, [other.id for other in before]):
            yield (*place, "id"), f"{person.id} may be taken for {like}: give them ids that nobody mixes up"
        mine = fingerprints(person.signing_keys)
        for other in before:
            if mine & fingerprints(other.signing_keys):
                yield (*place, "signing_keys"), f"{other.id} has this key too: a key is one person's"
            same = set(person.accounts) & set(other.accounts) - {ANYBODY}
            if same and not (person.signing_keys and other.signing_keys):
                why = f"{min(same)} is {other.id}'s account too, and nothing tells them apart: give each an account"
                yield (*place, "accounts"), f"{why} of their own, or signing_keys"


def roles(runbook: Runbook) -> Iterator[Found]:
    """Yield roles that nobody can have who should, and words that are likely a slip of the pen."""
    asked = {item.attest.role for gate in runbook.gates for item in gate.items if item.attest is not None}
    asked |= {operation.role for operation in runbook.operations}
    for index, operation in enumerate(runbook.operations):
        if operation.role is not None and not _can_run(runbook, operation.role):
            place = ("operations", index, "role")
            yield (
                place,
                f"the runbook names no account whose people are all {operation.role} and {_or(ACTING)}",
            )
    known = [*KNOWN, *(role for role in asked if role is not None)]
    for index, person in enumerate(runbook.people):
        for number, role in enumerate(person.roles):
            meant = get_close_matches(role, known, 1, _ALIKE) if role not in known else []
            if meant:
                yield ("people", index, "roles", number), f"nothing asks for {role}: is {meant[0]} meant?"


def _can_run(runbook: Runbook, role: str) -> bool:
    """Return whether somebody may drive who has a role, from an account that nobody shares who hasn't."""
    for person in runbook.people:
        if role in person.roles and set(person.roles) & ACTING:
            for account in person.accounts:
                if all(role in other.roles for other in runbook.people if account in other.accounts):
                    return True
    return False


def _or(roles: Collection[str]) -> str:
    return " or ".join(sorted(roles))


def _exclusions(runbook: Runbook, item: Item) -> Iterator[Found]:
    assert item.attest is not None
    for index, one in enumerate(item.attest.excluded):
        if one.ran is not None and runbook.operation(one.ran) is None:
            yield ("not", index, "ran"), f"there is no operation {one.ran}"
        if one.signed is None:
            continue
        other = runbook.item(one.signed)
        if other is None:
            yield ("not", index, "signed"), f"there is no item {one.signed}"
        elif other.id == item.id or other.attest is None:
            why = "is this item" if other.id == item.id else "is signed by nobody: it has no attest"
            yield ("not", index, "signed"), f"{one.signed} {why}"


def _signers(runbook: Runbook, item: Item) -> Who | None:
    """Return who may sign an item; None where that is everybody."""
    role = item.attest.role if item.attest is not None else None
    return _people(runbook, ATTESTING if role is None else {role})


def _doers(runbook: Runbook, operation_id: str | None) -> Who | None:
    """Return who may run an operation; None where that is everybody."""
    operation = runbook.operation(operation_id or "")
    return _people(runbook, ACTING, operation.role if operation is not None else None)


def _people(runbook: Runbook, roles: Collection[str], also: str | None = None) -> Who | None:
    """Return who has one of these roles, and ``also`` with it."""
    found: list[set[str]] = []
    for person in runbook.people:
        if not set(person.roles) & set(roles) or (also is not None and also not in person.roles):
            continue
        if ANYBODY in person.accounts:
            return None
        accounts = set(_told_apart_by(runbook, person))
        for known in [one for one in found if one & accounts]:
            found.remove(known)
            accounts |= known
        if accounts:
            found.append(accounts)
    return frozenset(frozenset(one) for one in found)


def _told_apart_by(runbook: Runbook, person: Person) -> Collection[str]:
    """Return what a person is known by: their accounts; their keys, where others have one of the accounts too."""
    mine = set(person.accounts)
    shared = any(mine & set(other.accounts) for other in runbook.people if other.id != person.id)
    return fingerprints(person.signing_keys) if shared and person.signing_keys else person.accounts


def _left(runbook: Runbook, item: Item, signers: Who) -> bool:
    """Return whether enough signers are left in at least one way in which the excluded deeds can be done."""
    attest = item.attest
    assert attest is not None
    deeds: list[list[tuple[frozenset[str], ...]]] = []
    for one in attest.excluded:
        other = runbook.item(one.signed) if one.signed is not None else None
        doers = _doers(runbook, one.ran) if other is None else _signers(runbook, other)
        count = other.attest.people if other is not None and other.attest is not None else 1
        if doers is None:
            continue  # somebody else may have done it
        deeds.append([*combinations(doers, count)])
    return any(
        len(signers - {doer for group in ways for doer in group}) >= attest.people for ways in product(*deeds)
    )
