"""A launch that was recorded is judged again: by its own runbook to the same trips, by another to other ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from console.__main__ import main
from console.exit_codes import ExitCode
from state.base.json import Json
from state.conditions.evaluate import SECOND_US
from state.events.bake import ConditionChanged
from state.events.world import SourceChanged
from tests.console.engine.bake.test_stop_conditions import change, run_for, traffic
from tests.console.engine.stand import Stand, stand
from tests.drafts import draft


def other(s: Stand, name: str, **changes: object) -> Path:
    data = yaml.safe_load(s.runbook.read_text())
    data["conditions"] = [{**data["conditions"][0], **changes}]
    path = s.folder / name
    path.write_text(yaml.safe_dump(data))
    return path


async def test_a_launch_is_judged_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with stand(tmp_path) as s:
        change(s, **{"for": "4m", "on_trip": "hold"})
        bad = [0.2]
        s.world.value = traffic(lambda _at: bad[0])
        await s.open(run=False)
        await s.released()
        await run_for(s, 330)
        s.world.prometheus_status = 503
        await run_for(s, 60)
        s.world.prometheus_status = 200
        bad[0] = 0.0
        await run_for(s, 60)
        (trip,) = [
            e
            for e in s.events(ConditionChanged.KIND)
            if e.body["state"] == "TRIPPED" and e.body["elapsed_s"] == 240 and e.body["reason"] == ""
        ][:1]
        same = other(s, "same.yaml")
        slow = other(s, "slow.yaml", **{"for": "10m"})
        lax = other(s, "lax.yaml", threshold="30%")
        strange = other(s, "strange.yaml", total="sum(rate(other_total[1m]))")

    def judged(path: Path) -> dict[str, object]:
        assert main(["judge", str(s.log), "--runbook", str(path), "--json"]) == 0
        (one,) = json.loads(capsys.readouterr().out)
        assert isinstance(one, dict)
        return one

    first = judged(same)
    assert first["problem"] == ""
    assert isinstance(first["judged"], dict)
    (again,) = first["judged"]["tripped_us"]
    assert abs(again - int(str(trip.body["at_us"]))) < 15 * SECOND_US
    assert isinstance(judged(slow)["judged"], dict)
    assert judged(slow)["judged"]["tripped_us"] == []  # type: ignore[index]  # asserted above
    assert judged(lax)["judged"]["longest_breach_s"] == 0  # type: ignore[index]  # the same shape
    assert "another question" in str(judged(strange)["problem"])
    assert main(["judge", str(s.log), "--runbook", str(slow)]) == 0
    told = capsys.readouterr().out
    assert "TRIPPED at" in told
    assert "no trip; longest breach" in told
    assert main(["judge", str(tmp_path / "none.lclog"), "--runbook", str(slow)]) == ExitCode.BAD_LOG


async def test_a_doubt_about_the_monitors_is_judged_again_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with stand(tmp_path) as s:
        change(s)
        s.world.value = traffic(lambda _at: 0.0)
        await s.open(run=False)
        await s.released()
        await run_for(s, 90)
        body: dict[str, Json] = {"name": "monitors/production", "ok": False, "reason": "clocks apart"}
        await s.engine.journal.record(draft(SourceChanged.KIND, body))
        await run_for(s, 60)
        same = other(s, "same.yaml")
    assert main(["judge", str(s.log), "--runbook", str(same), "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert one["judged"]["blind_s"] == pytest.approx(one["recorded"]["blind_s"], abs=15)
    assert one["judged"]["blind_s"] >= 30
