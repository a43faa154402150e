"""SIGKILL at random moments: writers die over and over, and nothing that they were told is written may be missing.

    python -m tests.torture.kills DIRECTORY --kills 500 --writers 2

Prints one JSON object; exits 1 where something was lost or broken.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from state.base.clock import SystemClock
from state.events.event import Draft, Event
from state.events.log import NoteAdded
from state.log.reader import LogReader
from state.log.store import LogStore
from state.log.verify import verify

_LONGEST_LIFE_S = 0.25


@dataclass(slots=True)
class Outcome:
    """What all rounds together showed."""

    kills: int = 0
    writers: int = 0
    acknowledged: int = 0
    events: int = 0
    lost: int = 0
    broken_chains: int = 0
    broken_files: int = 0
    hot_journals: int = 0
    slowest_reopen_ms: float = 0.0


def main(arguments: list[str]) -> int:
    """Run the rounds that the arguments ask for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    outcome = torture(asked.directory / "killed.lclog", asked.kills, asked.writers, random.Random(asked.seed))
    sys.stdout.write(f"{json.dumps(asdict(outcome))}\n")
    return 1 if outcome.lost or outcome.broken_chains or outcome.broken_files else 0


def torture(path: Path, kills: int, writers: int, chance: random.Random, *, least_s: float = 0.0) -> Outcome:
    """Kill ``writers`` processes at a time, which lived ``least_s`` or a little longer, until ``kills`` died.

    The log is checked after each time.
    """
    LogStore.create(path, clock=SystemClock(), session="setup").close()
    outcome = Outcome(writers=writers)
    acknowledged: dict[int, str] = {}
    rounds = 0
    while outcome.kills < kills:
        rounds += 1
        sides = [path.with_name(f"acks.{rounds}.{n}") for n in range(writers)]
        children = [_start(path, side, f"s-{rounds}-{n}", alone=writers == 1) for n, side in enumerate(sides)]
        _wait_for(sides)
        time.sleep(least_s + chance.random() * _LONGEST_LIFE_S)
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        outcome.kills += writers
        for side in sides:
            acknowledged.update(read_acks(side))
            side.unlink()
        _check(path, acknowledged, outcome)
    outcome.acknowledged = len(acknowledged)
    return outcome


def _start(path: Path, side: Path, session: str, *, alone: bool) -> int:
    side.touch()
    child = os.fork()
    if child == 0:
        try:
            write_for_ever(path, side, session, alone)
        finally:
            os._exit(1)
    return child


def write_for_ever(path: Path, side: Path, session: str, alone: bool) -> None:
    """Append as fast as answers come, a few at a time; write each answer down the moment it comes."""
    acks = os.open(side, os.O_WRONLY | os.O_APPEND)
    store = LogStore.open(path, clock=SystemClock(), session=session, alone=alone)

    def told(answer: Future[Event]) -> None:
        event = answer.result()
        os.write(acks, f"{event.seq} {event.hash}\n".encode())

    numbers = iter(range(10**9))
    while True:
        waiting = [store.append(Draft(NoteAdded(f"{session} {next(numbers)}"))) for _ in range(4)]
        for answer in waiting:
            answer.add_done_callback(told)
        waiting[-1].result()


def _wait_for(sides: list[Path]) -> None:
    until = time.monotonic() + 20
    while not all(side.stat().st_size for side in sides):
        if time.monotonic() > until:
            raise RuntimeError("a writer wrote nothing for 20 seconds")
        time.sleep(0.002)


def read_acks(side: Path) -> Iterator[tuple[int, str]]:
    """Yield what was acknowledged; a line that the kill cut short was acknowledged to nobody."""
    for line in side.read_text().split("\n")[:-1]:
        seq, digest = line.split()
        yield int(seq), digest


def _check(path: Path, acknowledged: dict[int, str], outcome: Outcome) -> None:
    journal = path.with_name(f"{path.name}-journal")
    outcome.hot_journals += journal.exists() and any(journal.read_bytes()[:8])
    with LogReader(path) as reader:  # a dead writer's journal may be hot: the reader must cope
        reader.last()
    began = time.perf_counter()
    LogStore.open(path, clock=SystemClock(), session="check").close()
    outcome.slowest_reopen_ms = max(outcome.slowest_reopen_ms, (time.perf_counter() - began) * 1000)
    report = verify(path, processes=1)
    outcome.broken_chains += not report.ok
    with closing(sqlite3.connect(path)) as con:
        outcome.broken_files += con.execute("PRAGMA integrity_check").fetchone() != ("ok",)
        found = {seq: digest.hex() for seq, digest in con.execute("SELECT seq, hash FROM event")}
    outcome.events = len(found)
    outcome.lost = sum(found.get(seq) != digest for seq, digest in acknowledged.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
