"""When production is frozen: once, and every week by the clock of a place, over midnight and where it is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.runbook.window import Freeze, RecurringFreeze, Weekday, frozen, frozen_between
from tests.state.runbook.test_shape import edited, told

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")


def weekly(
    days: str = "fri sat sun", start: str = "16:00", end: str = "08:00", zone: str = BERLIN.key
) -> RecurringFreeze:
    return RecurringFreeze.model_validate(
        {"weekdays": days.split(), "from": start, "to": end, "timezone": zone, "reason": "the weekend"}
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        ("2026-12-03T20:00:00+01:00", None),  # a Thursday
        ("2026-12-04T15:59:59+01:00", None),
        ("2026-12-04T16:00:00+01:00", "2026-12-05T08:00:00+01:00"),
        ("2026-12-05T07:59:59+01:00", "2026-12-05T08:00:00+01:00"),
        ("2026-12-05T08:00:00+01:00", None),
        ("2026-12-07T07:59:00+01:00", "2026-12-07T08:00:00+01:00"),  # Sunday's, on Monday morning
        ("2026-12-07T16:30:00+01:00", None),
        ("2026-12-04T15:30:00+00:00", "2026-12-05T08:00:00+01:00"),  # the same moment, written in UTC
        ("2026-07-03T14:30:00+00:00", "2026-07-04T08:00:00+02:00"),  # in summer 16:00 is an hour earlier
        ("2026-07-03T13:30:00+00:00", None),
    ],
)
def test_every_week_over_midnight(moment: str, until: str | None) -> None:
    found = frozen([weekly()], at(moment))
    assert (found.end if found is not None else None) == (at(until) if until is not None else None)


@pytest.mark.parametrize(
    ("start", "end", "begins", "ends"),
    [
        # 2026-03-29 has no 02:00 to 03:00 in Berlin: frozen as long as it can be meant.
        ("02:30", "04:00", "2026-03-29T00:30:00+00:00", "2026-03-29T02:00:00+00:00"),
        ("01:00", "02:30", "2026-03-29T00:00:00+00:00", "2026-03-29T01:30:00+00:00"),
        ("00:00", "24:00", "2026-03-28T23:00:00+00:00", "2026-03-29T22:00:00+00:00"),
        # 2026-10-25 has it twice.
        ("02:30", "04:00", "2026-10-25T00:30:00+00:00", "2026-10-25T03:00:00+00:00"),
        ("01:00", "02:30", "2026-10-24T23:00:00+00:00", "2026-10-25T01:30:00+00:00"),
        ("00:00", "24:00", "2026-10-24T22:00:00+00:00", "2026-10-25T23:00:00+00:00"),
    ],
)
def test_the_day_on_which_the_clock_is_changed(start: str, end: str, begins: str, ends: str) -> None:
    freeze = weekly("sun", start, end)
    day = at(begins) - timedelta(hours=12)
    (found,) = frozen_between([freeze], day, day + timedelta(hours=36))
    assert (found.start.astimezone(UTC), found.end.astimezone(UTC)) == (at(begins), at(ends))


@given(
    st.sets(st.sampled_from([*Weekday]), min_size=1),
    st.integers(0, 24 * 60 - 1),
    st.integers(0, 24 * 60 - 1),
    st.sampled_from(ZONES),
    st.integers(0, 2 * 365 * 24 * 60),
)
def test_a_moment_is_frozen_as_its_place_tells_the_time(
    days: set[Weekday], start: int, end: int, zone: str, minutes: int
) -> None:
    freeze = weekly(" ".join(days), _clock(start), _clock(end), zone)
    moment = at("2026-01-01T00:00:00Z") + timedelta(minutes=minutes)
    local = moment.astimezone(ZoneInfo(zone))
    if any(
        (moment + timedelta(hours=h)).astimezone(local.tzinfo).utcoffset() != local.utcoffset()
        for h in (-36, 36)
    ):
        return  # near a change of the clock, which has its own table
    minute, today = local.hour * 60 + local.minute, [*Weekday][local.weekday()]
    yesterday = [*Weekday][local.weekday() - 1]
    if end > start:
        expected = today in days and start <= minute < end
    else:
        expected = (today in days and minute >= start) or (yesterday in days and minute < end)
    assert (frozen([freeze], moment) is not None) is expected


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def test_of_several_the_one_that_ends_last_is_told() -> None:
    once = Freeze(start=at("2026-12-04T12:00:00Z"), end=at("2026-12-04T20:00:00Z"), reason="closing")
    found = frozen([once, weekly()], at("2026-12-04T16:00:00Z"))
    assert found is not None
    assert found.until == "until 2026-12-05 08:00 CET: the weekend"
    between = frozen_between([weekly(), once], at("2026-12-04T00:00:00Z"), at("2026-12-05T12:00:00Z"))
    assert [one.words for one in between] == [
        "2026-12-04 12:00 to 20:00 UTC: closing",
        "2026-12-04 16:00 to 2026-12-05 08:00 CET: the weekend",
    ]


WEEKLY = 'weekdays: [fri], from: "16:00", to: "08:00", timezone: Europe/Berlin, reason: x'
ONCE = "# freezes: [{ start: 2026-12-20T00:00:00Z, end: 2027-01-04T00:00:00Z, reason: Christmas trade }]"


@pytest.mark.parametrize(
    ("freeze", "key", "words"),
    [
        (
            WEEKLY.replace("Berlin", "Berlinn"),
            "timezone",
            "there is no time zone 'Europe/Berlinn': one such as",
        ),
        (WEEKLY.replace("Europe/Berlin", "Europe"), "timezone", "there is no time zone 'Europe'"),
        (WEEKLY.replace("Europe/Berlin", "../zone.tab"), "timezone", "there is no time zone"),
        (WEEKLY.replace('"16:00"', "16"), "from", 'a time of day such as "16:00" was expected'),
        (WEEKLY.replace('"16:00"', '"25:00"'), "from", 'a time of day such as "16:00" was expected'),
        (WEEKLY.replace("[fri]", "[]"), "weekdays", "at least one day was expected"),
        (WEEKLY.replace("[fri]", "[friday]"), "weekdays.0", "expected mon, tue, wed"),
        (WEEKLY.replace("timezone: Europe/Berlin, ", ""), "timezone", "is missing"),
        ("start: 2026-12-20T00:00:00Z, reason: x", "end", "is missing"),
        ("start: 2026-12-20T00:00:00Z, end: 2026-12-19T00:00:00Z, reason: x", "", "ends after it starts"),
    ],
)
def test_a_wrong_freeze_is_one_message_at_its_key(freeze: str, key: str, words: str, tmp_path: Path) -> None:
    problems = told(edited(tmp_path, (ONCE, f"freezes: [{{ {freeze} }}]")))
    (place,) = problems
    assert place.removeprefix("scope.freezes.0").removeprefix(".") == key
    assert words in problems[place]


def test_hours_may_be_left_out_and_stand_without_quotes(tmp_path: Path) -> None:
    from state.runbook.load import load_runbook

    text = (
        "freezes: [{ weekdays: [sat, sun], timezone: UTC, reason: x }, "
        "{ weekdays: [fri], from: 16:00, to: 24:00, timezone: UTC, reason: y }]"
    )
    freezes = load_runbook(edited(tmp_path, (ONCE, text))).runbook.scope.freezes
    day = at("2026-12-04T00:00:00Z")  # a Friday
    assert [one.words for one in frozen_between(freezes, day, day + timedelta(days=3))] == [
        "2026-12-04 16:00 to 2026-12-05 00:00 UTC: y",
        "2026-12-05 00:00 to 2026-12-06 00:00 UTC: x",
        "2026-12-06 00:00 to 2026-12-07 00:00 UTC: x",
    ]
