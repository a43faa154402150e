from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from state.events.event import Event
from state.events.operations import OperationIntended
from state.events.world import MetricBatch, MetricGap
from state.log.errors import LogFrozenError
from state.log.store import LogStore
from state.log.trouble import StoreState
from state.log.verify import verify
from tests.clocks import ManualClock
from tests.drafts import draft
from tests.state.log.support import new_store, note, tampered

INTENT = draft(OperationIntended.KIND, {"operation": "deploy"}, actor="ann")
SAMPLES = draft(MetricBatch.KIND, {"samples": {"error_ratio": "0.01"}})


class Disk(sqlite3.Connection):
    """A connection to a disk that fails on order: before the commit, after it (a ghost), or full for real."""

    commits: ClassVar[deque[str]] = deque()
    largest_pages: ClassVar[int] = 2**31

    def set_authorizer(self, *fence: object) -> None:
        self.execute(f"PRAGMA max_page_count={self.largest_pages}")
        super().set_authorizer(*fence)  # type: ignore[arg-type]  # handed on as it came

    def commit(self) -> None:
        fault = self.commits.popleft() if self.commits else ""
        if fault != "lost":
            super().commit()
        if fault:
            self.rollback()
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
            raise error


class DiskStore(LogStore):
    connection_class = Disk


@pytest.fixture
def store(tmp_path: Path) -> LogStore:
    new_store(tmp_path / "x.lclog").close()
    Disk.commits.clear()
    Disk.largest_pages = 2**31
    return DiskStore.open(tmp_path / "x.lclog", clock=ManualClock(), session="s-2", probe_every_s=0.01)


class News:
    """What the store said about itself, and a way to wait for it."""

    def __init__(self, store: LogStore) -> None:
        self.told: list[StoreState] = []
        self._changed = threading.Condition()
        store.watch(self._tell)

    def _tell(self, state: StoreState) -> None:
        with self._changed:
            self.told.append(state)
            self._changed.notify_all()

    def wait(self, wanted: Callable[[StoreState], bool]) -> StoreState:
        with self._changed:
            assert self._changed.wait_for(lambda: bool(self.told) and wanted(self.told[-1]), 10)
            return self.told[-1]


def texts(events: list[Event]) -> list[str]:
    return [str(event.body["text"]) for event in events if event.kind == "note.added"]


@pytest.mark.parametrize(
    "faults", [["lost"], ["ghost"], ["lost", "ghost"], ["ghost", "lost"], ["ghost", "ghost"]]
)
def test_an_event_is_in_the_log_once_whatever_the_commit_said(store: LogStore, faults: list[str]) -> None:
    with store:
        Disk.commits.extend(faults)
        answer = store.append(note("once")).result(10)
        after = store.append(note("after")).result(10)
        events = store.read(0)
        body = store.read(answer.seq - 1, 1)
    assert body == [answer]
    assert texts(events) == ["once", "after"]
    assert [event.kind for event in events].count("log.write_failed") == 1
    assert len({event.eid for event in events}) == len(events) == after.seq
    failure = next(event for event in events if event.kind == "log.write_failed")
    assert failure.body == {
        "error": "SQLITE_IOERR_FSYNC",
        "reason": "the disk gives I/O errors (SQLITE_IOERR_FSYNC)",
    }
    assert verify(store.path).ok


@pytest.mark.parametrize("faults", [["ghost"], ["lost", "lost", "lost", "ghost", "ghost"]])
def test_a_ghost_is_told_to_those_who_follow(store: LogStore, faults: list[str]) -> None:
    with store:
        seen: list[Event] = []
        store.subscribe(seen.extend)
        Disk.commits.extend(faults)
        store.append(note("once")).result(10)
        store.append(note("after")).result(10)
        assert seen == store.read(1)


def test_three_failures_freeze_the_log_and_it_recovers_by_itself(store: LogStore) -> None:
    with store:
        news = News(store)
        Disk.commits.extend(["lost"] * 5)
        waiting = store.append(note("waits"))
        state = news.wait(lambda state: state.frozen)
        assert state.reason == "the disk gives I/O errors (SQLITE_IOERR_FSYNC)"
        assert state.since_us > 0
        assert waiting.result(10).body["text"] == "waits"
        assert news.wait(lambda state: not state.frozen) == StoreState()
        assert [event.kind for event in store.read(1)] == ["log.write_failed", "note.added", "log.recovered"]
        assert store.append(INTENT).result(10).kind == OperationIntended.KIND
    assert verify(store.path).ok


def test_a_full_disk_keeps_intents_and_samples_out_and_resumes(store: LogStore) -> None:
    with store:
        news = News(store)
        Disk.largest_pages = 1
        store._engine.dispose()
        big = {"text": "x" * 9000}
        waiting = [store.append(draft("note.added", big)) for _ in range(3)]
        intent = store.append(INTENT)
        state = news.wait(lambda state: state.frozen)
        assert state.reason == "the disk is full (SQLITE_FULL)"
        assert isinstance(intent.exception(10), LogFrozenError)
        for refused in (INTENT, SAMPLES, SAMPLES):
            with pytest.raises(LogFrozenError, match="disk is full"):
                store.append(refused)
        waiting.append(store.append(note("later")))
        assert store.read(0, 1)[0].seq == 1
        Disk.largest_pages = 2**31
        events = [answer.result(10) for answer in waiting]
        news.wait(lambda state: not state.frozen)
        written = store.read(1)
    assert [event.seq for event in events] == sorted(event.seq for event in events)
    assert [event.kind for event in written].count(OperationIntended.KIND) == 0
    gaps = [event for event in written if event.kind == MetricGap.KIND]
    assert sum(int(str(gap.body["dropped"])) for gap in gaps) == 2
    assert verify(store.path).ok


def test_closing_a_frozen_log_says_what_was_not_written(store: LogStore) -> None:
    news = News(store)
    Disk.commits.extend(["lost"] * 1000)
    waiting = store.append(note("never"))
    news.wait(lambda state: state.frozen)
    store.close()
    with pytest.raises(LogFrozenError, match="closed before it could be written"):
        waiting.result(0)
    assert verify(store.path).events == 1


def test_a_log_that_was_moved_away_is_not_written_into_the_void(store: LogStore) -> None:
    with store:
        news = News(store)
        away = store.path.with_name("away.lclog")
        store.path.rename(away)
        waiting = store.append(note("not lost"))
        assert "was moved away" in news.wait(lambda state: state.frozen).reason
        away.rename(store.path)
        assert waiting.result(10).seq == 3


def test_a_log_that_lost_its_end_is_not_written_on(store: LogStore) -> None:
    with store:
        news = News(store)
        store.append_many([note("a"), note("b")]).result(10)
        tampered(store.path, "DELETE FROM event WHERE seq=3")
        waiting = store.append(note("c"))
        assert "it ends at 2, 3 were acknowledged" in news.wait(lambda state: state.frozen).reason
    assert isinstance(waiting.exception(0), LogFrozenError)


def test_a_listener_that_fails_stops_nobody(store: LogStore, caplog: pytest.LogCaptureFixture) -> None:
    with store:
        stop = store.subscribe(lambda events: events[9].seq)  # type: ignore[arg-type]  # fails
        assert store.append(note()).result(10).seq == 2
        stop()
    assert "a listener of the log failed" in caplog.text
