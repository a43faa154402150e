"""SIGKILL at random moments of running rehearsals: the engine, the console that drives it, or both at once.

    python -m tests.torture.rehearsals DIRECTORY --kills 500

A console writes down each event that it is shown; all of them must be in the log after every kill. What was killed
is started again on the same log, until the launch has ended or was hit often; then another launch begins. What was
found so far lies in DIRECTORY/outcome.json: the same command goes on from there when it was stopped. Prints one JSON
object; exits 1 where something was lost or broken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from console.client.engine_client import AttachError, EngineClient, NullListener
from console.engine.process.running import EngineInfo, find
from console.engine.process.spawn import EngineFailedError, start_engine, stop
from console.rehearsal.autopilot.captain import Captain, Pace
from console.rehearsal.world.folder import world_folder
from state.base.json import JsonObject, obj, text
from state.events.event import Event
from state.events.operations import OperationUnknown
from state.log.reader import LogReader
from state.log.verify import verify
from state.view.launch import LaunchView

WHAT = ("engine", "console", "both")
_LONGEST_LIFE_S = 3.0
_KILLS_A_LAUNCH = 25
"""Then another one begins, so that its first hour (gates, migrations, releases) is hit as often as its bake."""
_PATIENCE_S = 90.0


@dataclass(slots=True)
class Outcome:
    """What all rounds together showed."""

    kills: dict[str, int] = field(default_factory=dict)
    launches: int = 0
    """How many were begun."""
    acknowledged: int = 0
    events: int = 0
    checks: int = 0
    """How often the whole chain and SQLite's integrity were checked: after each kill."""
    lost: int = 0
    broken_chains: int = 0
    broken_files: int = 0
    hot_journals: int = 0
    operations_without_an_end: int = 0
    """Told by the engine that came after, as it must."""
    trouble: list[str] = field(default_factory=list)


