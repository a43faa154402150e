"""The house rules that no linter knows: sizes, reasons, what a commit may name, who opens a log."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.programs import path

CODE = [p for top in ("state", "checks", "screens", "console") for p in sorted((ROOT / top).rglob("*.py"))]
FILE_LINES = 420
FUNCTION_LINES = 70


def tracked() -> list[Path]:
    listed = subprocess.run([path("git"), "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_a_file_has_one_subject() -> None:
    long = {str(p.relative_to(ROOT)): n for p in CODE if (n := len(p.read_text().splitlines())) > FILE_LINES}
    assert long == {}


def test_a_function_fits_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in CODE
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES
    ]
    assert long == []


def test_every_ignored_rule_has_its_reason() -> None:
    bare = re.compile(r"#\s*(?:noqa: [A-Z0-9, ]+|type: ignore(?:\[[a-z0-9-, ]+\])?|noqa)\s*$", re.MULTILINE)
    found = [str(p.relative_to(ROOT)) for p in CODE if bare.search(p.read_text())]
    assert found == []


@pytest.mark.needs("git")
def test_nothing_names_a_package_index_or_this_machine() -> None:
    hosts = (
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "registry." + "npmjs",
        "/work" + "/main",
        "/opt" + "/wheels",
    )
    named = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix not in {".png", ".svg"} and any(h in path.read_text(errors="replace") for h in hosts)
    ]
    assert named == []


@pytest.mark.needs("git")
def test_no_lock_file_that_names_an_index() -> None:
    names = {path.name for path in tracked()}
    assert not {n for n in names if n == "uv.lock" or re.fullmatch(r"pylock.*\.toml", n)}
    assert "requirements.lock" in names


def test_only_the_clock_tells_the_time() -> None:
    """Domain time is injected; measuring how long a call took (``perf_counter``) is not domain time."""
    told = re.compile(r"\b(?:time\.time|time\.time_ns|datetime\.now|datetime\.utcnow|time\.sleep)\(")
    allowed = {"state/base/clock.py"}
    found = [
        str(path.relative_to(ROOT))
        for path in CODE
        if told.search(path.read_text()) and str(path.relative_to(ROOT)) not in allowed
    ]
    assert found == []


def test_only_the_store_and_the_reader_open_a_log() -> None:
    opened = re.compile(r"\b(?:sqlite3\.connect|create_engine)\(")
    allowed = ("state/log/", "checks/clients/sql", "console/rehearsal/")
    found = [
        name
        for path in CODE
        if opened.search(path.read_text()) and not (name := str(path.relative_to(ROOT))).startswith(allowed)
    ]
    assert found == []
