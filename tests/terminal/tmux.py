"""A real tmux for tests: keys in, screen out, and what the terminal was left like."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.paths import ROOT

PATIENCE_S = 15.0
_NOT_OURS = frozenset({"TMUX", "NO_COLOR", "TEXTUAL_THEME", "COLUMNS", "LINES"})
"""Variables of whoever runs the tests that would change what a terminal shows, its size included."""


class Tmux:
    """One pane of a tmux server of its own. After the program ended, ``code N`` stands on the screen."""

    def __init__(
        self, *argv: str, size: tuple[int, int] = (80, 24), env: Mapping[str, str] | None = None
    ) -> None:
        self.name = f"lc-{uuid.uuid4().hex[:12]}"
        settings = " ".join(f"{k}={shlex.quote(v)}" for k, v in (env or {}).items())
        program = shlex.join((sys.executable, *argv))
        line = f"cd {shlex.quote(str(ROOT))} && {settings} {program}; echo code $?; exec cat"
        environ = {k: v for k, v in os.environ.items() if k not in _NOT_OURS}
        subprocess.run(
            [*self._tmux(), "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), line],
            check=True,
            env=environ,
        )

    def _tmux(self) -> list[str]:
        return ["tmux", "-L", self.name, "-f", "/dev/null"]

    def run(self, *args: str) -> str:
        done = subprocess.run([*self._tmux(), *args], capture_output=True, text=True, check=False)
        return done.stdout

    def keys(self, *keys: str) -> None:
        self.run("send-keys", *keys)

    def screen(self) -> str:
        return self.run("capture-pane", "-p")

    def until(self, true: Callable[[str], bool] | str, *, within: float = PATIENCE_S) -> str:
        """Return the screen as soon as it has a text, or ``true`` holds of it."""
        end = time.monotonic() + within
        shown = ""
        while time.monotonic() < end:
            shown = self.screen()
            if (true in shown) if isinstance(true, str) else true(shown):
                return shown
            time.sleep(0.05)
        raise AssertionError(f"waited {within:g} s for {true!r}; the screen is\n{shown}")

    def modes(self) -> str:
        """Return alternate screen, mouse reports and cursor: ``0 0 1`` is a terminal as it should be."""
        return self.run("display", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}").strip()

    def pane_pid(self) -> int:
        return int(self.run("display", "-p", "#{pane_pid}"))

    def close(self) -> None:
        self.run("kill-server")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            message = path.read_text()
        except OSError:
            continue
        if int(message.rpartition(")")[2].split()[1]) == pid:
            found.append(int(path.parent.name))
    return sorted(found)
