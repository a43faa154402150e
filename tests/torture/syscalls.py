"""I1: an error at the n-th write or sync of a writer, for every n: nothing acknowledged is lost, and the log goes on.

    python -m tests.torture.syscalls DIRECTORY --every

strace makes the system call fail once, or from there on for a while. Prints one JSON object; exits 1 on a loss.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from state.clock import SystemClock
from state.events import Draft
from state.log.errors import LogError
from state.log.reader import LogReader
from state.log.store import LogStore
from state.log.verify import verify

ERRORS = (("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("fdatasync", "EIO"), ("fsync", "EIO"))
EVENTS = 12


@dataclass(slots=True)
class Outcome:
    """What all runs together showed."""

    runs: int = 0
    acknowledged: int = 0
    refused: int = 0
    """Events that the store said were not written."""
    lost: int = 0
    broken: int = 0
    twice: int = 0


def main(arguments: list[str]) -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--write", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.write:
        return _write(asked.directory)
    outcome = torture(asked.directory, range(1, 120) if asked.every else (1, 7, 20, 33))
    sys.stdout.write(f"{json.dumps(asdict(outcome))}\n")
    return 1 if outcome.lost or outcome.broken or outcome.twice else 0


def torture(directory: Path, numbers: Sequence[int], errors: Sequence[tuple[str, str]] = ERRORS) -> Outcome:
    """Let each kind of system call fail at each of these numbers, once and then three times in a row."""
    outcome = Outcome()
    for call, error in errors:
        for number in numbers:
            _run(directory / f"{call}-{error}-{number}", f"{call}:error={error}:when={number}", outcome)
            _run(
                directory / f"{call}-{error}-{number}-on",
                f"{call}:error={error}:when={number}..{number + 8}",
                outcome,
            )
    return outcome


def _run(folder: Path, inject: str, outcome: Outcome) -> None:
    folder.mkdir(parents=True)
    LogStore.create(folder / "a.lclog", clock=SystemClock(), session="setup").close()
    words = [
        "strace",
        "-f",
        "-qq",
        "-o",
        os.devnull,
        "-e",
        f"trace={inject.split(':', 1)[0]}",
        "-e",
        f"inject={inject}",
    ]
    program = [sys.executable, "-m", "tests.torture.syscalls", str(folder), "--write"]
    done = subprocess.run([*words, *program], check=False, capture_output=True, text=True)
    told = [line.split() for line in done.stdout.splitlines()]
    acknowledged = {int(words[1]): words[2] for words in told if words[0] == "ack"}
    before = (outcome.lost, outcome.broken, outcome.twice)
    outcome.runs += 1
    outcome.acknowledged += len(acknowledged)
    outcome.refused += sum(words[0] == "refused" for words in told)
    outcome.broken += (
        bool(done.returncode) or len(told) != EVENTS or not verify(folder / "a.lclog", processes=1).ok
    )
    with LogReader(folder / "a.lclog") as reader:
        events = {event.seq: event for event in reader.every()}
    outcome.lost += sum(
        seq not in events or events[seq].hash != digest for seq, digest in acknowledged.items()
    )
    notes = [str(event.body["text"]) for event in events.values() if event.kind == "note.added"]
    outcome.twice += len(notes) - len(set(notes))
    if before == (outcome.lost, outcome.broken, outcome.twice):
        shutil.rmtree(folder)


def _write(folder: Path) -> int:
    """Append one event after another; say of each what became of it."""
    store = LogStore.open(folder / "a.lclog", clock=SystemClock(), session="writer", probe_every_s=0.01)
    for number in range(EVENTS):
        try:
            event = store.append(Draft("note.added", {"text": str(number)})).result(20)
            sys.stdout.write(f"ack {event.seq} {event.hash}\n")
        except LogError:
            sys.stdout.write(f"refused {number}\n")
    sys.stdout.flush()
    store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
