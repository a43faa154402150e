"""The Unix socket through which consoles of other processes attach; the kernel says whose they are."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import os
import pwd
import socket
import struct
from pathlib import Path

from console.client.protocol import FRAME_LIMIT, WireError, decode, encode
from console.engine.process.hub import Hub, Session
from state.log.errors import LogError
from state.view.people import people_of

_CREDENTIALS = struct.Struct("3i")
_DRAIN_S = 10.0
"""Real seconds that a console may leave its socket full."""


def account_of(uid: int) -> str:
    """Return the name of an account, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_id(name: str) -> int:
    """Return a Unix group's number.

    Raises LogError where there is none of that name.
    """
    try:
        return int(name) if name.isascii() and name.isdecimal() else grp.getgrnam(name).gr_gid
    except KeyError:
        raise LogError(f"there is no Unix group {name}, which the runbook names as group") from None


def share(log: Path, group: int) -> None:
    """Let a Unix group read a log, and reach what lies beside it; nobody but its owner ever writes it."""
    for path, mode in ((log.parent, 0o750), (log, 0o640), (log.with_name(f"{log.name}-journal"), 0o640)):
        with contextlib.suppress(FileNotFoundError):
            os.chown(path, -1, group)
            path.chmod(mode)


class SocketServer:
    """Listens at a path that only this account can use, or a Unix group too."""

    def __init__(self, hub: Hub, path: Path, *, group: int | None = None) -> None:
        """``group``: the Unix group whose accounts may connect too; which of them are let in, the runbook says."""
        self.path = path
        self._group = group
        self._hub = hub
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Start to listen.

        Raises OSError where that is not possible.
        """
        # bind creates the file: a chmod afterwards would leave a moment when others could connect.
        before = os.umask(0o177)
        self.path.unlink(missing_ok=True)
        try:
            self._server = await asyncio.start_unix_server(self._accept, self.path, limit=FRAME_LIMIT)
        finally:
            os.umask(before)
        if self._group is not None:
            os.chown(self.path, -1, self._group)
            self.path.chmod(0o660)

    async def aclose(self) -> None:
        """Stop to listen, and end every connection after a moment for its last frames."""
        if self._server is not None:
            self._server.close()
        if self._clients:
            # A console that doesn't read must not delay the engine's end.
            _, slow = await asyncio.wait(self._clients, timeout=1.0)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer), name="console")
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        account, how_known = _peer(writer)
        if self._group is not None and not people_of(self._hub.journal.view, account):
            await _turn_away(reader, writer, f"{account} is nobody in the runbook of this launch")
            return
        session = self._hub.session(account, how_known)
        reading = asyncio.create_task(self._read(session, reader))
        try:
            await self._write(session, writer)
        finally:
            reading.cancel()
            session.end("its connection broke")
            if session.outbox.empty():
                writer.close()
            else:
                writer.transport.abort()  # it doesn't read: what it was not told would wait for ever
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await reading

    async def _read(self, session: Session, reader: asyncio.StreamReader) -> None:
        try:
            while (frame := await reader.readline()).endswith(b"\n"):
                session.take(decode(frame))
        except WireError as error:
            session.put({"t": "error", "message": str(error)})
        except (OSError, ValueError):
            session.end("its connection broke")
        session.end("it left")

    async def _write(self, session: Session, writer: asyncio.StreamWriter) -> None:
        try:
            while (frame := await session.outbox.get()) is not None:
                writer.write(encode(frame))
                async with asyncio.timeout(_DRAIN_S):
                    await writer.drain()
        except TimeoutError:
            session.end("it did not read")
        except OSError:
            session.end("its connection broke")


async def _turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, why: str) -> None:
    """Tell somebody who isn't let in why, once their greeting is read: else it would be lost with the connection."""
    with contextlib.suppress(OSError, ValueError, TimeoutError):
        async with asyncio.timeout(_DRAIN_S):
            await reader.readline()
            writer.write(encode({"t": "error", "message": why}))
            await writer.drain()
    writer.close()


def _peer(writer: asyncio.StreamWriter) -> tuple[str, str]:
    """Return the account of the other side and how it is known: the kernel's word, not the console's."""
    peer: socket.socket = writer.get_extra_info("socket")
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(raw)
    account = account_of(uid)
    return account, f"socket peer uid {uid} ({account})"
