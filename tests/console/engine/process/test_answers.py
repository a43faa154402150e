"""Every request is answered, also by an error of ours: its kind, never its text."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from console.client.engine_client import EngineClient
from console.engine.ports import Who
from state.base.json import JsonObject
from state.commands import Confirmation, Reply
from state.view.preview import Preview
from tests.console.engine.stand import stand


class Broken:
    """Commands with an error of ours in them."""

    async def preview(self, name: str, args: JsonObject, who: Who) -> Preview:
        raise TypeError("Object of type date is not JSON serializable: s3cret")

    async def run(self, name: str, args: JsonObject, confirmation: Confirmation | None, who: Who) -> Reply:
        raise KeyError("s3cret")


async def test_a_request_that_fails_by_an_error_of_ours_is_answered_and_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        working, s.engine.hub.commands = s.engine.hub.commands, Broken()
        client = EngineClient(s.engine.connect("ann"), patience_s=None)
        await client.open()
        async with asyncio.timeout(20):
            preview = await client.preview("operation.run", {"operation": "staging.deploy"})
            reply = await client.command("launch.note", {"text": "x"})
        assert not preview.allowed
        assert "the engine failed on it (TypeError)" in preview.reason
        assert not reply.ok
        assert "KeyError" in reply.message
        assert "s3cret" not in preview.reason + reply.message
        lost = {name: one.reason for name, one in s.view.sources.items() if not one.ok}
        assert lost["engine/answers to operation.run"] == "failed (TypeError)"
        assert any("failed" in one.message for one in caplog.records)
        s.engine.hub.commands = working
        async with asyncio.timeout(20):
            await client.preview("operation.run", {"operation": "staging.deploy"})
            await client.until(lambda view: view.sources["engine/answers to operation.run"].ok)
        await client.close()
