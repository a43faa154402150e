"""A console's side of the engine: it attaches, folds what it is told, previews and gives commands.

Loads nothing but the standard library and ``state``: the first frame waits for it. The fold is the same as
everywhere, so a console that was given a keyframe and all events since shows what the engine knows.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from console.client.protocol import BEAT_S, FRAME_LIMIT, WireError, decode, encode, load_event
from console.client.signing import CannotSignError, environment, sign_attestation, statement_of
from state.base.canonical import CanonicalError
from state.base.codec import WIRE, read
from state.base.json import EMPTY, FieldError, JsonObject, decimal, flag, integer, obj, objs, text
from state.base.text import line
from state.commands import Confirmation, Reply
from state.events.event import Event
from state.fold import apply
from state.view.launch import LaunchView
from state.view.preview import Preview

SILENCE_S = 4 * BEAT_S
"""Real seconds without a word after which an engine counts as dead."""
# More than the 3 s the engine allows itself for recording that a console came.
_GREETING_S = 10.0
_LONGEST_ANSWER_S = 180.0
"""A preview asks clusters, registries and helm, each with limits of its own; a console doesn't wait beyond them."""
_ANSWER_S = {"launch.hold": 15.0, "operation.abort": 15.0, "console.take_over": 15.0, "note.add": 15.0}
"""What asks nobody else is answered at once, or never."""
# Only for a frame that has already arrived: see `_heard`.
_GLANCE_S = 0.1


class AttachError(Exception):
    """There is no engine to attach to, or it refused; the message is one line for the captain."""


class UnansweredError(AttachError):
    """The engine is there and gave no answer in time."""


class Connection(Protocol):
    """Carries frames between a console and an engine: a socket, or memory."""

    async def send(self, frame: JsonObject) -> None:
        """Hand a frame over.

        Raises ConnectionError where the other side is gone.
        """
        ...

    async def receive(self) -> JsonObject | None:
        """Return the next frame, or None at the end.

        Raises WireError for a frame that is not ours.
        """
        ...

    async def close(self) -> None:
        """End the connection."""
        ...


class Listener(Protocol):
    """What is told of the engine's news, in order, on the event loop; calls must be quick."""

    def on_view(self, view: LaunchView) -> None:
        """A keyframe came: show all of it."""
        ...

    def on_event(self, event: Event, view: LaunchView) -> None:
        """An event was committed; ``view`` is the view after it."""
        ...

    def on_beat(self, wall_us: int, rate: float) -> None:
        """The engine lives, and this is the time of its clock."""
        ...

    def on_lost(self, reason: str) -> None:
        """The engine is gone; nothing more comes. Called at most once, and not after ``close``."""
        ...


class NullListener:
    """A listener that does nothing: a base for those who want a part."""

    def on_view(self, view: LaunchView) -> None:
        """See Listener."""

    def on_event(self, event: Event, view: LaunchView) -> None:
        """See Listener."""

    def on_beat(self, wall_us: int, rate: float) -> None:
        """See Listener."""

    def on_lost(self, reason: str) -> None:
        """See Listener."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What an engine says of itself and of who attached."""

    pid: int
    log: str
    launch: str
    version: str
    session: str
    account: str
    """The account that this connection acts as."""
    console: str
    """The id of this console; ``ConsoleView.id``."""
    drives: bool
    adjustable: bool
    """Whether the engine's clock can run faster."""


