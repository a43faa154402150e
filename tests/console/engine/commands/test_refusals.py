"""What an engine refuses to write to, from the command line: one line, exit code 3 or 5, the file left as it was."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from console.client.engine_client import EngineClient
from console.engine.__main__ import main
from console.engine.process.running import find
from console.engine.process.spawn import start_engine, stop
from console.exit_codes import ExitCode
from state.events.event import Draft
from state.events.launch import ConsoleTookOver
from state.events.log import ClockJumped, NoteAdded
from state.log import locks
from state.log.store import LogStore
from tests.clocks import ManualClock
from tests.console.engine.process.test_process import ME, place, runbook  # noqa: F401  fixtures
from tests.console.engine.stand import stand
from tests.paths import ROOT
from tests.state.log.support import tampered


def refused(book: Path, log: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Start an engine that must not come up, and return the one line that it says."""
    capsys.readouterr()
    code = main(["--runbook", str(book), "--log", str(log)])
    (told,) = capsys.readouterr().err.splitlines()
    assert code is (ExitCode.DAMAGED_LOG if "is damaged" in told else ExitCode.BAD_LOG)
    assert str(log) in told
    assert "Traceback" not in told
    return told


def made(path: Path) -> Path:
    LogStore.create(path, clock=ManualClock(), session="s").close()
    return path


def other_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as con:
        con.execute("CREATE TABLE song(title TEXT)")
    path.chmod(0o600)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (other_program, "another program"),
        (
            lambda p: p.write_bytes(b"not a database at all, and long enough to be read as one" * 20),
            "is no SQLite file",
        ),
        (
            lambda p: _pragma(p, "user_version=2"),
            "has format 2, this program reads up to 1: use a newer launch-console",
        ),
        (lambda p: p.chmod(0o666), "may be written by others (mode 666): chmod 600"),
        (lambda p: tampered(p, "UPDATE event SET actor='eve'"), "damaged (hash) at event 1"),
        (lambda p: _pragma(p, "journal_mode=DELETE", "CREATE TABLE x(y)"), "damaged (schema)"),
    ],
)
def test_a_file_that_is_not_a_log_to_write(
    change: object,
    message: str,
    place: Path,  # noqa: F811  a fixture
    runbook: Path,  # noqa: F811  a fixture
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = made(place / "a.lclog")
    assert callable(change)
    change(log)
    before = log.read_bytes()
    assert message in refused(runbook, log, capsys)
    assert log.read_bytes() == before


def _pragma(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        for statement in statements:
            con.execute(statement if " " in statement else f"PRAGMA {statement}")


@pytest.mark.parametrize("new", [True, False])
def test_a_network_file_system(
    new: bool,
    place: Path,  # noqa: F811  a fixture
    runbook: Path,  # noqa: F811  a fixture
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = place / "a.lclog" if new else made(place / "a.lclog")
    monkeypatch.setattr(locks, "filesystem_of", lambda _folder: "nfs4")
    told = refused(runbook, log, capsys)
    assert "network filesystem (nfs4): keep the log on a local disk" in told
    assert log.exists() is not new


_AS_NOBODY = """
import os, sys
import console.engine.engine, checks.registry, checks.clients.clients  # before the rights are gone
from console.engine.__main__ import main
console.engine.engine.version()
os.setgroups([]); os.setgid(65534); os.setuid(65534)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not write")
def test_a_directory_that_can_not_be_written(
    new: bool,
    place: Path,  # noqa: F811  a fixture
    runbook: Path,  # noqa: F811  a fixture
) -> None:
    folder = place / "launches"
    folder.mkdir()
    log = folder / "a.lclog" if new else made(folder / "a.lclog")
    if not new:
        log.chmod(0o644)
    for one in (*runbook.parent.iterdir(), place, folder):
        one.chmod(0o755 if one.is_dir() else 0o644)
    words = [sys.executable, "-c", _AS_NOBODY, "--runbook", str(runbook), "--log", str(log)]
    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == ExitCode.BAD_LOG, done.stderr
    (told,) = done.stderr.splitlines()
    assert str(folder) in told
    assert "read-only" in told or "Permission denied" in told


async def test_a_second_engine_is_refused_and_names_the_first(
    place: Path,  # noqa: F811  a fixture
    runbook: Path,  # noqa: F811  a fixture
) -> None:
    """I4 from the command line: one engine writes a log; another is told who has it."""
    log = place / "a.lclog"
    first = await asyncio.to_thread(start_engine, runbook, log)
    words = [sys.executable, "-m", "console.engine", "--runbook", str(runbook), "--log", str(log)]
    second = await asyncio.to_thread(subprocess.run, words, check=False, capture_output=True, text=True)
    assert second.returncode == ExitCode.BAD_LOG
    (told,) = second.stderr.splitlines()
    assert f"is held by another engine (process {first.pid}, session {first.session})" in told
    client = await EngineClient.connect(first.socket)
    assert (await client.command("note.add", {"text": "still writing"})).ok
    await client.close()
    await asyncio.to_thread(stop, first)
    assert find(log) is None


async def test_who_lost_the_console_can_not_act_any_more(
    place: Path,  # noqa: F811  a fixture
    runbook: Path,  # noqa: F811  a fixture
) -> None:
    info = await asyncio.to_thread(start_engine, runbook, place / "a.lclog")
    first = await EngineClient.connect(info.socket, tty="pts/1")
    second = await EngineClient.connect(info.socket, tty="pts/2")
    assert (await first.command("launch.hold", {"reason": "x"})).ok
    refused_first = await second.command("launch.release", {"reason": "y"})
    assert "take over first" in refused_first.message
    assert not (await second.command("console.take_over", {})).ok  # without a reason
    assert (await second.command("console.take_over", {"reason": "ann left for the train"})).ok
    reply = await first.command("launch.release", {"reason": "y"})
    assert not reply.ok
    assert f"{ME} drives from console {second.welcome.console}: take over first" in reply.message
    assert (await second.command("launch.release", {"reason": "y"})).ok
    (took,) = [e for e in await second.events(0, 500) if e.kind == ConsoleTookOver.KIND]
    assert took.body == {"id": second.welcome.console, "reason": "ann left for the train"}
    await first.close()
    await second.close()


async def test_a_clock_that_jumps_is_recorded_and_changes_no_order(tmp_path: Path) -> None:
    """I10: wall time is set by an hour either way; order is the number alone, and what is measured stays right."""
    async with stand(tmp_path) as s:
        await s.open(run=False)
        for hours in (1, -1):
            await s.engine.journal.record(Draft(NoteAdded("before")))
            s.clock.jump(hours * 3600)
            await s.engine.journal.record(Draft(NoteAdded("after")))
        jumps = s.events(ClockJumped.KIND)
        assert [event.body["jump_us"] for event in jumps] == [3_600_000_000, -3_600_000_000]
        assert any("the clock jumped by -3600.0 s" in row.words for row in s.view.tail)
        monotonic = [event.mono_us for event in s.engine.store.read(0)]
        assert monotonic == sorted(monotonic)
