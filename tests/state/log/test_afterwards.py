"""What is done with a log besides appending: archiving, witnessing, redacting."""

from __future__ import annotations

import base64
import stat
import threading
from pathlib import Path

import pytest

from console.__main__ import main
from console.exit_codes import ExitCode
from state.base import canonical
from state.events.event import Draft
from state.events.log import NoteAdded
from state.log.archive import archive
from state.log.errors import LogDamagedError, LogError, LogExistsError, RedactionRefusedError
from state.log.reader import LogReader
from state.log.store import LogStore
from state.log.verify import verify
from state.log.witness import Witness, witness_directory
from tests.clocks import ManualClock
from tests.state.log.support import LOG_ID, new_store, note, tampered, written

SECRET = "hunter2-and-some-more"  # what must not be found again


def files_with(directory: Path, text: bytes) -> list[str]:
    return [one.name for one in directory.iterdir() if text in one.read_bytes()]


def test_an_archive_is_one_clean_file_with_the_same_head(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    events = written(tmp_path / "x.lclog", 50)
    report = archive(tmp_path / "x.lclog", tmp_path / "archive" / "x.lclog")
    assert (report.ok, report.head) == (True, verify(tmp_path / "x.lclog").head)
    assert [one.name for one in (tmp_path / "archive").iterdir()] == ["x.lclog"]
    assert stat.S_IMODE((tmp_path / "archive" / "x.lclog").stat().st_mode) == 0o600
    with LogReader(tmp_path / "archive" / "x.lclog") as reader:
        assert list(reader.every()) == events
    LogStore.open(tmp_path / "archive" / "x.lclog", clock=ManualClock(), session="s-2").close()


def test_a_log_is_archived_while_it_is_written(tmp_path: Path) -> None:
    with new_store(tmp_path / "x.lclog") as store:
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                store.append(note()).result(10)

        writer = threading.Thread(target=write)
        writer.start()
        reports = [archive(tmp_path / "x.lclog", tmp_path / f"{n}.lclog") for n in range(3)]
        stop.set()
        writer.join()
    assert all(report.ok for report in reports)
    assert verify(tmp_path / "x.lclog", [report.head for report in reports]).anchors == 3


def test_an_archive_is_never_half_there(tmp_path: Path) -> None:
    written(tmp_path / "x.lclog", 5)
    (tmp_path / "taken").write_text("precious")
    with pytest.raises(LogExistsError):
        archive(tmp_path / "x.lclog", tmp_path / "taken")
    with pytest.raises(LogError, match="there is no log"):
        archive(tmp_path / "missing", tmp_path / "new")
    with pytest.raises(LogError):
        archive(tmp_path / "x.lclog", tmp_path / "no" / "such" / "directory")
    tampered(tmp_path / "x.lclog", "UPDATE event SET actor='mallory' WHERE seq=3")
    with pytest.raises(LogDamagedError, match="event 3: hash") as caught:
        archive(tmp_path / "x.lclog", tmp_path / "new")
    assert caught.value.seq == 3
    assert (tmp_path / "taken").read_text() == "precious"
    assert not [one for one in tmp_path.iterdir() if "new" in one.name]


def test_a_witness_remembers_the_newest_head(tmp_path: Path) -> None:
    with new_store(tmp_path / "x.lclog") as store:
        witness = Witness(tmp_path / "witness", LOG_ID)
        assert witness.seen() is None
        store.append_many([note() for _ in range(3)]).result(5)
        heads = [canonical.anchor(LOG_ID, event.seq, event.hash) for event in store.read(0)]
        assert witness.record(heads[2])
        assert not witness.record(heads[0])
        assert not witness.record(heads[2])
        assert str(witness.seen()) == heads[2]
        assert witness.record(heads[3])
    assert str(Witness(tmp_path / "witness", LOG_ID).seen()) == heads[3]


def test_a_witness_refuses_what_contradicts_it(tmp_path: Path) -> None:
    witness = Witness(tmp_path, LOG_ID)
    witness.record(canonical.anchor(LOG_ID, 5, "a" * 64))
    with pytest.raises(LogError, match="contradicts"):
        witness.record(canonical.anchor(LOG_ID, 5, "b" * 64))
    with pytest.raises(LogError, match="is no head of the log"):
        witness.record(canonical.anchor("ffffffff", 6, "b" * 64))
    (tmp_path / LOG_ID).write_text("nonsense")
    with pytest.raises(LogError, match="holds no anchor"):
        witness.seen()


def test_a_log_that_is_shorter_than_its_witness_shows(tmp_path: Path) -> None:
    path = tmp_path / "x.lclog"
    written(path, 10)
    witness = Witness(tmp_path / "witness", LOG_ID)

    def hash_at(seq: int) -> str | None:
        with LogReader(path) as reader:
            event = reader.event(seq)
            return event.hash if event is not None else None

    assert witness.contradiction(hash_at) is None
    witness.record(verify(path).head)
    assert witness.contradiction(hash_at) is None
    tampered(path, "UPDATE event SET hash=zeroblob(32) WHERE seq=11")
    assert "was changed since" in str(witness.contradiction(hash_at))
    tampered(path, "DELETE FROM event WHERE seq>8")
    assert "event 11 is missing" in str(witness.contradiction(hash_at))


def test_where_witnesses_are_kept() -> None:
    assert witness_directory({"HOME": "/home/ann"}) == Path("/home/ann/.local/state/launch-console/witness")
    assert witness_directory({"HOME": "/h", "XDG_STATE_HOME": "/s"}) == Path("/s/launch-console/witness")


def test_a_redacted_secret_is_in_no_file(tmp_path: Path) -> None:
    path = tmp_path / "x.lclog"
    with new_store(path) as store:
        store.append_many([note(f"before {n}") for n in range(40)]).result(5)
        leak = store.append(Draft(NoteAdded(f"the password is {SECRET}"))).result(5)
        store.append_many([note(f"after {n}") for n in range(40)]).result(5)
        head = store.head.anchor
        assert files_with(tmp_path, SECRET.encode()) != []
        said = store.redact(leak.seq, reason="a password", actor="ann", signed={"how_known": "self-declared"})
        assert (said.kind, said.ref, said.actor) == ("log.redacted", leak.seq, "ann")
        assert said.body == {"reason": "a password", "seq": leak.seq, "how_known": "self-declared"}
        assert store.read(leak.seq - 1, 1)[0].body == {"redacted": True}
        assert store.append(note("goes on")).result(5).seq == said.seq + 1
        for found in (SECRET, base64.b64encode(SECRET.encode()).decode()):
            assert files_with(tmp_path, found.encode()) == []
    report = verify(path, [head])
    assert (report.ok, report.anchors) == (True, 1)
    with LogReader(path) as reader:
        redacted = reader.event(leak.seq)
    assert redacted is not None
    assert (redacted.hash, redacted.body) == (leak.hash, {"redacted": True})


def test_what_can_not_be_redacted(tmp_path: Path) -> None:
    with new_store(tmp_path / "x.lclog") as store:
        store.append(note("twice")).result(5)
        said = store.redact(2, reason="r", actor="ann")
        for seq, told in (
            (0, "no event"),
            (99, "no event"),
            (1, "names the log"),
            (2, "already"),
            (said.seq, "itself"),
        ):
            with pytest.raises(RedactionRefusedError, match=told):
                store.redact(seq, reason="r", actor="ann")
        assert store.head.seq == said.seq


def test_the_archive_command_tells_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path / "x.lclog", 3)
    assert main(["archive", str(tmp_path / "x.lclog")]) == 0
    assert verify(tmp_path / "x.archive.lclog").head in capsys.readouterr().out
    assert main(["archive", str(tmp_path / "x.lclog")]) == ExitCode.BAD_CONFIG
    tampered(tmp_path / "x.lclog", "UPDATE event SET actor='mallory' WHERE seq=3")
    assert main(["archive", str(tmp_path / "x.lclog"), str(tmp_path / "new.lclog")]) == ExitCode.DAMAGED_LOG
    told = capsys.readouterr()
    assert told.out == ""
    assert "event 3: hash" in told.err.splitlines()[1]
