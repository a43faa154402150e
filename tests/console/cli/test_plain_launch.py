"""``--plain`` on ``open`` and ``rehearse``: a whole console's engine behind a pipe, one line an event."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from console.exit_codes import ExitCode, signalled
from tests.paths import ROOT

SOON_S = 90.0


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A dumb terminal's environment, with a short folder for sockets."""
    with TemporaryDirectory(prefix="lc-", dir="/tmp") as run:
        own = {"XDG_RUNTIME_DIR": run, "XDG_STATE_HOME": str(tmp_path / "state"), "TERM": "dumb"}
        yield {**os.environ, **own, "PYTHONPATH": str(ROOT)}


def stop(log: Path, environ: dict[str, str]) -> None:
    argv = [sys.executable, "-m", "console", "engine", "stop", str(log)]
    subprocess.run(argv, env=environ, check=False, capture_output=True, timeout=SOON_S)


@contextmanager
def opened(environ: dict[str, str], log: Path, *argv: str) -> Iterator[subprocess.Popen[str]]:
    """A command behind a pipe; its engine is stopped at the end, whatever came of it."""
    with subprocess.Popen(
        [sys.executable, "-m", "console", *argv, "--log", str(log), "--plain"],
        env=environ,
        cwd=log.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        late = threading.Timer(SOON_S, run.kill)
        late.start()
        try:
            yield run
        finally:
            late.cancel()
            stop(log, environ)
            run.kill()


def until(run: subprocess.Popen[str], word: str) -> list[str]:
    """Read lines until one has a word."""
    assert run.stdout is not None
    lines: list[str] = []
    for line in run.stdout:
        lines.append(line)
        if word in line:
            return lines
    raise AssertionError((lines, run.stderr.read() if run.stderr is not None else ""))


def test_a_launch_is_opened_in_a_pipe_and_told_line_by_line_until_its_engine_ends(
    environ: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "a.lclog"
    with opened(environ, log, "open", str(ROOT / "examples/web-service.yaml")) as run:
        lines = until(run, "engine started")
        assert [int(one.split()[0]) for one in lines] == list(range(1, len(lines) + 1))
        assert not any("\x1b" in one for one in lines)
        stop(log, environ)
        out, err = run.communicate(timeout=SOON_S)
        assert run.returncode == ExitCode.NO_ENGINE, err
        assert "engine.stopped" in out
        assert "the launch is running" in out.splitlines()[-1]
        assert "One line an event" in err
        assert f"No engine runs on {log}" in err


def test_a_rehearsal_is_told_line_by_line_and_goes_on_when_it_is_left(
    environ: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "r.lclog"
    with opened(environ, log, "rehearse", "--runbook", str(ROOT / "examples/web-service.yaml")) as run:
        until(run, "engine started")
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=SOON_S)
        assert run.returncode == signalled(signal.SIGINT), err
        assert f"Back to it:  launch-console rehearse --log {log}" in err
        argv = [sys.executable, "-m", "console", "engine", "list"]
        listed = subprocess.run(argv, env=environ, check=True, capture_output=True, text=True, timeout=SOON_S)
        assert str(log) in listed.stdout
