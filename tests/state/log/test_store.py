from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from state.base.canonical import CanonicalError, parse_anchor
from state.events.event import Event
from state.fold.describe import words
from state.log import layout
from state.log.errors import (
    Damage,
    LogClosedError,
    LogDamagedError,
    LogError,
    LogExistsError,
    LogHeldError,
    LogMissingError,
    LogReadOnlyError,
    NewerFormatError,
    NotALogError,
    UnsafePlaceError,
)
from state.log.store import LogStore
from state.log.table import raw_connection
from state.log.verify import verify
from tests.clocks import ManualClock
from tests.drafts import draft
from tests.state.log.support import LOG_ID, chained, forge, new_store, note, stamped, tampered, written


def test_a_new_log_begins_with_its_own_event(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "x.lclog"
    with LogStore.create(path, clock=ManualClock(), session="s-1", version="1.2") as store:
        (first,) = store.read(0)
        assert first.kind == "log.opened"
        assert first.body["app"] == "launch-console"
        assert first.body["version"] == "1.2"
        assert first.body["log_id"] == store.log_id
        assert first.body["schema_sha256"] == layout.SCHEMA_SHA256
        assert (store.head.seq, store.head.hash) == (1, first.hash)
        assert parse_anchor(store.head.anchor).seq == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {one.name for one in path.parent.iterdir()} <= {
        "x.lclog",
        "x.lclog-journal",
        "x.lclog.lock",
        "x.lclog.engine",
    }


def test_the_durable_mode_is_in_force(tmp_path: Path) -> None:
    with new_store(tmp_path / "x.lclog") as store:
        con = raw_connection(store._engine)
        found = {
            name: con.execute(f"PRAGMA {name}").fetchone()[0]
            for name in (
                *("journal_mode", "synchronous", "recursive_triggers", "foreign_keys", "fullfsync"),
                *(
                    "checkpoint_fullfsync",
                    "secure_delete",
                    "trusted_schema",
                    "cell_size_check",
                    "busy_timeout",
                ),
            )
        }
    assert found == {
        "journal_mode": "persist",
        "synchronous": 3,
        "recursive_triggers": 1,
        "foreign_keys": 1,
        "fullfsync": 1,
        "checkpoint_fullfsync": 1,
        "secure_delete": 1,
        "trusted_schema": 0,
        "cell_size_check": 1,
        "busy_timeout": 10000,
    }


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM event",
        "UPDATE event SET actor='x'",
        "DROP TRIGGER event_no_delete",
        "DROP TABLE event",
        "ALTER TABLE event ADD COLUMN x",
        "CREATE TABLE x(y)",
        "ATTACH ':memory:' AS x",
        "PRAGMA writable_schema=ON",
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=OFF",
        "VACUUM",
    ],
)
def test_the_second_fence_refuses_all_but_appending(tmp_path: Path, statement: str) -> None:
    with new_store(tmp_path / "x.lclog") as store:
        con = raw_connection(store._engine)
        with pytest.raises(sqlite3.DatabaseError, match=r"not authorized|prohibited|denied"):
            con.execute(statement)
        assert store.append(note()).result(5).seq == 2


def test_what_is_appended_is_read_back(tmp_path: Path) -> None:
    with new_store(tmp_path / "x.lclog") as store:
        told = store.append(draft("check.started", {"b": "ü\ud800", "a": [1, None]}, gate="g03", actor="ann"))
        event = told.result(5)
        assert (event.seq, event.kind, event.gate, event.ref, event.actor) == (
            2,
            "check.started",
            "g03",
            None,
            "ann",
        )
        assert event.body == {"a": [1, None], "b": "ü\ufffd"}
        answer = store.append(note(ref=event.seq)).result(5)
        assert answer.ref == 2
        assert store.read(1) == [event, answer]
        assert store.read(1, 1) == [event]
        assert store.read(3) == []
        assert store.head.hash == answer.hash


def test_old_events_come_from_the_file(tmp_path: Path) -> None:
    events = written(tmp_path / "x.lclog", 3000)
    with LogStore.open(tmp_path / "x.lclog", clock=ManualClock(), session="s-2") as store:
        assert store.read(0, 9999) == events[:500]
        assert store.read(1990) == events[1990:2490]
        assert store.read(2990) == events[2990:]
        assert store.log_id == LOG_ID


