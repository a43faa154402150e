"""Logs for tests: small ones through the store, long ones and forged ones behind its back."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

from state.base import canonical
from state.base.json import JsonObject
from state.events.event import Draft, Event
from state.events.log import NoteAdded
from state.log import layout
from state.log.rows import Cells, Stamped, seal
from state.log.store import LogStore
from tests.clocks import ManualClock
from tests.drafts import draft

LOG_ID = "0193b0c4-7d3e-7c51-9a52-5f0c1d2e3a4b"
OPENED: JsonObject = {"app": "launch-console", "log_id": LOG_ID, "schema_sha256": layout.SCHEMA_SHA256}


def note(text: str = "a note", *, ref: int | None = None) -> Draft:
    return Draft(NoteAdded(text), ref=ref, actor="ann")


def new_store(path: Path, *, probe_every_s: float = 0.02) -> LogStore:
    return LogStore.create(
        path, clock=ManualClock(), session="s-1", log_id=LOG_ID, probe_every_s=probe_every_s
    )


def written(path: Path, notes: int) -> list[Event]:
    """Make a closed log of ``notes`` + 1 events through the store and return them."""
    with new_store(path) as store:
        drafts = [
            draft(
                "note.added",
                {"text": f"Übergabe {n} ✓"},
                gate=f"g{n % 10 + 1:02d}",
                ref=n % 3 or None,
                actor="ann",
            )
            for n in range(notes)
        ]
        return [*store.read(0, 1), *store.append_many(drafts).result(10)]


def stamped(
    seq: int, body: str | None = None, *, kind: str = "note.added", ref: int | None = None
) -> Stamped:
    """Return the same made-up event for a place on every call."""
    if body is None:
        body = canonical.encode(OPENED if seq == 1 else {"text": f"note {seq}"})
    return Stamped(
        eid=f"00000000-0000-4000-8000-{seq:012d}",
        kind="log.opened" if seq == 1 else kind,
        gate=None,
        ref=ref,
        actor="ann",
        session="s-1",
        boot="0" * 16,
        wall_us=1_795_000_000_000_000 + seq,
        mono_us=seq,
        salt=seq.to_bytes(16, "big"),
        body=body,
    )


def chained(events: Sequence[Stamped]) -> list[Cells]:
    """Return the rows of events from 1 on, each sealed onto the one before."""
    rows: list[Cells] = []
    prev = canonical.genesis(LOG_ID)
    for seq, event in enumerate(events, 1):
        row = seal(LOG_ID, seq, prev, event)
        rows.append(row)
        prev = row["hash"]
    return rows


def forge(path: Path, rows: Sequence[Cells]) -> None:
    """Write rows as they are, past the store; the triggers still watch."""
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute("PRAGMA synchronous=OFF")
        con.executescript(f"BEGIN;{layout.schema_sql()}")
        con.executemany(layout.INSERT, rows)
        con.execute("COMMIT")


def tampered(path: Path, *statements: str) -> None:
    """Run SQL on a log with the triggers taken away and put back, as someone with the file could."""
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        triggers = con.execute(
            "SELECT name, sql FROM sqlite_master WHERE type='trigger' ORDER BY rowid"
        ).fetchall()
        con.execute("BEGIN")
        for name, _ in triggers:
            con.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            con.execute(statement)
        for _, sql in triggers:
            con.execute(sql)
        con.execute("COMMIT")


def with_(row: Cells, **changes: object) -> Cells:
    return cast("Cells", {**row, **changes})


def restamped(event: Stamped, **changes: object) -> Stamped:
    return replace(event, **changes)  # type: ignore[arg-type]  # the fields are named by each test
