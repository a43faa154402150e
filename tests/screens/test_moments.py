"""Replay as a reviewer drives it: by kinds of moments, by words, by a pointer; no key of its help is dead."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from console.cli.watching import replay as command
from console.client.destinations import moment_of, parse_pointer, place_of, pointer
from console.client.file_source import FileSource
from console.client.replay import Player
from console.exit_codes import FailedError
from console.ui.app import LaunchApp
from console.ui.keys.keymap import REPLAY
from screens.kit.screen_state import Mode
from screens.sections.timeline import legend, ruler
from state.base.json import JsonObject
from state.events.event import Event
from state.fold import fold
from state.fold.moments import moment
from state.view.launch import LaunchView
from state.view.moments import Moment, MomentKind
from tests.clocks import ManualClock
from tests.screens import story
from tests.screens.stage import picture
from tests.screens.test_replay import recording, write_log


@pytest.fixture(scope="module")
def events() -> list[Event]:
    told = story.rolled_back()
    told.tell("launch.held", {"reason": "waiting for the DBA"}, actor="bea")
    told.tell("launch.released", {"reason": "the DBA is here"}, actor="bea")
    told.tell("console.took_over", {"id": "c2", "reason": "takes over"}, actor="bea")
    told.tell("attest.signed", _SIGNED, gate=9, actor="bea")
    told.tell("check.finished", _FAILED, gate=9, actor="engine")
    told.tell("launch.scrubbed", {"reason": "another day"}, actor="ann")
    return told.events


_SIGNED: JsonObject = {
    "item": "9.2", "go": False, "comment": "the graph is red", "link": "", "how_known": "rehearsal", "evidence": [],
}  # fmt: skip
_FAILED: JsonObject = {
    "item": "9.3", "check": "9.3/0", "verdict": "fail", "summary": "/health answers 503", "evidence": {}, "ms": 3,
}  # fmt: skip


def moments(events: list[Event]) -> list[Moment]:
    return list(recording(events).moments)


def test_every_kind_of_moment_is_found_with_who_and_what(events: list[Event]) -> None:
    found = moments(events)
    assert {one.kind for one in found} == set(MomentKind)
    told = {one.words: one for one in found}
    held = told["hold: waiting for the DBA"]
    assert (held.kind, held.actor) == (MomentKind.HOLD, "bea")
    assert told["9.3 fail: /health answers 503"].item == "9.3"
    signed = next(one for one in found if one.kind is MomentKind.SIGN_OFF and one.item == "9.2")
    assert (signed.bad, signed.gate, signed.actor) == (True, 9, "bea")
    breach = next(one for one in found if one.kind is MomentKind.BREACH)
    assert "over its threshold of 1.00 %" in breach.words
    ended = [one.words for one in found if one.words.startswith("production.rollback succeeded")]
    assert "(asked by ann)" in ended[0]


def test_a_moment_is_told_once_however_often_it_is_written(events: list[Event]) -> None:
    again = list(events)
    again[-1:-1] = [event for event in events if event.kind == "check.finished"][-1:]
    numbered = [
        Event(**{**{name: getattr(e, name) for name in Event.__slots__}, "seq": n})
        for n, e in enumerate(again, 1)
    ]
    assert len(moments(numbered)) == len(moments(events))


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ("first breach", "error-rate BREACHING at"),
        ("breach", "error-rate BREACHING at"),
        ("first trip", "error-rate TRIPPED at"),
        ("hold", "hold: waiting"),
        ("take-over", "c2 takes over"),
        ("9.2", "9.2 attested NO-GO"),
        ("item 9.3", "9.3 fail"),
        ("gate 6", "gate 6 OPEN"),
        ("by bea", "hold: waiting"),
        ("last by bea", "9.2 attested NO-GO"),
        ("scrub", "scrubbed: another day"),
        ("last failure", "scrubbed: another day"),
        ("  Waiting   FOR the dba ", "hold: waiting"),
    ],
)
def test_words_are_places(events: list[Event], words: str, begins: str) -> None:
    player = Player(recording(events))
    player.go(1)
    assert player.goto(words) == ""
    here = player.transport().here
    assert here is not None
    assert here.words.startswith(begins)


def test_one_kind_is_gone_through_both_ways_and_its_end_is_said(events: list[Event]) -> None:
    player = Player(recording(events))
    player.go(1)
    assert player.next_of("hold") == ""
    first = player.seq
    assert player.same(1) == ""
    assert player.same(1) == "no hold after this; { goes to the one before"
    assert player.same(-1) == ""
    assert player.seq == first
    assert player.same(-1) == "no hold before this; } goes to the one after"
    player.go(1)
    seen = 0
    while not player.next_of("failure"):
        here = player.transport().here
        assert here is not None
        assert here.bad
        seen += 1
    assert seen == sum(one.bad for one in player.recording.moments)


def test_a_pointer_leads_to_its_event_and_to_no_other_launch(events: list[Event]) -> None:
    made = recording(events)
    player = Player(made)
    player.go(123)
    told = player.transport().pointer
    assert told == f"lc1:{made.newest.log_id[:8]}:123"
    player.go(1)
    assert player.goto(told) == ""
    assert player.seq == 123
    assert player.goto(fold(events[:200]).head) == ""
    assert player.seq == 200
    assert "points to another launch" in player.goto("lc1:00000000:5")
    assert player.seq == 200


@pytest.mark.parametrize(
    "words", ["", "lc1:", "lc1:0193b0c4", "lc1:0193b0c4:", "lc1:0193b0c4:x", "lc2:0193b0c4:1"]
)
def test_what_is_no_pointer_is_none(words: str) -> None:
    assert parse_pointer(words) is None


def test_places_that_are_no_number_and_no_time() -> None:
    assert place_of("#12", "0193b0c4") == place_of("12", "0193b0c4") == 12
    assert place_of("²", "0193b0c4") is None
    assert moment_of("²0:14", 0) is None
    assert moment_of("t+999999999999h", 0) is None
    assert pointer("", 3) == pointer("0193b0c4", 0) == ""


def test_the_line_tells_kinds_apart_and_the_legend_says_how(events: list[Event]) -> None:
    player = Player(recording(events))
    player.go(1)
    shown = FileSource(Path("x"), replay=True).shown()
    how = player.transport()
    signs = {span.text.strip() for span in legend(shown, how, 200)}
    line = "".join(span.text for span in ruler(how, player.now_us, 4000))
    for kind in {one.kind for one in how.moments}:
        assert kind in signs
    assert {sign for sign in "╋!✓◆▲✖‖⇄┃✎" if sign in line} == {sign for sign in "╋!✓◆▲✖‖⇄┃✎" if sign in signs}
    plain = "".join(span.text for span in ruler(how, player.now_us, 400, ascii_only=True))
    assert not set(plain) & set("╋✓◆▲✖‖⇄┃✎")


def test_a_long_launch_shows_the_weightiest_moment_of_each_part(events: list[Event]) -> None:
    made = recording(events)
    shown = made.shown_moments
    assert shown is made.shown_moments
    assert len(shown) <= 601
    assert {one.kind for one in shown} >= {MomentKind.TRIP, MomentKind.LAUNCH}


def test_events_that_say_nothing_new_are_no_moments() -> None:
    for kind in ("metric.batch", "pod.changed", "of.tomorrow"):
        told = story.opened()
        told.tell(kind, {})
        assert moment(LaunchView(), told.events[-1]) is None


async def opened(tmp_path: Path, events: list[Event], size: tuple[int, int]) -> LaunchApp:
    path = tmp_path / "launch.lclog"
    write_log(path, events)
    return LaunchApp(FileSource(path, replay=True, proof="verified to #9", clock=ManualClock()), Mode.REPLAY)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_first_breach_and_what_came_of_it_in_three_keys(
    tmp_path: Path, events: list[Event], size: tuple[int, int]
) -> None:
    app = await opened(tmp_path, events, size)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.5)
        await pilot.press("B")
        await pilot.pause(0.3)
        assert "error-rate BREACHING at" in "\n".join(picture(app))
        assert "over its threshold of 1.00 %" in "\n".join(picture(app))
        await pilot.press("x", "x")
        await pilot.pause(0.3)
        rows = "\n".join(picture(app))
        assert "production.rollback succeeded (asked by ann)" in rows
        assert "verified" in rows
        if size[0] >= 120:
            await pilot.press("h")
            await pilot.pause(0.3)
            rows = "\n".join(picture(app))
            assert "verified to #9" in rows
            assert "lc1:" in rows


async def searched(source: FileSource) -> None:
    assert source._search is not None
    await source._search


async def test_what_no_moment_says_is_searched_in_every_event(tmp_path: Path, events: list[Event]) -> None:
    app = await opened(tmp_path, events, (120, 40))
    source = app.source
    assert isinstance(source, FileSource)
    wanted = next(e for e in events if e.kind == "pod.changed")
    name = str(json.loads(json.dumps(dict(wanted.body)))["name"])
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.5)
        source.player.go(1)
        assert source.transport("goto", name) == ""
        await searched(source)
        assert source.player.seq == wanted.seq
        assert source.transport("goto", "nobody ever said this") == ""
        await searched(source)
        await pilot.pause(0.4)
        assert "nothing in this log says" in "\n".join(picture(app))
        assert source.player.seq == wanted.seq


async def test_every_key_of_a_replay_does_or_says_something(tmp_path: Path, events: list[Event]) -> None:
    app = await opened(tmp_path, events, (120, 40))
    source = app.source
    assert isinstance(source, FileSource)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.5)
        app.action_transport("play")
        for key, action, _ in REPLAY:
            source.player.go(150)
            source.player.playing, source.player.speed = False, 1.0
            before: Callable[[], object] = lambda: (  # noqa: E731  read twice below
                source.player.seq, source.player.playing, source.player.speed, app.screen.id, picture(app)[-1],
                type(app.screen),
            )  # fmt: skip
            was = before()
            await pilot.press(key)
            await pilot.pause(0.2)
            assert before() != was, f"{key} ({action}) is dead"
            if "Dialog" in type(app.screen).__name__:
                await pilot.press("escape")
                await pilot.pause(0.1)


def test_a_pointer_finds_its_log_beside(
    tmp_path: Path, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "launches").mkdir()
    (tmp_path / "no-log.lclog").write_text("hello")
    path = tmp_path / "launches" / "one.lclog"
    write_log(path, events)
    log_id = command._id_of(path)
    assert command._log_of(log_id[:8]).name == "one.lclog"
    (tmp_path / "copy.lclog").write_bytes(path.read_bytes())
    with pytest.raises(FailedError, match="more than one file"):
        command._log_of(log_id[:8])
    with pytest.raises(FailedError, match="no log of launch 00000000"):
        command._log_of("00000000")
