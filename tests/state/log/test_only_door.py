from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.log.archive import archive
from state.log.reader import LogReader
from state.log.verify import verify
from state.view.enums import Verdict
from tests.console.engine.stand import stand
from tests.paths import ROOT

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
            case ast.ImportFrom(module="sqlite3", names=names) if any(
                name.name == "connect" for name in names
            ):
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


_OPENED: list[str] = []
_WATCHED: list[str] = []
"""The log whose openings are noted at the moment; a hook can't be taken away again."""


def _note(event: str, args: tuple[object, ...]) -> None:
    if event == "open" and _WATCHED and str(args[0]) in _WATCHED:
        _OPENED.append(str(args[0]))


async def test_a_running_engine_opens_its_log_by_sqlite_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the search can't see: nothing that an engine does opens its log, or the journal, by another door."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    decoy = tmp_path / "decoy"
    sys.addaudithook(_note)
    async with stand(tmp_path) as s:
        await s.open(run=False)
        await s.close()
        _WATCHED[:] = [str(s.log), f"{s.log}-journal", str(decoy)]
        await s.open()
        ann = await s.attach("ann")
        assert (await ann.command("check.run", {"item": "3.1"})).ok
        assert (await ann.command("attest.sign", {"item": "1.1", "verdict": "GO"})).ok
        await s.until(lambda v: v.item("3.1").checks[0].verdict is Verdict.PASS)  # type: ignore[union-attr]  # it is there
        assert await ann.events(0, 500)
        assert verify(s.log).ok
        with LogReader(s.log) as reader:
            assert reader.count() > 1
        archive(s.log, tmp_path / "archive.lclog")
        await s.engine.anchors.keep("a test")
        await ann.close()
        await s.close()
    decoy.write_text("heard")
    _WATCHED.clear()
    assert [str(decoy)] == _OPENED
