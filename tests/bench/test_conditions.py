from __future__ import annotations

from tests.bench.conditions import measure


def test_the_engine_and_the_reference_agree() -> None:
    """Sixty of the hours that ``make bench`` generates two thousand of."""
    found = measure(60, seed=1)
    assert found.differences == ()
    assert found.trips > 8
