from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from state.log import layout
from state.log.errors import (
    Damage,
    LogDamagedError,
    LogError,
    LogMissingError,
    NewerFormatError,
    NotALogError,
)
from state.log.reader import LogReader
from state.log.store import LogStore
from state.log.verify import verify
from tests.clocks import ManualClock
from tests.paths import ROOT
from tests.state.log.support import LOG_ID, chained, new_store, note, stamped, tampered, written

HOT = """
import os, sqlite3, sys
con = sqlite3.connect(sys.argv[1], isolation_level=None)
con.execute("PRAGMA journal_mode=PERSIST")
con.execute("PRAGMA synchronous=EXTRA")
con.execute("PRAGMA cache_size=5")
con.execute("PRAGMA cache_spill=1")
con.execute("BEGIN IMMEDIATE")
con.execute("DROP TRIGGER event_redact_only")
con.execute("UPDATE event SET body='overwritten' || zeroblob(3000) WHERE seq>1")
os.kill(os.getpid(), 9)
"""
"""Dies in a transaction that has already changed pages of the file: a hot journal stays."""


def left_hot(path: Path) -> None:
    subprocess.run([sys.executable, "-c", HOT, str(path)], check=False)
    assert any(path.with_name(f"{path.name}-journal").read_bytes()[:8]), "the journal is not hot"


def state_of(path: Path) -> dict[str, tuple[bytes, int]]:
    return {one.name: (one.read_bytes(), one.stat().st_mtime_ns) for one in sorted(path.parent.iterdir())}


def test_a_log_is_read_in_chunks(tmp_path: Path) -> None:
    events = written(tmp_path / "x.lclog", 1200)
    with LogReader(tmp_path / "x.lclog") as reader:
        assert reader.log_id == LOG_ID
        assert reader.count() == 1201
        assert (reader.first(), reader.last()) == (events[0], events[-1])
        assert reader.head().startswith(f"lc1:{LOG_ID[:8]}:1201:{events[-1].hash[:32]}")
        assert reader.events(0, 10_000) == events[:500]
        assert reader.events(700, 3) == events[700:703]
        assert reader.events(1201) == []
        assert reader.events(5, 0) == []
        assert list(reader.every(100)) == events[100:]
        assert reader.event(7) == events[6]
        assert reader.event(5000) is None


def test_reading_leaves_every_byte_and_time_as_it_was(tmp_path: Path) -> None:
    written(tmp_path / "x.lclog", 40)
    before = state_of(tmp_path / "x.lclog")
    with LogReader(tmp_path / "x.lclog") as reader:
        assert len(list(reader.every())) == 41
        reader.head()
    assert state_of(tmp_path / "x.lclog") == before


def test_a_reader_needs_no_sidecars(tmp_path: Path) -> None:
    events = written(tmp_path / "x.lclog", 5)
    (tmp_path / "alone").mkdir()
    copy = tmp_path / "alone" / "x.lclog"
    copy.write_bytes((tmp_path / "x.lclog").read_bytes())
    with LogReader(copy) as reader:
        assert list(reader.every()) == events
    assert [one.name for one in copy.parent.iterdir()] == ["x.lclog"]


def test_a_reader_follows_a_log_while_it_is_written(tmp_path: Path) -> None:
    with new_store(tmp_path / "x.lclog") as store, LogReader(tmp_path / "x.lclog") as reader:
        seen = [event.seq for event in reader.every()]
        writer = threading.Thread(target=lambda: [store.append(note()).result(10) for _ in range(100)])
        writer.start()
        while len(seen) < 101:
            seen += [event.seq for event in reader.every(seen[-1])]
        writer.join()
    assert seen == list(range(1, 102))


def test_a_hot_journal_is_rolled_back_in_a_copy_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.lclog"
    events = written(path, 200)
    left_hot(path)
    before = state_of(path)
    with LogReader(path) as reader:
        assert list(reader.every()) == events
        assert reader.count() == 201
        assert verify(path).events == 201
        assert state_of(path) == before
        with LogStore.open(path, clock=ManualClock(), session="s-2") as store:
            added = store.append(note("the writer is back")).result(5)
            assert reader.last() == added
    assert verify(path).events == 202


def test_a_body_that_was_redacted_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "x.lclog"
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.executescript(layout.schema_sql())
        con.executemany(
            layout.INSERT, chained([stamped(1), stamped(2), stamped(3, kind="log.redacted", ref=2)])
        )
        con.execute("UPDATE event SET body=NULL, salt=NULL WHERE seq=2")
    with LogReader(path) as reader:
        assert [event.body for event in reader.every(1)] == [{"redacted": True}, {"text": "note 3"}]


def make_text(path: Path) -> None:
    path.write_text("hello " * 1000)


def make_other(path: Path) -> None:
    with closing(sqlite3.connect(path)) as con:
        con.execute("CREATE TABLE x(y)")


def make_newer(path: Path) -> None:
    written(path, 1)
    tampered(path, "PRAGMA user_version=2")


def make_indexed(path: Path) -> None:
    written(path, 1)
    tampered(path, "CREATE INDEX extra ON event(hash)")


def make_cut(path: Path) -> None:
    written(path, 100)
    path.write_bytes(path.read_bytes()[:9000])


def make_bare(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.executescript(layout.schema_sql())


@pytest.mark.parametrize(
    ("make", "expected", "message"),
    [
        (lambda _path: None, LogMissingError, "there is no log"),
        (Path.mkdir, LogMissingError, "there is no log"),
        (Path.touch, NotALogError, "it is empty"),
        (make_text, NotALogError, "it is no SQLite file"),
        (make_other, NotALogError, "another program"),
        (make_newer, NewerFormatError, "use a newer launch-console"),
        (make_indexed, LogDamagedError, "damaged (schema)"),
        (make_cut, LogDamagedError, "damaged (file)"),
        (make_bare, LogDamagedError, "event 1 names no log"),
    ],
)
def test_what_can_not_be_read_is_told_in_one_line(
    tmp_path: Path, make: Callable[[Path], None], expected: type[LogError], message: str
) -> None:
    make(tmp_path / "x.lclog")
    with pytest.raises(expected) as caught, LogReader(tmp_path / "x.lclog") as reader:
        list(reader.every())
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("statement", "damage"),
    [
        ("UPDATE event SET body='[]' WHERE seq=3", Damage.BODY),
        ("UPDATE event SET body='{' WHERE seq=3", Damage.BODY),
        ("UPDATE event SET body=CAST(x'7bff7d' AS TEXT) WHERE seq=3", Damage.BODY),
    ],
)
def test_a_damaged_event_is_told_when_it_is_read(tmp_path: Path, statement: str, damage: Damage) -> None:
    written(tmp_path / "x.lclog", 5)
    tampered(tmp_path / "x.lclog", statement)
    with LogReader(tmp_path / "x.lclog") as reader:
        with pytest.raises(LogDamagedError) as caught:
            reader.events(0)
        assert caught.value.damage is damage
        assert [event.seq for event in reader.events(3)] == [4, 5, 6]


def test_a_reader_loads_nothing_heavy() -> None:
    program = (
        "import sys, state.log.reader, state.log.verify, state.base.canonical\n"
        "bad = {'pydantic', 'sqlalchemy', 'sqlmodel', 'textual', 'rich'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    subprocess.run(
        [sys.executable, "-c", program], check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": ""}
    )
