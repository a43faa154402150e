"""Every console that is attached: greeted with a view, fed with events, heard with its commands.

The same for a socket and for memory. A console that doesn't read is dropped, never waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Protocol

from console.client.protocol import BEAT_S
from console.engine.ports import Who
from console.engine.record.journal import Journal
from console.engine.watch.source_health import record_source_health
from state.base.codec import WIRE, read
from state.base.json import JsonObject, decimal_text, integer, obj, text
from state.base.lookalikes import resembling
from state.base.text import line
from state.commands import Confirmation, Reply
from state.events.event import Draft, Event
from state.events.launch import ConsoleClosed, ConsoleOpened
from state.log.errors import LogError
from state.view.enums import Danger
from state.view.launch import LaunchView
from state.view.people import acts
from state.view.preview import Preview

LONGEST_QUEUE = 2000
"""Frames that wait for a console before it is dropped; it attaches again with a keyframe."""
# Less than the console's patience (10 s): a frozen log must not keep a console out.
_GREETING_S = 3.0
# As the store: a longer read would hold up the writer.
_PAGE = 500
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What an engine says of itself to every console."""

    pid: int
    log: str
    version: str
    session: str


class CommandsPort(Protocol):
    """Previews and carries out commands."""

    async def preview(self, name: str, args: JsonObject, who: Who) -> Preview:
        """Return what a command would do."""
        ...

    async def run(self, name: str, args: JsonObject, confirmation: Confirmation, who: Who) -> Reply:
        """Carry a command out."""
        ...


class Session:
    """One console, seen from the engine."""

    def __init__(self, hub: Hub, account: str, how_known: str) -> None:
        self.account = account
        self.how_known = how_known
        self.console = ""
        self.outbox: asyncio.Queue[JsonObject | None] = asyncio.Queue()
        """Frames for the console; None ends the connection."""
        self.ended = ""
        """Why it ended, or nothing while it is open."""
        self._hub = hub
        self._greeted = False

    def put(self, frame: JsonObject) -> None:
        """Queue a frame; a console that has too many waiting is dropped."""
        if self.ended:
            return
        if self.outbox.qsize() >= LONGEST_QUEUE:
            self.end("it did not read")
            return
        self.outbox.put_nowait(frame)

    def end(self, reason: str) -> None:
        """End the connection after what is queued, or at once where the console doesn't read."""
        if self.ended:
            return
        self.ended = reason
        if self.outbox.qsize() >= LONGEST_QUEUE:
            self.outbox = _emptied(self.outbox)
        self.outbox.put_nowait(None)
        self._hub.left(self)

    def is_over(self) -> bool:
        """Return whether it ended; ``ended`` says why."""
        return bool(self.ended)

    def take(self, frame: JsonObject) -> None:
        """Handle a frame of the console; answers come through ``outbox``.

        Each request is a task of its own: an abort is never queued behind anything.
        """
        if self.ended:
            return
        if text(frame, "t") == "hello" and self._greeted:
            self.put({"t": "error", "message": "it said hello before: one connection is one console"})
            self.end("it said hello twice")
        elif text(frame, "t") == "hello":
            self._greeted = True
            self._hub.spawn(self._hub.greet(self, line(text(frame, "tty"), 60)))
        elif not self.console:
            self.put({"t": "error", "message": "a console says hello first"})
            self.end("it did not say hello")
        else:
            self._hub.spawn(self._answer(frame))

    async def _answer(self, frame: JsonObject) -> None:
        """Answer a request, whatever becomes of it: a console that waits for nothing could only be left."""
        name = text(frame, "name") or text(frame, "t")
        try:
            await self._answered(frame)
        except Exception as error:
            await self._hub.failed(name, error)
            self.put(_apology(frame, error))
        else:
            await self._hub.answers_again(name)

    async def _answered(self, frame: JsonObject) -> None:
        number, name, args = integer(frame, "id"), text(frame, "name"), obj(frame.get("args"))
        who = Who(self.account, self.how_known, self.console)
        match text(frame, "t"):
            case "preview":
                preview = await self._hub.commands.preview(name, args, who)
                self.put({"t": "reply", "id": number, "preview": WIRE.dump(preview)})
            case "command":
                confirmation = read(Confirmation, frame.get("confirmation"))
                reply = await self._hub.commands.run(name, args, confirmation, who)
                self.put({"t": "reply", "id": number, "reply": WIRE.dump(reply)})
            case "events":
                limit = max(1, min(_PAGE, integer(frame, "limit", _PAGE)))
                page = self._hub.journal.store.read(max(0, integer(frame, "after")), limit)
                self.put({"t": "reply", "id": number, "events": [WIRE.dump(e) for e in page]})
            case other:
                message = f"this engine knows no frame {line(other, 30)!r}"
                self.put({"t": "error", "id": number, "message": message})


