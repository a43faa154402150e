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

from console.rehearsal.products import open_world
from console.rehearsal.world.fault import UnknownFaultError
from console.rehearsal.world.folder import WorldError
from state.runbook.load import RunbookError


def run(
    faults: Sequence[str], seed: int, folder: Path | None, rate: float, runbook: Path | None = None
) -> int:
    """Serve a world in ``folder`` (None: a temporary one, removed at the end) and print its JSON, one line.

    Ends with SIGINT or SIGTERM. Returns 0, or 2 where a fault is unknown or the folder cannot be used.
    """
    try:
        if folder is not None:
            return asyncio.run(_serve(folder, seed, faults, rate, runbook))
        made = Path(tempfile.mkdtemp(prefix="launch-console-range-"))
        try:
            return asyncio.run(_serve(made, seed, faults, rate, runbook))
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except (UnknownFaultError, WorldError, RunbookError) as error:
        sys.stderr.write(f"launch-console range: {error}\n")
        return 2


async def _serve(folder: Path, seed: int, faults: Sequence[str], rate: float, runbook: Path | None) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    world = open_world(folder, seed, faults, rate, runbook)
    try:
        await world.start()
        sys.stdout.write(json.dumps(world.describe()) + "\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await world.stop()
    return 0
