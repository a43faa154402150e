"""Signing a person's word with their SSH key: ``ssh-keygen -Y sign``, through the agent or with a key file.

It runs where the person sits, next to their agent, never in the engine. Loads nothing heavy.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from state.attest.sshsig import ATTESTATION
from state.attest.statement import Attestation
from state.base.json import JsonObject, text
from state.base.text import line
from state.view.attestations import cautions
from state.view.launch import LaunchView

KEY_FILE = "LAUNCH_CONSOLE_SIGNING_KEY"
"""Names a private key's file; without it the agent signs."""
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
    )


async def sign_attestation(
    attestation: Attestation, keys: Sequence[str], environ: Mapping[str, str]
) -> Signed:
    """Sign an attestation; see ``sign``."""
    return await sign(attestation.text(), ATTESTATION, keys, environ)


async def sign(statement: str, namespace: str, keys: Sequence[str], environ: Mapping[str, str]) -> Signed:
    """Sign a statement with the first of a person's keys that can be used here.

    Raises CannotSignError.
    """
    why = "the runbook lists no key"
    with TemporaryDirectory(prefix="launch-console-") as folder:
        for number, key in enumerate(keys):
            public = Path(folder) / f"{number}.pub"
            public.write_text(f"{key}\n")
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
        raise CannotSignError(f"ssh-keygen gave no signature in {PATIENCE_S:g} s") from None
    if program.returncode != 0:
        why = line(told.decode(errors="replace"), 200) or f"exit code {program.returncode}"
        raise CannotSignError(f"ssh-keygen: {why}. Load the key (ssh-add), or name its file in {KEY_FILE}")
    return out.decode("ascii", "replace").strip()


def environment() -> Mapping[str, str]:
    """Return this process's environment."""
    return os.environ
