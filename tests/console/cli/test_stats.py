"""``launch-console stats``: every log that can be used is counted, and what wasn't used is said in a line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.__main__ import main
from console.exit_codes import ExitCode
from state.log.reader import LogReader
from tests.console.cli.test_bad_logs import DAMAGED, UNUSABLE, other_table
from tests.state.events.test_stored_logs import LOGS, stored


def counted(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, Any, list[str]]:
    code = main(["stats", *argv, "--format", "json"])
    said = capsys.readouterr()
    return code, json.loads(said.out), said.err.splitlines()


def test_a_folder_of_logs_is_read_with_the_folders_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "2026").mkdir()
    logs = [stored("sop-go", tmp_path), stored("sop-bad-candidate", tmp_path / "2026")]
    (tmp_path / "notes.txt").write_text("no log")
    before = [log.read_bytes() for log in logs]
    code, told, errors = counted(capsys, str(tmp_path))
    assert (code, errors, told["not_used_whole"]) == (0, [], [])
    assert told["change_failure"] == {"rate": 0.5, "good": 1, "failed": 1, "unknown": 0}
    assert told["trip_to_restored"]["known"] == 1
    assert 79 < told["trip_to_restored"]["median_s"] < 82
    assert [log.read_bytes() for log in logs] == before
    assert main(["stats", *map(str, logs)]) == 0
    assert "Change failure rate: 50 % (1 of 2 deploys of production)" in capsys.readouterr().out


def test_a_folder_without_logs_says_so_and_nothing_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stats", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "Launches: 0\nChange failure rate: unknown" in said.out
    assert " %" not in said.out
    assert said.err == f"launch-console: {tmp_path} holds no log (*.lclog)\n"


@pytest.mark.parametrize("make", [*UNUSABLE[:1], *UNUSABLE[2:], *DAMAGED], ids=lambda make: make.__name__)
def test_a_log_that_is_useless_is_one_line_and_the_others_count(
    make: Callable[[Path], object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = stored("sop-go", tmp_path), tmp_path / "bad.lclog"
    make(bad)
    code, told, errors = counted(capsys, str(bad), str(good))
    assert code == (ExitCode.DAMAGED_LOG if make in DAMAGED else ExitCode.BAD_LOG)
    (line,) = errors
    assert line.startswith("launch-console: ")
    assert str(bad) in line
    launches, unused = told["launches"], told["not_used_whole"]
    assert str(good) in [one["log"] for one in launches]
    assert [one["log"] for one in unused] == [str(bad)]
    if make in UNUSABLE or make is other_table:
        assert len(launches) == 1


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_damaged_log_counts_up_to_its_damage(
    share: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = stored("sop-bad-candidate", tmp_path)
    with LogReader(log) as reader:
        bad = reader.event(int(reader.count() * share))
    assert bad is not None
    raw = log.read_bytes()
    at = raw.index(bad.eid.encode())
    log.write_bytes(raw[:at] + b"X" + raw[at + 1 :])
    code, told, errors = counted(capsys, str(log))
    assert code == ExitCode.DAMAGED_LOG
    (unused,) = told["not_used_whole"]
    assert unused["events_used"] == bad.seq - 1
    (line,) = errors
    assert f"damaged at event {bad.seq}: " in line
    assert f"only {bad.seq - 1} events before that counted" in line
    (launch,) = told["launches"]
    assert launch["events"] == bad.seq - 1


def test_a_torn_page_costs_no_more_than_what_stands_behind_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "a.lclog"
    log.write_bytes(gzip.decompress((LOGS / "sop-go.lclog.gz").read_bytes()))
    size = log.stat().st_size
    with log.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xee" * 4096)
    code, told, errors = counted(capsys, str(log))
    assert code == ExitCode.DAMAGED_LOG
    (launch,) = told["launches"]
    assert launch["events"] > 200
    assert len(errors) == 1


def test_the_answer_goes_to_a_file_that_was_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, page = stored("sop-go", tmp_path), tmp_path / "figures.html"
    assert main(["stats", str(log), "--format", "html", "-o", str(page)]) == 0
    assert page.read_text().startswith("<!doctype html>")
    assert main(["stats", str(log), "-o", str(log)]) == ExitCode.BAD_CONFIG
    assert "is there already" in capsys.readouterr().err
