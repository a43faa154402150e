"""Every command on every log that can't be used: 5 where it is damaged, else 3; one message, nothing changed."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from console.__main__ import main
from console.exit_codes import ExitCode
from tests.console.cli.test_command_line import SOP, a_log, damaged, of_another_program, words
from tests.paths import ROOT

COMMANDS: dict[str, tuple[str, ...]] = {
    "verify": ("verify", "LOG"),
    "report": ("report", "LOG"),
    "export": ("export", "LOG", "--format", "jsonl"),
    "judge": ("judge", "LOG", "--runbook", str(SOP)),
    "archive": ("archive", "LOG", "TARGET"),
    "replay": ("replay", "LOG"),
    "follow": ("follow", "LOG"),
    "redact": ("redact", "LOG", "3", "--reason", "a leak"),
    "check": ("check", "10.3", "--runbook", str(SOP), "--log", "LOG"),
    "open": ("open", str(SOP), "--log", "LOG"),
    "rehearse": ("rehearse", "--log", "LOG"),
    "headless": ("rehearse", "--headless", "--log", "LOG"),
}
BEGIN = {"open", "rehearse", "headless"}
"""They begin a log where there is none; what only the whole log shows, their engine finds: test_command_line.py."""


def missing(path: Path) -> None:
    del path


def folder(path: Path) -> None:
    path.mkdir()


def empty(path: Path) -> None:
    path.touch()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def newer(path: Path) -> None:
    a_log(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute("PRAGMA user_version=2")


def other_table(path: Path) -> None:
    a_log(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute("CREATE TABLE x(y)")


def torn(path: Path) -> None:
    """Write over a page in the middle, where the events are."""
    a_log(path)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xee" * 4096)


def cut(path: Path) -> None:
    a_log(path)
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


UNUSABLE = (missing, folder, words, of_another_program, empty, pipe, newer)
DAMAGED = (damaged, torn, cut, other_table)


CASES = [
    pytest.param(name, make, id=f"{name}-{make.__name__}")
    for make in (*UNUSABLE, *DAMAGED)
    for name in COMMANDS
    if name not in BEGIN or make not in {missing, damaged, torn, cut}
]


@pytest.mark.parametrize(("name", "make"), CASES)
def test_a_bad_log_has_one_code_everywhere(
    name: str, make: Callable[[Path], object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "a.lclog"
    make(log)
    before = log.read_bytes() if log.is_file() else None
    code = main([{"LOG": str(log), "TARGET": str(tmp_path / "new.lclog")}.get(w, w) for w in COMMANDS[name]])
    told = capsys.readouterr()
    assert code is (ExitCode.DAMAGED_LOG if make in DAMAGED else ExitCode.BAD_LOG), told
    answered = name == "verify" and make in DAMAGED  # it is asked for just this
    (message,) = (told.out.splitlines()[:1] if answered else told.err.splitlines()) or [""]
    assert message.startswith("DAMAGED  " if answered else "launch-console: ")
    assert str(log) in message
    assert bool(told.out) is answered
    assert (log.read_bytes() if log.is_file() else None) == before
    assert not (tmp_path / "new.lclog").exists()


_AS_NOBODY = """
import json, os, sys
from importlib import import_module
from console.cli.commands import COMMANDS
for command in COMMANDS:
    command.run and import_module(command.run.partition(":")[0])
import checks.registry, state.conditions.what_if, console.rehearsal.autopilot.headless, console.ui.crash
from console.__main__ import main
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
print(json.dumps([main(argv) for argv in json.loads(sys.argv[1])]))
"""


@pytest.fixture
def place() -> Iterator[Path]:
    with TemporaryDirectory(prefix="lc-", dir="/tmp") as made:
        Path(made).chmod(0o777)
        yield Path(made)


@pytest.mark.parametrize("closed", ["file", "folder"])
def test_a_log_that_this_account_may_not_read(closed: str, place: Path) -> None:
    inner = place / "launches"
    inner.mkdir()
    log = a_log(inner / "a.lclog")
    shutil.copy(SOP, place / "book.yaml")
    (log if closed == "file" else inner).chmod(0)
    names = {"LOG": str(log), "TARGET": str(place / "new.lclog"), str(SOP): str(place / "book.yaml")}
    asked = [[names.get(word, word) for word in argv] for argv in COMMANDS.values()]
    done = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, json.dumps(asked)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    inner.chmod(0o700)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [ExitCode.BAD_LOG] * len(COMMANDS), done.stderr
    assert [row for row in done.stderr.splitlines() if not row.startswith(f"launch-console: {log}")] == []
