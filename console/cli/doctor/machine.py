"""This machine and whoever sits at it: account, helm, secrets' sources, folder of logs, SQLite, terminal."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from checks.clients.redact import Redactor
from console.cli.doctor.diagnosed import Diagnosis, Mark
from console.cli.doctor.shared_tmux import shared_terminal
from console.cli.runbook.this_machine import look
from console.engine.operations.access.here import LackingError, find_helm, how_to_give, secrets_of
from console.engine.operations.helm.helm import Helm, HelmError
from console.engine.process.socket_server import account_of
from console.engine.record.declarations import people
from console.ui import terminal
from state.base.clock import Clock
from state.base.times import moment
from state.runbook.load import LoadedRunbook
from state.runbook.models import Runbook
from state.runbook.units import MissingSecretError, SecretRef
from state.view.launch import LaunchView, ScopeView
from state.view.people import NO_SECOND, SECOND_FIX, seconds_of, standing

HERE = "this machine"
_OLDEST_SQLITE = (3, 37)
"""STRICT tables."""
_FREE = 200 * 1024 * 1024
_NARROW, _LOW = 60, 15
_MOST_S = 20.0


def good(subject: str, said: str, place: str = HERE) -> Diagnosis:
    """Return that something is there."""
    return Diagnosis(place=place, subject=subject, mark=Mark.GOOD, said=said)


def bad(subject: str, said: str, fix: str, place: str = HERE) -> Diagnosis:
    """Return that something is missing or wrong."""
    return Diagnosis(place=place, subject=subject, mark=Mark.BAD, said=said, fix=fix)


def unknown(subject: str, said: str, fix: str, place: str = HERE) -> Diagnosis:
    """Return that something couldn't be told, or should be looked at by a person."""
    return Diagnosis(place=place, subject=subject, mark=Mark.UNKNOWN, said=said, fix=fix)


async def machine(loaded: LoadedRunbook, clock: Clock, redactor: Redactor) -> list[Diagnosis]:
    """Look at this machine."""
    runbook, account = loaded.runbook, account_of(os.getuid())
    view = LaunchView(people=people(runbook), scope=ScopeView(single_operator=runbook.single_operator))
    return [
        _you(view, account),
        _second(view, account),
        _window(runbook, moment(clock.wall_us())),
        await _helm(runbook),
        *await asyncio.to_thread(lambda: list(_named_here(loaded))),
        *await _secrets(runbook, redactor),
        _folder(runbook.launches),
        _sqlite(),
        _terminal(os.environ),
        *await asyncio.to_thread(shared_terminal, os.environ),
    ]


def _you(view: LaunchView, account: str) -> Diagnosis:
    you = standing(view, account)
    said = f"{you.who}: {you.may}"
    if not you.known:
        return bad("you", said, you.fix)
    return good("you", said) if you.acts else unknown("you", said, you.fix)


def _second(view: LaunchView, account: str) -> Diagnosis:
    """Look whether anybody else could grant what needs two people."""
    subject = "second person"
    if view.scope.single_operator:
        return good(subject, "none: the runbook says that one person is enough (single_operator)")
    others = seconds_of(view, account)
    if others:
        return good(subject, f"{', '.join(others)} may grant what needs two people")
    return bad(subject, NO_SECOND, SECOND_FIX)


def _window(runbook: Runbook, now: datetime) -> Diagnosis:
    window = runbook.scope.window
    at = f"{window.start.astimezone(UTC):%Y-%m-%d %H:%M}Z to {window.end.astimezone(UTC):%Y-%m-%d %H:%M}Z"
    if now >= window.end:
        return bad("launch window", f"over: {at}", "set scope.window to the next one")
    away = (window.start - now).total_seconds()
    if away <= 0:
        return good("launch window", f"open: {at}")
    return good("launch window", f"opens in {int(away // 3600)} h {int(away % 3600 // 60):02d} m: {at}")


async def _helm(runbook: Runbook) -> Diagnosis:
    environment = next(iter(runbook.environments.values()))
    helm = Helm(runbook, environment, Path(os.devnull), Redactor())
    fix = "install helm 3 or 4, or set helm: in the runbook to its path"
    try:
        where = find_helm(runbook.helm)
        version = await helm.version()
    except LackingError as error:
        return bad("helm", error.lack.what, error.lack.fix)
    except HelmError as error:
        return bad("helm", str(error).removeprefix("helm: "), fix)
    problem = version.problem()
    return bad("helm", problem, fix) if problem else good("helm", f"{version.text} at {where}")


def _named_here(loaded: LoadedRunbook) -> Iterator[Diagnosis]:
    """Yield what ``runbook check`` says of charts, values and placeholders, with the lines to change."""
    looked = look(loaded)
    errors = [one for one in looked.errors if one.key != "helm" and ".kube." not in one.key]
    for one in errors:
        yield bad("runbook", f"line {one.line}: {one.where}: {one.message}", f"{loaded.path}:{one.line}")
    if not errors:
        yield good("runbook", f"{loaded.path}: charts and values files are there, nothing is a placeholder")
    for one in looked.warnings:
        yield unknown("runbook", f"line {one.line}: {one.where}: {one.message}", f"{loaded.path}:{one.line}")


async def _secrets(runbook: Runbook, redactor: Redactor) -> list[Diagnosis]:
    """Read each source once, as the engine would; what it held goes to the redactor and nowhere else."""

    async def one(ref: SecretRef, places: Sequence[str]) -> Diagnosis:
        source = _source(ref)
        of = f"of {places[0]}{f' and {len(places) - 1} more' if len(places) > 1 else ''}"
        try:
            async with asyncio.timeout(_MOST_S):
                redactor.register(await asyncio.to_thread(ref.read))
        except (MissingSecretError, TimeoutError) as error:
            return bad("secret", f"{error or 'no answer in time'} ({of})", how_to_give(ref))
        return good("secret", f"{source} has it ({of})")

    return list(await asyncio.gather(*(one(ref, places) for ref, places in secrets_of(runbook).items())))


def _source(ref: SecretRef) -> str:
    if ref.env is not None:
        return f"environment variable {ref.env}"
    return f"file {ref.file}" if ref.file is not None else "its program"


def _folder(folder: Path) -> Diagnosis:
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return bad("logs", f"{folder} can't be written", "set launches: in the runbook to a folder of yours")
    free = shutil.disk_usage(there).free
    if free < _FREE:
        return bad(
            "logs",
            f"{free // 1024**2} MiB are free at {there}",
            "make room: a launch's log takes some 50 MiB",
        )
    return good("logs", f"{folder}, {free // 1024**3} GiB free")


def _sqlite() -> Diagnosis:
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info[:2] < _OLDEST_SQLITE:
        return bad("SQLite", f"{version} has no STRICT tables", "use a Python whose SQLite is 3.37 or newer")
    return good("SQLite", version)


def _terminal(environ: Mapping[str, str]) -> Diagnosis:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return unknown(
            "terminal", "this isn't one: a pipe or a pipeline", "run the doctor where you will sit"
        )
    problem = terminal.trouble(environ, tty=True)
    if problem is not None:
        return bad("terminal", problem, "use another terminal, or tmux")
    size = shutil.get_terminal_size()
    if size.columns < _NARROW or size.lines < _LOW:
        said = f"{size.columns}x{size.lines}: {_NARROW}x{_LOW} at least"
        return bad("terminal", said, "make it larger: 120x40 shows everything side by side")
    colours = "NO_COLOR" if environ.get("NO_COLOR") else environ.get("COLORTERM") or "256 colours"
    return good("terminal", f"{environ.get('TERM')}, {size.columns}x{size.lines}, {colours}")
