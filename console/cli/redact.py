"""``launch-console redact LOG SEQ --reason …``: take a body out of a log for good, after a leak."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from pathlib import Path

from console.client.signing import CannotSignError, environment, keys_of, sign
from console.engine.process.socket_server import account_of
from state.attest.sshsig import REDACTION, fingerprint, parse
from state.attest.statement import Redaction
from state.base.clock import SystemClock
from state.base.json import JsonObject
from state.base.text import line
from state.events.event import Event
from state.fold import fold
from state.log.errors import LogError
from state.log.reader import LogReader
from state.log.store import LogStore

DONE, REFUSED = 0, 2


def run(log: Path, seq: int, reason: str) -> int:
    """Redact an event, signed where the runbook lists a key for this account; return 0, or 2 where refused.

    No engine may run on the log.
    """
    account, reason = account_of(os.getuid()), line(reason, 300)
    if not reason:
        return _refuse("a redaction needs a reason")
    try:
        with LogReader(log) as reader:
            view = fold(reader.every())
        with LogStore.open(log, clock=SystemClock(), session=uuid.uuid4().hex[:12]) as store:
            statement = Redaction(store.log_id, store.head.anchor, account, seq, reason)
            signed = asyncio.run(_signed(statement, keys_of(view, account)))
            event = store.redact(seq, reason=reason, actor=account, signed=signed)
            head = store.head.anchor
    except (LogError, CannotSignError, ValueError, OSError) as error:
        return _refuse(str(error))
    sys.stdout.write(_told(log, seq, event, head, signed))
    return DONE


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


def _refuse(message: str) -> int:
    sys.stderr.write(f"launch-console redact: {message}\n")
    return REFUSED
