"""What comes next for one person: theirs to take, or who is awaited; never what the engine would refuse."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import pytest

from state.events.declared import WordRule
from state.view.authority import needs_driving, roles_lacking
from state.view.enums import PollState, Verdict
from state.view.gates import CheckView, ItemView
from state.view.launch import ConsoleView, LaunchView, PersonView
from state.view.next_step import NextStep, next_step
from state.view.own_step import own_step
from state.view.polls import PollView, SeatView
from tests.screens import story

ANN = PersonView("ann", "Ann", ("captain",), ("ann",))
BOB = PersonView("bob", "Bob", ("operator",), ("bob",))
DAN = PersonView("dan", "Dan", ("approver",), ("dan",))
KIM = PersonView("kim", "Kim", ("approver", "release-manager"), ("kim",))
ANYBODY = PersonView("all", "Everybody else", ("observer",), ("*",))
PEOPLE = (ANN, BOB, DAN, KIM, ANYBODY)
MOMENTS = ("opened", "ready", "tripped")
CHECK = CheckView(id="1.1/0", kind="scope.window", env="production", ttl_s=3600, writes=False)


def console(number: int, account: str, *, drives: bool = False) -> ConsoleView:
    return ConsoleView(f"c{number}", account, "", 0, drives)


def driven(view: LaunchView, *consoles: ConsoleView) -> LaunchView:
    return replace(view, people=PEOPLE, consoles=consoles or (console(1, "ann", drives=True),))


def with_item(view: LaunchView, item: str, **facts: object) -> LaunchView:
    def changed(one: ItemView) -> ItemView:
        return replace(one, **facts) if one.id == item else one  # type: ignore[arg-type]  # facts of any field

    gates = tuple(replace(g, items=tuple(changed(i) for i in g.items)) for g in view.gates)
    return replace(view, gates=gates)


def step_of(view: LaunchView, account: str, here: str = "") -> NextStep:
    step = own_step(view, view.wall_us, account, here)
    assert step is not None
    return step


@lru_cache
def at(moment: str) -> LaunchView:
    """Return the view of a moment, told once."""
    view: LaunchView = getattr(story, moment)().view()
    return view


UNRUN = with_item(at("opened"), "1.1", checks=(CHECK,))


@pytest.mark.parametrize(
    ("account", "here", "words", "command"),
    [
        # ann drives from c1
        ("ann", "c1", "run 1 check of gate 1", "gate.run"),
        ("ann", "c2", "1.2 attest", "attest.sign"),
        ("bob", "c2", "1.2 attest", "attest.sign"),
        ("dan", "c3", "1.2 attest", "attest.sign"),
        ("eve", "c4", "waiting for Ann, who is driving: run 1 check of gate 1", ""),
        ("", "", "waiting for Ann, who is driving: run 1 check of gate 1", ""),
    ],
)
def test_who_cannot_run_a_check_gets_a_word_of_their_own_or_is_told_who_drives(
    account: str, here: str, words: str, command: str
) -> None:
    step = step_of(driven(UNRUN), account, here)
    assert step.words.startswith(words)
    assert step.command == command
    assert step.waits is (not command)


def test_a_captain_beside_the_console_that_drives_is_told_how_to_take_over() -> None:
    view = driven(at("ready"))
    assert step_of(view, "ann", "c1").command == "operation.run"
    told = "waiting for Ann, who is driving (t: take over): Promote the candidate to production"
    assert step_of(view, "bob", "c2").words == told
    # From another console of one's own too.
    assert step_of(view, "ann", "c2").words == told
    assert step_of(view, "dan", "c3").words == told.replace(" (t: take over)", "")


def test_where_nobody_drives_it_is_taken_over_by_who_may() -> None:
    view = driven(at("ready"), console(1, "eve"), console(2, "bob"))
    assert step_of(view, "bob", "c2").command == "console.take_over"
    told = "waiting for Ann or Bob: Promote the candidate to production"
    assert step_of(view, "eve", "c1").words == told
    assert step_of(view, "eve", "c1").waits


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (WordRule(role="release-manager"), "waiting for Kim: 1.1 attest"),
        (WordRule(excluded=("ran production.deploy",)), "waiting for Ann, Bob or 2 more: 1.1 attest"),
        (WordRule(role="dba"), "waiting for approver or captain or operator, and nobody in the runbook"),
    ],
)
def test_a_word_waits_for_who_may_give_it(rule: WordRule, words: str) -> None:
    only = with_item(at("opened"), "1.1", rule=rule)
    for item in (i for g in only.gates for i in g.items if i.id != "1.1"):
        only = with_item(only, item.id, question=None, checks=())
    step = step_of(driven(only), "eve", "c4")
    assert step.words.startswith(words)
    assert not step.command


def test_who_signed_already_waits_for_the_second() -> None:
    told = story.opened()
    told.attest("1.1")
    view = with_item(driven(told.view()), "1.1", rule=WordRule(people=2))
    step = step_of(view, "dan", "c2")
    assert step.words.startswith("1.1 attest")
    assert step.command == "attest.sign"
    assert step_of(view, "ann", "c1").words.startswith("1.2 attest")
    assert step_of(view, "eve", "c4").words.startswith("waiting for Bob, Dan or 1 more: 1.1 attest")


def test_who_drives_goes_on_with_the_checks_while_a_word_is_awaited() -> None:
    unrun = with_item(at("opened"), "1.2", checks=(replace(CHECK, id="2.2/0"),), question=None)
    view = driven(with_item(unrun, "1.1", rule=WordRule(role="release-manager"), checks=()))
    gates = tuple(
        replace(g, items=tuple(i for i in g.items if i.id in {"1.1", "2.1"})) for g in view.gates[:2]
    )
    view = replace(view, gates=gates)
    assert step_of(view, "ann", "c1").command == "gate.run"
    assert step_of(view, "ann", "c1").gate == 2


def test_a_poll_is_answered_by_whose_turn_it_is() -> None:
    view = driven(at("opened"))
    seats = (SeatView(person="dan"), SeatView(person="ann"))
    poll = PollView(
        seq=9, by="ann", at_us=0, until_us=view.wall_us + 1, about="GO?", shown="", seats=seats,
        state=PollState.OPEN,
    )  # fmt: skip
    view = replace(view, polls=(poll,))
    step = step_of(view, "dan", "c2")
    assert (step.words, step.command, step.args) == ("your answer: GO?", "poll.answer", (("poll", "9"),))
    assert step_of(view, "ann", "c1").command == "attest.sign"
    assert step_of(view, "eve", "c3").command == ""


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("account", ["ann", "bob", "dan", "kim", "eve", ""])
def test_nobody_is_ever_told_to_do_what_would_be_refused(moment: str, account: str) -> None:
    view = at(moment)
    everyone = [console(n, p.id, drives=p.id == "ann") for n, p in enumerate(PEOPLE)]
    me = next((one.id for one in everyone if one.account == account), "c9")
    nobody = replace(view, people=PEOPLE, consoles=())
    for seen in (driven(view, *everyone), driven(UNRUN, *everyone), driven(view, console(9, "eve")), nobody):
        step = own_step(seen, seen.wall_us, account, me)
        if step is None or not step.command:
            continue
        assert account
        assert not roles_lacking(seen, step.command, account)
        driver = next((one.id for one in seen.consoles if one.drives), "")
        assert not needs_driving(step.command) or driver == me or not seen.consoles


@pytest.mark.parametrize("moment", MOMENTS)
def test_who_drives_and_may_do_it_all_has_the_launch_s_own_next_step(moment: str) -> None:
    view = driven(at(moment))
    assert own_step(view, view.wall_us, "ann", "c1") == next_step(view, view.wall_us, "ann")


def test_an_item_that_waits_for_a_running_check_is_no_word_to_give() -> None:
    running = replace(CHECK, verdict=Verdict.RUNNING)
    view = driven(with_item(UNRUN, "1.2", checks=(replace(running, id="1.2/0"),)))
    assert step_of(view, "bob", "c2").item not in {"1.1", "1.2"}
