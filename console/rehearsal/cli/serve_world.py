"""The world of a rehearsal as a process of its own: it outlives consoles, and ends after its launch's engine.

``python -m console.rehearsal.cli.serve_world FOLDER LOG …`` serves the world, writes its description to
``FOLDER/serve.json`` when it is up, and leaves once the engine of LOG has been gone for a while.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from console.cli.say import tell
from console.engine.process.running import find
from console.exit_codes import ExitCode
from console.rehearsal.products import open_world
from console.rehearsal.world.fault import UnknownFaultError
from console.rehearsal.world.folder import WorldError
from state.runbook.load import RunbookError

READY = "serve.json"
_LINGER_S = 60.0
_LOOK_S = 2.0


def main() -> ExitCode:
    """Serve until the launch's engine has ended, or SIGTERM."""
    parser = argparse.ArgumentParser(prog="launch-console-world")
    parser.add_argument("folder", type=Path)
    parser.add_argument("log", type=Path)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--runbook", type=Path)
    parser.add_argument("--first", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        return asyncio.run(_serve(options))
    except (UnknownFaultError, WorldError, RunbookError) as error:
        tell(str(error))
        return ExitCode.BAD_CONFIG


async def _serve(options: argparse.Namespace) -> ExitCode:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    world = open_world(
        options.folder, options.seed, options.fault, options.rate, options.runbook, first=options.first
    )
    ready = options.folder / READY
    try:
        await world.start()
        description = {**world.describe(), "pid": os.getpid()}
        unfinished = ready.with_suffix(".new")
        unfinished.write_text(json.dumps(description))
        unfinished.replace(ready)
        await _until_alone(options.log, stop)
    finally:
        ready.unlink(missing_ok=True)
        await world.stop()
    return ExitCode.GO


async def _until_alone(log: Path, stop: asyncio.Event) -> None:
    """Return when told to stop, or when the launch has had no engine for a minute."""
    alone = 0.0
    while not stop.is_set() and alone < _LINGER_S:
        alone = 0.0 if find(log) is not None else alone + _LOOK_S
        try:
            await asyncio.wait_for(stop.wait(), _LOOK_S)
        except TimeoutError:
            continue


if __name__ == "__main__":
    sys.exit(main())
