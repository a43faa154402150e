"""Every fault turns the item that it names, and no other; a good but odd world turns none.

What is wrong with a release is there in two forms. That of the release which the candidate replaces harms nobody;
the candidate's own turns its item before the promotion, by the look at staging, or right after it where it shows
only in production. Those of items that judge what the launch itself has seen need one: test_headless.py runs them.

A tenth of the table is drawn each time, and judged by the fault's own item and some others. ``make faults`` judges
all of it by every item; ``FAULT_TABLE=csp-missing-candidate,odd:mesh`` judges those, and ``FAULT_SEED`` draws again
what was drawn.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from console.rehearsal.dotmac.faults.catalogue import FAULTS
from console.rehearsal.dotmac.odd import ODD
from console.rehearsal.world.fault import Expect, Fault
from state.view.enums import Verdict
from tests import drawing
from tests.console.rehearsal.dotmac.faults.standing import Standing, standing
from tests.console.rehearsal.dotmac.faults.table import (
    OF_THE_LAUNCH,
    RELEASES,
    Judged,
    Looks,
    after,
    before,
    judge,
    live,
    promote,
    release,
    with_faults,
)

pytestmark = pytest.mark.timeout(900)
"""A busy machine judges a world in a minute, and not in seconds."""
NAMED = os.environ.get("FAULT_TABLE", "")
JUDGED = [
    fault
    for fault in FAULTS
    if fault.item not in OF_THE_LAUNCH and fault.expect is not Expect.PASS and not fault.first
]
TABLE = (*JUDGED, *ODD)
CHOSEN = [fault for fault in TABLE if NAMED == "whole" or fault.name in NAMED.split(",")]
DRAWN, OTHERS = 10, 3
"""One in so many is drawn, and judged by so many other items."""
REPLACED = [fault for fault in FAULTS if fault.expect is Expect.PASS]
UNREACHABLE = {"certificate-missing-san", "ci-unknown-commit", "login-refused"}
"""Who cannot trust a certificate sends nothing: other items of that domain can't be judged, and don't pass. So can't
another stage where CI knows nothing, nor what asks as an account that can't log in."""
SAME_SOURCE = {
    "6.7": {"package", "8.1"},
    "package": {"6.7"},
    "9.3": {"6.2"},
    "6.2": {"9.3"},
    "10.1": {"8.3"},
    "8.1": {"6.2"},
    "2.1": {"1.2"},
    "2.2": {"1.2"},
}
"""Two that stand on the same: the registry, the values files, production's health after the release; a module that is
neither in scope nor off."""
NOT_THE_CANDIDATE = {
    "worker-other-digest-candidate",
    "worker-loaded-by-hand",
    "image-imported",
    "previous-by-platform",
    "another-part-by-platform",
}
"""What runs is something else than the candidate: nothing is said of how that behaves, by any item."""
FOUR = ("csp-missing", "cors-any-origin", "user-lists-tenants", "docs-public")


def is_late(fault: Fault) -> bool:
    """Return whether a fault shows only after the production release."""
    return fault.live or ("." in fault.item and int(fault.item.partition(".")[0]) >= RELEASES)


@dataclass(slots=True)
class Worlds:
    """A world just before the production release and one just after it, both open, in which every item passes."""

    folder: Path
    stack: AsyncExitStack
    _open: dict[Looks, Standing]

    async def judge(self, *faults: Fault, others: Collection[str] | None = None) -> dict[str, Judged]:
        """Return what doesn't pass with faults of one kind: of all items, or of the faults' own and these."""
        looks = after if is_late(faults[0]) else before
        if looks not in self._open:
            self._open[looks] = await self._good(looks)
        items = None if others is None else {*(fault.item for fault in faults), *others}
        judged = await self._open[looks].judge(faults, items)
        return {item: one for item, one in judged.items() if one.verdict is not Verdict.PASS}

    async def _good(self, looks: Looks) -> Standing:
        staged = self.folder / "staged"
        if not staged.exists():
            await release(staged, production=False)
        template = staged
        if looks is after:
            template = self.folder / "released"
            await promote(staged, template)
        folder = self.folder / ("late" if looks is after else "early")
        folder.mkdir()
        one = await self.stack.enter_async_context(standing(template, folder, looks))
        judged = await one.judge((), None)
        bad = {item: found for item, found in judged.items() if found.verdict is not Verdict.PASS}
        assert bad == {}, "the healthy world is not healthy"
        return one


@asynccontextmanager
async def worlds(folder: Path) -> AsyncIterator[Worlds]:
    async with AsyncExitStack() as stack:
        yield Worlds(folder, stack, {})


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[asyncio.Runner, Worlds]]:
    """Worlds that stay open for all of the table, and the loop that they live in."""
    with asyncio.Runner() as runner:
        opened = worlds(tmp_path_factory.mktemp("table"))
        yield runner, runner.run(opened.__aenter__())
        runner.run(opened.__aexit__(None, None, None))


def right(fault: Fault, changed: dict[str, Judged]) -> str:
    """Return what is wrong with what a fault changed, or nothing."""
    changed = dict(changed)
    if fault.is_odd:
        return f"{changed} in a world in which nothing is wrong" if changed else ""
    own = changed.pop(fault.item, None)
    if own is None:
        return f"{fault.item} does not notice; changed: {changed}"
    if own.verdict.value != fault.expect.value:
        return f"{fault.item} is {own.verdict}: {own.words}"
    if not 15 < len(own.words) < 400 or "\n" in own.words:
        return f"{fault.item} says {own.words!r}"
    for item in SAME_SOURCE.get(fault.item, ()):
        changed.pop(item, None)
    if fault.name in UNREACHABLE | NOT_THE_CANDIDATE:
        changed = {i: one for i, one in changed.items() if one.verdict is not Verdict.UNKNOWN}
    return f"other items change too: {changed}" if changed else ""


