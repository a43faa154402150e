"""A program that changes the world, run so that no terminal and no engine's death can reach it.

It has its own session, an empty standard input, and its standard output and error in two files that are
never merged. It starts only after its pid is in the log: a shell waits on a pipe and then becomes the
program; if the engine dies before it has written the pid, the pipe ends and the program never runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from state.base.text import bare, line

_SHELL = "/bin/sh"
# 75 is EX_TEMPFAIL of sysexits.h; helm itself only exits with 0 or 1.
_GATE = 'read -r go || exit 75; exec "$@" </dev/null'
# Real seconds: helm lives in them, whatever clock the launch has.
_POLL_S = 0.1
LONGEST_LINE = 16 * 1024
"""Of a program's line; what is shown has 500 characters."""
_OVERLAP = 4096
_HELD = 8
"""Lines that wait while a program goes on printing."""


@dataclass(frozen=True, slots=True)
class Running:
    """A program under way: what finds it again after the engine was started anew."""

    pid: int
    started: str
    """The kernel's start time of the process: with the pid it names the process for ever."""
    out: Path
    err: Path


def start_time(pid: int) -> str | None:
    """Return the kernel's start time of a process, or None where it is gone (or a zombie)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rsplit(")", 1)[1].split()
    return None if fields[0] == "Z" else fields[19]


def alive(running: Running) -> bool:
    """Return whether that very process still runs."""
    return start_time(running.pid) == running.started


class Program:
    """A program that was prepared, and runs once ``release`` is called.

    It isn't one of asyncio's or ``subprocess``'s own: those kill or complain when they are forgotten, and this
    one has to outlive the engine, also an engine that ends in good order.
    """

    def __init__(self, gate: int, running: Running) -> None:
        self._gate = gate
        self.running = running

    @classmethod
    async def prepare(cls, argv: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Program:
        """Start the waiting shell; its pid is the program's later on.

        Raises OSError where the folder or a process cannot be made.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240  one call, before anything waits
        out, err = folder / "out", folder / "err"
        reader, writer = os.pipe()
        try:
            pid = _spawn([_SHELL, "-c", _GATE, "launch-console-operation", *argv], reader, out, err, environ)
        except BaseException:
            os.close(writer)
            raise
        finally:
            os.close(reader)
        return cls(writer, Running(pid, start_time(pid) or "", out, err))

    def release(self) -> None:
        """Let the program run."""
        with contextlib.suppress(BrokenPipeError):  # it was ended before it ran: nobody waits any more
            os.write(self._gate, b"go\n")
        os.close(self._gate)

    def cancel(self) -> None:
        """End it before it ran: its start could not be recorded, or somebody aborted."""
        os.close(self._gate)

    async def wait(self) -> int:
        """Return the exit code; of a program that a signal ended, the signal's number below zero."""
        while True:
            pid, status = os.waitpid(self.running.pid, os.WNOHANG)  # noqa: ASYNC222  it doesn't wait
            if pid:
                return os.waitstatus_to_exitcode(status)
            await asyncio.sleep(_POLL_S)


def _spawn(argv: Sequence[str], stdin: int, out: Path, err: Path, environ: Mapping[str, str]) -> int:
    """Start a program in a session of its own and return its pid."""
    flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND
    return os.posix_spawn(
        argv[0],
        list(argv),
        dict(environ),
        file_actions=[
            (os.POSIX_SPAWN_DUP2, stdin, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(out), flags, 0o600),
            (os.POSIX_SPAWN_OPEN, 2, str(err), flags, 0o600),
        ],
        setsid=True,
        setsigmask=[],
        # The engine ignores SIGHUP and Python SIGPIPE; a child would inherit both.
        setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGHUP, signal.SIGTERM],
    )


async def wait_gone(running: Running) -> None:
    """Return once a process that isn't our child has ended."""
    while alive(running):  # noqa: ASYNC110  a process that isn't our child gives no other sign
        await asyncio.sleep(_POLL_S)


def terminate(running: Running) -> bool:
    """Ask a program to end (SIGTERM, never more); return whether it was there to be asked."""
    if not alive(running):
        return False
    try:
        os.kill(running.pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    return True


def shown_line(raw: str, clean: Callable[[str], str]) -> str:
    """Return a line as it may be told: without what a terminal obeys, then without secrets, then cut."""
    whole = line(clean(raw[:LONGEST_LINE]), LONGEST_LINE)
    cleaned = clean(whole)
    apart = " ".join(bare(raw[:LONGEST_LINE]).split())
    if clean(apart) != apart:  # marks that nobody sees stood in a secret
        cleaned = clean(apart)
    if len(raw) > LONGEST_LINE:  # a secret may have been cut in two at its end
        cleaned = cleaned[: max(0, len(cleaned) - _OVERLAP)] + "…"
    return line(cleaned)


def _lines(whole: Sequence[bytes], clean: Callable[[str], str]) -> list[str]:
    texts = [one[: 4 * LONGEST_LINE].decode(errors="replace") for one in whole if one.strip()]
    # Together first: what a program breaks at 76 columns stands whole in no line.
    read = [bare(one[:LONGEST_LINE].replace("\t", " ")) for one in texts]
    together = clean("\n".join(read)).split("\n")
    rows = zip(texts, read, together, strict=True) if len(together) == len(texts) else ()
    known = [raw if after == before else after for raw, before, after in rows] or texts
    return [shown_line(one, clean) for one in known]


async def tail(path: Path, ended: asyncio.Event, clean: Callable[[str], str]) -> AsyncIterator[list[str]]:
    """Yield the lines of a growing file until ``ended`` is set and all was read.

    ``clean`` takes secrets out of a line, in a thread, once nothing is left in it that a terminal obeys. Of a line
    that is longer than ``LONGEST_LINE`` bytes the beginning is kept: nobody reads more, and an engine that looked
    through all of it would stand still.
    """
    rest, offset, skipping = b"", 0, False
    held: list[bytes] = []
    while True:
        # Looked at before reading, so that nothing written before the end is missed.
        last = ended.is_set()
        with path.open("rb") as file:
            file.seek(offset)
            piece = file.read(64 * 1024)
        offset += len(piece)
        *whole, rest = (rest + piece).split(b"\n")
        if skipping and whole:
            whole[0], skipping = b"", False
        if skipping:
            rest = b""
        elif len(rest) > LONGEST_LINE:
            whole, rest, skipping = [*whole, rest], b"", True
        if last and not piece and rest:
            whole, rest = [*whole, rest], b""
        # The last of them wait for what follows: it may be the rest of a value that began there.
        whole = held + whole
        held = whole[-_HELD:] if piece else []
        whole = whole[: len(whole) - len(held)]
        lines = await asyncio.to_thread(_lines, whole, clean) if whole else []
        if lines:
            yield lines
        if last and not piece:
            return
        if not piece:
            try:
                await asyncio.wait_for(ended.wait(), _POLL_S)
            except TimeoutError:
                continue
