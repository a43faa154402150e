"""Whether what a runbook asks of people can be done by the people that it names, found when it is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import combinations, product

from state.base.lookalikes import resembling
from state.base.numbers import plural
from state.runbook.models import Item, Person, Role, Runbook
from state.view.people import ACTING, ANYBODY, ATTESTING, fingerprints

Found = tuple[tuple[str | int, ...], str]
"""Keys below ``attest`` at which something is wrong, and what was expected there."""
Who = frozenset[frozenset[str]]
"""People, each by their accounts: two entries that share an account are one person, unless keys tell them apart."""


def problems(runbook: Runbook, item: Item) -> Iterator[Found]:
    """Yield what nobody could do of that which an item's ``attest`` asks."""
    attest = item.attest
    if attest is None:
        return
    if attest.role is not None and attest.role not in ATTESTING:
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


def _or(roles: Collection[Role]) -> str:
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


def _people(runbook: Runbook, roles: Collection[Role]) -> Who | None:
    found: list[set[str]] = []
    for person in runbook.people:
        if not set(person.roles) & set(roles):
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
        doers = _people(runbook, ACTING) if other is None else _signers(runbook, other)
        count = other.attest.people if other is not None and other.attest is not None else 1
        if doers is None:
            continue  # somebody else may have done it
        deeds.append([*combinations(doers, count)])
    return any(
        len(signers - {doer for group in ways for doer in group}) >= attest.people for ways in product(*deeds)
    )
