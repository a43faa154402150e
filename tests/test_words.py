"""The words of docs/style.md: what was precise and foreign stands nowhere in the program any more."""

from __future__ import annotations

import re

import pytest

from tests.paths import ROOT

GONE = (
    "world is being made",
    "nobody drives",
    "minimum_s)} seen good",
    "not released yet",
    "d: what may be run",
    "nobody has answered yet",
    'may be left out"',
    "for how many minutes",
    "something is needed",
    '"No (esc)"',
    '"Do it"',
    "more lines: page down",
    "that is all of it",
    "is the good one to come back to",
    "this account may do what",
    "nobody else works on this release",
    "helm's record of the release has",
    "inside the window, ",
    ", holds {",
    'offers a next step"',
    "is judged by its checks alone",
    "a NO-GO needs a comment",
    "a launch closes with every gate GO",
    "to end it now, scrub it",
    ": this takes ",
    "closed; the engine ends",
    "Is no rollback needed",
    "Go back to it, evidence stale",
    'before its minimum was seen good"',
    "Recover one without an end",
    "leave; the engine goes on",
    "The engine goes on",
    "nothing but the file speaks for them",
    "} self-declared{",
    "where only the file itself speaks",
)
"""Phrases that a captain read twice; a quotation mark at the end tells what is shown from what is a docstring."""
PLACES = [
    *(
        path
        for top in ("screens", "console", "state", "checks")
        for path in sorted((ROOT / top).rglob("*.py"))
    ),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "README.md",
    ROOT / "runbook.yaml",
    *sorted((ROOT / "examples").glob("*.yaml")),
]


@pytest.mark.parametrize("phrase", GONE)
def test_a_phrase_that_was_replaced_stands_nowhere(phrase: str) -> None:
    # The style page is where they are told, with what is said instead.
    found = [str(p.relative_to(ROOT)) for p in PLACES if p.name != "style.md" and phrase in p.read_text()]
    assert found == []


def test_the_style_page_has_every_one() -> None:
    page = (ROOT / "docs" / "style.md").read_text()
    rows = re.findall(r"(?m)^\| (?!not\b|---)(.+?) \| (.+?) \|$", page)
    assert len(rows) >= 30
    assert all(said and instead for said, instead in rows)
