"""G2: two writers and two readers on one file, as densely as they can, round after round on a new log.

    python -m tests.torture.stress DIRECTORY --rounds 78 --seconds 6

On a directory in memory nothing waits for a disk, and the turns are the closest. After each round the writers are
killed, and the log must be whole and hold what they were told. Prints one JSON object; exits 1 where something was
lost or broken.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from state.log.errors import LogError
from state.log.reader import LogReader
from tests.torture import kills


@dataclass(slots=True)
class Outcome:
    """What all rounds together showed."""

    rounds: int = 0
    acknowledged: int = 0
    lost: int = 0
    bad_rounds: int = 0
    """Rounds after which the chain or the file was broken, or in which a reader could not read."""
    sqlite: str = sqlite3.sqlite_version


def main(arguments: list[str]) -> int:
    """Run the rounds that the arguments ask for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--rounds", type=int, default=78)
    parser.add_argument("--seconds", type=float, default=6.0)
    asked = parser.parse_args(arguments)
    outcome = stress(asked.directory, asked.rounds, asked.seconds)
    sys.stdout.write(f"{json.dumps(asdict(outcome))}\n")
    return 1 if outcome.lost or outcome.bad_rounds else 0


def stress(directory: Path, rounds: int, seconds: float, readers: int = 2) -> Outcome:
    """Let writers and readers meet on a new log each round, and check it."""
    outcome = Outcome()
    for number in range(rounds):
        folder = directory / f"round-{number}"
        folder.mkdir(parents=True)
        path = folder / "a.lclog"
        pids = [_start_reader(path, seconds) for _ in range(readers)]
        found = kills.torture(path, 2, 2, random.Random(number), least_s=seconds)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        outcome.rounds += 1
        outcome.acknowledged += found.acknowledged
        outcome.lost += found.lost
        bad = bool(found.broken_chains or found.broken_files or any(codes))
        outcome.bad_rounds += bad
        if not (bad or found.lost):
            shutil.rmtree(folder)
    return outcome


def _start_reader(path: Path, seconds: float) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(int(seconds) + 60)
            code = _read(path, seconds)
        finally:
            os._exit(code)
    return child


def _read(path: Path, seconds: float) -> int:
    """Follow the log in chunks, begin anew at its end; return 1 where it can't be read or contradicts itself."""
    while not path.exists():
        time.sleep(0.001)
    until = time.monotonic() + seconds
    hashes: dict[int, str] = {}
    try:
        with LogReader(path) as reader:
            while time.monotonic() < until:
                for event in reader.every():
                    if hashes.setdefault(event.seq, event.hash) != event.hash:
                        return 1
                    if time.monotonic() > until:
                        break
    except LogError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
