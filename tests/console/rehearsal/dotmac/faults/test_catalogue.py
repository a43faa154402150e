"""A fault that is written is in the catalogue, and what it would do is not left lying beside it."""

from __future__ import annotations

import ast
from importlib import import_module

from console.rehearsal.dotmac.faults.catalogue import FAULTS
from tests.paths import ROOT

FOLDER = ROOT / "console" / "rehearsal" / "dotmac" / "faults"
MODULES = {p.stem: ast.parse(p.read_text()) for p in FOLDER.glob("*.py") if p.stem != "__init__"}
ODD_ONES = [ast.parse(p.read_text()) for p in (FOLDER.parent / "odd").glob("*.py")]
MAKERS = {"fails": 1, "blinds": 1, "Fault": 1, "of_candidate": 1, "_power": 1, "released": 2, "two_forms": 2}
"""How many faults a call of them makes."""
WAYS = "changes"
"""The module of ways to break things, which any module of faults uses."""


def test_every_fault_that_is_written_is_in_the_catalogue() -> None:
    written = [
        MAKERS[node.func.id]
        for stem, tree in MODULES.items()
        if stem != WAYS
        for part in tree.body
        if not isinstance(part, ast.FunctionDef)
        for node in ast.walk(part)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS
    ]
    assert sum(written) == len(FAULTS)
    for stem in MODULES.keys() - {WAYS, "catalogue"}:
        module = import_module(f"console.rehearsal.dotmac.faults.{stem}")
        assert set(module.FAULTS) <= set(FAULTS), stem


def test_nothing_that_a_fault_would_do_is_left_over() -> None:
    left = []
    used = {
        node.id
        for tree in (*MODULES.values(), *ODD_ONES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    for stem, tree in MODULES.items():
        names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        left += [f"{stem}.{name}" for name in names if name not in used]
    assert left == []
