from __future__ import annotations

from tests.bench.conditions import measure


def test_the_engine_and_the_reference_agree() -> None:
    """A hundred and twenty of the hours that ``make bench`` generates two thousand of."""
    found = measure(120, seed=1)
    assert found.differences == ()
    assert found.trips > 20
