from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from console.rehearsal.cli import faults
from console.rehearsal.dotmac.faults.catalogue import FAULTS
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.odd import ODD
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.products import open_world
from console.rehearsal.world.fault import UnknownFaultError, named
from console.rehearsal.world.world import World
from state.runbook.load import load_runbook
from tests.console.rehearsal.worlds import helm, measure, running, until, upgrade
from tests.paths import SOP_RUNBOOK

OF_THE_LAUNCH = {"9.5", "10.3"}
ERRORS = (
    'sum(rate(dotmac_http_requests_total{namespace="dotmac-production",status_code=~"5.."}[1m]))'
    ' / sum(rate(dotmac_http_requests_total{namespace="dotmac-production"}[1m]))'
)
P95 = (
    "histogram_quantile(0.95, sum by (le) (rate(dotmac_http_request_duration_seconds_bucket"
    '{namespace="dotmac-production",endpoint!~"/(health.*|ready|metrics.*)"}[1m])))'
)


def test_the_catalogue_is_large_and_covers_the_items() -> None:
    assert len(FAULTS) >= 220
    assert len(ODD) >= 40
    assert len({fault.name for fault in (*FAULTS, *ODD)}) == len(FAULTS) + len(ODD)
    assert all(fault.is_odd == (fault in ODD) for fault in (*FAULTS, *ODD))
    counts = {"1": 4, "2": 3, "3": 6, "4": 3, "5": 4, "6": 7, "7": 3, "8": 4, "9": 5, "10": 3}
    items = {f"{gate}.{item}" for gate, last in counts.items() for item in range(1, last + 1)}
    assert items - {fault.item for fault in FAULTS} <= OF_THE_LAUNCH
    stages = {stage.id for stage in load_runbook(SOP_RUNBOOK).runbook.stages if stage.checks()}
    assert {fault.item for fault in ODD} <= items | stages
    assert {fault.item for fault in FAULTS} - items == stages == {"build", "test", "package"}


def test_every_fault_says_what_is_wrong_in_a_line() -> None:
    assert all(10 < len(fault.what) < 110 and not fault.what.endswith(".") for fault in (*FAULTS, *ODD))


@pytest.mark.parametrize("part", range(4))
async def test_every_fault_can_be_applied_and_applied_again(tmp_path: Path, part: int) -> None:
    chosen = [fault.name for fault in (*FAULTS, *ODD)][part::4]
    for _ in range(2):
        async with running(tmp_path / "w", *chosen) as world:
            assert world.kept.faults == tuple(chosen)


def test_a_name_that_is_not_there_is_answered_with_those_like_it() -> None:
    with pytest.raises(UnknownFaultError, match=r"no fault 'csp-week': did you mean csp-weak"):
        named("csp-week", FAULTS)
    with pytest.raises(UnknownFaultError, match="lists them"):
        open_world(Path("/nowhere"), 1, ["zzzzzzzzz"])


def test_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert faults.run(as_json=True) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [set(one) for one in listed] == [{"name", "item", "expect", "what"}] * (len(FAULTS) + len(ODD))
    assert {one["expect"] for one in listed} == {"fail", "unknown", "pass"}
    assert faults.run(as_json=False) == 0
    assert "bad-candidate" in capsys.readouterr().out


async def test_a_bad_candidate_hurts_once_it_is_live_and_a_rollback_cures_it(tmp_path: Path) -> None:
    async with running(tmp_path / "w", "bad-candidate", rate=200) as world:
        code, _, err = await helm(world, Env.STAGING, *upgrade(world, Env.STAGING))
        assert (code, err) == (0, "")
        await world.clock.sleep(120)
        assert await measure(world, ERRORS) < 0.01
        assert (await helm(world, Env.PRODUCTION, *upgrade(world, Env.PRODUCTION)))[0] == 0
        await world.clock.sleep(120)
        assert await measure(world, ERRORS) == pytest.approx(0.08, rel=0.3)
        assert await measure(world, P95) == pytest.approx(2.5, rel=0.2)
        assert world.product(Dotmac).settings[Env.PRODUCTION].flows.error_share == pytest.approx(0.08)
        await world.clock.sleep(240)
        async with httpx.AsyncClient(base_url=str(world.describe()["alertmanager"])) as client:
            alerts = (await client.get("/api/v2/alerts")).json()
        assert {alert["labels"]["alertname"] for alert in alerts} >= {"HighErrorRate"}
        assert any(note.receiver.name == "oncall-pager" for note in world.alertmanager.inbox)
        assert (await helm(world, Env.PRODUCTION, "rollback", "dotmac", "1", "--wait"))[0] == 0
        await world.clock.sleep(150)
        assert await measure(world, ERRORS) < 0.01
        assert await measure(world, P95) < 0.5


async def test_a_good_candidate_and_its_migration_change_nothing_but_the_version(tmp_path: Path) -> None:
    async with running(tmp_path / "w") as world:
        job = {
            "metadata": {"name": "m", "namespace": Env.PRODUCTION.namespace},
            "spec": _job_spec(world),
        }
        world.store.create("jobs", job)
        database = world.product(Dotmac).platforms[Env.PRODUCTION].database
        await until(world, lambda: database.revisions() == ("create_licensing_enums",))
        assert (await helm(world, Env.PRODUCTION, *upgrade(world, Env.PRODUCTION)))[0] == 0
        await world.clock.sleep(120)
        assert await measure(world, ERRORS) < 0.01


def _job_spec(world: World) -> object:
    cronjob = world.store.get("cronjobs", Env.PRODUCTION.namespace, "dotmac-migrations")
    assert cronjob is not None
    spec = cronjob["spec"]
    assert isinstance(spec, dict)
    template = spec["jobTemplate"]
    assert isinstance(template, dict)
    return template["spec"]
