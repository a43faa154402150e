"""``launch-console rehearse``: a whole launch in a simulated world, on the screen or by itself.

The console's side loads nothing of the world: the world and the engine are processes of their own.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from console.cli.saved_log import is_sealed, show_sealed, words_of_leaving
from console.cli.say import refuse, tell
from console.cli.watching.event_lines import print_events, watch
from console.engine.process.running import EngineInfo
from console.engine.process.spawn import EngineFailedError, look_at_log, start_engine
from console.exit_codes import ExitCode, FailedError
from console.rehearsal.world.folder import world_folder
from state.base.clock import SystemClock
from state.base.json import JsonObject, obj, text

_START_S = 60.0
_LOOK_S = 0.05
READY = "serve.json"


def new_log() -> Path:
    """Return the path of a new rehearsal's log, below the user's state folder."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    stamp = datetime.fromtimestamp(SystemClock().wall_us() / 1_000_000, UTC).strftime("%Y%m%dT%H%M%S")
    return Path(base) / "launch-console" / "rehearsals" / f"{stamp}-{os.getpid()}" / "launch.lclog"


@dataclass(frozen=True, slots=True)
class RehearsalRequest:
    """What the command line asks of a rehearsal's world. ``runbook`` None: the SOP's own."""

    log: Path | None
    faults: Sequence[str]
    seed: int
    rate: float
    runbook: Path | None = None
    first: bool = False
    """Whether production has nothing yet."""


def run(
    log: Path | None,
    faults: Sequence[str],
    seed: int,
    rate: float,
    runbook: Path | None,
    headless: bool,
    as_json: bool,
    first: bool = False,
    plain: bool = False,
    tour: bool = False,
) -> int:
    """Rehearse, on the screen or by itself; return the exit code.

    ``plain``: one line an event, without a screen, while somebody drives it from elsewhere. A launch that drives
    itself is told so anyway. ``tour``: lead through the screens first. Raises LogError and FailedError.
    """
    request = RehearsalRequest(log, faults, seed, rate, runbook, first)
    return (
        run_headless(request, as_json=as_json) if headless else run_console(request, plain=plain, tour=tour)
    )


def run_headless(request: RehearsalRequest, *, as_json: bool) -> ExitCode:
    """Let a launch drive itself; return how it ended (Outcome)."""
    log = (request.log or new_log()).resolve()
    look_at_log(log)
    _make_place(log)
    from console.rehearsal.autopilot.headless import HeadlessRequest, run
    from console.rehearsal.world.fault import UnknownFaultError
    from console.rehearsal.world.folder import WorldError

    try:
        asked = HeadlessRequest(
            log=log,
            faults=request.faults,
            seed=request.seed,
            rate=request.rate,
            as_json=as_json,
            runbook=request.runbook,
            first=request.first,
        )
        return asyncio.run(run(asked))
    except (UnknownFaultError, WorldError) as error:
        raise FailedError(str(error), ExitCode.BAD_CONFIG) from None


def run_console(request: RehearsalRequest, *, plain: bool = False, tour: bool = False) -> int:
    """Open the console on a rehearsal; one that is under way on the same log is attached to."""
    from console.ui.run import no_terminal, run_live

    log = (request.log or new_log()).resolve()
    look_at_log(log)
    problem = None if plain else no_terminal()
    if problem is not None:
        return refuse(problem, ExitCode.BAD_CONFIG)
    if is_sealed(log):
        return print_events(log, on=False) if plain else show_sealed(log)
    _make_place(log)
    tell("Starting the simulated cluster…")
    world = _world(log, request)
    try:
        info = _engine(world, log)
    except EngineFailedError:
        _end(world)
        raise

    def restart() -> Path:
        return _engine(_world(log, request), log).socket

    back = f"launch-console rehearse --log {log}"
    if plain:
        return watch(log, back)
    code = run_live(info.socket, restart=restart, log=log, tour=tour)
    tell(words_of_leaving(log, back))
    return code


def _engine(world: JsonObject, log: Path) -> EngineInfo:
    """Start the engine on a world, or find the one that runs; the second person is in it."""
    runbook, clock = Path(text(world, "runbook")), Path(text(world, "clock"))
    return start_engine(runbook, log, clock, module="console.rehearsal.cli.serve_engine")


def _make_place(log: Path) -> None:
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EngineFailedError(f"no log can be kept at {log}: {error.strerror}", ExitCode.BAD_LOG) from None


def _world(log: Path, request: RehearsalRequest) -> JsonObject:
    """Start the world of a log, or find the one that serves, and return its description.

    Raises EngineFailedError with the world's own message.
    """
    folder = world_folder(log)
    served = _served(folder)
    if served is not None:
        return served
    arguments = [str(folder), str(log), "--seed", str(request.seed), "--rate", f"{request.rate or 1.0:g}"]
    arguments += [part for name in request.faults for part in ("--fault", name)]
    arguments += ["--first"] if request.first else []
    arguments += ["--runbook", str(request.runbook.resolve())] if request.runbook is not None else []
    out = log.with_name(f"{log.name}.world.out")
    with out.open("ab") as file:
        out.chmod(0o600)
        at = file.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "console.rehearsal.cli.serve_world", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        served = _served(folder)
        if served is not None:
            return served
        code = process.poll()
        if code is not None:
            written = out.read_bytes()[at:].decode(errors="replace").strip().splitlines()
            known = ExitCode.BAD_CONFIG if code == ExitCode.BAD_CONFIG else ExitCode.INTERNAL
            raise EngineFailedError(written[-1] if written else f"the world ended: see {out}", known)
        _wait()
    process.terminate()
    raise EngineFailedError(f"the world did not come up within {_START_S:g} s: see {out}")


def _end(world: JsonObject) -> None:
    """End a world that no engine came up for, so that nothing is left running."""
    pid = world.get("pid")
    if isinstance(pid, int):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def _wait() -> None:
    """Wait a moment of real time for another process."""
    import select

    select.select([], [], [], _LOOK_S)


def _served(folder: Path) -> JsonObject | None:
    """Return the description of the world that serves a folder, or None."""
    try:
        written = obj(json.loads((folder / READY).read_text()))
    except (OSError, ValueError):
        return None
    pid = written.get("pid")
    return written if isinstance(pid, int) and Path(f"/proc/{pid}").exists() else None