@pytest.mark.parametrize("fault", CHOSEN, ids=lambda fault: str(fault.name))
def test_a_fault_turns_its_item_and_no_other(fault: Fault, kept: tuple[asyncio.Runner, Worlds]) -> None:
    runner, opened = kept
    assert right(fault, runner.run(opened.judge(fault))) == ""


def drawn(seed: int) -> list[Fault]:
    """Return a tenth of the table; of those for which the candidate is released anew only one."""
    dice = Random(seed)
    cheap = [fault for fault in TABLE if fault.prepare is None]
    dear = [fault for fault in TABLE if fault.prepare is not None]
    return [*dice.sample(cheap, len(TABLE) // DRAWN), dice.choice(dear)]


def together(faults: Sequence[Fault]) -> list[list[Fault]]:
    """Return faults in batches that can be in one world at once: each is of another item, and disturbs no other.

    Odd worlds go with one another: nothing turns. That of each batch the named items turn, and no other, is less than
    ``make faults`` shows, which has every fault alone.
    """
    batches: list[list[Fault]] = []
    for fault in faults:
        alone = fault.prepare is not None or fault.name in UNREACHABLE | NOT_THE_CANDIDATE
        for batch in batches if not alone else ():
            first = batch[0]
            if (
                (is_late(first), first.is_odd) == (is_late(fault), fault.is_odd)
                and first.prepare is None
                and first.name not in UNREACHABLE | NOT_THE_CANDIDATE
                and fault.item not in {one.item for one in batch}
            ):
                batch.append(fault)
                break
        else:
            batches.append([fault])
    return batches


@pytest.mark.skipif(bool(NAMED), reason="the chosen ones are judged")
async def test_a_tenth_of_the_table(tmp_path: Path) -> None:
    seed = drawing.seed(os.environ.get("FAULT_SEED", ""))
    print(f"FAULT_SEED={seed}")  # noqa: T201  draws the same again
    dice, wrong = Random(seed), {}
    items = sorted({fault.item for fault in TABLE if not is_late(fault)})
    async with worlds(tmp_path) as opened:
        for batch in together(drawn(seed)):
            changed = await opened.judge(*batch, others=dice.sample(items, OTHERS))
            named = {fault.item for fault in batch}
            for fault in batch:
                own = {
                    i: one for i, one in changed.items() if i == fault.item or i not in named or fault.is_odd
                }
                if words := right(fault, own):
                    wrong[fault.name] = words
    assert wrong == {}, f"FAULT_SEED={seed} draws the same again"


def test_the_draw_is_repeatable_and_a_tenth() -> None:
    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)
    assert len(drawn(7)) == len(TABLE) // DRAWN + 1
    assert sum(fault.prepare is not None for fault in drawn(9)) == 1
    batches = together(drawn(7))
    assert sorted(fault.name for batch in batches for fault in batch) == sorted(f.name for f in drawn(7))
    assert all(len({fault.item for fault in batch}) == len(batch) for batch in batches)


async def test_a_fault_that_was_taken_out_leaves_nothing(tmp_path: Path) -> None:
    """Faults of each kind, one after the other in one world: afterwards all that they turned passes again."""
    names = (
        "secret-short",
        "csp-missing-candidate",
        "kube-403",
        "worker-prefix",
        "backup-empty",
        "roles-not-seeded",
    )
    chosen = [fault for fault in TABLE if fault.name in names]
    items = {fault.item for fault in chosen}
    async with worlds(tmp_path) as opened:
        for fault in chosen:
            assert set(await opened.judge(fault, others=items)) == {fault.item}
        judged = await opened._open[before].judge((), items)
    assert {item: one for item, one in judged.items() if one.verdict is not Verdict.PASS} == {}


def _judge(
    template: Path, folder: Path, faults: tuple[Fault, ...], looks: Looks, *, as_it_is: bool = False
) -> dict[str, Judged]:
    """Return what didn't pass, by item, in a world of its own."""
    names = [fault.name for fault in faults]
    if any(fault.prepare is not None for fault in faults):
        asyncio.run(release(folder, *names, production=looks is after))
    else:
        with_faults(template, folder, *names)
    judged = asyncio.run(judge(folder, looks, as_it_is=as_it_is))
    return {i: o for i, o in judged.items() if o.verdict is not Verdict.PASS}


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped world just before the production release."""
    template = tmp_path_factory.mktemp("staged") / "good"
    asyncio.run(release(template, production=False))
    return template


@pytest.fixture(scope="module")
def released(staged: Path) -> Path:
    """A stopped world just after the production release."""
    template = staged.parent / "released"
    asyncio.run(promote(staged, template))
    return template


def test_a_candidate_with_four_faults_fails_by_four_names_in_staging(staged: Path, tmp_path: Path) -> None:
    four = tuple(fault for fault in FAULTS if fault.name in {f"{name}-candidate" for name in FOUR})
    changed = _judge(staged, tmp_path / "four", four, before)
    assert {item: one.verdict for item, one in changed.items()} == dict.fromkeys(
        ("3.2", "3.5", "5.2", "5.4"), Verdict.FAIL
    )


@pytest.mark.skipif(NAMED != "whole", reason="make faults")
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
    assert len(REPLACED) >= 90
