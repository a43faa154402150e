"""What is left out of `make test` is there, and something of it is in."""

from __future__ import annotations

import ast

from tests.long import LONG, SHORT, is_long
from tests.paths import ROOT


def functions(module: str) -> set[str]:
    tree = ast.parse((ROOT / module).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_long_test_is_there() -> None:
    assert {f"{m}::{n}" for m, names in LONG.items() for n in names if n not in functions(m)} == set()


def test_a_case_that_stands_for_a_long_test_is_one_of_it() -> None:
    assert not any(is_long(case) for case in SHORT)
    assert all("[" in case and is_long(case.partition("[")[0]) for case in SHORT)
    assert is_long(
        "tests/terminal/test_launch.py::test_a_good_candidate_is_driven_by_keys_to_gate_ten_and_replayed"
    )
