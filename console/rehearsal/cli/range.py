"""``launch-console range``: the rehearsal world on its own, until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from console.exit_codes import ExitCode, FailedError
from console.rehearsal.products import open_world
from console.rehearsal.world.fault import UnknownFaultError
from console.rehearsal.world.folder import WorldError


def run(
    faults: Sequence[str],
    seed: int,
    folder: Path | None,
    rate: float,
    runbook: Path | None = None,
    first: bool = False,
) -> ExitCode:
    """Serve a world in ``folder`` (None: a temporary one, removed at the end) and print its JSON, one line.

    Ends with SIGINT or SIGTERM. Raises RunbookError, and FailedError where a fault is unknown or the folder can't be
    used.
    """
    try:
        if folder is not None:
            return asyncio.run(_serve(folder, seed, faults, rate, runbook, first=first))
        made = Path(tempfile.mkdtemp(prefix="launch-console-range-"))
        try:
            return asyncio.run(_serve(made, seed, faults, rate, runbook, first=first))
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except (UnknownFaultError, WorldError) as error:
        raise FailedError(str(error), ExitCode.BAD_CONFIG) from None


async def _serve(
    folder: Path, seed: int, faults: Sequence[str], rate: float, runbook: Path | None, *, first: bool
) -> ExitCode:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    world = open_world(folder, seed, faults, rate or 1.0, runbook, first=first)
    try:
        await world.start()
        sys.stdout.write(json.dumps(world.describe()) + "\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await world.stop()
    return ExitCode.GO
