"""Signing a person's word with their SSH key: ``ssh-keygen -Y sign``, through the agent or with a key file.

It runs where the person sits, next to their agent, never in the engine. Loads nothing heavy.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from state.attest.sshsig import ATTESTATION, TOUCHED
from state.attest.statement import Asking, Attestation, Granting, PollWord, Refusing, Statement, Withdrawal
from state.base.json import JsonObject, obj, text
from state.base.text import line
from state.commands import BY_NAME
from state.view.attestations import cautions, parts_of, verdicts_of
from state.view.launch import LaunchView
from state.view.people import fingerprints, grant_problem

KEY_FILE = "LAUNCH_CONSOLE_SIGNING_KEY"
"""Names a private key's file; without it the agent signs."""
TOUCH = "touch your security key now"
PATIENCE_S = 60.0
"""Real seconds: an agent may ask for a touch."""


class CannotSignError(Exception):
    """No signature could be made; one line says why and what to do."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement and its signature, as ``attest.sign`` takes them."""

    statement: str
    signature: str


def keys_of(view: LaunchView, account: str) -> tuple[str, ...]:
    """Return the public keys that the runbook lists for an account."""
    return tuple(key for person in view.people if account in person.accounts for key in person.signing_keys)


def attestation_of(view: LaunchView, account: str, args: JsonObject) -> Attestation:
    """Return the statement that an ``attest.sign`` with these arguments makes."""
    item = view.item(text(args, "item"))
    go = text(args, "verdict").strip().upper() == "GO"
    return Attestation(
        log=view.log_id,
        head=view.head,
        account=account,
        item=line(text(args, "item"), 1000),
        go=go,
        comment=line(text(args, "comment"), 1000),
        link=line(text(args, "link"), 500),
        evidence=tuple(check.seq for check in item.checks if check.seq) if item is not None else (),
        candidate=view.candidate.version,
        cautions=cautions(item) if item is not None and go else (),
        verdicts=verdicts_of(item) if item is not None else (),
        images=view.candidate.images,
        parts=parts_of(view),
    )


def asking_of(view: LaunchView, account: str, args: JsonObject, shown: str) -> Asking:
    """Return the statement that a ``request.make`` with these arguments makes."""
    name, inner = text(args, "command"), obj(args.get("args"))
    named = [(p.name, _word(inner, p.name)) for p in BY_NAME[name].parameters] if name in BY_NAME else []
    given = tuple((name, value) for name, value in named if value)
    return Asking(
        view.log_id,
        view.head,
        account,
        command=name,
        args=given,
        shown=shown,
        reason=line(text(args, "reason"), 1000),
    )


def granting_of(view: LaunchView, account: str, args: JsonObject) -> Granting:
    """Return the statement that a ``request.grant`` with these arguments makes."""
    one = view.request(_number(args, "request"))
    return Granting(
        view.log_id,
        view.head,
        account,
        request=one.seq if one is not None else 0,
        shown=one.shown if one is not None else "",
        comment=line(text(args, "comment"), 1000),
    )


def refusing_of(view: LaunchView, account: str, args: JsonObject) -> Refusing:
    """Return the statement that a ``request.refuse`` with these arguments makes."""
    return Refusing(
        view.log_id,
        view.head,
        account,
        request=_number(args, "request"),
        reason=line(text(args, "reason"), 1000),
    )


def withdrawal_of(view: LaunchView, account: str, args: JsonObject) -> Withdrawal:
    """Return the statement that an ``attest.withdraw`` with these arguments makes."""
    item, reason = line(text(args, "item"), 1000), line(text(args, "reason"), 1000)
    return Withdrawal(view.log_id, view.head, account, item=item, reason=reason)


def poll_word_of(view: LaunchView, account: str, args: JsonObject) -> PollWord:
    """Return the statement that a ``poll.answer`` with these arguments makes."""
    poll = view.poll(_number(args, "poll"))
    return PollWord(
        view.log_id,
        view.head,
        account,
        poll=poll.seq if poll is not None else 0,
        shown=poll.shown if poll is not None else "",
        go=text(args, "verdict").strip().upper() == "GO",
        comment=line(text(args, "comment"), 1000),
    )


