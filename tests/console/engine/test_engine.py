from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from state.events.event import Draft
from state.events.gates import CheckFinished, CheckStarted
from state.events.launch import EngineStarted, RunbookChanged
from state.events.log import NoteAdded
from state.events.world import PodChanged
from state.runbook.load import RunbookError
from state.view.enums import GateStatus, Verdict
from tests.console.engine.outside import CHECKS, ingress, pod
from tests.console.engine.stand import Stand, confirmed, granted, stand
from tests.drafts import draft


async def test_a_new_log_declares_the_launch(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        view = s.view
        assert [g.number for g in view.gates] == list(range(1, 11))
        assert sum(len(g.items) for g in view.gates) == 42
        assert {e.tier for e in view.environments} == {"staging", "production"}
        assert view.candidate.version == "v1.4.0"
        assert view.scope.launch_id.startswith("v1.4.0-")
        known = {"error-rate", "auth-errors", "too-many-requests", "latency-p95"}
        assert {c.id for c in view.conditions} == known
        check = view.item("3.6").checks[0]  # type: ignore[union-attr]  # it is there
        assert (check.id, check.ttl_s, check.writes) == ("3.6/0", 60, True)
        assert s.events(EngineStarted.KIND)[0].body["resumed"] is False


async def test_checks_that_can_not_run_are_found_when_the_runbook_is_read(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        text = s.runbook.read_text()
        s.runbook.write_text(text.replace("test.blind", "test.nothing").replace("verdict: fail", "verdct: x"))
        with pytest.raises(RunbookError) as caught:
            await s.open()
        lines = [str(p) for p in caught.value.problems]
        assert len(lines) == 2
        assert any("test.nothing" in one for one in lines)
        assert any("verdct" in one for one in lines)
        assert all(str(s.runbook) in one and ":1:1:" not in one for one in lines)
        assert not s.log.exists()


async def test_checks_end_in_a_verdict_whatever_happens(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open()
        client = await s.attach("ann")
        reply = await client.command("launch.run")
        assert reply.ok, reply.message
        count = sum(len(checks) for checks in CHECKS.values())
        assert reply.message == f"{count} checks started"
        view = await s.until(lambda v: len([c for c in _checks(v) if c.finished_us]) == count)
        found = {c.id: (c.verdict, c.summary) for c in _checks(view)}
        assert found["3.1/0"] == (Verdict.PASS, "it is well")
        assert found["3.2/0"] == (Verdict.FAIL, "as told")
        assert found["3.4/0"] == (Verdict.UNKNOWN, "the check itself failed: KeyError")
        assert found["3.4/1"] == (Verdict.UNKNOWN, "the thing (production) is not there")
        assert found["3.5/0"] == (Verdict.UNKNOWN, "no result within 0.05 s")
        event = next(e for e in s.events(CheckFinished.KIND) if e.body["check"] == "3.1/0")
        assert event.body["evidence"] == {"where": "staging", "share": "0.5", "pods": ["a", "b"]}
        assert event.actor == "ann"
        await s.until(lambda v: v.statuses.get(3) is GateStatus.NO_GO)
        await client.close()


def _checks(view: object) -> list:  # type: ignore[type-arg]  # of CheckView
    return [c for g in view.gates for i in g.items for c in i.checks]  # type: ignore[attr-defined]  # a LaunchView


async def test_old_evidence_opens_a_gate_again(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open()
        client = await s.attach("ann")
        for item in s.view.gate(1).items:  # type: ignore[union-attr]  # it is there
            assert (await client.command("attest.sign", {"item": item.id, "verdict": "GO"})).ok
        await s.until(lambda v: v.statuses.get(1) is GateStatus.GO)
        assert (await client.command("check.run", {"item": "3.6"})).ok
        await s.until(lambda v: v.item("3.6").checks[0].verdict is Verdict.PASS)  # type: ignore[union-attr]  # there
        for item in s.view.gate(3).items:  # type: ignore[union-attr]  # it is there
            args = {"item": item.id, "reason": "a test", "minutes": "60"}
            if item.id == "3.6":
                assert (await client.command("attest.sign", {"item": item.id, "verdict": "GO"})).ok
                continue
            preview = await client.preview("item.waive", args)
            await granted(s, client, "item.waive", args)
            assert (await client.command("item.waive", args, confirmed(preview.phrase, preview.token))).ok
        await s.until(lambda v: v.statuses.get(3) is GateStatus.GO)
        await s.clock.advance(80)
        await s.until(lambda v: v.statuses.get(3) is GateStatus.OPEN)
        await client.close()


async def test_pods_and_ingresses_are_watched(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.world.put("pods", pod("backend-1"))
        s.world.put("ingresses", ingress("api", "api.example.com"))
        await s.open()
        view = await s.until(lambda v: len(v.pods) == 1 and len(v.ingresses) == 1)
        seen = view.pods["production/backend-1"]
        assert (seen.phase, seen.ready, seen.containers, seen.app) == ("Running", 1, 1, "backend")
        assert view.ingresses["production/api"].hosts == ("api.example.com",)
        await s.until(lambda v: all(f"kubernetes/{t}" in v.sources for t in ("staging", "production")))
        s.world.put("pods", pod("backend-1", ready=False, restarts=3))
        await s.until(lambda v: v.pods["production/backend-1"].restarts == 3)
        s.world.gone("pods", "backend-1")
        await s.until(lambda v: not v.pods)


async def test_a_flapping_pod_is_told_at_a_pace(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.world.put("pods", pod("backend-1"))
        await s.open()
        await s.until(lambda v: len(v.pods) == 1)
        for n in range(100):
            s.world.put("pods", pod("backend-1", restarts=n))
        await s.until(lambda v: v.pods["production/backend-1"].restarts == 99)
        assert len(s.events(PodChanged.KIND)) < 10


async def test_what_changed_while_nobody_looked_is_found(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.world.put("pods", pod("backend-1"))
        s.world.put("pods", pod("backend-2"))
        await s.open()
        await s.until(lambda v: len(v.pods) == 2)
        await s.close()
        s.world.gone("pods", "backend-1")
        await s.open()
        await s.until(lambda v: list(v.pods) == ["production/backend-2"])


async def test_a_lost_cluster_keeps_its_pods_and_says_so(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        s.world.put("pods", pod("backend-1"))
        await s.open(grace_s=0.1)
        await s.until(lambda v: len(v.pods) == 1 and "kubernetes/production" in v.sources)
        assert s.view.sources["kubernetes/production"].ok
        s.world.break_off()
        view = await s.until(lambda v: not v.sources["kubernetes/production"].ok)
        assert len(view.pods) == 1
        assert "500" in view.sources["kubernetes/production"].reason
        s.world.broken = False
        await s.until(lambda v: v.sources["kubernetes/production"].ok)


async def test_a_restarted_engine_goes_on_and_closes_what_was_left_open(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        await s.engine.journal.record(Draft(NoteAdded("before"), actor="ann"))
        await s.engine.journal.record(draft(CheckStarted.KIND, {"item": "3.1", "check": "3.1/0"}, "g03"))
        launch, seq = s.view.scope.launch_id, s.view.seq
        s.engine.store.close()  # as a kill would leave it: without an end
        s.engine._closed = True
        await s.open()
        assert s.view.scope.launch_id == launch
        assert s.view.seq > seq
        check = s.view.item("3.1").checks[0]  # type: ignore[union-attr]  # it is there
        assert (check.verdict, check.summary) == (Verdict.UNKNOWN, "the engine ended while it ran")
        assert [e.body["resumed"] for e in s.events(EngineStarted.KIND)] == [False, True]
        assert not s.events(RunbookChanged.KIND)


async def test_a_changed_runbook_voids_only_what_it_changed(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open()
        await _attest_two(s)
        await s.close()
        data = yaml.safe_load(s.runbook.read_text())
        before = json.dumps(data["gates"][1]["items"][0]["text"])
        before = before if len(before) <= 60 else f"{before[:60]}…"
        data["gates"][1]["items"][0]["text"] = "another text"
        s.runbook.write_text(yaml.safe_dump(data))
        await s.open()
        (changed,) = s.events(RunbookChanged.KIND)
        assert changed.body["diff"] == [f'gate 2: items 2.1 text: {before} → "another text"']
        assert s.view.item("1.1").attestation is not None  # type: ignore[union-attr]  # it is there
        assert s.view.item("2.1").attestation is None  # type: ignore[union-attr]  # it is there


async def test_another_candidate_voids_everything(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open()
        await _attest_two(s)
        await s.close()
        s.runbook.write_text(s.runbook.read_text().replace("0" * 63 + "1", "0" * 63 + "7"))
        await s.open()
        assert s.view.candidate.images[0][1].endswith("7")
        (changed,) = s.events(RunbookChanged.KIND)
        assert "candidate: images: " in str(changed.body["diff"])
        assert s.view.item("1.1").attestation is None  # type: ignore[union-attr]  # it is there
        assert any("recycled" in d.what for d in s.view.deviations)


async def test_a_changed_runbook_is_shown_as_a_diff(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        await s.close()
        data = yaml.safe_load(s.runbook.read_text())
        data["conditions"][0]["threshold"] = "2%"
        gone = data["conditions"].pop()
        data["people"][1]["roles"] = ["approver"]
        data["scope"]["regions"] = ["moon"]
        s.runbook.write_text(yaml.safe_dump(data))
        await s.open(run=False)
        (changed,) = s.events(RunbookChanged.KIND)
        diff = "\n".join(str(one) for one in changed.body["diff"])  # type: ignore[union-attr]  # a list
        assert 'condition error-rate: threshold: "0.01" → "0.02"' in diff
        assert f"condition {gone['id']}: is no longer in the runbook" in diff
        assert 'people: people op roles: ["operator"] → ["approver"]' in diff
        assert '→ ["moon"]' in diff
        assert gone["id"] not in {c.id for c in s.view.conditions}  # it would hold up the bake for ever
        await s.close()
        data["conditions"][0]["min_events"] = 7
        s.runbook.write_text(yaml.safe_dump(data))
        await s.open(run=False)
        assert "nothing that this log knows" in str(s.events(RunbookChanged.KIND)[-1].body["diff"])


async def _attest_two(s: Stand) -> None:
    client = await s.attach("ann")
    for item in ("1.1", "2.1"):
        assert (await client.command("attest.sign", {"item": item, "verdict": "GO"})).ok
    await client.close()


async def test_a_part_that_fails_is_told_and_starts_again(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open()
        runs = []

        async def job() -> None:
            runs.append(1)
            raise RuntimeError("a secret value")

        s.engine.supervisor.keep("broken", job)
        view = await s.until(lambda v: "engine/broken" in v.sources)
        assert view.sources["engine/broken"].reason == "failed (RuntimeError) and starts again"
