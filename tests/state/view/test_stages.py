"""What a stage of the pipeline adds up to: every kind of part, every verdict; good only where each part is."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from state.base.codec import LOG
from state.events.declared import OperationDeclared
from state.events.gates import GateRecycled
from state.events.operations import OperationFinished
from state.runbook.load import load_runbook
from state.view.enums import OperationKind, OperationState, Verdict
from state.view.gates import CheckView, GateView, ItemView, WaiverView
from state.view.launch import LaunchView, OperationSpecView, OperationView, StageView
from state.view.stages import PartKind, is_good, parts_of, stage_verdict
from tests.paths import SOP_RUNBOOK
from tests.screens import story

NOW = 1_796_155_200_000_000
HOUR = 3600 * 1_000_000
DEPLOY = OperationSpecView("production.deploy", "deploy", "production", "Promote", 9, (), ())
MIGRATE = OperationSpecView("staging.migrate", "migrate", "staging", "Migrate", 8, (), ())


def check(name: str, verdict: Verdict) -> CheckView:
    answer, at = (Verdict.PASS, NOW - HOUR) if verdict is Verdict.STALE else (verdict, NOW)
    return CheckView(name, "ci.passed", "production", 60, writes=False, verdict=answer, finished_us=at)


def item(verdict: Verdict) -> GateView:
    waiver = WaiverView(1, "ann", "r", "", 0, NOW + 1) if verdict is Verdict.WAIVED else None
    seen = check("6.7/0", Verdict.FAIL if verdict is Verdict.WAIVED else verdict)
    return GateView(6, "t", (ItemView("6.7", "t", None, (seen,), waiver=waiver),))


def run(
    spec: OperationSpecView, state: OperationState = OperationState.SUCCEEDED, *, seq: int = 1, at: int = NOW
) -> OperationView:
    return OperationView(
        seq=seq, id=spec.id, kind=spec.kind, env=spec.env, title=spec.title, actor="ann", state=state, commands=(),
        from_what="", to_what="", intended_us=at, timeout_s=600, finished_us=at,
    )  # fmt: skip


def stage(*parts: str, checks: tuple[CheckView, ...] = ()) -> StageView:
    return StageView("build", "Build", (), parts, checks)


@pytest.mark.parametrize("verdict", Verdict)
def test_a_check_and_an_item_are_what_they_are(verdict: Verdict) -> None:
    if verdict is not Verdict.WAIVED:
        own = stage("check:build/0", checks=(check("build/0", verdict),))
        assert stage_verdict(LaunchView(), own, NOW) is verdict
    assert stage_verdict(LaunchView(gates=(item(verdict),)), stage("item:6.7"), NOW) is verdict


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (OperationState.INTENDED, Verdict.RUNNING), (OperationState.RUNNING, Verdict.RUNNING),
        (OperationState.SUCCEEDED, Verdict.PASS), (OperationState.FAILED, Verdict.FAIL),
        (OperationState.ABORTED, Verdict.FAIL), (OperationState.UNKNOWN, Verdict.UNKNOWN),
    ],
)  # fmt: skip
def test_an_operation_is_its_newest_run(state: OperationState, verdict: Verdict) -> None:
    view = LaunchView(operation_specs=(DEPLOY,), operations=(run(DEPLOY, seq=1), run(DEPLOY, state, seq=2)))
    assert stage_verdict(view, stage("operation:production.deploy"), NOW) is verdict


def test_what_was_never_judged_is_no_pass() -> None:
    known = LaunchView(operation_specs=(DEPLOY,))
    for told, verdict in (
        (stage(), Verdict.PENDING),
        (stage("operation:production.deploy"), Verdict.PENDING),
        (stage("item:9.9"), Verdict.UNKNOWN),
        (stage("check:build/0"), Verdict.UNKNOWN),
        (stage("horoscope:good"), Verdict.UNKNOWN),
    ):
        assert stage_verdict(known, told, NOW) is verdict
        assert not is_good(verdict)


@pytest.mark.parametrize("pair", itertools.product(Verdict, repeat=2))
def test_a_stage_is_good_only_where_each_part_is(pair: tuple[Verdict, Verdict]) -> None:
    one, other = pair
    view = LaunchView(gates=(item(one),))
    both = stage("item:6.7", "check:build/0", checks=(check("build/0", other),))
    good = {Verdict.PASS, Verdict.WAIVED}
    assert is_good(stage_verdict(view, both, NOW)) is (one in good and other in good)
    assert (stage_verdict(view, both, NOW) is Verdict.PASS) is (one is Verdict.PASS and other is Verdict.PASS)


def test_a_deploy_that_was_rolled_back_since_is_no_pass_and_one_after_it_is() -> None:
    back = OperationSpecView("production.rollback", OperationKind.ROLLBACK, "production", "Back", 9, (), ())
    rolled = (run(DEPLOY, at=NOW - 3), run(back, seq=2, at=NOW - 2))
    view = LaunchView(operation_specs=(DEPLOY, back), operations=rolled)
    promote = stage("operation:production.deploy")
    (part,) = parts_of(view, promote, NOW)
    assert (part.verdict, part.words) == (Verdict.FAIL, "it was rolled back since")
    again = replace(view, operations=(*rolled, run(DEPLOY, seq=3, at=NOW - 1)))
    assert stage_verdict(again, promote, NOW) is Verdict.PASS


def test_going_back_to_a_gate_makes_stages_stale() -> None:
    told = story.piped()
    seq = told.intend("staging.deploy", "deploy", "staging")
    told.tell(
        OperationFinished.KIND, {"id": "staging.deploy", "state": "succeeded", "verdict": "fine"}, ref=seq
    )
    before = {s.id: stage_verdict(told.view(), s, told.now_us) for s in told.view().stages}
    assert (before["build"], before["staging-deploy"]) == (Verdict.PASS, Verdict.PASS)
    told.wait(1)
    told.tell(GateRecycled.KIND, {"reason": "another candidate"}, gate=1)
    view, now = told.view(), told.now_us
    after = {s.id: stage_verdict(view, s, now) for s in view.stages}
    assert after == {
        "build": Verdict.STALE, "test": Verdict.STALE, "package": Verdict.PENDING, "staging-deploy": Verdict.STALE,
    }  # fmt: skip
    deployed, smoked = parts_of(view, view.stages[3], now)
    assert (deployed.kind, deployed.words) == (PartKind.OPERATION, "gate 8 was gone back to since")
    assert smoked.verdict is not Verdict.PASS
    told.wait(1)
    seq = told.intend("staging.deploy", "deploy", "staging")
    told.tell(
        OperationFinished.KIND, {"id": "staging.deploy", "state": "succeeded", "verdict": "fine"}, ref=seq
    )
    assert parts_of(told.view(), view.stages[3], told.now_us)[0].verdict is Verdict.PASS


def test_what_a_promotion_used_does_not_grow_old_until_it_is_taken_back() -> None:
    told = story.piped()
    spec = next(s for s in told.view().operation_specs if s.id == "production.deploy")
    told.tell(OperationDeclared.KIND, LOG.dump(replace(spec, stages=("build",))))
    seq = told.intend("production.deploy", "deploy", "production")
    told.tell(
        OperationFinished.KIND, {"id": "production.deploy", "state": "succeeded", "verdict": "fine"}, ref=seq
    )
    told.wait(5 * 3600)
    build, test = told.view().stages[:2]
    assert stage_verdict(told.view(), build, told.now_us) is Verdict.PASS
    assert stage_verdict(told.view(), test, told.now_us) is Verdict.STALE
    told.check_of_stage("build", "fail", "the build was found to be broken", {})
    assert stage_verdict(told.view(), told.view().stages[0], told.now_us) is Verdict.FAIL
    told.check_of_stage("build", "pass", "3 CI jobs passed", {})
    seq = told.intend("production.rollback", "rollback", "production")
    told.tell(
        OperationFinished.KIND,
        {"id": "production.rollback", "state": "succeeded", "verdict": "back"},
        ref=seq,
    )
    told.wait(5 * 3600)
    assert stage_verdict(told.view(), told.view().stages[0], told.now_us) is Verdict.STALE


def test_no_stage_of_the_sop_stands_on_what_another_stands_on() -> None:
    parts = [part for one in load_runbook(SOP_RUNBOOK).runbook.stages for part in one.parts]
    told = [part.model_dump_json() for part in parts]
    assert len(told) == len(set(told))


def test_three_stages_lock_what_changes_production() -> None:
    runbook = load_runbook(SOP_RUNBOOK).runbook
    needs = {one.id: one.requires.stages for one in runbook.operations}
    assert needs["production.deploy"] == needs["production.migrate"] == ("build", "test", "package")


def test_a_check_of_a_stage_changes_no_item_of_a_gate() -> None:
    told = story.piped()
    before = told.view()
    told.check_of_stage("package", "fail", "no", {})
    after = told.view()
    assert before.gates == after.gates
    assert [s.id for s, t in zip(before.stages, after.stages, strict=True) if s != t] == ["package"]
