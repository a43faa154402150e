"""Every way to write a time; that there is only one place for it."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, timedelta, timezone

import pytest

from state.base.times import (
    SECOND_US,
    ago,
    clock,
    date,
    micros,
    micros_of,
    moment,
    offset,
    span,
    stamp,
    stopwatch,
)
from tests.paths import ROOT

AT_US = 1_796_155_200_000_000 + (14 * 60 + 7) * SECOND_US
"""2026-12-01T20:14:07Z."""


@pytest.mark.parametrize(
    ("at_us", "seconds", "minutes", "day", "both", "short"),
    [
        (AT_US, "20:14:07Z", "20:14Z", "2026-12-01", "2026-12-01 20:14:07Z", "2026-12-01 20:14Z"),
        (AT_US + 999_999, "20:14:07Z", "20:14Z", "2026-12-01", "2026-12-01 20:14:07Z", "2026-12-01 20:14Z"),
        (0, "--:--", "--:--", "-", "-", "-"),
        (-1, "--:--", "--:--", "-", "-", "-"),
    ],
)
def test_a_moment(at_us: int, seconds: str, minutes: str, day: str, both: str, short: str) -> None:
    assert (clock(at_us), clock(at_us, seconds=False)) == (seconds, minutes)
    assert (date(at_us), stamp(at_us), stamp(at_us, seconds=False)) == (day, both, short)


@pytest.mark.parametrize(
    ("seconds", "words", "watch"),
    [
        (-3, "0 s", "0:00"),
        (0, "0 s", "0:00"),
        (59.9, "59 s", "0:59"),
        (60, "1 m 00 s", "1:00"),
        (3599, "59 m 59 s", "59:59"),
        (3600, "1 h 00 m", "1:00:00"),
        (3845, "1 h 04 m", "1:04:05"),
        (86_399, "23 h 59 m", "23:59:59"),
        (86_400, "1 d 00 h", "24:00:00"),
    ],
)
def test_a_length(seconds: float, words: str, watch: str) -> None:
    assert (span(seconds), stopwatch(seconds)) == (words, watch)


def test_a_distance() -> None:
    assert offset(AT_US, AT_US - 847 * SECOND_US) == "T+0:14:07"
    assert offset(AT_US - 847 * SECOND_US, AT_US) == "T-0:14:07"
    assert (ago(AT_US - 45 * SECOND_US, AT_US), ago(0, AT_US)) == ("45 s ago", "never")


def test_from_and_to_a_datetime() -> None:
    assert moment(AT_US) == datetime(2026, 12, 1, 20, 14, 7, tzinfo=UTC)
    assert micros(datetime(2026, 12, 1, 21, 14, 7, tzinfo=timezone(timedelta(hours=1)))) == AT_US


@pytest.mark.parametrize(
    ("text", "at_us"),
    [
        ("2026-12-01T20:14:07Z", AT_US),
        ("2026-12-01T22:14:07+02:00", AT_US),
        ("2026-12-01T20:14:07.250000Z", AT_US + 250_000),
        ("", 0),
        ("yesterday", 0),
    ],
)
def test_what_an_api_writes(text: str, at_us: int) -> None:
    assert micros_of(text) == at_us


ELSEWHERE = {"state/base/times.py", "state/fold/describe.py", "state/fold/world.py"}
"""The home itself; two files of the fold divide by the number, and are being rewritten."""


@pytest.mark.parametrize("room", ["state", "checks", "screens", "console"])
def test_a_second_has_one_home(room: str) -> None:
    found = []
    for path in sorted((ROOT / room).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if name in ELSEWHERE or "/rehearsal/" in name:  # a simulator knows nothing of ours
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value == 1_000_000 and type(node.value) is int:
                found.append(f"{name}:{node.lineno}")
            if isinstance(node, ast.Attribute) and node.attr == "strftime":
                found.append(f"{name}:{node.lineno} strftime")
    assert found == []
