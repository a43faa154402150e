"""A log of a newer version: what this one doesn't know is shown raw, never counts as good, and ends nothing."""

from __future__ import annotations

import gzip
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from console.__main__ import main
from console.client.file_source import FileSource
from console.ui.app import LaunchApp
from screens.kit.screen_state import Mode
from state.base.json import JsonObject
from state.events.event import Draft
from state.fold import fold
from state.log.reader import LogReader
from state.log.store import LogStore
from state.view.enums import BakeState, ConditionState, GateStatus, OperationState, StepState, Verdict
from state.view.launch import LaunchView
from tests.clocks import ManualClock
from tests.console.engine.stand import stand
from tests.drafts import draft
from tests.paths import ROOT
from tests.screens.stage import text_of

STORED = ROOT / "tests" / "logs" / "web-go.lclog.gz"
RUNBOOK = ROOT / "examples" / "web-service.yaml"


def whole(path: Path) -> LaunchView:
    with LogReader(path) as reader:
        return fold(reader.every())


def add(path: Path, *drafts: Draft) -> None:
    clock = ManualClock(whole(path).wall_us)
    with closing(LogStore.open(path, clock=clock, session=uuid.uuid4().hex[:12])) as store:
        store.append_many(drafts).result(10)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A launch that went well, as this version wrote it."""
    path = tmp_path / "launch.lclog"
    path.write_bytes(gzip.decompress(STORED.read_bytes()))
    return path


def finished(**news: object) -> Draft:
    body: JsonObject = {
        "item": "1.1", "check": "1.1/0", "verdict": "pass", "summary": "fine", "evidence": {}, "ms": 1, **news,  # type: ignore[dict-item]  # JSON is given
    }  # fmt: skip
    return draft("check.finished", body, "g01")


def test_a_verdict_that_is_not_known_is_unknown(log: Path) -> None:
    check = whole(log).gates[0].items[0].checks[0]
    body: JsonObject = {"item": check.id.partition("/")[0], "check": check.id}
    add(log, finished(**body, verdict="splendid"))
    view = whole(log)
    judged = view.gates[0].items[0]
    assert judged.checks[0].verdict is Verdict.UNKNOWN
    assert judged.verdict(view.wall_us) is Verdict.UNKNOWN
    assert view.gates[0].status(view.wall_us) is GateStatus.BLIND
    assert view.unknown_words == {"verdict=splendid": 1}
    assert "verdict=splendid" in view.tail[-1].words


def test_a_state_that_is_not_known_is_never_good(log: Path) -> None:
    before = whole(log)
    name, ran = before.conditions[0].id, before.operations[-1]
    changed: JsonObject = {
        "id": name, "state": "WOBBLY", "value": "0.5", "elapsed_s": 0, "since_us": 1, "reason": "", "at_us": 1,
        "active": True,
    }  # fmt: skip
    add(
        log,
        draft("condition.changed", changed),
        draft("gate.changed", {"from": "GO", "to": "MAYBE"}, "g02"),
        draft("operation.step", {"id": ran.id, "name": "x", "state": "paused", "detail": ""}, "g09", ran.seq),
        draft(
            "operation.finished",
            {"id": ran.id, "state": "half", "verdict": "", "revision": 1, "offers": []},
            "g09",
            ran.seq,
        ),
        draft("bake.progress", {"good_s": 5, "state": "asleep", "why": ""}),
    )
    view = whole(log)
    condition = view.condition(name)
    assert condition is not None
    assert condition.state is ConditionState.UNKNOWN
    assert condition.state.blind
    assert view.statuses[2] is GateStatus.UNKNOWN
    operation = view.operations[-1]
    assert (operation.state, operation.steps[-1].state) == (OperationState.UNKNOWN, StepState.UNKNOWN)
    assert view.bake is not None
    assert view.bake.state is BakeState.UNKNOWN
    assert set(view.unknown_words) == {
        *("state=WOBBLY", "to=MAYBE", "state=paused", "state=half", "state=asleep"),
    }
    assert any(deviation.what.startswith(f"stop condition {name} blind") for deviation in view.deviations)


def test_a_kind_and_a_field_that_are_not_known_are_passed_over(log: Path) -> None:
    before = whole(log)
    add(
        log,
        draft("weather.changed", {"reason": "rain over the datacentre"}),
        draft("note.added", {"text": "with more", "mood": "fine"}),
        draft("pod.changed", {"env": "production", "name": "odd", "ready": "two"}),
    )
    view = whole(log)
    assert view.unknown_kinds == before.unknown_kinds + 1
    assert [row.words for row in view.tail[-3:-1]] == ["rain over the datacentre", "with more"]
    assert view.pods["production/odd"].ready == 0
    assert view.strange_fields["pod.changed ready"] == 1
    assert view.strange_fields["pod.changed node"] == 1


NEWER = {
    "verdict": finished(verdict="splendid"),
    "state": draft(
        "condition.changed",
        {
            "id": "errors", "state": "WOBBLY", "value": None, "elapsed_s": 0, "since_us": 1, "reason": "", "at_us": 1,
            "active": True,
        },
    ),
    "kind": draft("weather.changed", {"reason": "rain over the datacentre"}),
}  # fmt: skip
RAW = {"verdict": "verdict=splendid", "state": "state=WOBBLY", "kind": "weather.changed"}


@pytest.mark.parametrize("what", sorted(NEWER))
@pytest.mark.parametrize("replay", [True, False])
async def test_replay_and_follow_show_it_as_it_stands(what: str, replay: bool, log: Path) -> None:
    add(log, NEWER[what])
    clock = ManualClock(whole(log).wall_us)
    source = FileSource(log, replay=replay, clock=clock)
    app = LaunchApp(source, Mode.REPLAY if replay else Mode.FOLLOW)
    async with app.run_test(size=(200, 55)) as pilot:
        await pilot.pause(0.5)
        if replay:
            await pilot.press("end")
        await pilot.press("l", "m")  # every event, not milestones alone
        await pilot.pause(0.8)
        assert RAW[what] in text_of(app)
        assert source.shown().view.seq == whole(log).seq


@pytest.mark.parametrize("what", sorted(NEWER))
def test_report_judge_and_verify_pass_it(what: str, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(log, NEWER[what])
    assert main(["verify", "--no-witness", str(log)]) == 0
    assert main(["judge", str(log), "--runbook", str(RUNBOOK)]) == 0
    capsys.readouterr()
    assert main(["report", str(log)]) == 0
    page = capsys.readouterr().out
    assert ("of kinds that this version doesn't know" if what == "kind" else RAW[what]) in page


async def test_an_engine_goes_on_with_a_log_that_lacks_fields_or_has_others(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        for one in (
            *NEWER.values(),
            draft("gate.changed", {"to": 7}, "g01"),
            draft("candidate.seen", {"parts": "none"}),
            draft(
                "operation.intended", {"id": "staging.deploy", "good": "yes", "commands": [1, "helm"]}, "g08"
            ),
            draft("alert.changed", {}),
        ):
            await s.engine.store.write(one)
        await s.engine.close()
        engine = await s.open(run=False)
        await engine.operations.resume()
        assert s.view.unknown_words["verdict=splendid"] == 1
        assert s.view.strange_fields["operation.intended commands"] == 1
        assert s.view.operations[-1].commands == ("helm",)
