"""Every fault turns the item that it names, and no other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from console.rehearsal.fault import Fault
from console.rehearsal.faults import FAULTS
from state.verdict import Verdict
from tests.rehearsal.table import OF_THE_LAUNCH, Judged, judge, release, with_fault

# The SOP asks the same of production twice: before the release and after it.
TWINS = {"6.2": {"9.3"}, "9.3": {"6.2"}, "7.2": {"9.2"}}
JUDGED = [fault for fault in FAULTS if fault.item not in OF_THE_LAUNCH]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped world in which everything is released and good."""
    folder = tmp_path_factory.mktemp("world") / "good"
    asyncio.run(release(folder))
    return folder


def _not_passed(found: dict[str, Judged]) -> dict[str, Judged]:
    return {item: one for item, one in found.items() if one.verdict is not Verdict.PASS}


def test_without_a_fault_every_item_passes(released: Path, tmp_path: Path) -> None:
    with_fault(released, tmp_path / "w", "")
    assert _not_passed(asyncio.run(judge(tmp_path / "w"))) == {}


@pytest.mark.parametrize("fault", JUDGED, ids=lambda fault: str(fault.name))
def test_a_fault_turns_its_item_and_no_other(fault: Fault, released: Path, tmp_path: Path) -> None:
    if fault.prepare is None:
        with_fault(released, tmp_path / "w", fault.name)
    else:
        asyncio.run(release(tmp_path / "w", fault.name))
    changed = _not_passed(asyncio.run(judge(tmp_path / "w")))
    assert fault.item in changed, f"{fault.item} does not notice; changed: {changed}"
    own = changed[fault.item]
    assert own.verdict.value == fault.expect.value, own.words
    assert own.words
    assert "\n" not in own.words
    assert set(changed) - {fault.item} <= TWINS.get(fault.item, set()), changed
