"""The bake's clock and what a real watch of pods says of them: a container that was killed for its memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from console.engine.bake.bake_clock import unseen
from console.engine.watch import kubernetes
from console.engine.watch.kubernetes import Watches
from console.engine.watch.kubernetes_events import pod_body
from state.base.frozen import remake
from state.base.json import Json, JsonObject, obj
from state.events.event import Body, Draft
from state.events.world import PodChanged, PodGone, SourceChanged
from state.runbook.environment import Tier
from state.view.enums import BakeState
from state.view.launch import BakeView, LaunchView, PodView, SourceView
from state.view.pods import observe
from tests.console.engine.bake.test_stop_conditions import change, run_for, traffic
from tests.console.engine.outside import pod
from tests.console.engine.stand import Stand, stand


@asynccontextmanager
async def watched(s: Stand) -> AsyncIterator[None]:
    """Watch production's pods for the length of a block."""
    production = s.engine.loaded.runbook.environments[Tier.PRODUCTION]
    watching = asyncio.create_task(Watches(s.engine.journal, s.engine.clients, production).run())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def bake(s: Stand) -> BakeView:
    assert s.view.bake is not None
    return s.view.bake


async def test_an_oom_kill_stops_the_clock_and_is_named_though_the_pod_runs_again(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        change(s, maximum="60m")
        s.world.value = traffic(lambda _at: 0.0)
        s.world.put("pods", pod("backend-1"), "ADDED")
        await s.open(run=False)
        async with watched(s):
            await s.until(lambda v: bool(v.pods))
            await s.released()
            await run_for(s, 90)
            good = bake(s).good_s
            assert good > 0
            s.world.put("pods", pod("backend-1", restarts=1, ended="OOMKilled"))
            await s.until(lambda v: any(p.restarts for p in v.pods.values()))
            await run_for(s, 150)
            assert bake(s).state == "stopped"
            assert bake(s).why == "pod backend-1 restarted (after OOMKilled)"
            assert bake(s).good_s == good
            assert any("backend-1 restarted (after OOMKilled)" in d.what for d in s.view.deviations)
            await run_for(s, 195)
            assert bake(s).good_s > good


def changed(one: dict[str, Json], **facts: Json) -> dict[str, Json]:
    """Return a pod with other metadata, spec or status."""
    return {**one, **{key: {**obj(one[key]), **obj(value)} for key, value in facts.items()}}


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"spec": {"readinessGates": [{"conditionType": "lb"}]}}, "pod is not ready: backend-2"),
        ({"status": {"conditions": [{"type": "Ready", "status": "False"}]}}, "pod is not ready: backend-2"),
        ({"metadata": {"deletionTimestamp": "2026-12-01T20:00:00Z"}}, ""),
        ({"status": {"phase": "Failed", "containerStatuses": []}}, ""),
        ({"metadata": {"ownerReferences": [{"kind": "Job"}]}, "status": {"containerStatuses": []}}, ""),
    ],
)
async def test_the_clock_stands_still_for_the_pods_that_a_screen_shows_in_red(
    tmp_path: Path, facts: dict[str, Json], why: str
) -> None:
    async with stand(tmp_path) as s:
        change(s, maximum="60m")
        s.world.value = traffic(lambda _at: 0.0)
        s.world.put("pods", pod("backend-1"), "ADDED")
        s.world.put("pods", changed(pod("backend-2"), **facts), "ADDED")
        await s.open(run=False)
        async with watched(s):
            await s.until(lambda v: len(v.pods) == 2)
            await s.released()
            await run_for(s, 90)
            assert why in bake(s).why
            assert (bake(s).good_s > 0) is (why == "")


async def test_a_migration_that_failed_and_was_tried_again_lets_the_bake_be_finished(tmp_path: Path) -> None:
    """The pods of both jobs stay: nobody deletes them, and they are no pods that should be ready."""
    job: Json = {"ownerReferences": [{"kind": "Job", "name": "db-migrate-dotmac-1"}]}
    ended: dict[str, Json] = {"name": "migrate", "ready": False, "restartCount": 0}
    failed: Json = {**ended, "state": {"terminated": {"reason": "Error", "exitCode": 1}}}
    done: Json = {**ended, "state": {"terminated": {"reason": "Completed", "exitCode": 0}}}
    async with stand(tmp_path) as s:
        change(s, maximum="60m")
        s.world.value = traffic(lambda _at: 0.0)
        s.world.put("pods", pod("backend-1"), "ADDED")
        for name, phase, state in (("migrate-1-a", "Failed", failed), ("migrate-2-b", "Succeeded", done)):
            status: Json = {"phase": phase, "containerStatuses": [state]}
            s.world.put("pods", changed(pod(name), metadata=job, status=status), "ADDED")
        await s.open(run=False)
        async with watched(s):
            await s.until(lambda v: len(v.pods) == 3)
            await s.released()
            await run_for(s, 300)
        assert s.view.pods["production/migrate-1-a"].phase == "Error"
        assert (bake(s).state, bake(s).why) == (BakeState.DONE, "")


