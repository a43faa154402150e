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
from console.cli.runbook.this_machine import look
from console.engine.operations.helm.helm import Helm, HelmError
from console.engine.process.socket_server import account_of
from console.ui import terminal
from state.base.clock import Clock
from state.base.times import moment
from state.runbook.load import LoadedRunbook
from state.runbook.models import Person, Runbook
from state.runbook.units import MissingSecretError, SecretRef, secret_refs
from state.view.people import ACTING, ANYBODY, GRANTING

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
    runbook = loaded.runbook
    return [
        _you(runbook, account_of(os.getuid())),
        _second(runbook, account_of(os.getuid())),
        _window(runbook, moment(clock.wall_us())),
        await _helm(runbook),
        *await asyncio.to_thread(lambda: list(_named_here(loaded))),
        *await _secrets(runbook, redactor),
        _folder(runbook.launches),
        _sqlite(),
        _terminal(os.environ),
    ]


def _people(runbook: Runbook, account: str) -> list[Person]:
    named = [one for one in runbook.people if account in one.accounts]
    return named or [one for one in runbook.people if ANYBODY in one.accounts]


def _you(runbook: Runbook, account: str) -> Diagnosis:
    fix = f"add {account} to accounts: of a person with the role captain or operator, under people:"
    people = _people(runbook, account)
    if not people:
        return bad("you", f"{account} is nobody in the runbook: no command of yours would be taken", fix)
    roles = {role for one in people for role in one.roles}
    who = f"{account} is {' and '.join(one.name for one in people)} ({', '.join(sorted(roles))})"
    if roles & ACTING:
        return good("you", f"{who}: you may drive")
    if roles & GRANTING:
        return unknown("you", f"{who}: you may sign and grant, not drive", fix)
    return unknown("you", f"{who}: you may only watch", fix)


def _second(runbook: Runbook, account: str) -> Diagnosis:
    """Look whether anybody else could grant what needs two people."""
    subject = "second person"
    if runbook.single_operator:
        return good(subject, "none: the runbook says that one person is enough (single_operator)")
    others = [
        one
        for one in runbook.people
        if set(one.roles) & GRANTING and (set(one.accounts) - {account, ANYBODY} or one.signing_keys)
    ]
    if others:
        return good(subject, f"{', '.join(one.name for one in others)} may grant what needs two people")
    return bad(
        subject,
        "nobody else may grant an override or a waiver",
        "give a person with an account of their own the role approver, or say single_operator: true",
    )


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
    fix = "install helm 3 or 4 (helm.sh/docs/intro/install), or set helm: in the runbook to its path"
    try:
        version = await helm.version()
    except HelmError as error:
        return bad("helm", str(error).removeprefix("helm: "), fix)
    where = shutil.which(runbook.helm) or runbook.helm
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
    wanted: dict[SecretRef, list[str]] = {}
    for keys, ref in secret_refs(runbook):
        wanted.setdefault(ref, []).append(_place(keys))

    async def one(ref: SecretRef, places: list[str]) -> Diagnosis:
        source = _source(ref)
        of = f"of {places[0]}{f' and {len(places) - 1} more' if len(places) > 1 else ''}"
        try:
            async with asyncio.timeout(_MOST_S):
                redactor.register(await asyncio.to_thread(ref.read))
        except (MissingSecretError, TimeoutError) as error:
            return bad("secret", f"{error or 'no answer in time'} ({of})", _how(ref))
        return good("secret", f"{source} has it ({of})")

    return list(await asyncio.gather(*(one(ref, places) for ref, places in wanted.items())))


def _place(keys: Sequence[str]) -> str:
    """Return keys as they are told: ``environments.staging.apply_secrets 1.data``."""
    return "".join(f" {key}" if key.isdecimal() else f".{key}" for key in keys).lstrip(".")


def _source(ref: SecretRef) -> str:
    if ref.env is not None:
        return f"environment variable {ref.env}"
    return f"file {ref.file}" if ref.file is not None else "its program"


def _how(ref: SecretRef) -> str:
    if ref.env is not None:
        return f"export {ref.env}=… in the shell that starts the engine"
    if ref.file is not None:
        return f"write it to {ref.file}, readable by you alone (chmod 600)"
    return "run the program by hand and see what it says"


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
