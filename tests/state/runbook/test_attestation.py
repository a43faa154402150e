"""What a runbook asks of people beside a question, and whether the people that it names can do it."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.runbook.load import load_runbook
from state.view.enums import Need, Role
from tests.state.runbook.test_shape import EXAMPLE, edited, told

ASKED = 'attest: "Did somebody look at the shop?"'
PEOPLE = EXAMPLE.read_text().partition("people:")[2].partition("environments:")[0]
TWO = """
  - { id: ann, name: A, accounts: [ann], roles: [captain] }
  - { id: bob, name: B, accounts: [bob, robert], roles: [operator, approver] }
  - { id: all, name: C, accounts: ["*"], roles: [observer] }
"""


def book(tmp_path: Path, attest: str, people: str = TWO) -> Path:
    return edited(tmp_path, (ASKED, attest), (PEOPLE, people))


def test_a_question_alone_stays_what_it_was(tmp_path: Path) -> None:
    items = {i.id: i for g in load_runbook(EXAMPLE).runbook.gates for i in g.items}
    asked = next(i for i in items.values() if i.question == "Did somebody look at the shop?")
    assert asked.attest is not None
    assert (asked.attest.requires, asked.attest.role, asked.attest.people) == ((), None, 1)
    named = next(i for i in items.values() if i.question is not None and "Name them" in i.question)
    assert named.attest is not None
    assert named.attest.requires == (Need.COMMENT,)


def test_all_of_it(tmp_path: Path) -> None:
    rule = (
        "attest: { question: ok?, requires: [comment, link], role: approver, "
        "not: [{ ran: production.deploy }, the one who signed 1.3] }"
    )
    runbook = load_runbook(
        book(tmp_path, rule, TWO + "  - { id: cy, name: D, accounts: [cy], roles: [approver] }\n")
    ).runbook
    (attest,) = [i.attest for g in runbook.gates for i in g.items if i.attest and i.attest.question == "ok?"]
    assert attest.requires == (Need.COMMENT, Need.LINK)
    assert attest.role == Role.APPROVER
    assert [one.deed for one in attest.excluded] == ["ran production.deploy", "signed 1.3"]


CY = TWO + "  - { id: cy, name: D, accounts: [cy], roles: [approver] }\n"
TWIN = TWO + "  - { id: rob, name: D, accounts: [robert], roles: [approver] }\n"
EVERYBODY = TWO.replace("roles: [observer]", "roles: [operator]")
NOBODY = TWO + "  - { id: cy, name: D, roles: [approver] }\n"


@pytest.mark.parametrize(
    ("rule", "people", "key", "words"),
    [
        ("people: 2", TWO, None, ""),
        ("people: 3", TWO, "people", "3 people have to sign, and the runbook names 2 with an account who is"),
        ("people: 3", CY, None, ""),
        ("people: 3", TWIN, "people", "names 2"),  # two names for one person
        ("people: 3", NOBODY, "people", "names 2"),  # nobody can be known to be them
        ("people: 9", EVERYBODY, None, ""),
        ("people: 0", TWO, "people", "expected 1 or more"),
        ("role: approver, people: 2", TWO, "people", "2 people have to sign, and the runbook names 1"),
        ("role: approver, people: 2", CY, None, ""),
        ("role: observer", TWO, "role", "who is observer may not attest: approver or captain or operator"),
        (
            "role: admiral",
            TWO,
            "role",
            "1 person has to sign, and the runbook names 0 with an account who is admiral",
        ),
        (
            "role: approver",
            TWO.replace(", approver", ""),
            "role",
            "1 person has to sign, and the runbook names 0",
        ),
        ("requires: [names]", TWO, "requires.0", "comment or link was expected"),
        ("requires: [unknown]", TWO, "requires.0", "comment or link was expected"),
        ("not: [ran: production.launch]", TWO, "not.0.ran", "there is no operation production.launch"),
        ('not: [signed: "9.9"]', TWO, "not.0.signed", "there is no item 9.9"),
        ("not: [somebody]", TWO, "not.0", "`the one who ran OPERATION` was expected"),
        ("not: [{}]", TWO, "not.0", "exactly one of ran: and signed:"),
        ("not: [ran: production.deploy]", TWO, None, ""),
        ("not: [ran: production.deploy], people: 2", TWO, "not", "who is left is fewer than 2 people"),
        ("not: [ran: production.deploy], people: 2", CY, None, ""),
        ("not: [ran: production.deploy], role: approver", TWO, None, ""),  # ann runs it
        (
            "not: [ran: production.deploy], role: approver",
            TWO.replace("[captain]", "[observer]"),
            "not",
            "who is left is fewer than 1 person who is approver",
        ),
        ("asks: [comment]", TWO, "asks", "this key is not known here"),
    ],
)
def test_what_nobody_could_do_is_refused_when_it_is_read(
    rule: str, people: str, key: str | None, words: str, tmp_path: Path
) -> None:
    path = book(tmp_path, f"attest: {{ question: ok?, {rule} }}", people)
    if key is None:
        load_runbook(path)
        return
    problems = told(path)
    (place,) = [one for one in problems if one.startswith("gates")] if people == TWIN else problems
    assert place.partition(".attest.")[2] == key
    assert words in problems[place]


@pytest.mark.parametrize(
    ("more", "key", "words"),
    [
        ('not_applicable: ""', "not_applicable", "it is empty"),
        ("due: 2h", "due", "how long before the launch window, as T-1d or T-2h, was expected"),
        ("due: T-0s", "due", "how long before the launch window"),
        ("due: T-soon", "due", "a duration such as 30s"),
        ("due: T-1d12h, owner: the shop team, links: [https://wiki.example/shop]", None, ""),
        ("not_applicable: we sell nothing yet", None, ""),
    ],
)
def test_owner_time_links_and_what_does_not_apply(
    more: str, key: str | None, words: str, tmp_path: Path
) -> None:
    lines = "\n        ".join(more.split(", "))
    path = edited(tmp_path, (ASKED, f"{ASKED}\n        {lines}"))
    if key is None:
        load_runbook(path)
        return
    problems = told(path)
    (place,) = problems
    assert place.endswith(f".{key}")
    assert words in problems[place]
