"""The live source on a real Unix socket, against an engine's side of the wire that a test plays."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from console.client import sources
from console.client.protocol import decode, encode
from console.client.sources import LiveSource
from console.ui.app import LaunchApp
from screens.kit.screen_state import Mode
from state.base.codec import WIRE
from state.base.json import JsonObject, integer, obj, text
from state.commands import Reply
from state.view.enums import Danger
from state.view.preview import Preview
from tests.screens import story
from tests.screens.stage import picture, text_of
from tests.screens.story import Story


class Engine:
    """An engine as a console sees it: it tells a story and remembers what it was asked."""

    def __init__(self, told: Story) -> None:
        self.story = told
        self.asked: list[JsonObject] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.rate = "1"
        self.beating = True
        self.greets_after_s = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            frame = decode(line)
            self.asked.append(frame)
            match text(frame, "t"):
                case "hello":
                    await asyncio.sleep(self.greets_after_s)
                    self.writers.append(writer)
                    about: JsonObject = {
                        "pid": 1,
                        "log": "x",
                        "launch": "y",
                        "version": "0",
                        "session": "s",
                        "adjustable": True,
                    }
                    self.send(
                        {"t": "welcome", "engine": about, "you": "ann", "console": "c1", "drives": True}
                    )
                    self.send({"t": "keyframe", "view": WIRE.dump(self.story.view())})
                case "preview":
                    name = text(frame, "name")
                    preview = WIRE.dump(Preview(name, name, Danger.SAFE, allowed=True))
                    self.send({"t": "reply", "id": integer(frame, "id"), "preview": preview})
                case "command":
                    reply = WIRE.dump(Reply(ok=True, message=f"did {text(frame, 'name')}"))
                    self.send({"t": "reply", "id": integer(frame, "id"), "reply": reply})
                case "events":
                    after = integer(frame, "after")
                    page = [WIRE.dump(e) for e in self.story.events[after : after + integer(frame, "limit")]]
                    self.send({"t": "reply", "id": integer(frame, "id"), "events": page})

    def send(self, frame: JsonObject) -> None:
        for writer in self.writers:
            if not writer.is_closing():
                writer.write(encode(frame))

    def tell(self, kind: str, body: JsonObject) -> None:
        seq = self.story.tell(kind, body, actor="ann")
        self.send({"t": "event", "event": WIRE.dump(self.story.events[seq - 1])})

    async def beat(self) -> None:
        while True:
            if self.beating:
                self.send({"t": "beat", "wall_us": self.story.now_us, "rate": self.rate})
            await asyncio.sleep(0.1)


@asynccontextmanager
async def engine(path: Path, told: Story) -> AsyncIterator[Engine]:
    played = Engine(told)
    server = await asyncio.start_unix_server(played.serve, path)
    beating = asyncio.create_task(played.beat())
    try:
        yield played
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating
        server.close()
        for writer in played.writers:
            writer.close()
        await asyncio.to_thread(path.unlink, missing_ok=True)


async def test_a_console_on_a_socket_shows_follows_and_commands(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    async with engine(path, story.opened()) as played:
        app = LaunchApp(LiveSource(path, tty="/dev/pts/7"), Mode.LIVE)
        async with app.run_test(size=(100, 30)) as pilot:
            await pilot.pause(0.4)
            assert "you are driving" in text_of(app)
            assert text(obj(played.asked[0]), "tty") == "/dev/pts/7"
            played.tell("launch.held", {"reason": "lunch"})
            await pilot.pause(0.4)
            assert "HOLD by ann" in text_of(app)
            await pilot.press("l")
            await pilot.pause(0.5)
            assert "launch.held" in text_of(app)
            await pilot.press("c")
            await pilot.pause(0.2)
            await pilot.press(*"hi", "enter")
            await pilot.pause(0.3)
            assert "did note.add" in text_of(app)
        assert app.return_code in {0, None}


async def test_between_two_beats_the_clock_goes_on_at_the_engines_rate(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    async with engine(path, story.opened()) as played:
        played.rate = "60"
        source = LiveSource(path)
        await source.open(lambda: None)
        await asyncio.sleep(0.3)
        played.beating = False
        await asyncio.sleep(0.3)
        first = source.shown().now_us
        await asyncio.sleep(0.2)
        assert 6e6 < source.shown().now_us - first < 40e6
        await source.close()


async def test_a_lost_engine_is_said_within_two_seconds_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    told = story.opened()
    source = LiveSource(path)
    app = LaunchApp(source, Mode.LIVE)
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        async with engine(path, told) as played:
            pilot = await stack.enter_async_context(app.run_test(size=(100, 30)))
            await pilot.pause(0.4)
            for writer in played.writers:
                writer.close()
        gone = loop.time()
        while not any("ENGINE LOST" in one for one in picture(app)):
            await asyncio.sleep(0.05)
            assert loop.time() - gone < 2.0
        async with engine(path, told) as again:
            again.story.tell("launch.held", {"reason": "found again"}, actor="ann")
            while any("ENGINE LOST" in one for one in picture(app)):
                await asyncio.sleep(0.05)
                assert loop.time() - gone < 2 * sources.RETRY_S + 3
            await pilot.pause(0.3)
            assert "found again" in text_of(app)
            await pilot.press("q")
            await pilot.pause(0.1)


async def test_an_engine_that_is_started_again_is_greeted_once(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    told = story.opened()
    source = LiveSource(path)
    async with engine(path, told) as played:
        await source.open(lambda: None)
        for writer in played.writers:
            writer.close()
    async with asyncio.timeout(3):
        while not source.shown().lost:  # noqa: ASYNC110  polled from outside
            await asyncio.sleep(0.02)
    async with engine(path, told) as again:
        again.greets_after_s = 3 * sources.RETRY_S
        await asyncio.sleep(1.5 * sources.RETRY_S)  # it is being greeted, by itself
        await source.reopen(path)
        assert not source.shown().lost
        assert [text(one, "t") for one in again.asked].count("hello") == 1
        await asyncio.sleep(1.5 * sources.RETRY_S)
        assert not source.shown().lost
        assert sum(not one.is_closing() for one in again.writers) == 1
    await source.close()


async def test_a_silent_engine_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    async with engine(path, story.opened()) as played:
        source = LiveSource(path)
        await source.open(lambda: None)
        played.beating = False
        await asyncio.sleep(2.3)
        assert "silent" in source.shown().lost
        await source.close()


async def test_no_engine_is_one_clear_message(tmp_path: Path) -> None:
    app = LaunchApp(LiveSource(tmp_path / "nobody.sock"), Mode.LIVE)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.2)
    assert app.return_code == 4
