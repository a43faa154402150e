"""The whole ways: staging, production, and back, on a world with the stand-in for helm."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode
from pathlib import Path

from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.kubernetes import PodPlan
from state.base.canonical import parse_anchor
from state.base.json import Json, obj, text
from state.events.operations import OperationIntended
from state.log.verify import verify
from state.view.enums import OperationState as State
from tests.console.engine.operations.stand import ANN, SHORT_S, Stand, launch, revisions, section


async def test_the_way_to_production(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        for name in ("staging.deploy", "staging.migrate", "production.migrate", "production.deploy"):
            ended = await stand.run(name)
            assert ended.state is State.SUCCEEDED, (name, ended.verdict)
            assert ended.pid or name.endswith("migrate")
        steps = stand.steps()
        assert steps["images"][1].startswith("equal to the candidate: backend ")
        assert steps["objects"] == ("done", "live is what helm recorded")
        assert steps["health"] == ("done", "HTTP 200")
        assert "api.dotmac.test" in steps["ingress"][1]
        assert stand.running_digests(Env.PRODUCTION) == {stand.platform.artifacts.candidate["backend"]}
        assert revisions(stand, Env.PRODUCTION) == ["1 superseded", "2 deployed"]
        (head,) = re.findall(r"lc1:\S+", described(stand, 2))
        intended = [e for e in stand.store.read(0) if e.kind == OperationIntended.KIND][-1]
        assert parse_anchor(head).seq == intended.seq
        assert verify(stand.store.path, [head]).anchors == 1
        back = await stand.operations.preview("production.rollback", ANN)
        assert back.to_what == "revision 1 (recorded good)"
        assert not any("revision 2 (deployed) is the good one" in check for check in back.checks)


def described(stand: Stand, revision: int) -> str:
    """Return what ``helm history`` says of a revision in production."""
    data = text(obj(obj(stand.release(Env.PRODUCTION, revision)).get("data")), "release")
    release = json.loads(gzip.decompress(b64decode(b64decode(data))))
    return text(obj(obj(release).get("info")), "description")


async def test_back_to_the_recorded_good_revision(tmp_path: Path) -> None:
    async with launch(tmp_path, each_s=SHORT_S) as stand:
        stand.bad_pods(Env.PRODUCTION, PodPlan(image_error="manifest unknown"))
        ended = await stand.run("production.deploy")
        assert ended.state is State.FAILED
        assert ended.offers == ("rollback", "retry")
        assert "revision 2 (failed)" in ended.verdict
        bad = [detail for name, (_, detail) in stand.steps().items() if name.startswith("pod dotmac-backend")]
        assert "ImagePullBackOff" in bad[0]
        assert "manifest unknown" in bad[0]
        back = await stand.run("production.rollback", None)
        assert back.state is State.SUCCEEDED, back.verdict
        assert back.verdict == "revision 1 runs again (as revision 3), verified live"
        assert back.good == ended.good
        assert stand.running_digests(Env.PRODUCTION) == {stand.platform.artifacts.previous["backend"]}


async def test_a_first_install_makes_namespace_and_secrets(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("a password of the first install")

    def change(body: dict[str, Json]) -> None:
        staging = section(body, "environments", "staging")
        section(staging, "kube")["namespace"] = "dotmac-first"
        staging["secrets"] = ["dotmac-platform-secrets"]
        data: Json = {"DATABASE_PASSWORD": {"file": str(password)}}
        staging["apply_secrets"] = [{"name": "dotmac-platform-secrets", "data": data}]

    async with launch(tmp_path, change=change) as stand:
        preview = await stand.operations.preview("staging.deploy", ANN)
        assert preview.allowed, preview.reason
        assert preview.commands[0] == "kubectl --context staging create namespace dotmac-first"
        assert f"--from-file=DATABASE_PASSWORD={password}" in preview.commands[1]
        assert any("first install" in check for check in preview.checks)
        ended = await stand.run("staging.deploy", None)
        assert ended.state is State.SUCCEEDED, ended.verdict
        assert ended.good is None
        assert ended.revision == 1
        assert stand.steps()["namespace"][1] == "dotmac-first created"
        assert "created with 1 key" in stand.steps()["secrets"][1]
        made = stand.world.store.peek("secrets", "dotmac-first", "dotmac-platform-secrets")
        assert obj(obj(made).get("data")).keys() == {"DATABASE_PASSWORD"}
        assert "a rollback would undo" in await stand.refused("staging.rollback")
