"""The whole log is checked while the launch goes on, and an end in good order is written."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from console.__main__ import main
from screens.kit.plain import Role
from screens.kit.screen_state import ScreenState
from screens.sections.banner import banner
from state.events.event import Draft
from state.events.launch import LaunchScrubbed
from state.events.log import LogClosed, LogDoubted, NoteAdded
from state.log.chain import Fault
from state.log.errors import Damage, LogSealedError
from state.log.full_verify import WholeCheck
from state.log.reader import LogReader
from state.log.verify import verify
from tests.console.engine.stand import Stand, stand
from tests.state.log.support import LOG_ID, chained, forge, new_store, note, stamped, tampered


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def checked(path: Path, last: int) -> Fault | None:
    lines: list[Fault | None] = []
    done = threading.Event()

    def tell(fault: Fault | None) -> None:
        lines.append(fault)
        done.set()

    check = WholeCheck(path, LOG_ID, last, tell)
    check.start()
    assert done.wait(20)
    check.stop()
    return lines[0]


@pytest.mark.parametrize(
    ("statement", "seq", "damage"),
    [
        ("UPDATE event SET actor='mallory' WHERE seq=7", 7, Damage.HASH),
        ("UPDATE event SET body='{}' WHERE seq=140", 140, Damage.BODY),
        ("UPDATE event SET body=NULL, salt=NULL WHERE seq=9", 9, Damage.BODY),
        ("DELETE FROM event WHERE seq=100", 100, Damage.SEQ),
        ("DELETE FROM event WHERE seq>180", 181, Damage.SEQ),
    ],
)
def test_damage_anywhere_is_found(statement: str, seq: int, damage: Damage, tmp_path: Path) -> None:
    forge(tmp_path / "x.lclog", chained([stamped(n) for n in range(1, 201)]))
    assert checked(tmp_path / "x.lclog", 200) is None
    tampered(tmp_path / "x.lclog", statement)
    found = checked(tmp_path / "x.lclog", 200)
    assert found is not None
    assert (found.seq, found.damage) == (seq, damage)


def test_it_can_be_told_to_stop_and_disturbs_no_writer(tmp_path: Path) -> None:
    path = tmp_path / "x.lclog"
    with new_store(path) as store:
        store.append_many([note(str(n)) for n in range(2000)]).result(20)
        lines: list[Fault | None] = []
        check = WholeCheck(path, store.log_id, store.head.seq, lines.append)
        check.start()
        for n in range(20):
            store.append(note(str(n))).result(5)
        began = time.monotonic()
        check.stop()
        assert time.monotonic() - began < 5
        assert lines in ([], [None])
        assert store.append(note()).result(5).seq == 2022
    assert verify(path).ok


async def old_damage(s: Stand, statement: str) -> None:
    """Make a log whose damage lies before what its opening checks."""
    await s.open(run=False)
    await s.engine.journal.record_many([Draft(NoteAdded(str(n))) for n in range(1200)])
    await s.close()
    tampered(s.log, statement)


async def test_damage_of_long_ago_is_a_banner_and_an_event_and_stops_nothing(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await old_damage(s, "UPDATE event SET wall_us=wall_us+1 WHERE seq=40")
        await s.open()
        view = await s.until(lambda v: bool(v.doubt))
        assert "event 40 is damaged (hash)" in view.doubt
        assert any("the log is in doubt" in deviation.what for deviation in view.deviations)
        (red,) = [span for span in banner(ScreenState(view), 160, 3)[0] if "IN DOUBT" in span.text]
        assert red.role is Role.ALARM
        assert "event 40 is damaged" in red.text
        ann = await s.attach("ann")
        assert (await ann.command("launch.hold", {"reason": "the log is damaged"})).ok
        assert ann.view.doubt == s.view.doubt
        await ann.close()
        await s.close()
        await s.open()
        await asyncio.sleep(0)
        assert "event 40" in s.view.doubt
        assert len(s.events(LogDoubted.KIND)) == 1
        report = verify(s.log)
        assert (report.bad_seq, report.damage) == (40, Damage.HASH)


async def test_a_log_says_that_its_launch_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with stand(tmp_path) as s:
        await s.open()
        ann = await s.attach("ann")
        assert (await ann.command("launch.hold", {"reason": "a pause"})).ok
        await s.close()
        assert s.events(LogClosed.KIND) == []
        assert verify(s.log).closed is None
        assert main(["verify", str(s.log)]) == 0
        assert "was stopped in good order" in capsys.readouterr().out
        await s.open()
        ann = await s.attach("ann")
        await s.engine.journal.record(Draft(LaunchScrubbed("not today"), actor="ann"))
        await s.close()
        report = verify(s.log)
        assert report.closed is not None
        assert report.closed >= report.events - 1
        with LogReader(s.log) as reader:
            (closed,) = (event for event in reader.every() if event.kind == LogClosed.KIND)
        assert closed.seq == report.closed
        assert str(closed.body["head"]).split(":")[2] == str(closed.seq - 1)
        assert main(["verify", str(s.log)]) == 0
        told = capsys.readouterr().out
        assert f"the launch was closed by event {closed.seq}" in told
        assert "none is written" not in told
        with pytest.raises(LogSealedError):  # nobody goes on
            await s.open(run=False)
        again = verify(s.log).closed
        assert again is not None
        tampered(s.log, f"DELETE FROM event WHERE seq>={again}")
        assert verify(s.log).closed is None  # as a cut tail has none
