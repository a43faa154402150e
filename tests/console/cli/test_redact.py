"""``launch-console redact`` from the command line, on a log that an engine has left."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
import yaml

from console.__main__ import main
from console.client.signing import KEY_FILE
from console.engine.process.socket_server import account_of
from console.exit_codes import ExitCode
from state.events.event import Draft
from state.events.log import NoteAdded
from state.log.allowed_signers import read_allowed
from state.log.reader import LogReader
from state.log.verify import verify
from tests.console.engine.stand import stand
from tests.state.attest.test_sshsig import keygen

LEAK = "hunter2hunter2"
ME = account_of(os.getuid())


async def leaked(folder: Path, *, keys: list[str]) -> tuple[Path, int, str]:
    """Return a log with a secret in it, the event's number, and the head before the redaction."""
    async with stand(folder) as s:
        data = yaml.safe_load(s.runbook.read_text())
        data["people"].append(
            {"id": "me", "name": "M", "accounts": [ME], "roles": ["approver"], "signing_keys": keys}
        )
        s.runbook.write_text(yaml.safe_dump(data))
        await s.open(run=False)
        event = await s.engine.journal.record(Draft(NoteAdded(LEAK), actor="ann"))
        log = s.log
    with LogReader(log) as reader:
        return log, event.seq, reader.head()


@pytest.mark.needs("ssh-keygen")
async def test_a_secret_is_taken_out_and_the_chain_and_older_anchors_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = keygen(tmp_path, "ed25519")
    log, seq, head = await leaked(tmp_path, keys=[key.with_suffix(".pub").read_text()])
    assert LEAK.encode() in log.read_bytes()
    monkeypatch.setenv(KEY_FILE, str(key))
    code = await _in_thread("redact", str(log), str(seq), "--reason", "a password")
    told = capsys.readouterr()
    assert code == 0, told.err
    assert f"the body of event {seq} is gone" in told.out
    assert "SSH key SHA256:" in told.out
    assert _leaking(tmp_path) == []
    signers = tmp_path / "signers"
    signers.write_text(f"{ME} {key.with_suffix('.pub').read_text()}")
    report = verify(log, [head], allowed=read_allowed(signers))
    assert report.ok, report.message
    assert report.signatures.signed == 1
    with LogReader(log) as reader:
        assert reader.event(seq).body == {"redacted": True}  # type: ignore[union-attr]  # it is there
        assert reader.last().body["reason"] == "a password"


def _leaking(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file() and LEAK.encode() in path.read_bytes()]


async def _in_thread(*words: str) -> int:
    return await asyncio.to_thread(main, list(words))


async def test_what_can_not_be_redacted_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, seq, _ = await leaked(tmp_path, keys=[])
    for number, told in (("1", "names the log"), ("99999", "there is no event 99999")):
        assert await _in_thread("redact", str(log), number, "--reason", "x") == 2
        assert told in capsys.readouterr().err
    assert await _in_thread("redact", str(log), str(seq), "--reason", " ") == 2
    assert "needs a reason" in capsys.readouterr().err
    assert await _in_thread("redact", str(log), str(seq), "--reason", "x") == 0
    assert "self-declared" in capsys.readouterr().out
    assert await _in_thread("redact", str(log), str(seq), "--reason", "x") == 2
    assert "redacted already" in capsys.readouterr().err


async def test_not_while_an_engine_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        assert await _in_thread("redact", str(s.log), "3", "--reason", "x") == ExitCode.BAD_LOG
        assert "held by another engine" in capsys.readouterr().err
