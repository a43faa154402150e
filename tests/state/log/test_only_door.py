from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
ALLOWED = ("state/log/", "checks/clients/sql", "console/rehearsal/")
"""Who may open a database: the log itself, and those whose database is never the log."""


def sources() -> Iterator[Path]:
    for package in ("console", "screens", "checks", "state"):
        yield from (ROOT / package).rglob("*.py")


def openings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="sqlite3"), attr="connect")):
                yield "sqlite3.connect"
            case ast.Call(func=ast.Name(id="create_engine" | "create_async_engine")):
                yield "create_engine"
            case ast.Call(func=ast.Attribute(attr="create_engine" | "create_async_engine")):
                yield "create_engine"
            case ast.ImportFrom(module="sqlite3", names=names) if any(one.name == "connect" for one in names):
                yield "from sqlite3 import connect"


def test_nobody_else_opens_a_database() -> None:
    """Opening and closing a live log by another door cancels SQLite's locks, and the log is destroyed."""
    found = {
        f"{source.relative_to(ROOT)}: {opening}"
        for source in sources()
        if not str(source.relative_to(ROOT)).startswith(ALLOWED)
        for opening in openings(ast.parse(source.read_text(encoding="utf-8")))
    }
    assert not found


def test_the_search_finds_what_it_looks_for() -> None:
    text = "import sqlite3\nsqlite3.connect('x')\nsqlalchemy.create_engine('y')\nfrom sqlite3 import connect"
    assert len(list(openings(ast.parse(text)))) == 3
