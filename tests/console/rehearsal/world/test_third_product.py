"""A third product is a folder: a world opens with one that only these tests know, and it is launched."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from console.rehearsal.autopilot.headless import HeadlessRequest, run
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.world.fault import UnknownFaultError
from console.rehearsal.world.folder import WorldError
from console.rehearsal.world.product import Product
from console.rehearsal.world.world import World
from state.base.json import obj
from state.runbook.environment import Tier
from state.runbook.load import load_runbook
from tests.console.rehearsal.ticker.product import RUNBOOK, Ticker
from tests.console.rehearsal.worlds import measure

pytestmark = pytest.mark.timeout(300)


def alone(_: Path | None) -> Sequence[Product]:
    return (Ticker(),)


def beside(_: Path | None) -> Sequence[Product]:
    return (Dotmac(), Ticker())


@pytest.mark.parametrize("choose", [alone, beside])
async def test_it_seeds_releases_serves_and_is_scraped(tmp_path: Path, choose: object) -> None:
    assert callable(choose)
    world = World.open(tmp_path / "w", choose, seed=3, rate=60.0, runbook=RUNBOOK)
    try:
        await world.start()
        ticker = world.product(Ticker)
        for tier, space in ticker.namespaces.items():
            assert len(world.store.scan("pods", space)) == 2
            made = obj(obj(world.store.peek("namespaces", "", space))["metadata"])["labels"]
            assert obj(made)["made-by"] == "ticker"
            trusted = ssl.create_default_context(cafile=str(world.authority.ca_file))
            async with httpx.AsyncClient(verify=trusted) as client:
                answer = await client.get(
                    world.url(f"ticker-{tier}"), extensions={"sni_hostname": world_host(ticker, tier)}
                )
            assert answer.text == f"tick {tier}"
        await world.clock.sleep(60)
        assert await measure(world, 'sum(rate(ticks_total{namespace="tick-live"}[1m]))') == pytest.approx(
            20, rel=0.3
        )
        assert await measure(world, "prometheus_build_info") == 1
        book = load_runbook(world.runbook_path).runbook
        assert book.scope.title == "REHEARSAL: Ticker"
        assert [environment.title for environment in book.environments.values()] == [
            "rehearsal staging",
            "REHEARSAL PRODUCTION",
        ]
        assert list(book.candidate.images.named()) == ["clock"]
        if choose is alone:
            assert world.describe()["chart"] == str(ticker.chart)
            with pytest.raises(LookupError, match="no Dotmac"):
                world.product(Dotmac)
    finally:
        await world.stop()


def world_host(ticker: Ticker, tier: Tier) -> str:
    return str(ticker._domain(tier)["host"])


def test_its_faults_are_its_own(tmp_path: Path) -> None:
    assert [(fault.name, fault.item) for fault in Ticker().faults()] == [("ticks-late", "2.2")]
    with pytest.raises(UnknownFaultError, match="did you mean ticks-late"):
        World.open(tmp_path / "w", alone, faults=("tick-late",))
    with pytest.raises(
        WorldError, match="csp-weak is one of the SOP's platform: with this runbook there are ticks-late"
    ):
        World.open(tmp_path / "w", beside, faults=("csp-weak",))
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize(
    ("faults", "code", "gates"),
    [((), 0, "1 GO  2 GO"), (("ticks-late",), 14, "1 GO  2 NO-GO")],
    ids=["good", "late"],
)
async def test_it_is_launched_and_its_fault_takes_it_back(
    tmp_path: Path, faults: Sequence[str], code: int, gates: str, capsys: pytest.CaptureFixture[str]
) -> None:
    request = HeadlessRequest(tmp_path / "a.lclog", faults, 3, 0, as_json=False)
    assert await run(request, alone) == code
    assert f"\n{gates}\n" in capsys.readouterr().out
