"""What a preview shows, and everything that can stand against an operation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.rehearsal.dotmac.names import Env
from state.base.json import Json
from state.events.event import Draft
from state.events.log import NoteAdded
from state.events.operations import CandidateSeen
from tests.console.engine.operations.stand import ANN, TWO, launch, revisions, section, wrapped_helm


async def test_a_preview_shows_exactly_what_would_run(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        await stand.go(1, 2, 3, 4, 5, 6, 7, 8)
        preview = await stand.operations.preview("staging.deploy", ANN)
        assert preview.allowed, preview.reason
        world, images = stand.world, stand.platform.artifacts.references()
        folder = world.folder
        copy = stand.store.path.with_suffix(".operations") / "inputs" / preview.inputs_sha[:16]
        assert preview.commands[0].startswith(
            f"{folder.helm} upgrade --install dotmac {copy}/chart/{stand.platform.chart.name} "
            f"--namespace dotmac-staging -f {copy}/values/0-{folder.values(Env.STAGING).name} --version 0.1.0 "
            f"--kubeconfig {stand.store.path.with_suffix('.operations')}/kubeconfig/staging --kube-context staging "
            f"--set-string image.backend={images['backend']} "
        )
        assert "--atomic" not in preview.commands[0]
        assert preview.commands[1] == "kubectl --context staging -n dotmac-staging get pods,ingress"
        assert (preview.environment, preview.phrase) == ("rehearsal staging", "dotmac-staging")
        assert preview.from_what == "revision 1 (deployed)"
        assert preview.to_what.startswith("v1.4.0 (")
        assert preview.blast == (
            "5 pods in namespace dotmac-staging",
            "traffic of api.staging.dotmac.test, admin.staging.dotmac.test",
        )
        assert not [check for check in preview.checks if not check.startswith("pass: ")]
        assert "pass: rollback target: revision 1 (deployed)" in preview.checks
        artifacts = stand.platform.artifacts
        old, new = artifacts.previous["backend"], artifacts.candidate["backend"]
        backend = next(one for one in preview.diff if one.startswith("Deployment/dotmac-backend"))
        assert old[7:19] in backend
        assert new[7:19] in backend
        again = await stand.operations.preview("staging.deploy", ANN)
        assert again.token == preview.token
        values = folder.values(Env.STAGING)
        values.write_text(values.read_text().replace("backend: 2", "backend: 3"))
        changed = await stand.operations.preview("staging.deploy", ANN)
        assert changed.token != preview.token
        assert any("spec.replicas 2 → 3" in one for one in changed.diff)


async def test_gates_window_and_freeze_lock_production(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    freeze: dict[str, Json] = {
        "start": (now + timedelta(hours=2)).isoformat(),
        "end": (now + timedelta(hours=4)).isoformat(),
        "reason": "month-end closing",
    }

    def change(body: dict[str, Json]) -> None:
        section(body, "scope")["freezes"] = [freeze]

    async with launch(tmp_path, rate=1.0, change=change) as stand:
        answer = await stand.refused("production.deploy")
        assert "gate 1 is OPEN" in answer
        await stand.go(1, 2, 3, 4, 5, 6, 7, 8)
        assert "gate" not in await stand.refused("production.deploy")
        stand.world.clock.set_line(stand.world.clock.wall_us() + 3 * 3_600_000_000, 1.0)
        answer = await stand.refused("production.deploy")
        assert "month-end closing" in answer
        preview = await stand.operations.preview("production.deploy", ANN)
        assert preview.override_allowed
        stand.world.clock.set_line(stand.world.clock.wall_us() + 20 * 3_600_000_000, 1.0)
        assert "outside the launch window" in await stand.refused("production.deploy")
        assert "window" not in await stand.refused("production.rollback")


async def test_a_values_file_changed_after_the_approval_voids_it(tmp_path: Path) -> None:
    async with launch(tmp_path, rate=1.0) as stand:
        await stand.run_quickly("staging.deploy")
        await stand.go(1, 2, 3, 4, 5, 6, 7, 8)
        assert (await stand.operations.preview("production.deploy", ANN)).allowed
        values = stand.world.folder.values(Env.PRODUCTION)
        values.write_text(values.read_text().replace("backend: 2", "backend: 3"))
        answer = await stand.refused("production.deploy")
        assert "values file production.yaml" in answer
        assert "attest them again" in answer
        await stand.go(1, 2, 3, 4, 5, 6, 7, 8)
        await stand.until_recorded(CandidateSeen.KIND, 3)
        preview = await stand.operations.preview("production.deploy", ANN)
        assert preview.allowed, preview.reason
        newer = await stand.again()
        await newer.operations.resume()
        assert (await newer.operations.preview("production.deploy", ANN)).allowed
        await newer.close()


async def test_images_that_are_missing_and_tags_that_moved(tmp_path: Path) -> None:
    absent = f"registry.dotmac.test/dotmactech/dotmac-platform-worker@sha256:{'9' * 64}"

    def change(body: dict[str, Json]) -> None:
        section(body, "candidate", "images")["worker"] = absent
        section(body, "candidate", "images")["frontend"] = "registry.dotmac.test/x/frontend:v1"

    async with launch(tmp_path, change=change) as stand:
        moved = stand.platform.artifacts.move_tag("backend")
        answer = await stand.refused("staging.deploy", TWO)
        assert "the registry doesn't have worker@999999999999" in answer
        assert "image frontend is not named by a digest" in answer
        assert f"tag v1.4.0 of backend is {moved[7:19]} now" in answer


async def test_the_same_tag_with_a_new_digest_needs_two(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        stand.platform.artifacts.move_tag("backend")
        assert "somebody moved the tag" in await stand.refused("staging.deploy")
        ended = await stand.run("staging.deploy", TWO)
        assert ended.state == "succeeded"
        assert stand.platform.artifacts.candidate["backend"] in stand.running_digests(Env.STAGING)
        assert any("overridden with ben" in d.what for d in stand.journal.view.deviations)


async def test_accounts_clusters_and_helms_that_will_not_do(tmp_path: Path) -> None:
    script = 'case "$1" in version) echo v4.2.1+gabc; exit 0;; esac'
    async with launch(tmp_path, change=wrapped_helm(tmp_path, script)) as stand:
        stand.world.control.denials.append(
            lambda _u, verb, what, _n: (verb, what) == ("patch", "deployments")
        )
        answer = await stand.refused("staging.deploy", TWO)
        assert "this account may not patch deployments" in answer
        assert "helm v4.2.1+gabc must not be used: it never creates hook jobs" in answer

    def nowhere(body: dict[str, Json]) -> None:
        body["helm"] = "helm-that-is-not-there"
        section(body, "environments", "staging", "kube")["context"] = "elsewhere"

    (tmp_path / "b").mkdir()
    async with launch(tmp_path / "b", change=nowhere) as stand:
        answer = await stand.refused("staging.deploy", TWO)
        assert "no program 'helm-that-is-not-there' was found" in answer
        assert "has no context 'elsewhere'" in answer


async def test_a_chart_that_does_not_render_is_found_before_anything_runs(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        broken = stand.platform.chart / "templates" / "broken.yaml"
        broken.write_text("kind: {{ .Values.nowhere.at.all }}\n")
        answer = await stand.refused("staging.deploy", TWO)
        assert "UPGRADE FAILED" in answer
        assert revisions(stand, Env.STAGING) == ["1 deployed"]


async def test_an_unknown_operation_and_a_missing_secret(tmp_path: Path) -> None:
    def change(body: dict[str, Json]) -> None:
        section(body, "environments", "staging")["secrets"] = ["dotmac-platform-secrets", "nobody-made-it"]

    async with launch(tmp_path, change=change) as stand:
        assert "no operation 'moon.deploy'" in await stand.refused("moon.deploy")
        ended = await stand.run("staging.deploy")
        assert ended.state == "failed"
        assert "secret nobody-made-it does not exist in dotmac-staging" in ended.verdict
        assert not ended.pid
        assert revisions(stand, Env.STAGING) == ["1 deployed"]


async def test_what_drifted_and_what_cannot_change_is_said(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        live = stand.world.store.peek("configmaps", Env.STAGING.namespace, "dotmac-config")
        assert live is not None
        edited = {**live, "data": {**dict(live["data"]), "LOG_LEVEL": "DEBUG"}}  # type: ignore[arg-type]  # an object
        stand.world.store.put("configmaps", edited)
        service = stand.platform.chart / "templates" / "backend-deployment.yaml"
        labels = service.read_text().replace(
            "      app: dotmac-backend\n  strategy", "      app: other\n  strategy"
        )
        service.write_text(labels)
        preview = await stand.operations.preview("staging.deploy", ANN)
        assert 'ConfigMap/dotmac-config: live data.LOG_LEVEL is "DEBUG" instead of "INFO"' in preview.diff
        assert "Deployment/dotmac-backend: spec.selector can't be changed in place" in preview.reason
        assert "1 drifted" in "".join(preview.checks)


async def test_draft_of_a_note_does_not_disturb_a_token(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        before = (await stand.operations.preview("staging.deploy", ANN)).token
        await stand.journal.record(Draft(NoteAdded("the log goes on")))
        assert (await stand.operations.preview("staging.deploy", ANN)).token == before
