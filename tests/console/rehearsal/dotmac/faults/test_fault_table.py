"""Every fault turns the item that it names, and no other.

Those of items that judge what the launch itself has seen need one: test_headless.py runs them.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from console.rehearsal.dotmac.faults.catalogue import FAULTS
from console.rehearsal.world.fault import Fault
from state.view.enums import Verdict
from tests.console.rehearsal.dotmac.faults.table import OF_THE_LAUNCH, Judged, judge, release, with_fault

BEFORE, AFTER = range(1, 9), range(9, 11)
"""Gates that are judged before the production release, and after it."""
WHOLE = os.environ.get("FAULT_TABLE") == "whole"
"""Judge also after the release what a fault of the gates before it does."""
JUDGED = [fault for fault in FAULTS if fault.item not in OF_THE_LAUNCH]
UNREACHABLE = {"certificate-missing-san", "ci-unknown-commit"}
"""Who cannot trust a certificate sends nothing: other items of that domain can't be judged, and don't pass. So can't
another stage where CI knows nothing."""
SAME_SOURCE = {"6.7": "package"}
"""A stage that stands on what an item looks at too: the registry, and the values files."""


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped world just before the production release, in which every item passes."""
    return _healthy(tmp_path_factory.mktemp("staged"), BEFORE)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped world just after the production release, in which every item passes."""
    return _healthy(tmp_path_factory.mktemp("released"), AFTER)


def _healthy(folder: Path, gates: range) -> Path:
    """Make a world without a fault; where an item of it doesn't pass, no fault can be judged by it."""
    template = folder / "good"
    asyncio.run(release(template, production=gates is AFTER))
    assert _judge(template, folder / "judged", None, gates) == {}, "the healthy world is not healthy"
    return template


def _judge(template: Path, folder: Path, fault: Fault | None, gates: range) -> dict[str, Judged]:
    """Return what didn't pass, by item."""
    if fault is None or fault.prepare is None:
        with_fault(template, folder, fault.name if fault else "")
    else:
        asyncio.run(release(folder, fault.name, production=gates is AFTER))
    return {i: o for i, o in asyncio.run(judge(folder, gates)).items() if o.verdict is not Verdict.PASS}


def test_without_a_fault_every_item_passes(staged: Path, released: Path) -> None:
    assert staged.is_dir()
    assert released.is_dir()


@pytest.mark.parametrize("fault", JUDGED, ids=lambda fault: str(fault.name))
def test_a_fault_turns_its_item_and_no_other(
    fault: Fault, staged: Path, released: Path, tmp_path: Path
) -> None:
    late = "." in fault.item and int(fault.item.partition(".")[0]) in AFTER
    changed = {} if late else _judge(staged, tmp_path / "before", fault, BEFORE)
    if late or WHOLE:
        changed |= _judge(released, tmp_path / "after", fault, AFTER)
    assert fault.item in changed, f"{fault.item} does not notice; changed: {changed}"
    own = changed.pop(fault.item)
    assert own.verdict.value == fault.expect.value, own.words
    assert 15 < len(own.words) < 400
    assert "\n" not in own.words
    changed.pop(SAME_SOURCE.get(fault.item, ""), None)
    if fault.name in UNREACHABLE:
        changed = {i: one for i, one in changed.items() if one.verdict is not Verdict.UNKNOWN}
    assert changed == {}
