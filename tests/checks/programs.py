"""Real servers for tests, each started on a free port where it is installed."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg

from tests.programs import path


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@asynccontextmanager
async def running(*words: str, port: int, user: str | None = None) -> AsyncIterator[None]:
    """Run a server for the length of a block, from when it listens on its port."""
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        user=user,
    )
    try:
        await _listens(port, process)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a server says so: it runs on the machine's own clock."""
    async with asyncio.timeout(20):
        while not await true():  # noqa: ASYNC110  the server tells nobody when it is so
            await asyncio.sleep(0.1)


async def _listens(port: int, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(30):
        while True:
            assert process.returncode is None, f"the server ended with {process.returncode}"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                await writer.wait_closed()
                return


@asynccontextmanager
async def postgresql() -> AsyncIterator[str]:
    """Serve an empty PostgreSQL and give the URL of its superuser, without a driver's name.

    PostgreSQL refuses to run as root, so root starts it as the user that the package made.
    """
    initdb, postgres = path("initdb"), path("postgres")
    account = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    user = None if account is None else account.pw_name
    data = _folder(None if account is None else (account.pw_uid, account.pw_gid))
    try:
        made = await asyncio.create_subprocess_exec(
            initdb, "-D", str(data), "-U", "owner", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, user=user,
        )  # fmt: skip
        assert await made.wait() == 0
        port = free_port()
        words = (postgres, "-D", str(data), "-p", str(port), "-k", str(data), "-h", "127.0.0.1", "-F")
        url = f"postgresql://owner@127.0.0.1:{port}/postgres"
        async with running(*words, port=port, user=user):
            await until(lambda: asyncio.to_thread(_lets_in, url))
            yield url
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _lets_in(url: str) -> bool:
    """Return whether a database has come up: it listens before that."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def _folder(owner: tuple[int, int] | None) -> Path:
    """Return a new folder that a user other than root gets to: below /tmp itself, unlike pytest's."""
    made = Path(tempfile.mkdtemp(prefix="lc-postgres-"))
    if owner is not None:
        os.chown(made, *owner)
    return made
