"""The first frame of a launch says who you are, what you may do, and what is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from screens.kit.screen_state import Mode, ScreenState
from screens.sections.banner import notices
from screens.sections.your_part import has_part, your_part
from state.events.launch import Lack
from state.view.launch import LaunchView, PersonView, ScopeView

ANN = PersonView("ann", "Ann", ("captain",), ("ann",))
BOB = PersonView("bob", "Bob", ("operator",), ("bob",))
CAT = PersonView("cat", "Cat", ("observer",), ("cat",))
DAN = PersonView("dan", "Dan", ("approver",), ("dan",))
VIEW = LaunchView(people=(ANN, BOB, CAT, DAN))
HELM = Lack("no program 'helm' was found", "install helm 3 or 4")
TOKEN = Lack("environment variable PROM_TOKEN is not set", "export PROM_TOKEN=… in the shell")


def said(view: LaunchView, account: str, width: int = 60, height: int = 12) -> list[str]:
    shown = ScreenState(view, account=account)
    return ["".join(span.text for span in one).rstrip() for one in your_part(shown, width, height)][1:]


@pytest.mark.parametrize(
    ("account", "who", "may"),
    [
        ("ann", "ann is Ann (captain)", "you may drive, sign and grant"),
        ("bob", "bob is Bob (operator)", "you may drive and sign"),
        ("dan", "dan is Dan (approver)", "you may sign and grant"),
        ("cat", "cat is Cat (observer)", "you may only watch"),
        ("eve", "eve is nobody in the runbook", "no command of yours would be taken"),
    ],
)
def test_who_you_are_and_what_you_may_do(account: str, who: str, may: str) -> None:
    assert said(VIEW, account)[:2] == [who, may]


def test_whoever_is_nobody_is_told_how_to_become_somebody() -> None:
    lines = said(VIEW, "eve", width=100)
    assert lines[2:4] == [
        "✖ a role of yours",
        "  add eve to accounts: of a person with the role captain or operator, under people:",
    ]


def test_what_is_missing_stands_there_with_its_fix() -> None:
    lines = said(replace(VIEW, lacks=(HELM, TOKEN)), "ann")
    assert lines[2:] == [f"✖ {HELM.what}", f"  {HELM.fix}", f"✖ {TOKEN.what}", f"  {TOKEN.fix}"]


def test_a_low_pane_counts_what_it_has_no_room_for() -> None:
    many = tuple(Lack(f"thing {n} is not here", "get it") for n in range(9))
    lines = said(replace(VIEW, lacks=many), "ann", width=41, height=6)
    assert len(lines) == 5
    assert lines[-1] == "✖ 7 more: launch-console doctor"
    assert lines[2:4] == ["✖ thing 0 is not here", "✖ thing 1 is not here"]


def test_a_second_person_is_missed_but_where_one_is_enough() -> None:
    alone = LaunchView(people=(ANN,))
    assert "✖ nobody else may grant an override or a waiver" in said(alone, "ann")
    enough = replace(alone, scope=ScopeView(single_operator=True))
    assert said(enough, "ann")[2] == "helm, contexts and secrets are here"


def test_nobody_is_told_of_a_part_in_a_replay_or_before_anything_is_known() -> None:
    assert has_part(ScreenState(VIEW, account="ann"))
    assert not has_part(ScreenState(VIEW, account="ann", mode=Mode.REPLAY))
    assert not has_part(ScreenState(VIEW, account=""))
    assert not has_part(ScreenState(account="ann"))


def test_what_is_missing_stands_in_the_banner_of_every_screen() -> None:
    view = replace(VIEW, lacks=(HELM, TOKEN))
    (told,) = notices(ScreenState(view, account="ann"))
    assert told.text == f"! 2 MISSING HERE: {HELM.what}; {TOKEN.what}"
    assert notices(ScreenState(view, account="ann", mode=Mode.REPLAY)) == []
