"""A closed set is an enum: nothing compares a kind, a state, a verdict or a tier with the letters of a word."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from checks.clients.helm_release import HelmStatus
from state.events.bodies import BODIES
from state.view import enums
from tests.paths import ROOT

COMPARED = {"kind", "env", "environment", "state", "verdict", "tier", "status", "danger", "severity"}
OURS = [one for one in vars(enums).values() if isinstance(one, type) and issubclass(one, StrEnum)]
SETS: list[type[StrEnum]] = [*OURS, HelmStatus]
WORDS = {member.value for one in SETS for member in one} | set(BODIES)


def words_of(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Set | ast.Tuple | ast.List):
        for element in node.elts:
            yield from words_of(element)


def name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def literals(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if COMPARED & set(map(name_of, sides)) and WORDS & {w for side in sides for w in words_of(side)}:
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"


def test_nothing_compares_a_member_of_a_closed_set_with_a_literal() -> None:
    code = [
        p for top in ("state", "checks", "screens", "console") for p in sorted((ROOT / top).rglob("*.py"))
    ]
    # The rehearsal's simulators know nothing of a launch's words.
    ours = [p for p in code if "sim" not in p.parts]
    assert [hit for path in ours for hit in literals(path)] == []
