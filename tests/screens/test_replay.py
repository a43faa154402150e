from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from console.client import replay
from console.client.file_source import FileSource
from console.client.replay import CHUNK, SPEEDS, Player, Recording
from console.exit_codes import ExitCode
from console.ui.app import LaunchApp
from screens.kit.screen_state import Mode
from state.events.event import Draft, Event
from state.events.launch import LaunchHeld
from state.fold import fold
from state.log.store import LogStore
from tests.clocks import ManualClock
from tests.drafts import draft
from tests.screens import story
from tests.screens.stage import picture, text_of

SECOND = 1_000_000


def recording(events: Sequence[Event]) -> Recording:
    made = Recording(lambda after, limit: events[after : after + limit])
    while made.read():
        pass
    return made


@pytest.fixture(scope="module")
def events() -> list[Event]:
    told = story.rolled_back()
    told.samples(15 * 900)
    return told.events


def test_every_moment_is_the_fold_of_its_events(events: list[Event]) -> None:
    made = recording(events)
    assert made.count == len(events) > 2 * CHUNK
    for seq in (1, 2, 285, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, made.count - 1, made.count):
        assert made.view(seq) == fold(events[:seq])


def test_a_long_log_has_fewer_keyframes_and_the_same_moments(
    events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "LARGEST", 3)
    made = recording(events)
    chance = random.Random(8)
    near = made.view(1)
    for seq in [*chance.sample(range(1, len(events)), 20), 511, 512, 513]:
        near = made.view(seq, near)
        assert near == fold(events[:seq])


def test_playing_onwards_equals_jumping(events: list[Event]) -> None:
    player = Player(recording(events), speed=600)
    player.go(1)
    player.playing = True
    for _ in range(100_000):
        if not player.advance(0.1):
            break
        assert player.view.seq == player.seq
    assert player.seq == len(events)
    assert player.view == fold(events)
    assert not player.transport().playing


def test_steps_go_both_ways_and_stop_at_the_ends(events: list[Event]) -> None:
    player = Player(recording(events))
    player.go(10)
    player.playing = True
    player.step(1)
    assert (player.seq, player.playing) == (11, False)
    player.step(-1)
    assert player.view == fold(events[:10])
    player.go(1)
    player.step(-1)
    assert player.seq == 1
    player.go(10**9)
    player.step(1)
    assert player.seq == len(events)


def test_idle_time_is_left_out_and_said() -> None:
    told = story.opened()
    told.wait(600)
    told.tell("note.add", {"text": "later"})
    player = Player(recording(told.events))
    player.go(len(told.events) - 1)
    player.playing = True
    real = 0.0
    while player.seq < len(told.events):
        assert player.advance(0.1)
        real += 0.1
    assert real < 2.5
    assert player.transport().skipped_s > 590
    assert player.now_us == told.events[-1].wall_us


def test_speed_is_kept(events: list[Event]) -> None:
    player = Player(recording(events), speed=10)
    player.go(100)
    start = player.now_us
    player.playing = True
    player.advance(0.5)
    assert player.now_us - start == 5 * SECOND
    for _ in SPEEDS:
        player.faster(1)
    assert player.speed == SPEEDS[-1]
    for _ in SPEEDS:
        player.faster(-1)
    assert player.speed == SPEEDS[0]


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ("gate 6", "gate 6 GO"),
        ("deploy", "production.deploy"),
        ("rollback", "production.rollback"),
        ("tripped", "error-rate TRIPPED"),
    ],
)
def test_words_lead_to_moments(events: list[Event], words: str, label: str) -> None:
    player = Player(recording(events))
    player.go(1)
    assert player.goto(words) == ""
    assert player.view.marks[-1].label == label
    assert player.view.marks[-1].seq == player.seq


def test_gate_1_is_not_gate_10() -> None:
    told = story.ready()
    told.tell("gate.changed", {"from": "OPEN", "to": "GO"}, gate=10)
    player = Player(recording(told.events))
    player.go(len(told.events) - 1)
    player.goto("gate 1")
    assert player.view.marks[-1].label == "gate 1 GO"


