"""Which revision a release comes back to, whatever helm's history went through."""

from __future__ import annotations

import pytest

from console.engine.operations.verdict.helm_history import Revision, newest_good

_FAILED = 'Rollback "shop" failed: conflict with "kubectl" with subresource "scale"'
_UPGRADE_FAILED = 'Upgrade "shop" failed: context deadline exceeded'


def _history(*rows: tuple[str, str, str]) -> list[Revision]:
    """Return revisions of rows: status, description, what stands for the manifest."""
    return [
        Revision(number, status, description, 0, sha)
        for number, (status, description, sha) in enumerate(rows, start=1)
    ]


@pytest.mark.parametrize(
    ("history", "bad", "good"),
    [
        ([("deployed", "Install complete", "a")], (), 1),
        ([("superseded", "x", "a"), ("deployed", "y", "b")], (), 2),
        # failed upgrades: what was deployed before is so still
        ([("deployed", "x", "a"), ("failed", _UPGRADE_FAILED, "b")], (), 1),
        # a rollback supersedes what it replaces before it has done anything
        ([("superseded", "x", "a"), ("superseded", "y", "b"), ("failed", _FAILED, "a")], (), 1),
        (
            [
                ("superseded", "x", "a"),
                ("superseded", "y", "b"),
                ("superseded", _FAILED, "a"),
                ("failed", _FAILED, "a"),
            ],
            (),
            1,
        ),
        (
            [
                ("superseded", "x", "a"),
                ("superseded", "y", "b"),
                ("superseded", _FAILED, "a"),
                ("failed", _UPGRADE_FAILED, "b"),
            ],
            (),
            1,
        ),
        # and a revision that failed is superseded too, by the rollback after it
        (
            [
                ("superseded", "x", "a"),
                ("superseded", _UPGRADE_FAILED, "b"),
                ("superseded", _FAILED, "c"),
                ("failed", _FAILED, "a"),
            ],
            (),
            1,
        ),
        (
            [
                ("superseded", "x", "a"),
                ("superseded", "Preparing upgrade", "b"),
                ("failed", _FAILED, "a"),
            ],
            (),
            1,
        ),
        # helm was killed in the rollback
        (
            [("superseded", "x", "a"), ("superseded", "y", "b"), ("pending-rollback", "Rollback to 1", "a")],
            (),
            1,
        ),
        # its target is pruned: not what was to be replaced
        ([("superseded", "x", "a"), ("superseded", "y", "b"), ("failed", _FAILED, "z")], (), 1),
        # the newest of two with the manifest that is wanted
        (
            [
                ("superseded", "x", "a"),
                ("superseded", "y", "b"),
                ("superseded", "Rollback to 1", "a"),
                ("superseded", "y", "b"),
                ("failed", _FAILED, "a"),
            ],
            (),
            3,
        ),
        # this launch saw it fail, though helm calls it deployed
        ([("superseded", "x", "a"), ("deployed", "y", "b")], (2,), 1),
        ([("superseded", "x", "a"), ("superseded", "y", "b"), ("failed", _FAILED, "q")], (2,), 1),
        # nothing else is there
        ([("deployed", "y", "b")], (1,), 1),
        ([("failed", 'Release "shop" failed: x', "a")], (), None),
        ([("superseded", 'Release "shop" failed: x', "a"), ("failed", _FAILED, "b")], (), None),
        ([("pending-install", "Initial install underway", "a")], (), None),
        ([], (), None),
        # a person's own words are no words of helm's
        ([("superseded", "Preparing upgrades of the shop", "a"), ("failed", _UPGRADE_FAILED, "b")], (), 1),
    ],
)
def test_the_one_to_come_back_to(
    history: list[tuple[str, str, str]], bad: tuple[int, ...], good: int | None
) -> None:
    found = newest_good(_history(*history), bad)
    assert (found.number if found is not None else None) == good
