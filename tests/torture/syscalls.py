"""I1: an error at the n-th write or sync of a writer, for every n: nothing acknowledged is lost, and the log goes on.

    python -m tests.torture.syscalls DIRECTORY --every

A writer makes a log and appends to it. How often it writes and syncs is counted first; then strace makes each of
these calls fail, once, or it and the eight that follow. Prints one JSON object; exits 1 on a loss.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from state.base.clock import SystemClock
from state.events.event import Draft
from state.events.log import NoteAdded
from state.log.errors import LogError
from state.log.reader import LogReader
from state.log.store import LogStore
from state.log.verify import verify

ERRORS = (("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("fdatasync", "EIO"), ("fsync", "EIO"))
EVENTS = 12
_TRACE = ("strace", "-f", "-qq")


@dataclass(slots=True)
class Outcome:
    """What all runs together showed."""

    runs: int = 0
    acknowledged: int = 0
    not_made: int = 0
    """Logs that could not be made; then a second try was, and was appended to."""
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
        return _write(asked.directory, sys.stdout)
    made = calls(asked.directory / "clean")
    numbers = {call: range(1, made[call] + 1) if asked.every else (1, 7, 20, 33) for call in made}
    outcome = Outcome()
    for call, error in ERRORS:
        torture(asked.directory, numbers[call], ((call, error),), outcome)
    sys.stdout.write(f"{json.dumps({'calls': made, **asdict(outcome)})}\n")
    return 1 if outcome.lost or outcome.broken or outcome.twice else 0


def calls(folder: Path) -> dict[str, int]:
    """Return how often a writer to whom nothing happens makes each system call that can fail."""
    folder.mkdir(parents=True)
    trace = folder / "trace"
    names = sorted({call for call, _ in ERRORS})
    words = [*_TRACE, "-o", str(trace), "-e", f"trace={','.join(names)}"]
    subprocess.run([*words, *_writer(folder)], check=True, capture_output=True)
    lines = trace.read_text().splitlines()
    shutil.rmtree(folder)
    return {name: sum(f" {name}(" in line for line in lines) for name in names}


def torture(
    directory: Path,
    numbers: Sequence[int],
    errors: Sequence[tuple[str, str]] = ERRORS,
    outcome: Outcome | None = None,
) -> Outcome:
    """Let each kind of system call fail at each of these numbers, once and then nine times in a row."""
    outcome = outcome or Outcome()
    for call, error in errors:
        for number in numbers:
            for name, when in ((f"{number}", f"{number}"), (f"{number}-on", f"{number}..{number + 8}")):
                _run(directory / f"{call}-{error}-{name}", f"{call}:error={error}:when={when}", outcome)
    return outcome


def _writer(folder: Path) -> list[str]:
    return [sys.executable, "-m", "tests.torture.syscalls", str(folder), "--write"]


def _run(folder: Path, inject: str, outcome: Outcome) -> None:
    folder.mkdir(parents=True)
    words = [*_TRACE, "-o", os.devnull, "-e", f"trace={inject.split(':', 1)[0]}", "-e", f"inject={inject}"]
    done = subprocess.run([*words, *_writer(folder)], check=False, capture_output=True, text=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    before = (outcome.lost, outcome.broken, outcome.twice)
    outcome.runs += 1
    if lines == [["not-made"]]:
        outcome.not_made += 1
        again = io.StringIO()
        _write(folder, again)  # what was left half done is in nobody's way
        lines = [line.split() for line in again.getvalue().splitlines()]
    else:
        outcome.refused += sum(words[0] == "refused" for words in lines)
    acknowledged = {int(words[1]): words[2] for words in lines if words[0] == "ack"}
    outcome.acknowledged += len(acknowledged)
    good = not done.returncode and len(lines) == EVENTS
    outcome.broken += not good or not verify(folder / "a.lclog", processes=1).ok
    if not good:
        sys.stderr.write(f"{inject}: {done.stderr}\n")
        return
    with LogReader(folder / "a.lclog") as reader:
        events = {event.seq: event for event in reader.every()}
    outcome.lost += sum(
        seq not in events or events[seq].hash != digest for seq, digest in acknowledged.items()
    )
    notes = [str(event.body["text"]) for event in events.values() if event.kind == "note.added"]
    outcome.twice += len(notes) - len(set(notes))
    if before == (outcome.lost, outcome.broken, outcome.twice):
        shutil.rmtree(folder)


def _write(folder: Path, out: TextIO) -> int:
    """Make a log and append one event after another; say of each what became of it."""
    path, clock = folder / "a.lclog", SystemClock()
    try:
        if not path.exists():
            LogStore.create(path, clock=clock, session="setup").close()
        store = LogStore.open(path, clock=clock, session="writer", probe_every_s=0.01)
    except LogError:
        out.write("not-made\n")
        return 0
    for number in range(EVENTS):
        try:
            event = store.append(Draft(NoteAdded(str(number)))).result(20)
            out.write(f"ack {event.seq} {event.hash}\n")
        except LogError:
            out.write(f"refused {number}\n")
    out.flush()
    store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
