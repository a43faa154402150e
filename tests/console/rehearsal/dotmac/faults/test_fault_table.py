"""Every fault turns the item that it names, and no other.

What is wrong with a release is there in two forms. That of the release which the candidate replaces harms nobody;
the candidate's own turns its item before the promotion, by the look at staging, or right after it where it shows
only in production. Those of items that judge what the launch itself has seen need one: test_headless.py runs them.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from console.rehearsal.dotmac.faults.catalogue import FAULTS
from console.rehearsal.world.fault import Expect, Fault
from state.view.enums import Verdict
from tests.console.rehearsal.dotmac.faults.table import (
    OF_THE_LAUNCH,
    RELEASES,
    Judged,
    Looks,
    after,
    before,
    judge,
    live,
    release,
    with_faults,
)

WHOLE = os.environ.get("FAULT_TABLE") == "whole"
"""Judge also after the release what a fault of the gates before it does."""
JUDGED = [
    fault
    for fault in FAULTS
    if fault.item not in OF_THE_LAUNCH and fault.expect is not Expect.PASS and not fault.first
]
REPLACED = [fault for fault in FAULTS if fault.expect is Expect.PASS]
UNREACHABLE = {"certificate-missing-san", "ci-unknown-commit", "login-refused"}
"""Who cannot trust a certificate sends nothing: other items of that domain can't be judged, and don't pass. So can't
another stage where CI knows nothing, nor what asks as an account that can't log in."""
SAME_SOURCE = {"6.7": "package", "package": "6.7", "9.3": "6.2"}
"""Two that stand on the same: the registry, the values files, and production's health after the release."""
NOT_THE_CANDIDATE = {"worker-other-digest-candidate"}
"""What runs is something else than the candidate: nothing is said of how that behaves, by any item."""
FOUR = ("csp-missing", "cors-any-origin", "user-lists-tenants", "docs-public")


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped world just before the production release, in which every item passes."""
    return _healthy(tmp_path_factory.mktemp("staged"), before)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped world just after the production release, in which every item passes."""
    return _healthy(tmp_path_factory.mktemp("released"), after)


def _healthy(folder: Path, looks: Looks) -> Path:
    """Make a world without a fault; where an item of it doesn't pass, no fault can be judged by it."""
    template = folder / "good"
    asyncio.run(release(template, production=looks is after))
    assert _judge(template, folder / "judged", (), looks) == {}, "the healthy world is not healthy"
    return template


def _judge(
    template: Path, folder: Path, faults: tuple[Fault, ...], looks: Looks, *, as_it_is: bool = False
) -> dict[str, Judged]:
    """Return what didn't pass, by item."""
    names = [fault.name for fault in faults]
    if any(fault.prepare is not None for fault in faults):
        asyncio.run(release(folder, *names, production=looks is after))
    else:
        with_faults(template, folder, *names)
    judged = asyncio.run(judge(folder, looks, as_it_is=as_it_is))
    return {i: o for i, o in judged.items() if o.verdict is not Verdict.PASS}


def test_without_a_fault_every_item_passes(staged: Path, released: Path) -> None:
    assert staged.is_dir()
    assert released.is_dir()


@pytest.mark.parametrize("fault", JUDGED, ids=lambda fault: str(fault.name))
def test_a_fault_turns_its_item_and_no_other(
    fault: Fault, staged: Path, released: Path, tmp_path: Path
) -> None:
    late = fault.live or ("." in fault.item and int(fault.item.partition(".")[0]) >= RELEASES)
    changed = _judge(staged, tmp_path / "before", (fault,), before) if not late or WHOLE else {}
    assert not (late and changed), f"it shows before the release: {changed}"
    if late or WHOLE:
        changed |= _judge(released, tmp_path / "after", (fault,), after)
    assert fault.item in changed, f"{fault.item} does not notice; changed: {changed}"
    own = changed.pop(fault.item)
    assert own.verdict.value == fault.expect.value, own.words
    assert 15 < len(own.words) < 400
    assert "\n" not in own.words
    changed.pop(SAME_SOURCE.get(fault.item, ""), None)
    if fault.name in UNREACHABLE | NOT_THE_CANDIDATE:
        changed = {i: one for i, one in changed.items() if one.verdict is not Verdict.UNKNOWN}
    assert changed == {}


def test_a_candidate_with_four_faults_fails_by_four_names_in_staging(staged: Path, tmp_path: Path) -> None:
    four = tuple(fault for fault in FAULTS if fault.name in {f"{name}-candidate" for name in FOUR})
    changed = _judge(staged, tmp_path / "four", four, before)
    assert {item: one.verdict for item, one in changed.items()} == dict.fromkeys(
        ("3.2", "3.5", "5.2", "5.4"), Verdict.FAIL
    )


def test_what_is_wrong_with_the_release_before_harms_nobody(
    staged: Path, released: Path, tmp_path: Path
) -> None:
    kept = tuple(fault for fault in REPLACED if fault.prepare is None)
    made = tuple(fault for fault in REPLACED if fault.prepare is not None)
    assert _judge(staged, tmp_path / "before", kept, before) == {}
    assert _judge(released, tmp_path / "after", kept, after) == {}
    assert _judge(staged, tmp_path / "made", made, after) == {}
    # They are wrong all the same: whoever judges what production runs now sees each of them.
    seen = _judge(staged, tmp_path / "now", kept, live, as_it_is=True)
    assert {fault.item for fault in kept} <= seen.keys()
    seen = _judge(staged, tmp_path / "then", made, live, as_it_is=True)
    assert {fault.item for fault in made if fault.item != "6.7"} <= seen.keys()


def test_every_fault_of_a_release_is_there_in_both_forms() -> None:
    candidates = {fault.name.removesuffix("-candidate") for fault in JUDGED if "-candidate" in fault.name}
    assert {fault.name for fault in REPLACED} <= candidates
    assert len(REPLACED) >= 45
