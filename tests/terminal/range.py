"""A rehearsal of its own for a test: its folder, log, engine and world, and the end of all of them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from console.engine.process.running import EngineInfo, process_started
from state.base.codec import read
from state.base.json import integer, obj
from state.events.event import Event
from state.fold import fold
from state.log.reader import LogReader
from state.view.launch import LaunchView
from tests.paths import ROOT
from tests.terminal.tmux import Tmux

T = TypeVar("T")

PATIENT_S = 90.0
"""Real seconds that a test waits for anything at most: the machine may be busy."""


class Range:
    """The files and processes of one rehearsal. Its folder's path is short, since sockets lie in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "launch.lclog"
        self.env = {"XDG_RUNTIME_DIR": str(folder), "XDG_STATE_HOME": str(folder / "state")}

    def console(self, *argv: str, size: tuple[int, int] = (119, 40)) -> Tmux:
        """Return a new terminal with the program in it: below 120 columns, so that a detail stands below its list."""
        return Tmux("-m", "console", *argv, size=size, env=self.env)

    def rehearse(self, *argv: str, size: tuple[int, int] = (119, 40)) -> Tmux:
        """Return a new terminal with a console on this rehearsal."""
        return self.console("rehearse", "--log", str(self.log), *argv, size=size)

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Return what a command of the program did, without a terminal."""
        return subprocess.run(
            [sys.executable, "-m", "console", *argv],
            cwd=ROOT,
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            timeout=PATIENT_S,
            check=False,
        )

    def engine(self) -> EngineInfo | None:
        """Return the engine that runs, or None."""
        for path in (self.folder / "launch-console").glob("*.json"):
            with suppress(OSError, ValueError):
                info = read(EngineInfo, json.loads(path.read_text()))
                if process_started(info.pid) == info.started:
                    return info
        return None

    def engine_pid(self) -> int:
        """Return the process of the engine that runs."""
        found = self.engine()
        assert found is not None, "no engine runs"
        return found.pid

    def events(self) -> list[Event]:
        """Return everything that is in the log."""
        reader = LogReader(self.log)
        try:
            return list(reader.every())
        finally:
            reader.close()

    def view(self) -> LaunchView:
        """Return the launch as its log tells it."""
        return fold(self.events())

    def until(self, true: Callable[[LaunchView], bool], what: str) -> LaunchView:
        """Return the launch as soon as something holds of it."""
        return until(lambda: view if true(view := self.view()) else None, what)

    def end(self) -> None:
        """End what is left of it, and remove its files."""
        for pid in (self._world(), self.engine()):
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid if isinstance(pid, int) else pid.pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _world(self) -> int | None:
        with suppress(OSError, ValueError):
            answer = obj(json.loads((self.folder / "launch.lclog.world" / "serve.json").read_text()))
            return integer(answer, "pid") or None
        return None


@contextmanager
def new_range() -> Iterator[Range]:
    """Give a rehearsal's place, and clear it away."""
    made = Range(Path(tempfile.mkdtemp(prefix="lc-")))
    try:
        yield made
    finally:
        made.end()


def until(look: Callable[[], T | None], what: str, within: float = PATIENT_S) -> T:
    """Return what ``look`` finds as soon as it finds something."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {within:g} s for {what}")
