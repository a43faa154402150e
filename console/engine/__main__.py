"""``python -m console.engine``: the engine as a process. Consoles start it; nobody needs to type this.

It leaves the terminal before it loads anything, and says over a pipe whether it came up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from console.exit_codes import ExitCode, of_log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from console.engine.engine import Engine
    from state.base.clock import Clock

    Beside = Callable[[Engine], Awaitable[None]]


def main(argv: Sequence[str] | None = None, beside: Beside | None = None) -> ExitCode:
    """Run an engine until it ends; return its exit code. ``beside`` runs in its process as long as it does."""
    parser = argparse.ArgumentParser(prog="python -m console.engine", description=__doc__)
    parser.add_argument("--runbook", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--clock", type=Path, help="a shared clock's file, instead of the machine's clock")
    parser.add_argument("--detach", action="store_true", help="go on as a process that nobody waits for")
    parser.add_argument("--ready-fd", type=int, help="where to say, in a line of JSON, how the start went")
    options = parser.parse_args(argv)
    # Not a session leader after this, so it can never get a terminal; and no console has to reap it.
    if options.detach and os.fork() > 0:
        os._exit(ExitCode.GO)
    os.umask(0o077)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    runbook, log = options.runbook.resolve(), options.log.resolve()
    return asyncio.run(_run(runbook, log, options.clock, options.ready_fd, beside))


async def _run(
    runbook: Path, log: Path, clock_file: Path | None, ready_fd: int | None, beside: Beside | None
) -> ExitCode:
    from console.engine.process.running import RuntimeDirectoryError
    from state.log.errors import LogError
    from state.runbook.load import RunbookError

    try:
        engine = await _open(runbook, log, clock_file)
    except RunbookError as error:
        return _refuse(ready_fd, str(error), ExitCode.BAD_CONFIG)
    except LogError as error:
        return _refuse(ready_fd, str(error), of_log(error))
    try:
        if beside is not None:
            engine.supervisor.once("beside", partial(beside, engine))
        await _serve(engine, runbook, log, ready_fd)
    except RuntimeDirectoryError as error:
        return _refuse(ready_fd, str(error), error.code)
    except LogError as error:
        return _refuse(ready_fd, str(error), of_log(error))
    except OSError as error:
        return _refuse(ready_fd, f"the engine can't listen: {error.strerror}", ExitCode.INTERNAL)
    finally:
        await engine.close()
    return ExitCode.GO


async def _open(runbook: Path, log: Path, clock_file: Path | None) -> Engine:
    from console.engine.engine import Engine
    from console.engine.process.socket_server import account_of

    return await Engine.open(runbook, log, _clock(clock_file), account=account_of(os.getuid()))


def _clock(clock_file: Path | None) -> Clock:
    from state.base.clock import clock_of
    from state.log.errors import LogError

    try:
        return clock_of(clock_file)
    except (OSError, ValueError) as error:
        raise LogError(f"the clock file {clock_file} can't be used: {error}") from None


async def _serve(engine: Engine, runbook: Path, log: Path, ready_fd: int | None) -> None:
    from console.engine.process.running import (
        EngineInfo,
        announce,
        process_started,
        shared_socket,
        socket_path,
        withdraw,
    )
    from console.engine.process.socket_server import SocketServer, group_id, share

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, engine.stop, "the engine got SIGTERM")
    loop.add_signal_handler(signal.SIGINT, engine.stop, "the engine got SIGINT")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    servers = [SocketServer(engine.hub, socket_path(log))]
    if (group := engine.loaded.runbook.group) is not None:
        number = group_id(group)
        share(log, number)
        servers.append(SocketServer(engine.hub, shared_socket(log), group=number))
    for one in servers:
        await one.open()
    server = servers[0]
    pid = os.getpid()
    info = EngineInfo(
        pid,
        process_started(pid),
        log,
        server.path,
        runbook,
        engine.hub.facts.session,
    )
    # Once it listens: whoever finds it can attach.
    announce(info)
    _say(ready_fd, {"ready": True, "pid": pid})
    try:
        await engine.run()
    finally:
        await engine.close()
        for one in servers:
            await one.aclose()
        shared_socket(log).unlink(missing_ok=True)
        withdraw(info)


def _refuse(ready_fd: int | None, message: str, code: ExitCode) -> ExitCode:
    sys.stderr.write(f"{message}\n")
    _say(ready_fd, {"error": message, "code": code})
    return code


def _say(ready_fd: int | None, told: dict[str, object]) -> None:
    if ready_fd is None:
        return
    try:
        os.write(ready_fd, json.dumps(told).encode() + b"\n")
        os.close(ready_fd)
    except OSError:
        return  # nobody waits any more


if __name__ == "__main__":
    sys.exit(main())
