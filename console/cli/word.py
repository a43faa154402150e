"""``launch-console grant``, ``attest`` and ``poll``: a person's word from where they sit, without any screen."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from console.cli.say import out, tell
from console.client.engine_client import AttachError, EngineClient
from console.engine.process.running import reach, running_engines
from console.exit_codes import ExitCode, FailedError
from state.base.json import JsonObject
from state.commands import Confirmation
from state.view.enums import GateStatus
from state.view.preview import Preview
from state.view.seats import open_poll


def run_grant(request: str, log: Path | None, comment: str, sign: bool, phrase: str) -> ExitCode:
    """Show what is requested and grant it. ``sign``: with an SSH key, as where both share an account.

    Raises FailedError where no engine is reached, or it is refused.
    """
    args: JsonObject = {"request": request.removeprefix("#"), "comment": comment}
    return asyncio.run(_give("request.grant", {**args, "sign": "yes"} if sign else args, log, phrase))


def run_attest(
    item: str, go: bool, no_go: bool, link: str, log: Path | None, comment: str, sign: bool
) -> ExitCode:
    """Attest an item; the word is signed where the runbook lists a key for this account.

    ``sign``: it isn't given unsigned. Raises FailedError where it isn't said whether it is GO or NO-GO, no engine is
    reached, or it is refused.
    """
    args: JsonObject = {"item": item, "verdict": _verdict(go, no_go), "comment": comment, "link": link}
    return asyncio.run(_give("attest.sign", {**args, "sign": "yes"} if sign else args, log, ""))


def run_poll(about: str, go: bool, no_go: bool, log: Path | None, comment: str) -> ExitCode:
    """Open a go/no-go poll about something, or answer the one that is open.

    Raises FailedError where it isn't said which, no engine is reached, or it is refused.
    """
    if about:
        if go or no_go:
            raise FailedError(
                "open a poll with --open, or answer it with --go or --no-go", ExitCode.BAD_CONFIG
            )
        return asyncio.run(_give("poll.open", {"about": about}, log, ""))
    args: JsonObject = {"verdict": _verdict(go, no_go), "comment": comment}
    return asyncio.run(_give("poll.answer", args, log, ""))


def _verdict(go: bool, no_go: bool) -> str:
    if go == no_go:
        raise FailedError("say --go or --no-go", ExitCode.BAD_CONFIG)
    return (GateStatus.GO if go else GateStatus.NO_GO).value


async def _give(name: str, args: JsonObject, log: Path | None, phrase: str) -> ExitCode:
    try:
        client = await EngineClient.connect(_socket(log), tty="command line")
    except AttachError as error:
        raise FailedError(str(error), ExitCode.NO_ENGINE) from None
    client.on_signing = tell
    try:
        args = _about(client, name, args)
        preview = await client.preview(name, args)
        if not preview.allowed:
            raise FailedError(preview.reason, ExitCode.BAD_CONFIG)
        out("\n".join(_shown(preview)))
        typed = phrase or (await asyncio.to_thread(_typed, preview.phrase) if preview.phrase else "")
        reply = await client.command(name, args, Confirmation(typed, preview.token))
    except AttachError as error:
        raise FailedError(str(error), ExitCode.NO_ENGINE) from None
    finally:
        await client.close()
    if not reply.ok:
        raise FailedError(reply.message, ExitCode.BAD_CONFIG)
    out(reply.message)
    return ExitCode.GO


def _about(client: EngineClient, name: str, args: JsonObject) -> JsonObject:
    """Return the arguments with the poll that is open, where a poll is answered.

    Raises FailedError where none is.
    """
    if name != "poll.answer":
        return args
    poll = open_poll(client.view)
    if poll is None:
        raise FailedError("no go/no-go poll is open: open one with --open", ExitCode.BAD_CONFIG)
    return {**args, "poll": str(poll.seq)}


def _socket(log: Path | None) -> Path:
    if log is not None:
        found = reach(log)
        if found is None:
            raise FailedError(f"no engine is reached at {log}", ExitCode.NO_ENGINE)
        return found
    engines = running_engines()
    if len(engines) != 1:
        raise FailedError(
            f"{len(engines)} engines run for this account: name one with --log", ExitCode.NO_ENGINE
        )
    return engines[0].socket


def _shown(preview: Preview) -> list[str]:
    """Return what a word is about, a line each, as a console's dialog shows it."""
    change = f"  {preview.from_what} → {preview.to_what}" if preview.from_what or preview.to_what else ""
    rows = (*preview.commands, *preview.blast, *preview.checks, *preview.cautions)
    return [preview.title, *([change] if change else []), *(f"  {row}" for row in rows if row)]


def _typed(phrase: str) -> str:
    tell(f"Type {phrase} to grant it:")
    return sys.stdin.readline().strip()