async def test_the_clock_stands_while_the_pods_are_not_seen_and_runs_when_they_are_again(
    tmp_path: Path,
) -> None:
    async with stand(tmp_path) as s:
        change(s, maximum="60m")
        s.world.value = traffic(lambda _at: 0.0)
        s.world.put("pods", pod("backend-1"), "ADDED")
        await s.open(run=False, grace_s=0.1)
        async with watched(s):
            await s.until(lambda v: "kubernetes/production" in v.sources)
            await s.released()
            await run_for(s, 90)
            good = bake(s).good_s
            assert good > 0
            s.world.break_off()
            await s.until(lambda v: not v.sources["kubernetes/production"].ok)
            await s.tick()
            good = bake(s).good_s
            await run_for(s, 60)
            assert (bake(s).state, bake(s).good_s) == (BakeState.STOPPED, good)
            assert bake(s).why == f"pods can't be seen: {s.view.sources['kubernetes/production'].reason}"
            s.world.broken = False
            await s.until(lambda v: v.sources["kubernetes/production"].ok)
            await run_for(s, 45)
            assert bake(s).good_s > good


UNSEEN: list[tuple[str, SourceChanged | PodGone, str]] = [
    (
        "pods are not seen",
        SourceChanged("kubernetes/production", False, "connection refused"),
        "pods can't be seen: connection refused",
    ),
    (
        "alerts are not seen",
        SourceChanged("alertmanager/production", False, "it answered 502"),
        "alerts can't be seen: it answered 502",
    ),
    (
        "no reason is told",
        SourceChanged("kubernetes/production", False, ""),
        "pods can't be seen: they don't answer",
    ),
    (
        "there is no pod at all",
        PodGone("production", "backend-0"),
        "pods can't be seen: there is none in production",
    ),
    ("staging is not seen", SourceChanged("kubernetes/staging", False, "away"), ""),
]


@pytest.mark.parametrize(("event", "why"), [one[1:] for one in UNSEEN], ids=[one[0] for one in UNSEEN])
async def test_what_is_not_seen_is_not_good(tmp_path: Path, event: Body, why: str) -> None:
    async with stand(tmp_path) as s:
        change(s, maximum="60m")
        s.world.value = traffic(lambda _at: 0.0)
        await s.open(run=False)
        await s.released()
        await run_for(s, 90)
        assert bake(s).good_s > 0
        await s.engine.journal.record(Draft(event))
        await s.tick(15)
        good = bake(s).good_s
        await run_for(s, 45)
        assert (bake(s).good_s > good) is (why == "")
        assert bake(s).why == why


@pytest.mark.parametrize("name", ["kubernetes/production", "alertmanager/production"])
def test_a_source_that_nothing_was_heard_of_is_not_seen(name: str) -> None:
    seen = {
        one: SourceView(one, ok=True, reason="", since_us=0)
        for one in ("kubernetes/production", "alertmanager/production")
    }
    ready = remake(PodView, observe("production", pod("backend-1")))
    view = LaunchView(sources=seen, pods={"production/backend-1": ready})
    assert unseen(view) == ""
    what = "pods" if name.startswith("kubernetes") else "alerts"
    blind = replace(view, sources={k: v for k, v in seen.items() if k != name})
    assert unseen(blind) == f"{what} can't be seen: nothing was heard of them yet"


async def test_a_watch_that_fails_says_so_by_its_source_and_is_well_once_it_told_what_it_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours fails the watch again and again: nobody sees production meanwhile."""
    broken = [True]

    def body(env: str, one: JsonObject) -> PodChanged:
        if broken[0]:
            raise KeyError("a fault of ours")
        return pod_body(env, one)

    pods, ingresses = kubernetes._COLLECTIONS
    monkeypatch.setattr(kubernetes, "_COLLECTIONS", (replace(pods, body=body), ingresses))
    async with stand(tmp_path) as s:
        s.world.put("pods", pod("backend-1"), "ADDED")
        await s.open(run=False, grace_s=0.1)
        production = s.engine.loaded.runbook.environments[Tier.PRODUCTION]
        watches = Watches(s.engine.journal, s.engine.clients, production)
        for _ in range(2):
            with pytest.raises(ExceptionGroup):
                await watches.run()
            source = s.view.sources["kubernetes/production"]
            assert (source.ok, source.reason) == (False, "the watch failed (KeyError) and starts again")
        assert unseen(s.view).startswith("pods can't be seen: the watch failed")
        broken[0] = False
        async with watched(s):
            view = await s.until(lambda v: v.sources["kubernetes/production"].ok)
            assert set(view.pods) == {"production/backend-1"}
        changes = [e.body["ok"] for e in s.events(SourceChanged.KIND) if e.body["name"] == source.name]
        assert changes == [False, True]
