"""The engine as a process of its own: started, found, killed, resumed, stopped."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.cli.engine import run_list, run_stop
from console.client.engine_client import EngineClient
from console.engine.process.running import (
    EngineInfo,
    RuntimeDirectoryError,
    announce,
    find,
    process_started,
    running_engines,
    runtime_directory,
)
from console.engine.process.socket_server import account_of
from console.engine.process.spawn import EngineFailedError, output_path, start_engine, stop
from console.exit_codes import ExitCode, FailedError
from tests.console.engine.outside import CHECKS, write_runbook

ME = account_of(os.getuid())


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="lc"))  # a socket's path is short
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    try:
        yield folder
    finally:
        for engine in running_engines():
            stop(engine)
        shutil.rmtree(folder)


@pytest.fixture
def runbook(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for item in CHECKS:  # the process knows no kinds of tests
        monkeypatch.setitem(CHECKS, item, [])
    path = write_runbook(place, "http://127.0.0.1:9")
    path.write_text(path.read_text().replace("- ann\n", f"- {ME}\n", 1))
    return path


async def test_started_found_killed_resumed_and_stopped(place: Path, runbook: Path) -> None:
    log = place / "launches" / "a.lclog"
    info = await asyncio.to_thread(start_engine, runbook, log)
    assert find(log) == info
    assert os.getsid(info.pid) != os.getsid(0)
    assert output_path(log).stat().st_mode & 0o777 == 0o600
    client = await EngineClient.connect(info.socket)
    assert client.welcome.pid == info.pid
    assert (await client.command("attest.sign", {"item": "1.1", "verdict": "GO"})).ok
    again = await asyncio.to_thread(start_engine, runbook, log)
    assert again == info
    acknowledged = client.view.seq
    os.kill(info.pid, signal.SIGKILL)
    async with asyncio.timeout(5):
        while client.lost is None:  # noqa: ASYNC110  polled from outside
            await asyncio.sleep(0.01)
    await client.close()
    assert find(log) is None

    second = await asyncio.to_thread(start_engine, runbook, log)
    client = await EngineClient.connect(second.socket)
    assert client.view.seq > acknowledged
    assert client.view.item("1.1").attestation is not None  # type: ignore[union-attr]  # it is there
    assert (await client.command("note.add", {"text": "again"})).ok
    await client.close()
    await asyncio.to_thread(stop, second)
    assert running_engines() == []
    assert list((place / "launch-console").glob("*")) == []
    assert output_path(log).read_text() == ""


async def test_a_hangup_does_not_end_it(place: Path, runbook: Path) -> None:
    info = await asyncio.to_thread(start_engine, runbook, place / "a.lclog")
    os.kill(info.pid, signal.SIGHUP)
    client = await EngineClient.connect(info.socket)
    assert (await client.command("note.add", {"text": "still here"})).ok
    assert (await client.command("engine.stop", {"reason": "enough"})).ok
    async with asyncio.timeout(10):
        while process_started(info.pid) == info.started:  # noqa: ASYNC110  polled from outside
            await asyncio.sleep(0.02)
    assert client.lost == "enough"
    await client.close()


def test_a_bad_runbook_is_one_message(place: Path, runbook: Path) -> None:
    runbook.write_text(runbook.read_text().replace("title:", "titel:", 1))
    with pytest.raises(EngineFailedError, match="titel") as caught:
        start_engine(runbook, place / "a.lclog")
    assert caught.value.code == 2
    assert "Traceback" not in str(caught.value)
    assert not (place / "a.lclog").exists()


def test_a_log_that_is_not_ours_is_one_message(place: Path, runbook: Path) -> None:
    log = place / "a.lclog"
    log.write_text("something else")
    log.chmod(0o600)
    with pytest.raises(EngineFailedError) as caught:
        start_engine(runbook, log)
    assert caught.value.code == 3
    assert log.read_text() == "something else"


def test_files_of_dead_engines_are_removed(place: Path) -> None:
    folder = runtime_directory()
    announce(EngineInfo(2**22 - 1, 1, place / "x", folder / "x.sock", place / "r", "s"))
    announce(EngineInfo(os.getpid(), 1, place / "y", folder / "y.sock", place / "r", "s"))
    (folder / "broken.json").write_text("{")
    assert running_engines() == []
    assert list(folder.iterdir()) == []


def test_the_folder_of_sockets_must_be_ours_alone(place: Path) -> None:
    runtime_directory().chmod(0o755)
    with pytest.raises(RuntimeDirectoryError, match="only this account"):
        runtime_directory()
    (place / "launch-console").chmod(0o700)


def test_list_and_stop(place: Path, runbook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_list() == 0
    assert capsys.readouterr().out == "no engine runs\n"
    info = start_engine(runbook, place / "a.lclog")
    assert run_list(as_json=True) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["pid"], listed["state"], listed["consoles"]) == (info.pid, "running", [])
    assert run_list() == 0
    shown = capsys.readouterr().out
    assert "DotMac platform, first production launch: running; 0 consoles; since 20" in shown
    assert str(place / "a.lclog") in shown
    with pytest.raises(FailedError, match="no engine runs for nothing") as none:
        run_stop("nothing")
    assert none.value.code is ExitCode.NO_ENGINE
    assert run_stop(str(place / "a.lclog")) == 0
    assert run_list() == 0
    assert "no engine runs" in capsys.readouterr().out
