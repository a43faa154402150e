"""Words signed with SSH keys: made by the person's own ssh-keygen, believed by the engine, checked in the log."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from console.__main__ import main
from console.client.engine_client import EngineClient
from console.client.signing import KEY_FILE, attestation_of, sign_attestation
from state.base.json import JsonObject, text
from state.events.gates import AttestSigned
from state.log.allowed_signers import read_allowed
from state.log.errors import Damage
from state.log.verify import verify
from tests.console.engine.stand import Stand, stand
from tests.paths import ROOT
from tests.state.attest.test_sshsig import keygen, stock_says
from tests.state.log.support import tampered

pytestmark = pytest.mark.needs("ssh-keygen")


@asynccontextmanager
async def signing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Stand, EngineClient, Path]]:
    """Yield an engine whose captain has a key, and their console."""
    key = keygen(folder, "ed25519")
    async with stand(folder) as s:
        data = yaml.safe_load(s.runbook.read_text())
        data["people"][0]["signing_keys"] = [key.with_suffix(".pub").read_text()]
        s.runbook.write_text(yaml.safe_dump(data))
        monkeypatch.setenv(KEY_FILE, str(key))
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        await s.open()
        await s.until(lambda view: len(view.parts) == 2)  # a statement names them
        client = await s.attach("ann")
        yield s, client, key
        await client.close()


async def test_a_word_is_signed_and_verifies_here_and_with_stock_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with signing(tmp_path, monkeypatch) as (s, client, key):
        reply = await client.command("attest.sign", {"item": "1.1", "verdict": "GO", "comment": "seen\nit"})
        assert reply.ok, reply.message
        other = await s.attach("bob")
        assert (await other.command("attest.sign", {"item": "1.2", "verdict": "GO"})).ok
        await other.close()
        word = s.view.item("1.1").attestation  # type: ignore[union-attr]  # it is there
        assert word is not None
        assert word.how_known.startswith("SSH key SHA256:")
        declared = s.view.item("1.2").attestation  # type: ignore[union-attr]  # it is there
        assert declared is not None
        assert declared.how_known.endswith("self-declared")
        body = s.events(AttestSigned.KIND)[0].body
    assert stock_says(tmp_path, key, text(body, "signature"), text(body, "statement").encode())
    statement = json.loads(text(body, "statement"))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert {one["name"] for one in statement["subject"]} == {name for name, _ in s.view.candidate.images}
    said = statement["predicate"]
    assert (said["account"], said["item"], said["go"], said["comment"]) == ("ann", "1.1", True, "seen it")

    report = verify(s.log)
    assert (report.ok, report.signatures.signed, report.signatures.self_declared) == (True, 1, 1)
    assert report.unanchored == report.events  # the log's own keys seal nothing
    signers = tmp_path / "signers"
    signers.write_text(
        f'# launch\nann namespaces="attestation@launch-console" {key.with_suffix(".pub").read_text()}'
    )
    sealed = verify(s.log, allowed=read_allowed(signers))
    assert sealed.unanchored == sealed.events - said["seq"]
    capsys.readouterr()
    assert main(["verify", str(s.log), "--allowed-signers", str(signers)]) == 0
    assert f"1 signed, 1 unsigned; they seal the first {said['seq']} events" in capsys.readouterr().out

    signers.write_text("eve " + key.with_suffix(".pub").read_text())
    strange = verify(s.log, allowed=read_allowed(signers))
    assert (strange.ok, strange.damage) == (False, Damage.SIGNATURE)
    assert "is not known as theirs" in strange.message
    tampered(s.log, "UPDATE event SET body=replace(body, 'seen it', 'seen If') WHERE type='attest.signed'")
    assert verify(s.log).damage is Damage.BODY


@pytest.mark.needs("sqlite3")
async def test_the_commands_of_the_page_check_a_signature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I17: sqlite3 and ssh-keygen are enough."""
    page = (ROOT / "docs" / "log-format.md").read_text()
    script = page.split("```bash\n", 1)[1].split("```", 1)[0]
    async with signing(tmp_path, monkeypatch) as (s, client, key):
        assert (await client.command("attest.sign", {"item": "1.1", "verdict": "GO", "comment": "ü ✓"})).ok
        seq = s.events(AttestSigned.KIND)[0].seq
    signers = tmp_path / "signers"
    signers.write_text(f"ann {key.with_suffix('.pub').read_text()}")
    words = {"LOG": str(s.log), "SEQ": str(seq), "SIGNERS": str(signers), "WHO": "ann"}
    for name, value in words.items():
        script = script.replace(name, value)
    answer = await asyncio.to_thread(
        subprocess.run, ["bash", "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert 'Good "attestation@launch-console" signature for ann' in answer.stdout, answer.stderr


def _add(key: Path) -> None:
    while subprocess.run(["ssh-add", "-q", str(key)], check=False, capture_output=True).returncode:
        pass


@pytest.mark.needs("ssh-agent")
async def test_an_agent_signs_where_there_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    socket = Path(os.environ.get("TMPDIR", "/tmp")) / f"lc-agent-{os.getpid()}"
    async with signing(tmp_path, monkeypatch) as (s, client, key):
        monkeypatch.delenv(KEY_FILE)
        with subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL) as agent:  # noqa: ASYNC220  it starts at once
            try:
                monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
                await asyncio.to_thread(_add, key)
                assert (await client.command("attest.sign", {"item": "1.1", "verdict": "GO"})).ok
            finally:
                agent.terminate()
        word = s.view.item("1.1").attestation  # type: ignore[union-attr]  # it is there
        assert word is not None
        assert word.how_known.startswith("SSH key")


async def test_a_go_without_the_key_is_refused_and_a_no_go_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with signing(tmp_path, monkeypatch) as (s, client, _):
        monkeypatch.setenv(KEY_FILE, str(tmp_path / "nothing"))
        reply = await client.command("attest.sign", {"item": "1.1", "verdict": "GO"})
        assert not reply.ok
        assert "ann signs a GO with an SSH key: ssh-keygen:" in reply.message
        assert "ssh-add" in reply.message
        stop = {"item": "1.1", "verdict": "NO-GO", "comment": "the disk is full"}
        assert (await client.command("attest.sign", stop)).ok
        assert "self-declared" in str(s.events(AttestSigned.KIND)[0].body["how_known"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"item": "1.2"}, "another word"),
        ({"comment": "another"}, "another word"),
        ({"verdict": "NO-GO", "comment": "x"}, "another word"),
        ({"statement": "{}"}, "does not hold: statement"),
        ({"signature": "no"}, "does not hold: it is no SSH signature"),
    ],
)
async def test_a_signature_stands_for_one_word_only(
    change: JsonObject, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with signing(tmp_path, monkeypatch) as (s, client, key):
        args = {"item": "1.1", "verdict": "GO", "comment": ""}
        public = key.with_suffix(".pub").read_text()
        made = await sign_attestation(attestation_of(client.view, "ann", args), [public], os.environ)
        sent = {**args, "statement": made.statement, "signature": made.signature, **change}
        frame = await client._ask({"t": "command", "name": "attest.sign", "args": sent, "confirmation": {}})
        assert message in text(frame["reply"], "message")  # type: ignore[arg-type]  # an object
        assert not s.events(AttestSigned.KIND)


async def test_a_signature_of_another_log_or_key_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with signing(tmp_path, monkeypatch) as (_, client, key):
        args = {"item": "1.1", "verdict": "GO"}
        right = attestation_of(client.view, "ann", args)
        stranger = keygen(tmp_path, "ecdsa", 256)
        wrong = (
            (replace(right, log="0193b0c4-7d3e-7c51-9a52-5f0c1d2e3a4b"), key, "another log"),
            (replace(right, head=right.head[:-4] + "0000"), key, "another history"),
            (right, stranger, "does not list the key"),
        )
        for said, with_key, told in wrong:
            monkeypatch.setenv(KEY_FILE, str(with_key))
            made = await sign_attestation(said, [with_key.with_suffix(".pub").read_text()], os.environ)
            sent = {**args, "statement": made.statement, "signature": made.signature}
            frame = await client._ask(
                {"t": "command", "name": "attest.sign", "args": sent, "confirmation": {}}
            )
            assert told in text(frame["reply"], "message")  # type: ignore[arg-type]  # an object