def main(arguments: list[str]) -> int:
    """Run the rounds that the arguments ask for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=60.0)
    parser.add_argument("--console", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.console is not None:
        return asyncio.run(_console(asked.console, asked.directory, asked.rate))
    runtime = Path(tempfile.mkdtemp(prefix="lc"))  # a socket's path is short
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        outcome = torture(asked.directory, asked.kills, random.Random(asked.seed), asked.rate)
    finally:
        shutil.rmtree(runtime, ignore_errors=True)
    sys.stdout.write(f"{json.dumps(asdict(outcome))}\n")
    return 1 if outcome.lost or outcome.broken_chains or outcome.broken_files or outcome.trouble else 0


def torture(directory: Path, kills: int, chance: random.Random, rate: float) -> Outcome:
    """Kill ``kills`` times, those of earlier runs in this directory included; check the log after each time."""
    notes = directory / "outcome.json"
    outcome = Outcome(**json.loads(notes.read_text())) if notes.exists() else Outcome()
    for _ in range(outcome.launches):
        chance.random()  # another run's chances, lest the same moments are hit again
    while sum(outcome.kills.values()) < kills and not outcome.trouble:
        outcome.launches += 1
        launch = directory / f"launch-{outcome.launches}"
        launch.mkdir(parents=True)
        _keep(notes, outcome)
        log = launch / "a.lclog"
        with _world(log, outcome.launches, rate) as world:
            _one_launch(log, world, kills, chance, rate, outcome)
        _count(log, outcome)
        _keep(notes, outcome)
        sys.stderr.write(f"{json.dumps(asdict(outcome))}\n")
        if not (outcome.lost or outcome.broken_chains or outcome.broken_files or outcome.trouble):
            shutil.rmtree(launch)
    return outcome


def _keep(notes: Path, outcome: Outcome) -> None:
    """Write down what was found so far, whole or not at all."""
    half = notes.with_suffix(".part")
    half.write_text(json.dumps(asdict(outcome)))
    half.replace(notes)


@contextmanager
def _world(log: Path, seed: int, rate: float) -> Iterator[JsonObject]:
    """Serve a world, as ``launch-console rehearse`` does; yield its description."""
    folder = world_folder(log)
    words = [sys.executable, "-m", "console.rehearsal.cli.serve_world", str(folder), str(log)]
    with log.with_name("world.out").open("ab") as out:
        world = subprocess.Popen(
            [*words, "--seed", str(seed), "--rate", f"{rate:g}"],
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + _PATIENCE_S
        while not (folder / "serve.json").exists():
            if world.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the world did not come up: see {out.name}")
            time.sleep(0.05)
        yield obj(json.loads((folder / "serve.json").read_text()))
    finally:
        world.terminate()
        world.wait()


def _one_launch(
    log: Path, world: JsonObject, kills: int, chance: random.Random, rate: float, outcome: Outcome
) -> None:
    runbook, clock = Path(text(world, "runbook")), Path(text(world, "clock"))
    side = log.with_name("acks")
    side.touch()
    info: EngineInfo | None = None
    acknowledged: dict[int, str] = {}
    try:
        until = min(kills, sum(outcome.kills.values()) + _KILLS_A_LAUNCH)
        while sum(outcome.kills.values()) < until:
            info = start_engine(runbook, log, clock)
            console = _start_console(info, side, rate)
            ended = _let_live(console, side, chance.random() * _LONGEST_LIFE_S)
            if ended:
                break
            what = chance.choice(WHAT)
            _kill(what, info, console)
            outcome.kills[what] = outcome.kills.get(what, 0) + 1
            acknowledged.update(_acks(side))
            _check(log, acknowledged, outcome)
            _keep(log.parent.parent / "outcome.json", outcome)
            if outcome.lost or outcome.broken_chains or outcome.broken_files:
                return
    except (EngineFailedError, RuntimeError) as error:
        outcome.trouble.append(str(error))
    finally:
        outcome.acknowledged += len(acknowledged)
        running = find(log)
        if running is not None:
            stop(running)


def _start_console(info: EngineInfo, side: Path, rate: float) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "tests.torture.rehearsals", str(side), "--console", str(info.socket)]
    with side.with_name("console.out").open("ab") as out:
        return subprocess.Popen([*words, "--rate", f"{rate:g}"], stdout=out, stderr=out)


def _let_live(console: subprocess.Popen[bytes], side: Path, seconds: float) -> bool:
    """Wait for a sign of life and then so many seconds more; return whether the launch ended meanwhile."""
    size = side.stat().st_size
    until = time.monotonic() + _PATIENCE_S
    while side.stat().st_size == size and console.poll() is None:
        if time.monotonic() > until:
            raise RuntimeError("a console was shown nothing for a long time")
        time.sleep(0.005)
    try:
        return console.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        return False


def _kill(what: str, info: EngineInfo, console: subprocess.Popen[bytes]) -> None:
    if what in {"engine", "both"}:
        os.kill(info.pid, signal.SIGKILL)
    if what in {"console", "both"}:
        console.kill()
    if what == "engine":
        until = time.monotonic() + 5
        while console.poll() is None and time.monotonic() < until:
            time.sleep(0.005)  # it notices, and ends by itself
        console.kill()
    console.wait()
    while what != "console" and Path(f"/proc/{info.pid}").exists():
        time.sleep(0.002)


def _acks(side: Path) -> Iterator[tuple[int, str]]:
    """Yield what was shown; a line that a kill cut short was shown to nobody."""
    for line in side.read_text().split("\n")[:-1]:
        words = line.split()
        if len(words) == 2 and len(words[1]) == 64:
            yield int(words[0]), words[1]


def _check(log: Path, acknowledged: dict[int, str], outcome: Outcome) -> None:
    journal = log.with_name(f"{log.name}-journal")
    outcome.hot_journals += find(log) is None and journal.exists() and any(journal.read_bytes()[:8])
    outcome.checks += 1
    report = verify(log, processes=1)
    if not report.ok:
        outcome.broken_chains += 1
        outcome.trouble.append(report.message)
    with closing(sqlite3.connect(log, timeout=30)) as con:
        outcome.broken_files += con.execute("PRAGMA integrity_check").fetchone() != ("ok",)
        found = {seq: digest.hex() for seq, digest in con.execute("SELECT seq, hash FROM event")}
    outcome.lost += sum(found.get(seq) != digest for seq, digest in acknowledged.items())


def _count(log: Path, outcome: Outcome) -> None:
    with LogReader(log) as reader:
        for event in reader.every():
            outcome.events += 1
            outcome.operations_without_an_end += event.kind == OperationUnknown.KIND


class _Writer(NullListener):
    """Writes down each event the moment that it is shown."""

    def __init__(self, side: Path) -> None:
        self._fd = os.open(side, os.O_WRONLY | os.O_APPEND)

    def on_event(self, event: Event, view: LaunchView) -> None:
        os.write(self._fd, f"{event.seq} {event.hash}\n".encode())


async def _console(socket: Path, side: Path, rate: float) -> int:
    """Drive a launch as the rehearsal's captain; 0 where it came to its end."""
    try:
        client = await EngineClient.connect(socket, listener=_Writer(side))
        for line in client.view.consoles:
            if line.drives and line.id != client.welcome.console:
                await client.command("console.take_over", {"reason": "the console that drove was killed"})
        await Captain(client, Pace(rate, rate)).drive()
    except AttachError:
        return 3
    await client.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