def _word(args: JsonObject, name: str) -> str:
    """Return an argument as the engine reads it: on one line, a number as its digits."""
    value = args.get(name)
    return (
        line(str(value), 1000) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    )


def _number(args: JsonObject, name: str) -> int:
    given = _word(args, name).removeprefix("#")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 16 else 0


def statement_of(
    view: LaunchView, account: str, name: str, args: JsonObject, shown: str
) -> tuple[Statement, tuple[str, ...]] | None:
    """Return what a command's signature is for, and the keys that may sign it; None: it isn't signed here.

    Whoever has a key signs every word of theirs. Where people share an account, that tells the grant of another's key
    from one's own.
    """
    mine = keys_of(view, account)
    match name:
        case "attest.sign" if mine:
            return attestation_of(view, account, args), mine
        case "attest.withdraw" if mine:
            return withdrawal_of(view, account, args), mine
        case "poll.answer" if mine:
            return poll_word_of(view, account, args), mine
        case "request.refuse" if mine:
            return refusing_of(view, account, args), mine
        case "request.make" if mine:
            return asking_of(view, account, args, shown), mine
        case "request.grant" if mine or text(args, "sign"):
            every = tuple(dict.fromkeys(key for person in view.people for key in person.signing_keys))
            statement = granting_of(view, account, args)
            one = view.request(statement.request)
            if one is None:
                return None
            others = [
                k for k in every if not grant_problem(view, one.by, account, one.key, *fingerprints((k,)))
            ]
            return (statement, tuple(others)) if others else None
        case _:
            return None


def key_words(key: str) -> str:
    """Return what a person is told before their key signs, as for one that waits for a touch."""
    names = ", ".join(fingerprints((key,)))
    if key.startswith(TOUCHED):
        return f"{TOUCH}: {names} signs"
    return f"signing with {names}"


async def sign_attestation(
    attestation: Statement,
    keys: Sequence[str],
    environ: Mapping[str, str],
    told: Callable[[str], None] | None = None,
) -> Signed:
    """Sign a person's word; see ``sign``."""
    return await sign(attestation.text(), ATTESTATION, keys, environ, told)


async def sign(
    statement: str,
    namespace: str,
    keys: Sequence[str],
    environ: Mapping[str, str],
    told: Callable[[str], None] | None = None,
) -> Signed:
    """Sign a statement with the first of a person's keys that can be used here; ``told`` hears which is tried.

    Raises CannotSignError.
    """
    why = "the runbook lists no key"
    with TemporaryDirectory(prefix="launch-console-") as folder:
        for number, key in enumerate(keys):
            public = Path(folder) / f"{number}.pub"
            public.write_text(f"{key}\n")
            if told is not None:
                told(key_words(key))
            try:
                return Signed(statement, await _sign(statement, namespace, public, environ))
            except CannotSignError as error:
                why = str(error)
    raise CannotSignError(why)


async def _sign(statement: str, namespace: str, public: Path, environ: Mapping[str, str]) -> str:
    """Let ssh-keygen sign on its standard input; without a terminal, so that it asks nothing."""
    key = environ.get(KEY_FILE) or str(public)
    try:
        program = await asyncio.create_subprocess_exec(
            *("ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", namespace),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            env={**environ, "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"},
        )
    except OSError as error:
        raise CannotSignError(f"ssh-keygen can't be started: {error.strerror}") from None
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, told = await program.communicate(statement.encode())
    except TimeoutError:
        program.kill()
        await program.wait()
        touch = "a key that wants a touch (FIDO) waits for it"
        raise CannotSignError(f"ssh-keygen gave no signature in {PATIENCE_S:g} s; {touch}") from None
    if program.returncode != 0:
        why = line(told.decode(errors="replace"), 200) or f"exit code {program.returncode}"
        raise CannotSignError(f"ssh-keygen: {why}. Load the key (ssh-add), or name its file in {KEY_FILE}")
    return out.decode("ascii", "replace").strip()


def environment() -> Mapping[str, str]:
    """Return this process's environment."""
    return os.environ
