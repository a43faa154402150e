"""``launch-console redact LOG SEQ --reason …``: take a body out of a log for good, after a leak."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from pathlib import Path

from console.cli.saved_log import saved_log
from console.client.signing import CannotSignError, environment, keys_of, sign
from console.engine.process.socket_server import account_of
from console.exit_codes import ExitCode, FailedError
from state.attest.sshsig import REDACTION, fingerprint, parse
from state.attest.statement import Redaction
from state.base.clock import SystemClock
from state.base.json import JsonObject
from state.base.text import line
from state.events.event import Event
from state.fold import fold
from state.log.store import LogStore


def run(log: Path, seq: int, reason: str) -> ExitCode:
    """Redact an event, signed where the runbook lists a key for this account. No engine may run on the log.

    Raises LogError, and FailedError for what is asked wrongly or can't be signed.
    """
    account, reason = account_of(os.getuid()), line(reason, 300)
    if not reason:
        raise FailedError("a redaction needs a reason", ExitCode.BAD_CONFIG)
    with saved_log(log) as (reader, _):
        view = fold(reader.every())
    with LogStore.open(log, clock=SystemClock(), session=uuid.uuid4().hex[:12]) as store:
        statement = Redaction(store.log_id, store.head.anchor, account, seq, reason)
        try:
            signed = asyncio.run(_signed(statement, keys_of(view, account)))
            event = store.redact(seq, reason=reason, actor=account, signed=signed)
        except (CannotSignError, ValueError) as error:
            raise FailedError(str(error), ExitCode.BAD_CONFIG) from None
        head = store.head.anchor
    sys.stdout.write(_told(log, seq, event, head, signed))
    return ExitCode.GO


async def _signed(statement: Redaction, keys: tuple[str, ...]) -> JsonObject:
    if not keys:
        return {"how_known": "self-declared"}
    made = await sign(statement.text(), REDACTION, keys, environment())
    key = fingerprint(parse(made.signature).key)
    return {
        "how_known": f"SSH key {key}",
        "key": key,
        "statement": made.statement,
        "signature": made.signature,
    }


def _told(log: Path, seq: int, event: Event, head: str, signed: JsonObject) -> str:
    return (
        f"the body of event {seq} is gone from {log}; event {event.seq} says so ({signed['how_known']})\n"
        f"  head     {head}\n"
        "  copies of the file that were made before still hold it, and so may the files in "
        f"{log.name}.programs: replace the secret itself\n"
    )
