"""A tmux that several people look at: how others join, and whose terminal limits its size."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.cli.doctor.diagnosed import Diagnosis, Mark
from state.base.text import line

_PATIENCE_S = 5.0
_SHRINKS = "smallest"
"""The value of window-size by which the smallest client decides for all."""
_CLIENT = "#{client_width} #{client_height} #{client_readonly} #{client_tty}"


@dataclass(frozen=True, slots=True)
class TmuxClient:
    """A terminal that is attached to the session."""

    tty: str
    columns: int
    rows: int
    watches: bool
    """Whether it is attached read-only."""


def shared_terminal(environ: Mapping[str, str]) -> list[Diagnosis]:
    """Return how a tmux is shared; nothing outside one, or where it doesn't answer."""
    if not environ.get("TMUX"):
        return []
    asked = _ask(environ, "display-message", "-p", "#{socket_path}\n#{session_name}\n#{window-size}")
    if len(asked) != 3:
        return []
    socket, session, policy = asked
    clients = [
        one for told in _ask(environ, "list-clients", "-t", session, "-F", _CLIENT) if (one := _client(told))
    ]
    return told_of(f"tmux -S {shlex.quote(socket)} attach -r -t {shlex.quote(session)}", policy, clients)


def told_of(invite: str, policy: str, clients: Sequence[TmuxClient]) -> list[Diagnosis]:
    """Return the line to give to others and, where a terminal keeps the screen small for everybody, which one."""
    told = [_told(Mark.GOOD, f"others watch with: {line(invite, 300)}")]
    if len(clients) < 2:
        return told
    narrow, low = min(clients, key=lambda one: one.columns), min(clients, key=lambda one: one.rows)
    size = f"{narrow.columns}x{low.rows}"
    named = list(dict.fromkeys(f"{one.tty} ({one.columns}x{one.rows})" for one in (narrow, low)))
    limits = f"{' and '.join(named)} {'limit' if len(named) > 1 else 'limits'}"
    larger = any((one.columns, one.rows) != (narrow.columns, low.rows) for one in clients)
    if policy == _SHRINKS and larger:
        said = f"{len(clients)} terminals share it, and {limits} all to {size}"
        return [
            *told,
            _told(Mark.UNKNOWN, said, "tmux set -w window-size latest: the size of who typed last"),
        ]
    return [*told, _told(Mark.GOOD, f"{len(clients)} terminals share it, window-size {policy or 'unknown'}")]


def _told(mark: Mark, said: str, fix: str = "") -> Diagnosis:
    return Diagnosis(place="this machine", subject="tmux", mark=mark, said=said, fix=fix)


def _client(told: str) -> TmuxClient | None:
    columns, rows, watches, tty = (told.split(" ", 3) + [""] * 4)[:4]
    if not (columns.isdigit() and rows.isdigit()):
        return None
    return TmuxClient(line(tty, 60), int(columns), int(rows), watches == "1")


def _ask(environ: Mapping[str, str], *words: str) -> list[str]:
    try:
        done = subprocess.run(
            ["tmux", *words],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []
