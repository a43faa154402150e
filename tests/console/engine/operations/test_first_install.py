"""A first launch on its cluster: the migration before the install, an install that fails, and its ways out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.engine.record.releases import Releases
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import HEAD
from console.rehearsal.sim.kubernetes import PodPlan
from console.rehearsal.world.coupling import conditions
from state.base.json import obj, objs, path, text
from state.view.enums import OperationState, Presence, Tier
from state.view.first_launch import is_first, way_out
from tests.console.engine.operations.helms import both_helms, real
from tests.console.engine.operations.stand import (
    ANN,
    SHORT_S,
    Stand,
    jobs,
    launch,
    revisions,
)

PREPARE, MIGRATE, DEPLOY, AWAY = (
    f"production.{name}" for name in ("prepare", "migrate", "deploy", "uninstall")
)
FAILS_S = 5
"""Real seconds: a real helm waits by the machine's clock."""
CRASHES = PodPlan(ends_after_s=2.0, exit_code=1, end_reason="Error")
ENV = Env.PRODUCTION


async def looked(stand: Stand) -> Presence:
    return (await Releases(stand.journal, stand.runbook, stand.clients).look()).presence


def serving(stand: Stand) -> list[bool]:
    """Return, of each pod that is to run on, whether it is ready."""
    pods = stand.world.store.scan("pods", ENV.namespace)
    return ["Ready" in conditions(one) for one in pods if path(one, ("spec", "restartPolicy")) == "Always"]


async def prepared(stand: Stand) -> None:
    await looked(stand)
    done = await stand.run(PREPARE, None)
    assert done.state is OperationState.SUCCEEDED, done.verdict


async def test_it_migrates_with_a_job_from_the_chart_before_anything_is_installed(tmp_path: Path) -> None:
    async with launch(tmp_path, first=True) as stand:
        await prepared(stand)
        preview = await stand.operations.preview(MIGRATE, ANN)
        assert "the job is made from the chart" in "\n".join(preview.checks)
        assert preview.commands[0].startswith(f"kubectl --context production -n {ENV.namespace} create -f ")
        done = await stand.run(MIGRATE)
        assert done.state is OperationState.SUCCEEDED, done.verdict
        await stand.until(lambda: stand.platform.platforms[ENV].database.revisions() == (HEAD,), 60)
        made = stand.world.store.peek("jobs", ENV.namespace, jobs(stand, ENV)[0])
        container = objs(path(made or {}, ("spec", "template", "spec", "containers")))[0]
        written = {text(one, "name"): text(one, "value") for one in objs(container.get("env"))}
        assert written["ENVIRONMENT"] == "production"
        assert [text(obj(one.get("secretRef")), "name") for one in objs(container.get("envFrom"))] == [
            "dotmac-platform-secrets"
        ]
        kept = next((tmp_path / "launch.operations").glob("db-migrate-*.json"))
        assert (
            obj(json.loads(kept.read_text()))["spec"] == (made or {})["spec"]
            or kept.stat().st_mode & 0o77 == 0
        )
        secret = stand.clients.redactor.clean(kept.read_text())
        assert secret == kept.read_text()


async def test_what_the_migration_cannot_have_before_the_deploy_is_told(tmp_path: Path) -> None:
    async with launch(tmp_path, first=True) as stand:
        await prepared(stand)
        template = stand.platform.chart / "templates" / "migrations-cronjob.yaml"
        mounted = (
            "          volumes: [{ name: c, configMap: { name: dotmac-config } }]\n          containers:\n"
        )
        template.write_text(template.read_text().replace("          containers:\n", mounted))
        answer = await stand.refused(MIGRATE)
        assert "its pod needs ConfigMap dotmac-config as a volume, which comes with it" in answer


@both_helms
async def test_a_failed_first_install_is_told_truly_and_tried_again(tmp_path: Path, major: int) -> None:
    async with launch(tmp_path, first=True, each_s=FAILS_S, change=real(major)) as stand:
        await _fails_and_is_tried_again(stand)


async def test_a_failed_first_install_of_the_stand_in_too(tmp_path: Path) -> None:
    async with launch(tmp_path, first=True, each_s=SHORT_S) as stand:
        await _fails_and_is_tried_again(stand)


async def _fails_and_is_tried_again(stand: Stand) -> None:
    await prepared(stand)
    stand.bad_pods(ENV, CRASHES)
    for number in (1, 2):
        failed = await stand.run(DEPLOY)
        assert failed.state is OperationState.FAILED, failed.verdict
        assert failed.good is None
        assert failed.offers == ("retry", "uninstall")
        assert f"revision {number} (failed)" in failed.verdict
        assert "a first install: there is no revision to go back to. What stands there: " in failed.verdict
        assert await looked(stand) is Presence.UNFINISHED
        assert is_first(stand.journal.view)
        preview = await stand.operations.preview(DEPLOY, ANN)
        assert f"revision {number} (failed): a first install that was never complete" in "\n".join(
            preview.checks
        )
        answer = await stand.refused("production.rollback")
        assert "there is nothing to go back to" in answer
        assert "production.uninstall takes it away" in answer
    stand.world.control.plans.clear()
    # What crashed before is given its time to come back: this is about the launch, not about a back-off.
    await stand.until(lambda: all(serving(stand)))
    reply = await stand.operations.recover("retry", ANN)
    assert not reply.ok or (await stand.ended()).state is OperationState.SUCCEEDED
    if not reply.ok:  # its gates aren't GO here: two people say so
        done = await stand.run(DEPLOY)
        assert done.state is OperationState.SUCCEEDED, done.verdict
    assert not is_first(stand.journal.view)


@both_helms
async def test_it_is_taken_away_with_its_records_and_installed_anew(tmp_path: Path, major: int) -> None:
    async with launch(tmp_path, first=True, each_s=FAILS_S, change=real(major)) as stand:
        await _taken_away(stand)


async def test_it_is_taken_away_by_the_stand_in_too(tmp_path: Path) -> None:
    async with launch(tmp_path, first=True, each_s=SHORT_S) as stand:
        await _taken_away(stand)


async def _taken_away(stand: Stand) -> None:
    await prepared(stand)
    stand.bad_pods(ENV, CRASHES)
    await stand.run(DEPLOY)
    await looked(stand)
    assert way_out(stand.journal.view) is not None
    preview = await stand.operations.preview(AWAY, ANN)
    assert preview.allowed, preview.reason
    assert preview.phrase == "uninstall"
    assert len(preview.commands) == 1
    assert " uninstall dotmac --namespace dotmac-production " in preview.commands[0]
    assert "takes away" in "\n".join(preview.blast)
    reply = await stand.operations.recover("uninstall", ANN)
    assert reply.ok, reply.message
    done = await stand.ended()
    assert done.state is OperationState.SUCCEEDED, done.verdict
    assert revisions(stand, ENV) == []
    assert not list(stand.world.store.scan("pods", ENV.namespace))
    assert stand.world.store.peek("secrets", ENV.namespace, "dotmac-platform-secrets") is not None
    assert stand.journal.view.releases[Tier.PRODUCTION].presence is Presence.ABSENT
    assert "nothing to uninstall" in await stand.refused(AWAY)
    stand.world.control.plans.clear()
    done = await stand.run(DEPLOY)
    assert done.state is OperationState.SUCCEEDED, done.verdict
    assert revisions(stand, ENV) == ["1 deployed"]


async def test_a_release_of_before_this_launch_is_never_taken_away(tmp_path: Path) -> None:
    async with launch(tmp_path, each_s=SHORT_S) as stand:
        assert "was complete before this launch: roll back to it" in await stand.refused(AWAY)
        stand.bad_pods(ENV, CRASHES)
        failed = await stand.run(DEPLOY)
        assert failed.offers == ("rollback", "retry")
        assert "was complete before this launch" in await stand.refused(AWAY)


async def test_a_release_that_is_there_after_all_locks_what_was_deferred(tmp_path: Path) -> None:
    async with launch(tmp_path, first=True) as stand:
        await prepared(stand)
        await stand.go(1, 2, 3, 4, 5, 6, 7, 8)
        await stand.deferred("6.1")
        preview = await stand.operations.preview(DEPLOY, ANN)
        assert "deferred: item 6.1 is judged after this deploy: the certificate" in preview.checks
        assert preview.from_what == "nothing: FIRST LAUNCH"
        assert (await stand.run(DEPLOY)).state is OperationState.SUCCEEDED
        await stand.deferred("6.1")
        answer = await stand.refused(DEPLOY)
        assert "gate 6 is" in answer or "this is no first launch" in answer


@pytest.mark.parametrize("driver", ["configmap"])
async def test_a_release_that_is_kept_elsewhere_is_not_taken_for_a_first_launch(
    tmp_path: Path, driver: str
) -> None:
    async with launch(tmp_path, first=True) as stand:
        await stand.run(PREPARE, None)
        labels = {"owner": "helm", "name": "dotmac", "status": "deployed", "version": "3"}
        meta = {"name": "sh.helm.release.v1.dotmac.v3", "namespace": ENV.namespace, "labels": labels}
        stand.world.store.put(f"{driver}s", {"metadata": meta, "data": {}})
        seen = await Releases(stand.journal, stand.runbook, stand.clients).look()
        assert seen.presence is Presence.UNKNOWN
        assert "HELM_DRIVER=configmap" in seen.reason
