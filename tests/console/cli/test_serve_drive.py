"""``serve --drive``: who has the address acts as whoever serves; without it no key of the page does anything."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import aiohttp
import pytest

from console.cli.open import running_log
from console.engine.process.running import running_engines
from console.engine.process.socket_server import account_of
from console.engine.process.spawn import stop
from state.events.event import Event
from state.events.launch import LaunchHeld
from state.events.log import NoteAdded
from state.log.reader import LogReader
from tests.console.cli.test_serve import answered, screen, served
from tests.console.engine.outside import CHECKS, write_runbook

NOTE = "seen from a browser"
PATIENT_S = 180.0
"""Real seconds for an engine, a page and a console each time, however busy the machine is."""


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runbook whose captain is whoever runs this; the engine that is started on it is stopped."""
    folder = Path(tempfile.mkdtemp(prefix="lc"))  # a socket's path is short
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    for item in CHECKS:  # the process knows no kinds of tests
        monkeypatch.setitem(CHECKS, item, [])
    path = write_runbook(folder, "http://127.0.0.1:9")
    path.write_text(path.read_text().replace("- ann\n", f"- {account_of(os.getuid())}\n", 1))
    try:
        yield path
    finally:
        for engine in running_engines():
            stop(engine)
        shutil.rmtree(folder)


async def typed(address: str, steps: Sequence[tuple[bytes, str]]) -> bytes:
    """Open a page's socket as the browser does; type each text once the bytes before it were painted."""
    painted, left = b"", list(steps)
    origin = {"Origin": address.rpartition("/")[0].rpartition("/")[0]}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{address}ws?width=120&height=40", headers=origin) as socket,
    ):
        async for message in socket:
            painted += message.data if isinstance(message.data, bytes) else b""
            if left[0][0] in painted:
                _, keys = left.pop(0)
                painted = b""
                if not left:
                    return painted
                await socket.send_str(json.dumps(["stdin", keys]))
    raise AssertionError((left, painted[-3000:]))


def of(log: Path, kind: type) -> list[Event]:
    with LogReader(log) as reader:
        return [event for event in reader.every() if event.kind == kind.KIND]  # type: ignore[attr-defined]


@pytest.mark.timeout(2 * PATIENT_S + 60)
async def test_a_page_that_drives_acts_and_one_that_does_not_is_deaf(book: Path) -> None:
    async with served(book, "--drive", patience=PATIENT_S) as (address, _):
        async with aiohttp.ClientSession() as session:
            assert (await answered(session, address))[0] == 200
        await typed(address, [(b"NEXT", "c"), (b"Add a note", f"{NOTE}\r"), (b"noted, event", "")])
    log = running_log(book)
    assert log is not None
    (note,) = of(log, NoteAdded)
    assert (note.actor, note.body) == (account_of(os.getuid()), {"text": NOTE})
    async with served(log, patience=PATIENT_S) as (address, _), aiohttp.ClientSession() as session:
        assert (await answered(session, address))[0] == 200
        painted = await screen(session, address, keys="cahtxGl", until=b"milestones")
    assert b"read-only" in painted
    assert b"waiting for" in painted
    assert len(of(log, NoteAdded)) == 1
    assert of(log, LaunchHeld) == []
