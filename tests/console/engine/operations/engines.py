"""An engine in a process of its own, on a terminal of its own, to be killed."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from console.rehearsal.dotmac.names import Env
from tests.console.engine.operations.stand import Stand, pid_in, revisions
from tests.paths import ROOT

ENGINE = """
import asyncio, sys
from pathlib import Path
from tests.console.engine.operations.stand import engine_alone
asyncio.run(engine_alone(Path(sys.argv[1]), sys.argv[2]))
"""


@asynccontextmanager
async def engine(stand: Stand, operation: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """Start an operation in an engine of its own, on a terminal; gives the process and the terminal."""
    await stand.operations.aclose()
    await stand.clients.aclose()
    stand.store.close()
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        ENGINE,
        str(stand.store.path),
        operation,
        stdin=theirs,
        stdout=theirs,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        cwd=ROOT,
    )
    os.close(theirs)
    try:
        yield process, ours
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def pid_of_helm(path: Path, stand: Stand) -> int:
    """Return the pid that the other engine's log names, once helm created its revision."""
    before = len(revisions(stand, Env.STAGING))
    await stand.until(lambda: len(revisions(stand, Env.STAGING)) > before)
    return pid_in(path)
