from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from state.log.errors import LogHeldError
from state.log.layout import peek
from state.log.locks import EngineLock, filesystem_of, sidecar
from state.log.reader import LogReader
from state.log.store import LogStore
from state.log.table import raw_connection
from state.log.verify import verify
from tests.clocks import ManualClock
from tests.state.log.support import new_store, note


def locks_on(path: Path) -> list[str]:
    """Return the kernel's POSIX locks on a file, without their place in the list of all."""
    inode = path.stat().st_ino
    lines = Path("/proc/locks").read_text().splitlines()
    return [line.partition(": ")[2] for line in lines if "POSIX" in line and f":{inode} " in line]


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="the kernel doesn't list its locks")
def test_no_reader_in_the_writers_process_cancels_its_locks(tmp_path: Path) -> None:
    with new_store(tmp_path / "x.lclog") as store, store._writer.database:
        con = raw_connection(store._engine)
        con.execute("BEGIN IMMEDIATE")
        before = locks_on(store.path)
        if not before:
            pytest.skip("this kernel doesn't list locks of SQLite")
        with LogReader(store.path) as reader:
            assert reader.count() == 1
        assert verify(store.path).ok
        peek(store.path)
        assert locks_on(store.path) == before
        store.path.open("rb").close()
        assert locks_on(store.path) != before, "what this test guards against no longer happens"
        con.execute("ROLLBACK")


def test_the_holder_of_a_log_is_named_and_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "x.lclog"
    lock = EngineLock(path, session="s-1")
    with pytest.raises(LogHeldError, match=f"process {os.getpid()}, session s-1"):
        EngineLock(path, session="s-2")
    lock.close()
    assert sidecar(path, "engine").read_bytes() == b""
    EngineLock(path, session="s-2").close()


def test_a_lock_file_with_nonsense_in_it_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "x.lclog"
    sidecar(path, "engine").write_text("{nonsense")
    lock = EngineLock(path, session="s-1")
    os.ftruncate(lock._fd, 0)
    os.pwrite(lock._fd, b"[]", 0)
    with pytest.raises(LogHeldError, match="its process is unknown"):
        EngineLock(path, session="s-2")
    lock.close()


def test_the_filesystem_of_a_directory(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/vda / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\nserver:/y {tmp_path}/a\\040b cifs rw 0 0\nx\n"
    )
    (tmp_path / "a b").mkdir()
    assert filesystem_of(tmp_path, mounts) == "nfs4"
    assert filesystem_of(tmp_path / "a b", mounts) == "cifs"
    assert filesystem_of(Path("/usr"), mounts) == "ext4"
    assert filesystem_of(tmp_path, tmp_path / "none") == "unknown"


def test_a_log_in_wal_mode_is_brought_back(tmp_path: Path) -> None:
    new_store(tmp_path / "x.lclog").close()
    with closing(sqlite3.connect(tmp_path / "x.lclog")) as con:
        assert con.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",)
    with LogStore.open(tmp_path / "x.lclog", clock=ManualClock(), session="s-2") as store:
        assert raw_connection(store._engine).execute("PRAGMA journal_mode").fetchone() == ("persist",)
        assert store.append(note()).result(5).seq == 2