def test_events_that_belong_together_are_written_together(tmp_path: Path) -> None:
    with new_store(tmp_path / "x.lclog") as store:
        groups: list[list[Event]] = []
        stop = store.subscribe(lambda events: groups.append(list(events)))
        many = store.append_many([note(str(n)) for n in range(150)]).result(5)
        assert [event.body["text"] for event in many] == [str(n) for n in range(150)]
        assert groups == [many]
        stop()
        assert store.append_many([]).result(1) == []
        store.append(note()).result(5)
        assert groups == [many]


def test_a_bad_event_is_refused_alone(tmp_path: Path) -> None:
    with new_store(tmp_path / "x.lclog") as store:
        for bad in (
            draft("note.added", {"x": 1.5}),
            draft("Note", {}),
            draft("note.added", {}, gate="3"),
            draft("note.added", {}, ref=0),
            draft("note.added", {}, actor=""),
            draft("note.added", {}, actor="ann\x1b[2J"),
        ):
            with pytest.raises(CanonicalError):
                store.append(bad)
        forward = store.append(note(ref=7))
        with pytest.raises(LogError, match="refers to one that isn't in the log"):
            forward.result(5)
        assert store.append(note()).result(5).seq == 2


def test_a_reference_may_go_to_an_event_of_the_same_commit(tmp_path: Path) -> None:
    with new_store(tmp_path / "x.lclog") as store, store._writer.database:
        first = store.append(note("held up"))
        second = store.append(note(ref=1))
    assert (first.result(5).seq, second.result(5).ref) == (2, 1)


async def test_many_writers_get_one_line(tmp_path: Path) -> None:
    with new_store(tmp_path / "x.lclog") as store:
        events = await asyncio.gather(*(store.write(note(str(n))) for n in range(300)))
        assert [event.seq for event in events] == list(range(2, 302))
        assert [event.body["text"] for event in store.read(1)] == [str(n) for n in range(300)]
    assert verify(tmp_path / "x.lclog").ok


async def test_a_waiter_that_gives_up_takes_nothing_back(tmp_path: Path) -> None:
    with new_store(tmp_path / "x.lclog") as store:
        with store._writer.database:
            waiting = asyncio.ensure_future(store.write(note("kept")))
            await asyncio.sleep(0)
            waiting.cancel()
        assert (await store.write(note("next"))).seq == 3
        assert store.read(1, 1)[0].body["text"] == "kept"


def test_a_jump_of_the_wall_clock_is_an_event(tmp_path: Path) -> None:
    clock = ManualClock()
    with LogStore.create(tmp_path / "x.lclog", clock=clock, session="s-1") as store:
        store.append(note()).result(5)
        clock.jump(0.9)
        store.append(note()).result(5)
        clock.jump(-3600)
        store.append_many([note(), note()]).result(5)
        store.append(note()).result(5)
        events = store.read(0)
    assert [event.kind for event in events[1:]] == ["note.added"] * 2 + ["clock.jumped"] + ["note.added"] * 3
    assert events[3].body["jump_us"] == -3600_000_000
    assert events[3].wall_us < events[2].wall_us
    assert verify(tmp_path / "x.lclog").ok


def test_a_suspended_machine_is_an_event(tmp_path: Path) -> None:
    clock = ManualClock()
    with LogStore.create(tmp_path / "x.lclog", clock=clock, session="s-1") as store:
        store.append(note()).result(5)
        clock.suspend(0.5)
        store.append(note()).result(5)
        clock.suspend(600)
        store.append(note()).result(5)
        clock.suspend(60)
        clock.jump(-7200)
        store.append(note()).result(5)
        events = store.read(3)
    assert [event.kind for event in events] == ["clock.jumped", "note.added"] * 2
    assert events[0].body == {"expected_wall_us": events[0].wall_us, "jump_us": 0, "slept_us": 600_000_000}
    assert words(events[0]) == "the machine slept for 600 s"
    assert words(events[2]) == "the machine slept for 60 s, and the clock jumped by -7200.0 s"
    assert [event.mono_us for event in events] == sorted(event.mono_us for event in events)


def test_summer_time_ends_and_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        clock = ManualClock(
            1_792_889_999_000_000
        )  # 2026-10-25, one second before 3 o'clock becomes 2 o'clock
        with LogStore.create(tmp_path / "x.lclog", clock=clock, session="s-1") as store:
            for _ in range(3):
                store.append(note()).result(5)
                asyncio.run(clock.advance(1))
            walls = [event.wall_us for event in store.read(0)]
        assert [event.kind for event in store.read(1)] == ["note.added"] * 3
        assert [after - before for before, after in pairwise(walls[1:])] == [1_000_000] * 2
    finally:
        monkeypatch.undo()
        time.tzset()


