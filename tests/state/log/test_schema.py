from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from state.log import layout
from state.log.errors import Damage, LogDamagedError, NewerFormatError, NotALogError
from state.log.table import TABLE
from tests.state.log.support import chained, forge, stamped, with_


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    forge(tmp_path / "x.lclog", chained([stamped(seq) for seq in (1, 2, 3)]))
    with closing(sqlite3.connect(tmp_path / "x.lclog", isolation_level=None)) as con:
        con.execute("PRAGMA trusted_schema=OFF")
        yield con


FOUR = chained([stamped(seq) for seq in (1, 2, 3, 4)])[3]
REDACTION = chained([*(stamped(seq) for seq in (1, 2, 3)), stamped(4, kind="log.redacted", ref=2)])[3]


def test_the_schema_is_pinned() -> None:
    assert sha256(layout.schema_sql().encode()).hexdigest() == layout.SCHEMA_SHA256


def test_sqlmodel_maps_the_table_that_the_schema_makes(con: sqlite3.Connection) -> None:
    made = [
        (name, kind, bool(needed)) for _, name, kind, needed, _, _ in con.execute("PRAGMA table_info(event)")
    ]
    mapped = [
        (column.name, str(column.type), not column.nullable and not column.primary_key)
        for column in TABLE.columns
    ]
    assert mapped == made
    assert ",".join(name for name, _, _ in made) == layout.COLUMNS


def test_the_next_event_goes_in(con: sqlite3.Connection) -> None:
    con.execute(layout.INSERT, FOUR)
    assert con.execute("SELECT max(seq) FROM event").fetchone() == (4,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seq": 5}, "lc: seq gap"),
        ({"seq": 3}, "lc: seq gap"),
        ({"seq": 0}, "lc: seq gap"),
        ({"seq": -1}, "lc: seq gap"),
        ({"prev": b"\0" * 32}, "lc: prev mismatch"),
        ({"body": None}, "lc: body required"),
        ({"salt": None}, "lc: body required"),
        ({"ref": 4}, "CHECK constraint failed: ref<seq"),
        ({"ref": 9}, "CHECK constraint failed: ref<seq"),
        ({"hash": b"\0" * 31}, "length(hash)=32"),
        ({"body_sha": b""}, "length(body_sha)=32"),
        ({"eid": None}, "NOT NULL constraint failed: event.eid"),
        ({"type": None}, "NOT NULL constraint failed: event.type"),
        ({"wall_us": "noon"}, "cannot store TEXT value in INTEGER column"),
        ({"body": b"{}"}, "cannot store BLOB value in TEXT column"),
    ],
)
def test_what_is_not_the_next_event_is_refused(
    con: sqlite3.Connection, changes: dict[str, object], message: str
) -> None:
    before = con.execute("SELECT * FROM event").fetchall()
    with pytest.raises(sqlite3.IntegrityError) as caught:
        con.execute(layout.INSERT, with_(FOUR, **changes))
    assert message in str(caught.value)
    assert con.execute("SELECT * FROM event").fetchall() == before


@pytest.mark.parametrize("recursive", ["ON", "OFF"])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM event WHERE seq=2",
        "DELETE FROM event",
        "UPDATE event SET actor='mallory' WHERE seq=2",
        "UPDATE event SET body='{}' WHERE seq=2",
        "UPDATE event SET seq=9 WHERE seq=3",
        "UPDATE event SET body=NULL, salt=NULL WHERE seq=2",
        "UPDATE OR REPLACE event SET seq=1 WHERE seq=2",
        layout.INSERT.replace("INSERT", "INSERT OR REPLACE"),
        layout.INSERT + " ON CONFLICT(seq) DO UPDATE SET actor='mallory'",
        layout.INSERT + " ON CONFLICT(seq) DO NOTHING",
    ],
)
def test_nothing_that_was_written_changes(con: sqlite3.Connection, recursive: str, statement: str) -> None:
    con.execute(f"PRAGMA recursive_triggers={recursive}")
    before = con.execute("SELECT * FROM event").fetchall()
    with pytest.raises(sqlite3.IntegrityError):
        con.execute(statement, with_(FOUR, seq=2) if ":seq" in statement else ())
    assert con.execute("SELECT * FROM event").fetchall() == before


def test_a_body_goes_only_after_a_redaction_that_names_it(con: sqlite3.Connection) -> None:
    con.execute(layout.INSERT, REDACTION)
    for statement in (
        "UPDATE event SET body=NULL, salt=NULL WHERE seq=3",
        "UPDATE event SET body=NULL WHERE seq=2",
        "UPDATE event SET salt=NULL WHERE seq=2",
        "UPDATE event SET body=NULL, salt=NULL, actor='mallory' WHERE seq=2",
        "UPDATE event SET body='{}', salt=NULL WHERE seq=2",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            con.execute(statement)
    con.execute("UPDATE event SET body=NULL, salt=NULL WHERE seq=2")
    assert con.execute("SELECT salt, body FROM event WHERE seq=2").fetchone() == (None, None)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        con.execute("UPDATE event SET body=NULL, salt=NULL WHERE seq=2")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER event_no_delete",
        "CREATE INDEX extra ON event(hash)",
        "CREATE TABLE extra(x)",
        "CREATE TRIGGER extra AFTER INSERT ON event BEGIN SELECT 1; END",
        "ALTER TABLE event ADD COLUMN extra TEXT",
    ],
)
def test_another_schema_is_noticed(con: sqlite3.Connection, statement: str) -> None:
    layout.check_layout(con, "x.lclog")
    con.execute(statement)
    with pytest.raises(LogDamagedError, match=r"damaged \(schema\)") as caught:
        layout.check_layout(con, "x.lclog")
    assert caught.value.damage is Damage.SCHEMA


def test_a_newer_format_is_refused(con: sqlite3.Connection) -> None:
    con.execute("PRAGMA user_version=2")
    with pytest.raises(NewerFormatError, match="use a newer launch-console"):
        layout.check_layout(con, "x.lclog")


def test_another_programs_file_is_refused(con: sqlite3.Connection) -> None:
    con.execute("PRAGMA application_id=7")
    with pytest.raises(NotALogError, match=r"another program \(application id 7\)"):
        layout.check_layout(con, "x.lclog")
