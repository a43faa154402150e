"""``launch-console export``: every format from a file, and the recording of the screen held against its format."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from console.__main__ import main
from console.cli.saved.screen_cast import CastSource
from console.client.replay import Player, Recording
from console.exit_codes import ExitCode
from console.ui.app import LaunchApp
from screens.kit.screen_state import Mode
from state.log.reader import LogReader
from tests.screens.stage import picture
from tests.state.events.test_stored_logs import stored

FORMATS = {
    "jsonl": '{"seq":1,',
    "csv": "seq,time,",
    "junit": "<?xml ",
    "asciicast": '{"version": 3',
    "intoto": '{"_type":',
    "ical": "BEGIN:VCALENDAR\r\n",
}
SIZE = (100, 30)


def exported(log: Path, style: str, *more: str) -> str:
    target = log.with_name(f"out.{style}")
    target.unlink(missing_ok=True)
    assert main(["export", str(log), "--format", style, "-o", str(target), *more]) == 0
    return target.read_bytes().decode()


@pytest.mark.parametrize("style", sorted(FORMATS))
def test_every_format_is_written_to_a_new_file_and_changes_no_log(style: str, tmp_path: Path) -> None:
    log = stored("web-bad-candidate", tmp_path)
    before = log.read_bytes()
    told = exported(log, style, "--speed", "600")
    assert told.startswith(FORMATS[style])
    assert log.read_bytes() == before
    assert main(["export", str(log), "--format", style, "-o", str(log)]) == ExitCode.BAD_CONFIG


def test_the_standard_output_holds_the_export_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = stored("sop-go", tmp_path)
    assert main(["export", str(log), "--format", "jsonl", "--redact", "strict"]) == 0
    said = capsys.readouterr()
    assert len([json.loads(line) for line in said.out.splitlines()]) == 830
    assert said.err == ""


@pytest.mark.parametrize("size", ["100", "0x9", "axb", "10000x20"])
def test_a_size_that_is_none_is_said(size: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = stored("attested", tmp_path)
    assert main(["export", str(log), "--format", "ical", "--size", size]) == ExitCode.BAD_CONFIG
    assert f"--size {size}: columns and rows were expected" in capsys.readouterr().err


def test_a_candidate_without_digests_has_no_statements(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = stored("attested", tmp_path)
    with LogReader(log) as reader:
        opened = next(e for e in reader.every() if e.kind == "launch.opened")
    named = "sha256:" in json.dumps(opened.body["candidate"], default=list)
    assert main(["export", str(log), "--format", "intoto"]) == (0 if named else ExitCode.BAD_CONFIG)
    assert named or "names no image by its digest" in capsys.readouterr().err


# -- the recording ------------------------------------------------------------------------------------------

_PIECE = re.compile(r"\x1b\[(\d+);1H|\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\x1b\[2J|([^\x00-\x1f\x7f-\x9f]+)")


class Screen:
    """A terminal that knows what a recording may use, and nothing else."""

    def __init__(self) -> None:
        self.rows: dict[int, str] = {}
        self.at = 1

    def feed(self, data: str) -> None:
        end = 0
        for found in _PIECE.finditer(data):
            assert found.start() == end, repr(data[end : found.start()])
            end = found.end()
            if found[1]:
                self.at = int(found[1])
                self.rows[self.at] = ""
            elif found[2]:
                self.rows[self.at] += found[2]
        assert end == len(data)


def read_cast(text: str) -> tuple[dict[str, object], list[tuple[float, str, str]]]:
    """Read an asciicast as docs.asciinema.org/manual/asciicast/v3 describes it."""
    first, *rest = text.splitlines()
    header = json.loads(first)
    assert header["version"] == 3
    assert header["term"]["cols"] == SIZE[0]
    assert header["term"]["rows"] == SIZE[1]
    assert isinstance(header["timestamp"], int)
    events = [json.loads(line) for line in rest]
    for event in events:
        interval, code, data = event
        assert isinstance(interval, int | float)
        assert interval >= 0
        assert code in {"o", "i", "m", "r", "x"}
        assert isinstance(data, str)
    assert [code for _, code, _ in events].count("x") == 1
    assert events[-1][1:] == ["x", "0"]
    return header, events


async def screen_at_end(log: Path, speed: float) -> list[str]:
    with LogReader(log) as reader:
        recording = Recording(reader.events)
        while recording.read():
            pass
        player = Player(recording, speed=speed)
        player.begin()
        while player.advance(0.5):
            pass
        app = LaunchApp(CastSource(player, reader.events), Mode.REPLAY)
        async with app.run_test(size=SIZE) as pilot:
            app.publish()
            await pilot.pause()
            return picture(app)


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    log = stored("web-bad-candidate", tmp_path_factory.mktemp("film"))
    return log, exported(log, "asciicast", "--speed", "120", "--size", f"{SIZE[0]}x{SIZE[1]}")


def test_the_recording_is_an_asciicast_v3_that_uses_no_other_escape(filmed: tuple[Path, str]) -> None:
    _, events = read_cast(filmed[1])
    screen = Screen()
    for _, code, data in events:
        if code == "o":
            screen.feed(data)
            assert len(screen.rows) == SIZE[1]


def test_its_markers_are_the_marks_of_the_log(filmed: tuple[Path, str]) -> None:
    log, cast = filmed
    with LogReader(log) as reader:
        recording = Recording(reader.events)
        while recording.read():
            pass
    player = Player(recording)
    player.begin()
    marks = [mark.label for mark in recording.newest.marks if mark.seq > player.seq]
    assert [data for _, code, data in read_cast(cast)[1] if code == "m"] == marks
    assert "production.rollback succeeded" in marks


def test_it_lasts_as_long_as_the_launch_at_that_speed_without_what_is_idle(filmed: tuple[Path, str]) -> None:
    log, cast = filmed
    with LogReader(log) as reader:
        first, last = reader.first().wall_us, reader.last().wall_us
    whole = (last - first) / 1e6 / 120
    lasted = sum(interval for interval, _, _ in read_cast(cast)[1])
    assert 0.3 * whole < lasted <= whole + 1


async def test_its_last_frame_is_the_screen_of_a_replay_at_its_end(filmed: tuple[Path, str]) -> None:
    log, cast = filmed
    screen = Screen()
    for _, code, data in read_cast(cast)[1]:
        if code == "o":
            screen.feed(data)
    drawn = [screen.rows[n] for n in range(1, SIZE[1] + 1)]
    assert [row.rstrip() for row in drawn] == [row.rstrip() for row in await screen_at_end(log, 120)]


def test_a_recording_of_days_is_refused_and_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = stored("sop-go", tmp_path)
    target = tmp_path / "a.cast"
    argv = ["export", str(log), "--format", "asciicast", "--speed", "0.1", "-o", str(target)]
    assert main(argv) == ExitCode.BAD_CONFIG
    assert "give a higher --speed" in capsys.readouterr().err
    assert not target.exists()


def test_a_redacted_recording_shows_no_names(tmp_path: Path) -> None:
    log = stored("web-bad-candidate", tmp_path)
    with LogReader(log) as reader:
        opened = next(e for e in reader.every() if e.kind == "launch.opened")
    title = opened.body["title"]
    assert isinstance(title, str)
    for level, there in (("none", True), ("strict", False)):
        assert (title[:20] in exported(log, "asciicast", "--speed", "900", "--redact", level)) is there