def _apology(frame: JsonObject, error: Exception) -> JsonObject:
    """Return the reply to a request that failed by an error of ours: its type, for its text may be secret."""
    name = line(text(frame, "name"), 60)
    trouble = (
        str(error) if isinstance(error, LogError) else f"the engine failed on it ({type(error).__name__})"
    )
    reason = f"{trouble}: this is no answer about {name or 'the log'}; the engine's output has more"
    reply: JsonObject = {"t": "reply", "id": integer(frame, "id")}
    match text(frame, "t"):
        case "preview":
            preview = Preview(name, name, Danger.CAUTION, allowed=False, reason=reason)
            return {**reply, "preview": WIRE.dump(preview)}
        case "events":
            return {**reply, "events": []}
        case _:
            return {**reply, "reply": WIRE.dump(Reply(ok=False, message=reason))}


def _emptied(queue: asyncio.Queue[JsonObject | None]) -> asyncio.Queue[JsonObject | None]:
    while not queue.empty():
        queue.get_nowait()
    return queue


class LocalConnection:
    """A console's connection in the engine's own process; implements ``console.client.engine_client.Connection``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def send(self, frame: JsonObject) -> None:
        """Hand a frame to the engine.

        Raises ConnectionError where the engine ended the connection.
        """
        if self._session.ended:
            raise ConnectionError(self._session.ended)
        self._session.take(frame)

    async def receive(self) -> JsonObject | None:
        """Return the next frame, or None at the end."""
        return await self._session.outbox.get()

    async def close(self) -> None:
        """Leave."""
        self._session.end("it left")


class Hub:
    """Keeps the attached consoles."""

    def __init__(self, journal: Journal, commands: CommandsPort, facts: EngineFacts) -> None:
        self.journal = journal
        self.commands = commands
        self.facts = facts
        self.trouble = ""
        """Why the log can't be written at the moment, told with every beat."""
        self._sessions: set[Session] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._greeting = asyncio.Lock()
        self._promised: set[str] = set()
        """Consoles that will drive as soon as the log takes their event."""
        self._failing: set[str] = set()
        """Requests that were last answered with an error of ours."""
        self._gone: set[str] = set()
        """Consoles that ended, and whose event isn't in the log yet."""
        self._count = 0
        self._end_listening = journal.listen(self._on_event)

    def connect(self, account: str, how_known: str = "") -> LocalConnection:
        """Return a connection for a console in this process."""
        return LocalConnection(self.session(account, how_known or f"in the engine's process ({account})"))

    def session(self, account: str, how_known: str) -> Session:
        """Return the engine's side of a new connection; an account whose name passes for another's is told so."""
        known = {one for person in self.journal.view.people for one in person.accounts}
        like = resembling(account, known)
        return Session(self, account, f"{how_known}, looks like {line(like, 60)}" if like else how_known)

    async def greet(self, session: Session, tty: str) -> None:
        """Let a console in: its event, then in one go the welcome, the view, and all events from there on."""
        # One at a time: two first consoles would both be told that they drive.
        async with self._greeting:
            if session.is_over():  # while it waited for its turn
                return
            self._count += 1
            console = f"c{self._count}"
            drives = acts(self.journal.view, session.account) and not self._driven()
            body = ConsoleOpened(console, tty, drives, session.how_known)
            if drives:
                self._promised.add(console)
            opened = self.spawn(self._record_opened(Draft(body, actor=session.account), console))
            # A log that can't be written, or is slow, is no reason to show nothing: the event comes when it comes.
            await asyncio.wait({opened}, timeout=_GREETING_S)
            session.console = console
            left = session.is_over()
            if left:
                self._gone.add(console)
        if left:
            await opened
            await self._record_left(session)
            return
        session.put(self._welcome(session, drives))
        # No await between keyframe and add: an event in between would never reach this console.
        session.put({"t": "keyframe", "view": WIRE.dump(self.journal.view)})
        self._sessions.add(session)

    def _driven(self) -> bool:
        """Return whether a console drives that is here, or is about to."""
        drives = {one.id for one in self.journal.view.consoles if one.drives} | self._promised
        return bool(drives - self._gone)

    async def _record_opened(self, opened: Draft, console: str) -> None:
        try:
            await self.journal.record(opened)
        finally:
            self._promised.discard(console)

    def _welcome(self, session: Session, drives: bool) -> JsonObject:
        engine: JsonObject = {
            "pid": self.facts.pid,
            "log": self.facts.log,
            "launch": self.journal.view.scope.launch_id,
            "version": self.facts.version,
            "session": self.facts.session,
            "adjustable": self.journal.clock.adjustable(),
        }
        return {
            "t": "welcome",
            "engine": engine,
            "you": session.account,
            "console": session.console,
            "drives": drives,
        }

    def left(self, session: Session) -> None:
        """Note that a console is gone."""
        known = session in self._sessions
        self._sessions.discard(session)
        if known:
            self._gone.add(session.console)
            self.spawn(self._record_left(session))

    async def _record_left(self, session: Session) -> None:
        body = ConsoleClosed(session.console, session.ended)
        try:
            await self.journal.record(Draft(body, actor=session.account))
        finally:
            self._gone.discard(session.console)

    def _on_event(self, event: Event, _view: LaunchView) -> None:
        if self._sessions:
            frame: JsonObject = {"t": "event", "event": WIRE.dump(event)}
            for session in list(self._sessions):
                session.put(frame)

    async def beat(self) -> None:
        """Tell every console twice a second that the engine lives, and the time of its clock."""
        clock = self.journal.clock
        while True:
            frame: JsonObject = {
                "t": "beat",
                "wall_us": clock.wall_us(),
                "mono_us": clock.mono_us(),
                "rate": decimal_text(clock.rate()),
                "trouble": self.trouble,
            }
            for session in list(self._sessions):
                session.put(frame)
            await asyncio.sleep(BEAT_S)

    async def failed(self, name: str, error: Exception) -> None:
        """Tell the log that an answer failed by an error of ours, and the engine's output how."""
        _logger.error("a console's request %r failed", name, exc_info=error)
        if isinstance(error, LogError):
            return  # there is nowhere to write it
        self._failing.add(name)
        await self._record_answers(name, f"failed ({type(error).__name__})")

    async def answers_again(self, name: str) -> None:
        """Tell the log that what failed before is answered."""
        if name in self._failing:
            self._failing.discard(name)
            await self._record_answers(name)

    async def _record_answers(self, name: str, reason: str = "") -> None:
        with contextlib.suppress(LogError):
            source = f"engine/answers to {line(name, 60)}"
            await record_source_health(self.journal, source, not reason, reason)

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run something for a console; what it raises ends nothing."""
        task = asyncio.create_task(self._safely(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _safely(self, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except LogError as error:
            _logger.warning("an event of a console could not be written: %s", error)
        except Exception:
            _logger.exception("a console's request failed")

    async def aclose(self, reason: str) -> None:
        """Say goodbye to every console."""
        self._end_listening()
        for session in list(self._sessions):
            session.put({"t": "bye", "reason": reason})
            # Removed first, so that no `console.closed` is recorded: the engine's own end says it for all.
            self._sessions.discard(session)
            session.end(reason)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
