"""Consoles over a real socket: keyframe and events, several of them, slow ones, dead engines."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from console.client import protocol
from console.client.engine_client import AttachError, EngineClient, NullListener
from console.engine.process import hub as hub_module
from console.engine.process.socket_server import SocketServer, account_of
from state.events.event import Draft, Event
from state.events.launch import ConsoleClosed
from state.events.log import NoteAdded
from state.fold import fold
from state.view.launch import LaunchView
from tests.console.engine.stand import Stand, stand

ME = account_of(os.getuid())


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[Stand, SocketServer]]:
    async with stand(folder) as s:
        text = s.runbook.read_text()
        s.runbook.write_text(text.replace("- ann\n", f"- ann\n  - {ME}\n", 1))
        await s.open()
        server = SocketServer(s.engine.hub, folder / "e.sock")
        await server.open()
        try:
            yield s, server
        finally:
            await s.close()
            await server.aclose()


class Told(NullListener):
    def __init__(self) -> None:
        self.views: list[LaunchView] = []
        self.events: list[Event] = []
        self.beats = 0
        self.lost: list[str] = []

    def on_view(self, view: LaunchView) -> None:
        self.views.append(view)

    def on_event(self, event: Event, view: LaunchView) -> None:
        self.events.append(event)
        assert view.seq == event.seq

    def on_beat(self, wall_us: int, rate: float) -> None:
        self.beats += 1

    def on_lost(self, reason: str) -> None:
        self.lost.append(reason)


async def test_a_console_gets_the_view_and_every_event_after_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as (s, server):
        told = Told()
        client = await EngineClient.connect(server.path, tty="/dev/pts/7", listener=told)
        assert client.welcome.account == ME
        assert client.welcome.drives
        assert client.welcome.log == str(s.log)
        assert len(told.views) == 1
        for n in range(20):
            await s.engine.journal.record(Draft(NoteAdded(str(n))))
        view = await client.until(lambda v: v.seq >= s.view.seq)
        seqs = [e.seq for e in told.events]
        assert seqs == list(range(told.views[0].seq + 1, seqs[-1] + 1))
        whole = fold(_all(s))
        await client.until(lambda v: v.seq >= whole.seq)
        assert client.view == fold(_all(s, client.view.seq)) or client.view.seq > whole.seq
        assert view.consoles[0].tty == "/dev/pts/7"
        page = await client.events(3, 5)
        assert [e.seq for e in page] == [4, 5, 6, 7, 8]
        await client.close()
        await s.until(lambda v: not v.consoles)
        assert told.lost == []


def _all(s: Stand, upto: int = 10**9) -> list[Event]:
    found: list[Event] = []
    while chunk := s.engine.store.read(len(found)):
        found += chunk
    return [e for e in found if e.seq <= upto]


async def test_two_consoles_see_the_same_and_one_drives(tmp_path: Path) -> None:
    async with serving(tmp_path) as (s, server):
        first = await EngineClient.connect(server.path)
        second = await EngineClient.connect(server.path)
        assert (first.welcome.drives, second.welcome.drives) == (True, False)
        assert (await first.command("attest.sign", {"item": "1.1", "verdict": "GO"})).ok
        await second.until(lambda v: v.item("1.1").attestation is not None)  # type: ignore[union-attr]  # there
        signed = second.view.item("1.1").attestation  # type: ignore[union-attr]  # it is there
        assert signed is not None
        assert signed.how_known == f"socket peer uid {os.getuid()} ({ME}), self-declared"
        assert not (await second.command("check.run", {"item": "3.1"})).ok
        assert (await second.command("console.take_over", {"reason": "mine"})).ok
        assert (await second.command("check.run", {"item": "3.1"})).ok
        await first.close()
        await second.close()
        await s.until(lambda v: not v.consoles)


async def test_a_console_that_does_not_read_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "LONGEST_QUEUE", 60)
    async with serving(tmp_path) as (s, server):
        reader, writer = await asyncio.open_unix_connection(server.path, limit=1024)
        writer.write(protocol.encode({"t": "hello", "tty": ""}))
        await s.until(lambda v: len(v.consoles) == 1)
        reader._transport.pause_reading()  # type: ignore[attr-defined]  # a stalled terminal
        for n in range(400):
            await s.engine.journal.record(Draft(NoteAdded(f"{n} " * 500)))
            if not s.view.consoles:
                break
        view = await s.until(lambda v: not v.consoles)
        assert view.consoles == ()
        assert s.events(ConsoleClosed.KIND)[0].body["reason"] == "it did not read"
        writer.close()


async def test_another_version_is_refused_in_words(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, server):
        reader, writer = await asyncio.open_unix_connection(server.path)
        writer.write(b'{"v":99,"t":"hello"}\n')
        assert b"speaks version 99" in await reader.readline()
        writer.close()


async def test_the_socket_is_for_this_account_alone(tmp_path: Path) -> None:
    async with serving(tmp_path) as (_, server):
        assert server.path.stat().st_mode & 0o777 == 0o600


async def test_an_engine_that_ends_says_goodbye(tmp_path: Path) -> None:
    async with serving(tmp_path) as (s, server):
        told = Told()
        client = await EngineClient.connect(server.path, listener=told)
        s.engine.stop("a test", "ann")
        await s.close()
        async with asyncio.timeout(5):
            while not told.lost:  # noqa: ASYNC110  polled from outside
                await asyncio.sleep(0.01)
        assert told.lost == ["a test"]
        assert client.view.engine == ""
        with pytest.raises(AttachError, match="a test"):
            await client.command("launch.hold", {"reason": "x"})
        await client.close()


async def test_a_silent_engine_is_noticed_within_two_seconds(tmp_path: Path) -> None:
    async with serving(tmp_path) as (s, server):
        told = Told()
        client = await EngineClient.connect(server.path, listener=told)
        await s.engine.supervisor.aclose()  # no beats any more
        async with asyncio.timeout(2.6):
            while not told.lost:  # noqa: ASYNC110  polled from outside
                await asyncio.sleep(0.02)
        assert "silent" in told.lost[0]
        await client.close()


async def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(AttachError, match="no engine answers"):
        await EngineClient.connect(tmp_path / "none.sock")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    with pytest.raises(AttachError, match="no engine answers"):
        await EngineClient.connect(tmp_path / "dead.sock")


_CONSOLE = """
import asyncio, sys
from pathlib import Path
from console.client.engine_client import EngineClient
async def main():
    client = await EngineClient.connect(Path(sys.argv[1]), tty="child")
    print((await client.command("check.run", {"item": "3.1"})).ok, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_killing_a_console_leaves_the_engine_alone(tmp_path: Path) -> None:
    async with serving(tmp_path) as (s, server):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _CONSOLE, str(server.path), stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        assert await child.stdout.readline() == b"True\n"
        child.send_signal(signal.SIGKILL)
        await child.wait()
        await s.until(lambda v: not v.consoles)
        view = await s.until(lambda v: v.item("3.1").checks[0].seq > 0)  # type: ignore[union-attr]  # it is there
        again = await EngineClient.connect(server.path)
        assert again.welcome.drives
        assert again.view.seq >= view.seq
        await again.close()
