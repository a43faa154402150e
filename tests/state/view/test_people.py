"""Whose an account is, what it may do, and who is a second person."""

from __future__ import annotations

import pytest

from state.view.enums import Role
from state.view.launch import LaunchView, PersonView
from state.view.people import acts, people_of, roles_of, second_problem, seconds_of

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


@pytest.mark.parametrize(
    ("account", "second", "message"),
    [
        ("ann", "", "a second person is needed"),
        ("ann", "  ", "a second person is needed"),
        ("ann", "ann", "the second person must be somebody else"),
        ("ann", "cap", "cap is the same person as ann"),
        ("ann", "ann.admin", "ann.admin is the same person as ann"),
        ("ann", "nobody", f"{NOBODY}'nobody'"),
        ("ann", "*", "* is neither an approver nor an operator"),
        ("ann", "all", "all is neither an approver nor an operator"),
        ("bob", "cap", "cap is neither an approver nor an operator"),
        ("bob", "ann", "ann is neither an approver nor an operator"),
        ("bob", "both", ""),
        ("ann", "bob", ""),
        ("ann", " op ", ""),
        ("ann", "app", ""),
        ("eve", "op", ""),
        ("stranger", "all", "all is the same person as stranger"),
    ],
)
def test_who_is_a_second_person(account: str, second: str, message: str) -> None:
    assert second_problem(VIEW, account, second) == message
    assert not message or second.strip() not in seconds_of(VIEW, account)


def test_who_may_be_named() -> None:
    assert seconds_of(VIEW, "ann") == ("op", "app", "both", "bob", "eve", "kim")
    assert seconds_of(VIEW, "bob") == ("app", "both", "eve", "kim")
