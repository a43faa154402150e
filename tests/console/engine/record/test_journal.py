"""The journal over a real log: order, cancelled callers, what the store writes by itself, a frozen log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.engine.commands import Commands
from console.engine.record.journal import Journal
from state.events.event import Draft, Event
from state.events.log import ClockJumped, NoteAdded
from state.fold import fold
from state.log.store import LogStore
from state.log.trouble import StoreState
from state.view.launch import LaunchView
from tests.clocks import ManualClock
from tests.console.engine.stand import stand


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    clock = ManualClock()
    store = LogStore.create(tmp_path / "a.lclog", clock=clock, session="s")
    made = Journal(store, clock)
    made.load()
    yield made
    store.close()


def note(n: int) -> Draft:
    return Draft(NoteAdded(str(n)))


async def test_many_at_once_are_told_in_order(journal: Journal) -> None:
    lines: list[int] = []
    end = journal.listen(lambda event, _view: lines.append(event.seq))
    await asyncio.gather(
        *(journal.record(note(n)) for n in range(50)), journal.record_many([note(1), note(2)])
    )
    assert lines == list(range(2, 54))
    end()
    await journal.record(note(99))
    assert lines[-1] == 53
    assert journal.view == fold(journal.store.read(0))


async def test_a_cancelled_caller_can_not_take_its_event_back(journal: Journal) -> None:
    task = asyncio.create_task(journal.record(note(1)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await journal.settle()
    assert journal.view.seq == 2


async def test_what_the_store_wrote_by_itself_is_folded(journal: Journal) -> None:
    assert isinstance(journal.clock, ManualClock)
    await journal.record(note(1))
    journal.clock.jump(3600)
    event = await journal.record(note(2))
    assert event.seq == 4
    kinds = [line.kind for line in journal.view.tail]
    assert kinds[-2:] == [ClockJumped.KIND, NoteAdded.KIND]
    assert isinstance(journal.store, LogStore)
    await journal.store.write(note(3))
    journal.catch_up()
    assert journal.view.seq == 5


async def test_a_listener_that_fails_harms_nobody(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Event] = []

    def broken(_event: Event, _view: LaunchView) -> None:
        raise RuntimeError("broken")

    journal.listen(broken)
    journal.listen(lambda event, _view: seen.append(event))
    await journal.record(note(1))
    assert len(seen) == 1
    assert "a listener failed at event 2" in caplog.text


async def test_nothing_starts_while_the_log_is_frozen(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        context = s.engine.commands._context
        frozen = StoreState(frozen=True, reason="the disk is full (SQLITE_FULL)")
        s.engine.hub.commands = Commands(replace(context, log_state=lambda: frozen))
        client = await s.attach("ann")
        seq = s.view.seq
        reply = await client.command("attest.sign", {"item": "1.1", "verdict": "GO"})
        assert reply.message == "nothing was done, the log can't be written: the disk is full (SQLITE_FULL)"
        assert s.view.seq == seq
        await client.close()