def test_times_lead_to_moments(events: list[Event]) -> None:
    player = Player(recording(events))
    player.go(1)
    start = player.recording.newest.scope.opened_us
    assert player.goto("T+12m") == ""
    assert player.now_us == start + 720 * SECOND
    assert player.goto("20:20") == ""
    assert player.now_us == start + 20 * 60 * SECOND
    assert player.goto("t+0:30:00") == ""
    assert player.now_us == start + 1800 * SECOND
    assert player.goto("#17") == ""
    assert player.seq == 17
    assert "try T+12m" in player.goto("t+x")
    assert player.seq == 17


def test_markers_go_both_ways(events: list[Event]) -> None:
    player = Player(recording(events))
    player.go(1)
    assert player.marker(1)
    first = player.seq
    assert player.marker(1)
    assert player.marker(-1)
    assert player.seq == first
    assert not player.marker(-1)


def write_log(path: Path, events: Sequence[Event]) -> None:
    """Write the story's events into a real log, as an engine would."""
    clock = ManualClock(events[0].wall_us)
    with closing(LogStore.create(path, clock=clock, session="s1")) as store:
        for event in events[1:]:
            clock._mono_us += event.wall_us - clock._wall_us
            clock._wall_us = event.wall_us
            store.append(draft(event.kind, event.body, event.gate, event.ref, event.actor))


async def test_a_log_is_replayed_on_the_same_screens(tmp_path: Path, events: list[Event]) -> None:
    path = tmp_path / "launch.db"
    write_log(path, story.rolled_back().events)
    before = path.read_bytes()
    clock = ManualClock()
    app = LaunchApp(FileSource(path, replay=True, clock=clock), Mode.REPLAY)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.5)
        assert "REPLAY ▶ ×1" in text_of(app)
        await pilot.press("space")
        await pilot.press("g")
        await pilot.pause(0.1)
        await pilot.press(*"tripped", "enter")
        await pilot.pause(0.4)
        rows = "\n".join(picture(app))
        assert "REPLAY ■" in rows
        assert "TRIPPED HTTP 5xx share" in rows
        assert "read-only" in rows
        await pilot.press("comma")
        await pilot.pause(0.4)
        assert "TRIPPED HTTP 5xx share" not in "\n".join(picture(app))
        await pilot.press("right_square_bracket")
        await pilot.pause(0.4)
        assert "TRIPPED HTTP 5xx share" in "\n".join(picture(app))
        await pilot.press("end")
        await pilot.pause(0.4)
        assert "end" in text_of(app)
        await pilot.press("d")
        await pilot.pause(0.2)
        await pilot.press("enter")
        await pilot.pause(0.2)
        assert "a replay reads the log and changes nothing" in "\n".join(picture(app))
        await pilot.press("escape", "l")
        await pilot.pause(0.5)
        assert "note.add" in text_of(app)
    assert path.read_bytes() == before


async def test_playing_moves_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "launch.db"
    write_log(path, story.ready().events)
    clock = ManualClock()
    source = FileSource(path, replay=True, speed=60, clock=clock)
    app = LaunchApp(source, Mode.REPLAY)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.4)
        seq = source.player.seq
        for _ in range(20):
            await clock.advance(0.1)
        await pilot.pause(0.3)
        assert source.player.seq > seq
        assert f"/{source.player.recording.count}" in text_of(app)


async def test_a_log_that_is_written_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "launch.db"
    told = story.opened()
    write_log(path, told.events)
    clock = ManualClock(told.now_us)
    app = LaunchApp(FileSource(path, replay=False, clock=clock), Mode.FOLLOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.4)
        assert "0 of 10 GO" in text_of(app)
        with closing(LogStore.open(path, clock=ManualClock(told.now_us), session="s2")) as store:
            store.append(Draft(LaunchHeld("lunch"), actor="ann")).result()
        await clock.advance(1)
        await pilot.pause(0.5)
        assert "HOLD by ann" in text_of(app)
        await clock.advance(75)
        await pilot.pause(1.3)
        assert "read-only, newest event 1 m" in text_of(app)
        assert "h hold" not in picture(app)[-1]
        assert "[ look back" in picture(app)[-1]


async def test_a_file_that_is_no_log_is_one_clear_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "not-a-log.txt"
    path.write_text("hello [/] world")
    app = LaunchApp(FileSource(path, replay=True), Mode.REPLAY)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.2)
    assert app.return_code == ExitCode.BAD_LOG
