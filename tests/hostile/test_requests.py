"""Hostile requests: each is answered, none ends the engine or delays its beat, and none of ours is told as theirs."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.client.engine_client import Connection
from console.client.protocol import WireError, decode
from console.engine.ports import Who
from console.engine.process.hub import CommandsPort
from state.base.json import Json, JsonObject, integer, text
from state.commands import COMMANDS, Confirmation, Reply
from state.view.preview import Preview
from tests.console.engine.stand import Stand, stand
from tests.hostile.made import CANARY, SCALARS, TEXTS, VALUES, deep, hostile

ENDS = {"launch.close", "launch.scrub"}
NAMES = st.one_of(st.sampled_from(sorted({spec.name for spec in COMMANDS} - ENDS)), TEXTS)
KEYS = sorted({param.name for spec in COMMANDS for param in spec.parameters})
ARGS = st.one_of(
    st.dictionaries(st.sampled_from(KEYS), SCALARS, max_size=6),
    st.dictionaries(TEXTS, VALUES, max_size=4),
    VALUES,
)
FRAMES = st.fixed_dictionaries(
    {
        "t": st.one_of(st.sampled_from(["preview", "command", "events"]), TEXTS.filter(lambda t: t != "hello")),
        "id": st.integers(1, 2**53),
    },
    optional={
        "name": st.one_of(NAMES, SCALARS),
        "args": ARGS,
        "confirmation": VALUES,
        "after": SCALARS,
        "limit": SCALARS,
    },
)  # fmt: skip
LATE_S = 0.2


class Attached:
    """An engine in a thread of its own, a console on it, and the longest time that its loop was held up."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.late_s = 0.0
        self.stand: Stand
        self.connection: Connection
        self._end = asyncio.Event()
        self._living = asyncio.run_coroutine_threadsafe(self._live(folder), self.loop)
        began = time.monotonic()
        while not hasattr(self, "connection") and time.monotonic() - began < 60 and not self._living.done():
            time.sleep(0.01)

    async def _live(self, folder: Path) -> None:
        async with stand(folder) as s:
            self.stand = s
            await s.open(run=False)
            s.engine.clients.redactor.register(CANARY)
            connection = s.engine.connect("ann")
            await connection.send({"t": "hello", "tty": "t"})
            while text(await connection.receive() or {}, "t") != "keyframe":
                pass
            lag = asyncio.create_task(self._watch())
            self.connection = connection
            await self._end.wait()
            lag.cancel()
            await connection.close()

    async def _watch(self) -> None:
        # The CPU of this thread between two looks: on a machine that nobody else uses, how late a beat is.
        while True:
            began = time.thread_time()
            await asyncio.sleep(0.01)
            self.late_s = max(self.late_s, time.thread_time() - began)

    def ask(self, frame: JsonObject) -> JsonObject:
        """Send a frame and return its answer."""

        async def answered() -> JsonObject:
            await self.connection.send(frame)
            async with asyncio.timeout(60):
                while True:
                    told = await self.connection.receive()
                    assert told is not None, "the engine hung up"
                    if text(told, "t") in {"reply", "error"}:
                        return told

        return asyncio.run_coroutine_threadsafe(answered(), self.loop).result(90)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self._end.set)
        self._living.result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(60)
        self.loop.close()


@pytest.fixture(scope="module")
def attached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attached]:
    folder = tmp_path_factory.mktemp("hostile")
    one = Attached(folder)
    yield one
    one.close()
    for path in folder.rglob("*"):
        if path.is_file() and path.name.startswith("a.lclog"):
            assert CANARY.encode() not in path.read_bytes(), path


@hostile
@given(FRAMES)
def test_every_request_is_answered(attached: Attached, frame: dict[str, Json]) -> None:
    attached.late_s = 0.0
    reply = attached.ask(frame)
    assert integer(reply, "id") == frame["id"]
    told = json.dumps(reply)
    assert "Traceback" not in told
    assert attached.late_s < LATE_S


def test_what_is_nested_deep_or_very_long_is_answered_too(attached: Attached) -> None:
    for number, args in enumerate([{"item": deep(500)}, {"text": "x" * 1_000_000}, deep(500)], 1):
        attached.late_s = 0.0
        for kind in ("preview", "command"):
            frame: JsonObject = {"t": kind, "name": "note.add", "id": number, "args": args}
            assert integer(attached.ask(frame), "id") == number
        assert attached.late_s < LATE_S


@hostile
@given(
    st.one_of(st.binary(max_size=200), VALUES.map(lambda v: json.dumps(v).encode()), st.just(b"[" * 200_000))
)
def test_a_line_that_is_no_frame_is_said_to_be_none(line: bytes) -> None:
    try:
        found = decode(line)
    except WireError:
        return
    assert isinstance(found, dict)


class Stuck:
    """Commands whose previews wait for something that doesn't come."""

    def __init__(self, working: CommandsPort, release: asyncio.Event) -> None:
        self._working, self._release = working, release

    async def preview(self, name: str, args: JsonObject, who: Who) -> Preview:
        await self._release.wait()
        return await self._working.preview(name, args, who)

    async def run(self, name: str, args: JsonObject, confirmation: Confirmation, who: Who) -> Reply:
        return await self._working.run(name, args, confirmation, who)


def test_hold_waits_behind_nobody(attached: Attached) -> None:
    async def heard(number: int) -> None:
        while integer(await attached.connection.receive() or {}, "id") != number:
            pass

    async def both() -> None:
        release, hub = asyncio.Event(), attached.stand.engine.hub
        working, hub.commands = hub.commands, Stuck(hub.commands, release)
        send = attached.connection.send
        await send({"t": "preview", "name": "operation.run", "id": 1, "args": {}})
        await send({"t": "command", "name": "launch.hold", "id": 2, "args": {"reason": "stop"}})
        await heard(2)  # while the first one waits on
        release.set()
        await heard(1)
        hub.commands = working

    asyncio.run_coroutine_threadsafe(both(), attached.loop).result(90)
