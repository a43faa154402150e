"""Every fault that shows before the release: its own item notices, in words, and no other item changes.

Faults of different items share a world, so that a hundred of them take seconds.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from console.rehearsal.fault import Fault
from console.rehearsal.faults import FAULTS
from state.verdict import Verdict
from tests.checks.sop import ALSO, BEFORE_RELEASE, by_item, staged, told

LATER = {"customer-flow-500"}
"""Shows only when the candidate is live."""
UNTRUSTED = {"certificate-missing-san", "certificate-expired", "certificate-self-signed"} & {
    f.name for f in FAULTS
}
"""Nothing behind an untrusted certificate is believed, so what would have been asked there is unknown."""
SHARED = {
    "prometheus-down",
    "prometheus-html",
    "condition-without-metric",
    "release-pending",
    "window-over",
    "two-releases",
    "audit-off",
    "audit-late",
    "audit-hidden",
    "objectstore-down",
    "registry-down",
}
"""They change what other faults need in order to show."""


def _early(fault: Fault) -> bool:
    gate = fault.item.partition(".")[0]
    return (gate in BEFORE_RELEASE or fault.item in ALSO) and fault.name not in LATER | UNTRUSTED


def _groups() -> list[list[Fault]]:
    """Return the faults in as few groups as hold at most one fault of each item."""
    groups: list[list[Fault]] = []
    for fault in filter(_early, FAULTS):
        alone = fault.name in SHARED
        free = (
            group
            for group in groups
            if not alone
            and all(one.item != fault.item and one.name not in SHARED for one in group)
            and (fault.prepare is None or all(one.prepare is None for one in group))
        )
        group = next(free, None)
        if group is None:
            groups.append([fault])
        else:
            group.append(fault)
    return groups


@pytest.mark.parametrize("group", _groups(), ids=lambda group: f"{group[0].name} and {len(group) - 1} more")
async def test_its_own_item_notices_and_no_other(group: list[Fault], tmp_path: Path) -> None:
    async with staged(tmp_path, [fault.name for fault in group]) as stage:
        seen = await stage.sweep()
    verdicts = by_item(seen)
    expected = {fault.item: Verdict(fault.expect) for fault in group}
    wrong = {
        item: (verdict, told(seen, item))
        for item, verdict in verdicts.items()
        if verdict is not expected.get(item, Verdict.PASS)
    }
    assert wrong == {}
    for fault in group:
        assert all(len(words) > 15 for words in told(seen, fault.item))


@pytest.mark.parametrize("name", sorted(UNTRUSTED))
async def test_an_untrusted_certificate_fails_its_item_and_blinds_the_rest(name: str, tmp_path: Path) -> None:
    async with staged(tmp_path, [name]) as stage:
        verdicts = by_item(await stage.sweep())
    assert verdicts["6.1"] is Verdict.FAIL
    assert {item for item, verdict in verdicts.items() if verdict is Verdict.FAIL} == {"6.1"}
