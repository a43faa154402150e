"""The head of the log in other places, and a log that is not what was seen of it."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest
import yaml

from console.__main__ import main
from console.client.engine_client import EngineClient
from console.client.file_source import FileSource
from console.client.witness import ConsoleWitness
from console.engine.record.anchors import CONFIGMAP
from console.exit_codes import ExitCode
from screens.kit.plain import Role
from screens.kit.screen_state import ScreenState
from screens.sections.banner import banner
from screens.sections.status_line import status
from state.base.canonical import parse_anchor
from state.base.json import obj, texts
from state.events.event import Draft
from state.events.log import LogAnchored, LogDoubted, NoteAdded
from state.log.verify import verify
from state.log.witness import Witness, witness_directory
from tests.console.engine.stand import REAL_S, Stand, stand


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def witness(s: Stand) -> Witness:
    return Witness(witness_directory(os.environ), s.engine.store.log_id)


async def go(s: Stand, client: EngineClient, gate: int = 1) -> None:
    for item in s.view.gate(gate).items:  # type: ignore[union-attr]  # it is there
        assert (await client.command("attest.sign", {"item": item.id, "verdict": "GO"})).ok


async def test_the_head_is_kept_at_a_gate_pass_and_at_the_end(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open()
        client = await s.attach("ann")
        await go(s, client)
        await s.until(lambda v: any(line.kind == LogAnchored.KIND for line in v.tail))
        kept = s.events(LogAnchored.KIND)[0].body
        assert kept["occasion"] == "gate 1 GO"
        assert kept["sinks"] == ["witness"]
        seen = witness(s).seen()
        assert str(seen) == kept["head"]
        (told,) = [row.words for row in s.view.tail if row.kind == LogAnchored.KIND]
        assert told == f"{kept['head']} kept: witness"
        shown = "".join(span.text for span in status(ScreenState(s.view), 160, 2)[1])
        assert shown.endswith(s.view.head)
        await client.close()
        await s.close()
        last = witness(s).seen()
        report = verify(s.log)
        assert str(last) == report.head  # not one event of a launch that ended is uncovered
        assert main(["verify", str(s.log)]) == 0


@pytest.mark.parametrize("cut", [True, False])
async def test_a_log_that_is_not_what_was_seen_is_in_doubt_for_every_console(
    cut: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        await s.close()
        older = tmp_path / "older"
        shutil.copyfile(s.log, older)
        await s.open(run=False)
        for n in range(5):
            await s.engine.journal.record(Draft(NoteAdded(str(n))))
        await s.close()
        before = witness(s).seen()
        assert before is not None
        shutil.copyfile(older, s.log)  # the tail is gone
        if not cut:  # and another one was written where it was
            elsewhere = tmp_path / "elsewhere"
            state = os.environ.pop("XDG_STATE_HOME")
            os.environ["XDG_STATE_HOME"] = str(elsewhere)
            await s.open(run=False)
            for n in range(9):
                await s.engine.journal.record(Draft(NoteAdded(f"other {n}")))
            await s.close()
            os.environ["XDG_STATE_HOME"] = state
        capsys.readouterr()
        assert main(["verify", str(s.log)]) == ExitCode.DAMAGED_LOG
        told = capsys.readouterr().out
        assert ("proves" if cut else "is not that of the anchor") in told
        assert f"this account saw {before}" in told
        assert main(["verify", str(s.log), "--no-witness"]) == 0

        source = FileSource(s.log, replay=True)
        await source.open(lambda: None)
        assert ("shorter" if cut else "changed") in source.shown().doubt
        (red,) = [span for span in banner(source.shown(), 160, 3)[0] if "IN DOUBT" in span.text]
        assert red.role is Role.ALARM
        await source.close()
        await s.open(run=False)
        assert ("shorter" if cut else "changed") in s.view.doubt
        assert any("the log is in doubt" in d.what for d in s.view.deviations)
        client = await s.attach("bob")
        assert client.view.doubt == s.view.doubt
        sight = ConsoleWitness(client)
        assert ("shorter" if cut else "changed") in await sight.compare()
        await sight.keep()
        await client.close()
        await s.close()
        assert witness(s).seen() == before  # the doubt is not forgotten
        await s.open(run=False)
        assert len(s.events(LogDoubted.KIND)) == 2


async def test_every_account_keeps_what_it_saw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "bob"))
        client = await s.attach("bob")
        sight = ConsoleWitness(client)
        assert await sight.compare() == ""
        await sight.keep()
        assert str(witness(s).seen()) == client.view.head
        await client.close()


async def test_a_home_that_can_not_be_written_disturbs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nothing")
    async with stand(tmp_path) as s:
        await s.open(run=False)
        await s.engine.anchors.keep("a test")
        assert s.events(LogAnchored.KIND)[0].body["sinks"] == []
        await s.close()
        await s.open(run=False)
        assert s.view.doubt == ""


async def test_the_witness_follows_between_occasions(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open()
        await s.engine.journal.record_many([Draft(NoteAdded(str(n))) for n in range(300)])
        async with asyncio.timeout(REAL_S):
            while (seen := witness(s).seen()) is None or seen.seq < 300:  # noqa: ASYNC110  polled from outside
                await asyncio.sleep(0.02)


async def test_a_config_map_holds_the_head_where_the_runbook_says_so(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        data = yaml.safe_load(s.runbook.read_text())
        data["anchors"] = {"configmap": True}
        s.runbook.write_text(yaml.safe_dump(data))
        await s.open(run=False)
        await s.engine.anchors.keep("a test")
        await s.engine.anchors.keep("a test")
        first, second = (e.body for e in s.events(LogAnchored.KIND))
        assert texts(first["sinks"])[1:] == (f"configmap {CONFIGMAP}",)
        kept = obj(s.world.configmaps[CONFIGMAP]["data"])
        assert kept[s.view.log_id] == second["head"]
        assert parse_anchor(str(kept[s.view.log_id])).seq > 0
        s.world.broken = True
        await s.engine.anchors.keep("a test")
        third = s.events(LogAnchored.KIND)[2].body
        assert texts(third["sinks"]) == ("witness",)
        assert "500" in texts(third["failed"])[0]
