"""A manifest that can't be read is unknown, and nothing that helm prints is kept while it may hold secrets."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

from console.engine.operations.run.output import Report
from console.rehearsal.dotmac.names import Env
from state.base.json import obj
from state.events.bodies import body_of
from state.events.operations import OperationOutput
from tests.console.engine.operations.stand import ANN, Stand, launch

UNREADABLE = "apiVersion: v1\nkind: Secret\ndata: [\n"


def broken_record(stand: Stand, revision: int) -> None:
    """Let helm's record of a revision in staging hold a manifest that nobody can read."""
    record = stand.release(Env.STAGING, revision)
    assert record is not None
    data = str(obj(record["data"])["release"])
    raw = base64.b64decode(base64.b64decode(data))
    release = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    release["manifest"] += f"---\n{UNREADABLE}"
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode()
    stand.world.store.put("secrets", {**record, "data": {"release": packed}})


async def test_it_refuses_a_deploy_and_keeps_helms_words_back(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        broken_record(stand, 1)
        preview = await stand.operations.preview("staging.deploy", ANN)
        assert not preview.allowed
        assert "unknown: pods: the manifest cannot be read" in "\n".join(preview.checks)
        assert "objects change" not in "\n".join(preview.checks)
        report = Report(stand.journal, stand.clients.redactor, 1, 8, "staging.deploy")
        await report.output("stderr", ["Error: session.pepper is geheim-geheim"])
        assert (
            report.quoted("geheim") == "kept back: the secrets of the good revision of staging cannot be read"
        )
        bodies = [body_of(event) for event in stand.store.read(0, 500)]
        lines = [line for body in bodies if isinstance(body, OperationOutput) for line in body.lines]
        assert lines == ["kept back: the secrets of the good revision of staging cannot be read"]
