from __future__ import annotations

from tests.bench.conditions import measure


def test_no_trip_is_false_missed_or_late() -> None:
    """Forty of the hours that ``make bench`` generates a thousand of."""
    found = measure(40, seed=1)
    assert (found.false, found.missed, found.late) == (0, 0, 0)
    assert found.trips