def test_two_writers_on_one_file_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "x.lclog"
    new_store(path).close()
    stores = [LogStore.open(path, clock=ManualClock(), session=f"s-{n}", alone=False) for n in (1, 2)]
    answers: list[list[Event]] = [[], []]

    def write(which: int) -> None:
        for n in range(60):
            answers[which].append(stores[which].append(note(f"{which}/{n}")).result(10))

    threads = [threading.Thread(target=write, args=(which,)) for which in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert sorted(event.seq for event in answers[0] + answers[1]) == list(range(2, 122))
    assert verify(path).events == 121


def test_one_engine_writes_a_log(tmp_path: Path) -> None:
    path = tmp_path / "x.lclog"
    with new_store(path):
        with pytest.raises(LogHeldError, match=rf"process {os.getpid()}, session s-1") as caught:
            LogStore.open(path, clock=ManualClock(), session="s-2")
        assert caught.value.pid == os.getpid()
        with pytest.raises(LogHeldError):
            new_store(path)
    LogStore.open(path, clock=ManualClock(), session="s-2").close()


def test_a_closed_store_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    store = new_store(tmp_path / "x.lclog")
    answers = [store.append(note(str(n))) for n in range(200)]
    store.close()
    store.close()
    assert [answer.result(0).seq for answer in answers] == list(range(2, 202))
    with pytest.raises(LogClosedError):
        store.append(note())


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "x.lclog").write_text("precious")
    with pytest.raises(LogExistsError, match="exists already"):
        new_store(tmp_path / "x.lclog")
    assert (tmp_path / "x.lclog").read_text() == "precious"


def test_an_interrupted_creation_leaves_no_log(tmp_path: Path) -> None:
    (tmp_path / ".x.lclog.new").write_bytes(b"half")
    new_store(tmp_path / "x.lclog").close()
    assert not (tmp_path / ".x.lclog.new").exists()


def opened(path: Path) -> None:
    LogStore.open(path, clock=ManualClock(), session="s-2").close()


def test_what_is_no_log_is_refused_and_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    con = sqlite3.connect(other)
    con.execute("CREATE TABLE x(y)")
    con.close()
    text = tmp_path / "text"
    text.write_text("hello, world " * 100)
    empty = tmp_path / "empty"
    empty.touch()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for path, told in ((other, "another program"), (text, "no SQLite file"), (empty, "it is empty")):
        path.chmod(0o600)
        with pytest.raises(NotALogError, match=told):
            opened(path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    with pytest.raises(LogMissingError, match="there is no log"):
        opened(tmp_path / "missing")


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "x.lclog", 1)
    tampered(tmp_path / "x.lclog", "PRAGMA user_version=2")
    with pytest.raises(NewerFormatError):
        opened(tmp_path / "x.lclog")


@pytest.mark.parametrize(
    ("statement", "seq", "damage"),
    [
        ("UPDATE event SET actor='mallory' WHERE seq=4", 4, Damage.HASH),
        ("UPDATE event SET body='{}' WHERE seq=3", 3, Damage.BODY),
        ("DELETE FROM event WHERE seq=5", 5, Damage.SEQ),
        ("UPDATE event SET body='{}' WHERE seq=1", 1, Damage.BODY),
    ],
)
def test_a_damaged_log_is_refused(tmp_path: Path, statement: str, seq: int, damage: Damage) -> None:
    written(tmp_path / "x.lclog", 8)
    tampered(tmp_path / "x.lclog", statement)
    with pytest.raises(LogDamagedError) as caught:
        opened(tmp_path / "x.lclog")
    assert (caught.value.seq, caught.value.damage) == (seq, damage)
    assert "\n" not in str(caught.value)


def test_unsafe_places_are_refused(tmp_path: Path) -> None:
    forge(tmp_path / "x.lclog", chained([stamped(1)]))
    (tmp_path / "x.lclog").chmod(0o666)
    with pytest.raises(UnsafePlaceError, match="chmod 600"):
        opened(tmp_path / "x.lclog")
    with pytest.raises(UnsafePlaceError, match="not a regular file"):
        opened(tmp_path)
    with pytest.raises(LogReadOnlyError):
        new_store(Path("/proc/launches/x.lclog"))


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_directory_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "x.lclog", 1)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(LogReadOnlyError):
            opened(tmp_path / "x.lclog")
    finally:
        tmp_path.chmod(0o700)
