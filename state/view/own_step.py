"""What comes next for one person: a step that is theirs to take, or who is awaited.

``next_step`` says what brings the launch on, whoever takes it. Here that is held against who somebody is: an
observer, or a captain beside the console that drives, is never told to press a key that the engine would refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile

from state.view.attestations import go_problem
from state.view.authority import needs_driving, roles_lacking
from state.view.enums import Verdict
from state.view.gates import ItemView
from state.view.launch import ConsoleView, LaunchView, OperationSpecView, PersonView
from state.view.next_step import NextStep, Place, next_step, wanted
from state.view.people import ANYBODY, acts, role_problem, same_person

_NAMED = 2
"""As many people are named; more are counted."""
_JUDGING = frozenset({"gate.run", "check.run", "stage.run", "attest.sign"})
_READY = frozenset({Verdict.PASS, Verdict.DEFERRED})
"""What checks say of an item that only a person's word is missing from."""


def own_step(view: LaunchView, now_us: int, account: str, console: str = "") -> NextStep | None:
    """Return what comes next for an account at its console; None where the launch is over, or nothing is known.

    A step that isn't theirs ``waits``: its words say for whom. An empty ``account`` is somebody who only watches.
    """
    step = next_step(view, now_us, account)
    if step is None or not step.command or not view.people:
        return step
    driver = next((one for one in view.consoles if one.drives), None)
    if not account:
        return _awaited(view, step, driver)
    if not lacks(view, step, account) and _drives(view, step, driver, console):
        return step
    if driver is None and view.consoles and acts(view, account):
        return NextStep("take over: nobody is driving", command="console.take_over")
    own = _meanwhile(view, step, now_us, account)
    if own is not None and (lacks(view, own, account) or not _drives(view, own, driver, console)):
        own = None
    return own or next(_words_of(view, now_us, account), None) or _awaited(view, step, driver, account)


def lacks(view: LaunchView, step: NextStep, account: str) -> bool:
    """Return whether an account may not take a step, whoever drives: for want of a role, or for what it did."""
    if roles_lacking(view, step.command, account):
        return True
    args = dict(step.args)
    if step.command == "attest.sign":
        item = view.item(args.get("item", ""))
        return item is not None and _cannot_sign(view, item, account)
    spec = _spec(view, args.get("operation", "")) if step.command == "operation.run" else None
    return spec is not None and bool(role_problem(view, spec.role, account))


def _cannot_sign(view: LaunchView, item: ItemView, account: str) -> bool:
    said = any(word.go and not word.stale and same_person(view, word.actor, account) for word in item.words)
    return said or bool(go_problem(view, item, account))


def _spec(view: LaunchView, operation: str) -> OperationSpecView | None:
    return next((one for one in view.operation_specs if one.id == operation), None)


def _drives(view: LaunchView, step: NextStep, driver: ConsoleView | None, console: str) -> bool:
    """Return whether a console may give a step's command; before any is known of, it is about to attach."""
    if not needs_driving(step.command) or not view.consoles or not console:
        return True
    return driver is not None and driver.id == console


def _meanwhile(view: LaunchView, step: NextStep, now_us: int, account: str) -> NextStep | None:
    """Return what an account may judge while the words that come first are somebody else's to give; None: nothing.

    An operation is none of it: those words may be what it waits for.
    """
    at: NextStep | None = step
    seen: set[str] = set()
    while at is not None and at.command == "attest.sign" and lacks(view, at, account):
        if at.item in seen:
            return None
        seen.add(at.item)
        view = _without(view, at.item)
        at = next_step(view, now_us, account)
    return at if at is not None and at is not step and at.command in _JUDGING else None


def _without(view: LaunchView, item: str) -> LaunchView:
    """Return the view in which nobody is asked about an item."""
    gates = tuple(
        replace(g, items=tuple(replace(i, not_applicable="later") if i.id == item else i for i in g.items))
        for g in view.gates
    )
    return replace(view, gates=gates)


def _words_of(view: LaunchView, now_us: int, account: str) -> Iterator[NextStep]:
    """Yield the items that only a word is missing from, and that an account may give it on.

    None of a gate whose operation is still to be run, nor of those after it: a word there would say nothing yet.
    """
    to_run = {spec.gate for spec in view.operation_specs if wanted(view, spec)}
    for gate in takewhile(lambda one: one.number not in to_run, view.gates):
        for item in gate.items:
            asked = item.question is not None and item.attested() in {Verdict.PENDING, Verdict.STALE}
            open_ = item.verdict(now_us) in {Verdict.PENDING, Verdict.STALE}
            ready = not item.checks or item.checks_verdict(now_us) in _READY
            if asked and open_ and ready and not _cannot_sign(view, item, account):
                args = (("item", item.id),)
                words = f"{item.id} attest: {item.text}"
                yield NextStep(words, Place.GATE, gate.number, item.id, "attest.sign", args)


def _awaited(view: LaunchView, step: NextStep, driver: ConsoleView | None, account: str = "") -> NextStep:
    """Return the step as somebody sees it who can't take it: for whom it waits."""
    if driver is not None and needs_driving(step.command) and not lacks(view, step, driver.account):
        free = account and acts(view, account)
        who = f"{_name(view, driver.account)}, who is driving{' (t: take over)' if free else ''}"
    else:
        who = _able(view, step)
    return replace(step, words=f"waiting for {who}: {step.words}", command="", args=(), waits=True)


def _able(view: LaunchView, step: NextStep) -> str:
    able = [person for person in view.people if _can(view, step, person)]
    names = [person.name or person.id for person in able]
    if not names:
        roles = roles_lacking(replace(view, people=()), step.command, "")
        return f"{' or '.join(sorted(roles)) or 'somebody'}, and nobody in the runbook is that"
    more = len(names) - _NAMED
    if more > 0:
        return f"{', '.join(names[:_NAMED])} or {more} more"
    return " or ".join(names)


def _can(view: LaunchView, step: NextStep, person: PersonView) -> bool:
    return any(account != ANYBODY and not lacks(view, step, account) for account in person.accounts)


def _name(view: LaunchView, account: str) -> str:
    named = (one.name for one in view.people if account in one.accounts and one.name)
    return next(named, account)
