"""A verdict about the candidate counts only where the candidate was there before the probe and after it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from checks import identity
from checks.base import CheckContext, Outcome, failed, passed
from checks.clients.clients import Clients
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.sim.fast_yaml import dump, load
from console.rehearsal.world.fault import below
from console.rehearsal.world.world import World
from state.base.json import obj, objs
from state.runbook.load import load_runbook
from state.view.enums import Tier, Verdict
from state.view.launch import LaunchView
from tests.console.rehearsal.dotmac.faults.table import deploy
from tests.console.rehearsal.worlds import helm, running


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path / "world") as one:
        yield one


@contextmanager
def looking(world: World, tier: Tier = Tier.STAGING) -> Iterator[CheckContext]:
    runbook = load_runbook(world.runbook_path).runbook
    yield CheckContext(tier, runbook, Clients(runbook, world.clock), world.clock, LaunchView())


class Probe:
    """A check that counts how often it looked; in the middle of it something may happen."""

    def __init__(self, found: Outcome | None = None) -> None:
        self.found = found or passed("it is well", {"status": 200})
        self.looked = 0
        self.meanwhile: Callable[[], object] = lambda: None

    async def __call__(self) -> Outcome:
        self.looked += 1
        self.meanwhile()
        return self.found


async def judged(world: World, probe: Probe, tier: Tier = Tier.STAGING) -> Outcome:
    with looking(world, tier) as context:
        try:
            return await identity.judged(context, probe)
        finally:
            await context.clients.aclose()


def worker_runs_something_else(world: World) -> None:
    digests = world.product(Dotmac).artifacts.candidate
    for pod in world.store.list("pods", Env.STAGING.namespace):
        status = below(pod, "status")
        for container in objs(status.get("containerStatuses")):
            if container.get("name") == "worker":
                below(container)["imageID"] = f"other@{digests['backend']}"
        world.store.set_status("pods", pod, status)


async def test_what_is_not_there_is_unknown_at_once_and_says_what_to_run(world: World) -> None:
    probe = Probe(failed("it is bad"))
    found = await judged(world, probe)
    assert (found.verdict, probe.looked) == (Verdict.UNKNOWN, 0)
    assert "rehearsal staging doesn't run the candidate (backend runs " in found.summary
    assert found.summary.endswith(": run staging.deploy")
    live = await judged(world, probe, Tier.PRODUCTION)
    assert (live.verdict, probe.looked) == (Verdict.UNKNOWN, 0)
    assert live.summary.endswith(": run production.deploy")


async def test_the_candidate_is_judged_and_the_evidence_says_what_it_was(world: World) -> None:
    await deploy(world, Env.STAGING)
    for said in (passed("it is well", {"status": 200}), failed("it is bad", {"status": 500})):
        found = await judged(world, Probe(said))
        assert (found.verdict, found.summary) == (said.verdict, said.summary)
        about = obj(found.evidence["judged"])
        assert set(obj(about["images"])) >= {"backend", "frontend", "worker"}
        assert (about["revision"], about["chart"]) == (2, "dotmac-platform 0.1.0")
        assert found.evidence["status"] == said.evidence["status"]

    # Another image in the middle of the probe, and nothing of what it found stands.
    probe = Probe(failed("it is bad"))
    probe.meanwhile = lambda: worker_runs_something_else(world)
    found = await judged(world, probe)
    assert (found.verdict, probe.looked) == (Verdict.UNKNOWN, 1)
    assert "changed while it was judged" in found.summary
    after = await judged(world, Probe())
    assert after.verdict is Verdict.UNKNOWN
    assert "worker runs" in after.summary


async def test_a_release_that_is_swapped_in_the_middle_of_a_probe_is_not_judged(world: World) -> None:
    await deploy(world, Env.STAGING)

    async def probe() -> Outcome:
        code, _, err = await helm(world, Env.STAGING, "rollback", "dotmac", "1", "--wait")
        assert code == 0, err
        await deploy(world, Env.STAGING)  # the same images, chart and values again: but another release
        return passed("it is well")

    with looking(world) as context:
        found = await identity.judged(context, probe)
        await context.clients.aclose()
    assert found.verdict is Verdict.UNKNOWN
    assert "changed while it was judged" in found.summary
    assert obj(found.evidence["afterwards"])["revision"] == 4


async def test_other_values_or_another_chart_are_not_the_candidate(world: World) -> None:
    await deploy(world, Env.STAGING)
    file = world.folder.values(Env.STAGING)
    before = file.read_text()
    values = load(before)
    below(values, "env")["logLevel"] = "DEBUG"
    file.write_text(dump(values))
    found = await judged(world, Probe())
    assert found.verdict is Verdict.UNKNOWN
    assert "other values than in its files: env.logLevel" in found.summary
    assert "DEBUG" not in found.summary
    file.write_text(before)
    assert (await judged(world, Probe())).verdict is Verdict.PASS

    with looking(world) as context:
        staging = context.runbook.environments[Tier.STAGING]
        chart = staging.chart.model_copy(update={"version": "0.2.0"})
        environments = {
            **context.runbook.environments,
            Tier.STAGING: staging.model_copy(update={"chart": chart}),
        }
        other = context.runbook.model_copy(update={"environments": environments})
        found = await identity.judged(replace(context, runbook=other), Probe())
        await context.clients.aclose()
    assert "its chart is dotmac-platform 0.1.0 instead of dotmac-platform 0.2.0" in found.summary
