"""Whose an account is, what it may do, and who is a second person."""

from __future__ import annotations

import pytest

from state.view.enums import Role
from state.view.launch import LaunchView, PersonView
from state.view.people import acts, grant_problem, granters_of, people_of, roles_of

PEOPLE = (
    PersonView("cap", "C", ("captain",), ("ann", "ann.admin")),
    PersonView("op", "O", ("operator",), ("bob",)),
    PersonView("app", "A", ("approver",), ("eve",)),
    PersonView("both", "B", ("captain", "operator"), ("kim",)),
    PersonView("all", "E", ("observer",), ("*",)),
)
VIEW = LaunchView(people=PEOPLE)
NOBODY = "nobody in the runbook is called "


@pytest.mark.parametrize(
    ("account", "person", "roles", "drives"),
    [
        ("ann", "cap", {Role.CAPTAIN}, True),
        ("ann.admin", "cap", {Role.CAPTAIN}, True),
        ("bob", "op", {Role.OPERATOR}, True),
        ("eve", "app", {Role.APPROVER}, False),
        ("kim", "both", {Role.CAPTAIN, Role.OPERATOR}, True),
        ("stranger", "all", {Role.OBSERVER}, False),
    ],
)
def test_an_account(account: str, person: str, roles: set[Role], drives: bool) -> None:
    assert [p.id for p in people_of(VIEW, account)] == [person]
    assert roles_of(VIEW, account) == roles
    assert acts(VIEW, account) is drives


def test_an_account_that_nobody_names_is_nobody_where_there_is_no_star() -> None:
    assert roles_of(LaunchView(people=PEOPLE[:-1]), "stranger") == set()


OWN = "who requests something doesn't grant it: that takes somebody else, from an account of theirs"
TWICE = (
    *PEOPLE,
    PersonView("alias", "Ann again", ("approver",), ("ann",)),
    PersonView("shared", "Ops room", ("captain",), ("ops", "eve")),
)
"""One account below two people, and two people who share one."""


@pytest.mark.parametrize(
    ("requester", "account", "message"),
    [
        ("ann", "ann", OWN),
        ("ann", "ann.admin", "ann.admin and ann are the same person (cap)"),
        ("ann", "bob", "bob is operator: a grant takes approver or captain"),
        ("ann", "stranger", "stranger is observer: a grant takes approver or captain"),
        ("ann", "*", "* is observer: a grant takes approver or captain"),
        ("ann", "", " is observer: a grant takes approver or captain"),
        ("ann", "eve", ""),
        ("ann", "kim", ""),
        ("bob", "ann", ""),
        ("bob", "ann.admin", ""),
        ("stranger", "other", "other is observer: a grant takes approver or captain"),
    ],
)
def test_who_may_grant(requester: str, account: str, message: str) -> None:
    assert grant_problem(VIEW, requester, account) == message
    assert (account in granters_of(VIEW, requester)) is (message == "")


def test_one_account_is_one_person_whatever_the_runbook_calls_it() -> None:
    view = LaunchView(people=TWICE)
    assert grant_problem(view, "ann", "ann") == OWN
    assert "the same person" in grant_problem(view, "ann", "ann.admin")
    assert "the same person" in grant_problem(view, "ops", "eve")
    assert granters_of(view, "ann") == ("eve", "kim", "ops")


def test_two_accounts_that_nobody_names_are_one_person() -> None:
    star = LaunchView(people=(PersonView("all", "E", ("approver",), ("*",)),))
    assert "the same person" in grant_problem(star, "tom", "tim")


def test_who_is_named_to_a_requester() -> None:
    assert granters_of(VIEW, "ann") == ("eve", "kim")
    assert granters_of(VIEW, "bob") == ("ann", "ann.admin", "eve", "kim")