class SocketConnection:
    """Frames over a Unix socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, path: Path) -> SocketConnection:
        """Return a connection to the engine that listens at ``path``.

        Raises AttachError where none does.
        """
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=FRAME_LIMIT)
        except OSError as error:
            raise AttachError(f"no engine answers at {path} ({error.strerror}): start one") from None
        return cls(reader, writer)

    async def send(self, frame: JsonObject) -> None:
        """See Connection."""
        self._writer.write(encode(frame))
        await self._writer.drain()

    async def receive(self) -> JsonObject | None:
        """See Connection."""
        try:
            line = await self._reader.readline()
        except ValueError:
            raise WireError("a frame over 8 MiB") from None
        return decode(line) if line.endswith(b"\n") else None

    async def close(self) -> None:
        """See Connection."""
        self._writer.close()
        with contextlib.suppress(OSError):
            # Shielded: a cancelled waiter would be cancelled for everybody who closes it again.
            await asyncio.shield(asyncio.ensure_future(self._writer.wait_closed()))


class EngineClient:
    """An attached console. ``view`` is always the newest; every method belongs to one event loop."""

    def __init__(
        self,
        connection: Connection,
        listener: Listener | None = None,
        *,
        patience_s: float | None = SILENCE_S,
    ) -> None:
        """``patience_s`` is after how long a silence an engine counts as dead; None: it is in this process."""
        self.view = LaunchView()
        self.welcome = Welcome(0, "", "", "", "", "", "", drives=False, adjustable=False)
        self.listener: Listener = listener or NullListener()
        self.lost: str | None = None
        """Why the engine is gone, or None while it is there."""
        self.on_signing: Callable[[str], None] | None = None
        """Is told before a key signs: which one, and that it wants a touch where it does."""
        self.trouble = ""
        """Why the engine can't write its log at the moment, or nothing."""
        self._connection = connection
        self._patience_s = patience_s
        self._waiting: dict[int, asyncio.Future[JsonObject]] = {}
        self._asked = 0
        self._reading: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._closed = False

    @classmethod
    async def connect(cls, socket: Path, *, tty: str = "", listener: Listener | None = None) -> EngineClient:
        """Attach to the engine behind a socket and return when its view is here.

        Raises AttachError.
        """
        client = cls(await SocketConnection.open(socket), listener)
        await client.open(tty)
        return client

    async def open(self, tty: str = "") -> None:
        """Greet the engine; return when its keyframe is here.

        Raises AttachError where it doesn't answer, or is another version.
        """
        try:
            async with asyncio.timeout(_GREETING_S):
                await self._connection.send({"t": "hello", "tty": tty})
                await self._greeted()
        except TimeoutError:
            await self._connection.close()
            raise AttachError(f"the engine gave no answer in {_GREETING_S:g} s") from None
        except (OSError, WireError, FieldError) as error:
            await self._connection.close()
            raise AttachError(f"the engine can't be attached to: {error}") from None
        self.listener.on_view(self.view)
        self._reading = asyncio.create_task(self._read(), name="engine-client")

    async def _greeted(self) -> None:
        while (frame := await self._connection.receive()) is not None:
            match text(frame, "t"):
                case "welcome":
                    self.welcome = _welcome(frame)
                case "keyframe":
                    self.view = WIRE.load(LaunchView, obj(frame.get("view")))
                    return
                case "error":
                    raise WireError(text(frame, "message"))
        raise WireError("it hung up")

    async def _read(self) -> None:
        reason = "the engine ended"
        try:
            while True:
                frame = await self._heard()
                if frame is None:
                    break
                if text(frame, "t") == "bye":
                    reason = text(frame, "reason") or reason
                    break
                await self._take(frame)
        except TimeoutError:
            reason = f"the engine was silent for {self._patience_s:g} s"
        except (OSError, WireError, FieldError) as error:
            reason = f"the engine can't be understood: {error}"
        except (
            Exception
        ) as error:  # a body that the fold can't take must not leave a console that stands still
            reason = f"this console failed ({type(error).__name__}: {line(str(error), 160)})"
        await self._lose(reason)

    async def _heard(self) -> JsonObject | None:
        """Return the next frame.

        Raises TimeoutError where none came in time, and none waits either: a console that was itself kept
        from running must not take that for the engine's silence.
        """
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._connection.receive()
        except TimeoutError:
            async with asyncio.timeout(_GLANCE_S):
                return await self._connection.receive()

    async def _take(self, frame: JsonObject) -> None:
        match text(frame, "t"):
            case "event":
                event = load_event(frame.get("event"))
                # The keyframe may already contain events that were still on their way.
                if event.seq <= self.view.seq:
                    return
                self.view = apply(self.view, event)
                self.listener.on_event(event, self.view)
                async with self._changed:
                    self._changed.notify_all()
            case "beat":
                self.trouble = text(frame, "trouble")
                self.listener.on_beat(integer(frame, "wall_us"), decimal(frame, "rate") or 1.0)
            case "reply":
                waiting = self._waiting.pop(integer(frame, "id"), None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(frame)

    async def _lose(self, reason: str) -> None:
        self.lost = reason
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(AttachError(reason))
        self._waiting.clear()
        await self._connection.close()
        if not self._closed:
            self.listener.on_lost(reason)
        async with self._changed:
            self._changed.notify_all()

    async def _ask(self, frame: JsonObject) -> JsonObject:
        if self.lost is not None:
            raise AttachError(self.lost)
        self._asked += 1
        number = self._asked
        waiting: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        try:
            await self._connection.send({**frame, "id": number})
            async with asyncio.timeout(_ANSWER_S.get(text(frame, "name"), _LONGEST_ANSWER_S)):
                return await waiting
        except TimeoutError:
            name = text(frame, "name") or "the log"
            raise UnansweredError(
                f"the engine lives and gave no answer about {name} in time: nobody knows whether it was taken"
            ) from None
        except OSError as error:
            raise AttachError(f"the engine is gone: {error}") from None
        finally:
            self._waiting.pop(number, None)

    async def preview(self, name: str, args: JsonObject = EMPTY) -> Preview:
        """Return what the engine says of a command before it runs.

        Raises AttachError where the engine is gone.
        """
        frame = await self._ask({"t": "preview", "name": name, "args": args})
        return read(Preview, frame.get("preview"))

    async def command(
        self, name: str, args: JsonObject = EMPTY, confirmation: Confirmation | None = None
    ) -> Reply:
        """Give a command and return the engine's answer; what it started may still run.

        A word of somebody whose SSH key the runbook lists is signed with it here; with ``sign`` among the arguments
        it isn't given where it can't be signed.

        Raises AttachError where the engine is gone: then nobody knows whether it was taken.
        """
        given = WIRE.dump(confirmation or Confirmation())
        shown = confirmation.token if confirmation is not None else ""
        try:
            statement = statement_of(self.view, self.welcome.account, name, args, shown)
            if statement is not None:
                signed = await sign_attestation(*statement, environment(), self.on_signing)
                args = {**args, "statement": signed.statement, "signature": signed.signature}
            elif text(args, "sign"):
                why = f"the runbook lists no key of {self.welcome.account} that could sign this"
                return Reply(ok=False, message=f"{why}: nothing was given")
        except (CannotSignError, CanonicalError) as error:
            if text(args, "sign"):
                return Reply(ok=False, message=f"{line(str(error))}: nothing was given")
            args = {**args, "unsigned": line(str(error))}
        frame = await self._ask({"t": "command", "name": name, "args": args, "confirmation": given})
        return read(Reply, frame.get("reply"))

    async def events(self, after: int, limit: int = 500) -> list[Event]:
        """Return a page of the log: events after a sequence number, at most 500.

        Raises AttachError where the engine is gone.
        """
        frame = await self._ask({"t": "events", "after": after, "limit": limit})
        return [load_event(event) for event in objs(frame.get("events"))]

    async def until(self, true: Callable[[LaunchView], bool]) -> LaunchView:
        """Return the view as soon as ``true`` holds of it.

        Raises AttachError where the engine goes first.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self.lost is not None or true(self.view))
        if not true(self.view):
            raise AttachError(self.lost or "")
        return self.view

    async def close(self) -> None:
        """Leave; the engine goes on."""
        self._closed = True
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        await self._connection.close()


def _welcome(frame: JsonObject) -> Welcome:
    engine = obj(frame.get("engine"))
    return Welcome(
        integer(engine, "pid"),
        text(engine, "log"),
        text(engine, "launch"),
        text(engine, "version"),
        text(engine, "session"),
        text(frame, "you"),
        text(frame, "console"),
        flag(frame, "drives"),
        flag(engine, "adjustable"),
    )
