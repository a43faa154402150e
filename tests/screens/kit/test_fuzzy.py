"""What somebody means by a few letters, of commands, operations and items."""

from __future__ import annotations

import pytest

from screens.kit.fuzzy import found

OPTIONS = (
    "Deploy the candidate to staging",
    "Deploy the candidate to PRODUCTION",
    "Rollback production to revision 41",
    "Run the checks of item 3.2 CSP reviewed",
    "Run the checks of item 3.3 Rate limits",
    "Hold the launch",
    "Acknowledge the trip",
)


@pytest.mark.parametrize(
    ("typed", "first", "count"),
    [
        ("rollbk", "Rollback production to revision 41", 1),
        ("stg dep", "Deploy the candidate to staging", 1),
        ("dep prod", "Deploy the candidate to PRODUCTION", 1),
        ("prod", "Rollback production to revision 41", 2),  # its word stands nearer to the beginning
        ("3.2", "Run the checks of item 3.2 CSP reviewed", 1),
        ("HOLD", "Hold the launch", 1),
        ("ackn", "Acknowledge the trip", 1),
        ("  ", OPTIONS[0], len(OPTIONS)),
        ("llba", "Rollback production to revision 41", 1),  # inside of a word, as it stands
        ("bkrll", None, 0),  # its letters, but not in order
        ("rollbk staging", None, 0),  # every part must fit
    ],
)
def test_a_few_letters_find_what_is_meant(typed: str, first: str | None, count: int) -> None:
    names = found(typed, OPTIONS, str)
    assert len(names) == count, names
    assert (names[0] if names else None) == first
