"""Taking a body out of a log for good: the chain keeps its hash, no page and no journal keeps its text."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from state.events.event import REDACTED_BODY, Event
from state.events.log import LogRedacted
from state.log.errors import LogError, RedactionRefusedError


def check_target(event: Event | None, seq: int) -> None:
    """Check that an event can be redacted.

    Raises RedactionRefusedError.
    """
    if event is None:
        raise RedactionRefusedError(f"there is no event {seq} to redact")
    if seq == 1:
        raise RedactionRefusedError("event 1 names the log and can't be redacted: start a new log instead")
    if event.kind == LogRedacted.KIND:
        raise RedactionRefusedError(f"event {seq} is itself a redaction")
    if event.body == REDACTED_BODY:
        raise RedactionRefusedError(f"event {seq} is redacted already")


def blank(path: Path, seq: int) -> None:
    """Remove the body and salt of an event that a later ``log.redacted`` names, and every trace in the file.

    The caller keeps all writers out. Its own journal is deleted, because one that persists keeps the old pages.
    Raises LogError.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=10)) as con:
            con.isolation_level = None
            for pragma in ("secure_delete=ON", "synchronous=EXTRA", "fullfsync=ON", "journal_mode=DELETE"):
                con.execute(f"PRAGMA {pragma}")
            con.execute("UPDATE event SET body=NULL, salt=NULL WHERE seq=? AND body IS NOT NULL", (seq,))
            con.execute("VACUUM")
    except sqlite3.Error as error:
        raise LogError(f"event {seq} of {path} can't be redacted: {error}") from error
