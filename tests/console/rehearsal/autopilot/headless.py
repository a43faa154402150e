"""The headless rehearsal as a program: what it printed, and how it ended."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from state.base.json import Json, JsonObject, integer, obj, text
from state.log.reader import LogReader
from tests.paths import ROOT

PATIENT_S = 240.0
"""Real seconds after which a run is given up: much more than it takes on a quiet machine."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a headless run printed, event by event, and its summary where it came to its end."""

    code: int
    events: list[JsonObject]
    summary: JsonObject
    took_s: float
    stderr: str


def command(log: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "console", "rehearse", "--headless", "--json", "--log", str(log), *more]


def rehearse(log: Path, *more: str) -> Run:
    """Run a rehearsal to its end."""
    began = time.monotonic()
    done = subprocess.run(
        command(log, *more), cwd=ROOT, capture_output=True, text=True, timeout=PATIENT_S, check=False
    )
    lines = [obj(json.loads(line)) for line in done.stdout.splitlines()]
    last = lines.pop() if lines and "summary" in lines[-1] else {}
    return Run(done.returncode, lines, obj(last.get("summary")), time.monotonic() - began, done.stderr)


def killed(log: Path, now: Callable[[JsonObject], bool]) -> list[JsonObject]:
    """Run a rehearsal, kill it as soon as it prints an event that is meant, and return what it printed."""
    seen: list[JsonObject] = []
    with subprocess.Popen(
        command(log), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as run:
        assert run.stdout is not None
        for line in run.stdout:
            seen.append(obj(json.loads(line)))
            if "summary" in seen[-1]:
                break
            if now(seen[-1]):
                run.kill()
                break
        rest = run.stdout.read()
    seen += [obj(json.loads(line)) for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    assert run.returncode == -9, "the rehearsal came to its end before it could be killed"
    return seen


def numbers(events: list[JsonObject]) -> list[int]:
    """Return the sequence numbers of printed events."""
    return [integer(event, "seq") for event in events]


def kept(log: Path) -> list[tuple[int, str]]:
    """Return number and hash of every event of a log."""
    reader = LogReader(log)
    try:
        return [(event.seq, event.hash) for event in reader.every()]
    finally:
        reader.close()


def hashes(events: list[JsonObject]) -> list[tuple[int, str]]:
    """Return number and hash of printed events."""
    return [(integer(event, "seq"), text(event, "hash")) for event in events]


def kind(event: JsonObject) -> str:
    return text(event, "kind")


def body(event: JsonObject, name: str) -> Json:
    return obj(event.get("body")).get(name)


def verifies(log: Path) -> bool:
    """Return whether ``launch-console verify`` finds a log whole."""
    argv = [sys.executable, "-m", "console", "verify", str(log)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, timeout=PATIENT_S, check=False).returncode == 0
