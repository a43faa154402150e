"""A signature counts once and for what it names: again, for another candidate or by another key it is nothing."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from console.client.engine_client import EngineClient
from console.client.signing import KEY_FILE, attestation_of, sign_attestation
from state.attest.statement import Attestation, read_statement
from state.base.frozen import remake
from state.base.json import JsonObject, integer, text
from state.commands import Confirmation
from state.events.bodies import body_as
from state.events.event import Draft
from state.events.gates import AttestSigned
from state.events.operations import CandidateSeen
from state.events.requests import RequestGranted
from state.log.errors import Damage
from state.log.verify import verify
from tests.console.client.test_signing import signing
from tests.console.engine.stand import Stand, stand
from tests.state.attest.test_sshsig import keygen

pytestmark = pytest.mark.needs("ssh-keygen")
GO: JsonObject = {"item": "1.1", "verdict": "GO", "comment": ""}


async def send(client: EngineClient, statement: str, signature: str, args: JsonObject = GO) -> str:
    """Give a word with a signature of somebody's choice; return why it was refused, or nothing."""
    sent = {**args, "statement": statement, "signature": signature}
    frame = await client._ask({"t": "command", "name": "attest.sign", "args": sent, "confirmation": {}})
    reply = frame["reply"]
    assert isinstance(reply, dict)
    return "" if reply["ok"] else text(reply, "message")


async def test_a_statement_that_stands_in_the_log_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with signing(tmp_path, monkeypatch) as (s, client, _):
        assert (await client.command("attest.sign", GO)).ok
        body = s.events(AttestSigned.KIND)[0].body
        statement, signature = text(body, "statement"), text(body, "signature")
        assert "counts once" in await send(client, statement, signature)
        assert (await client.command("attest.withdraw", {"item": "1.1", "reason": "no"})).ok
        assert "counts once" in await send(client, statement, signature)
        other = await s.attach("ann")
        assert "counts once" in await send(other, statement, signature)
        assert (await client.command("attest.sign", GO)).ok, "signed anew, it counts"


@pytest.mark.parametrize(
    "change",
    [
        {"candidate": "v9.9.9"},
        {"images": (("web", "ghcr.io/x/web@sha256:" + "0" * 64),)},
        {"images": ()},
        {"parts": (("production", "values", "0" * 64),)},
        {"parts": ()},
        {"evidence": (1,)},
        {"verdicts": (("1.1/0", "pass"),)},
    ],
)
async def test_a_statement_about_something_else_is_refused(
    change: JsonObject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with signing(tmp_path, monkeypatch) as (s, client, key):
        await s.engine.journal.record(Draft(CandidateSeen("production", (("values", "1" * 64),))))
        seq = s.view.seq
        await client.until(lambda view: view.seq >= seq)
        said = replace(attestation_of(client.view, "ann", GO), **change)  # type: ignore[arg-type]  # its fields
        made = await sign_attestation(said, [key.with_suffix(".pub").read_text()], os.environ)
        told = await send(client, made.statement, made.signature)
        assert "look again" in told
        assert not s.events(AttestSigned.KIND)


async def test_a_voided_signature_does_not_come_back_for_new_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with signing(tmp_path, monkeypatch) as (s, client, _):
        assert (await client.command("attest.sign", GO)).ok
        body = body_as(AttestSigned, s.events(AttestSigned.KIND)[0])
        await s.engine.journal.record(Draft(CandidateSeen("production", (("values", "2" * 64),))))
        assert await send(client, body.statement, body.signature)
        said = read_statement(Attestation, body.statement)
        assert ("production", "values", "2" * 64) not in said.parts


@pytest.mark.parametrize("forged", ["again", "key", "how_known"])
async def test_verify_names_a_word_that_nobody_signed(
    forged: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with signing(tmp_path, monkeypatch) as (s, client, _):
        assert (await client.command("attest.sign", GO)).ok
        body = body_as(AttestSigned, s.events(AttestSigned.KIND)[0])
        assert verify(s.log).ok
        other = "SHA256:" + "A" * 43
        again = {
            "again": body,
            "key": remake(AttestSigned, body, key=other),
            "how_known": remake(AttestSigned, body, how_known=f"SSH key {other}"),
        }[forged]
        if forged == "again":
            await s.engine.journal.record(Draft(again, "g01", actor="ann"))
        else:
            (await_new := attestation_of(client.view, "ann", GO)).text()
            public = client.view.people[0].signing_keys[0]
            made = await sign_attestation(await_new, [public], os.environ)
            fresh = remake(AttestSigned, again, statement=made.statement, signature=made.signature)
            await s.engine.journal.record(Draft(fresh, "g01", actor="ann"))
    report = verify(s.log)
    assert report.damage is Damage.SIGNATURE
    assert {"again": "it was given again"}.get(forged, "names another key") in report.message


# one account, several people


@asynccontextmanager
async def sharing(folder: Path) -> AsyncIterator[tuple[Stand, dict[str, Path]]]:
    """Yield an engine whose people share one account and have a key each."""
    keys = {}
    for name in ("cap", "app", "obs"):
        (folder / name).mkdir()
        keys[name] = keygen(folder / name, "ed25519")
    roles = {"cap": ["captain"], "app": ["approver"], "obs": ["observer"]}
    async with stand(folder) as s:
        data = yaml.safe_load(s.runbook.read_text())
        data["people"] = [
            {
                "id": name,
                "name": name,
                "accounts": ["ann"],
                "roles": roles[name],
                "signing_keys": [key.with_suffix(".pub").read_text()],
            }
            for name, key in keys.items()
        ]
        items = {item["id"]: item for gate in data["gates"] for item in gate["items"]}
        items["1.2"]["attest"] = {"question": "Which?", "people": 2}
        s.runbook.write_text(yaml.safe_dump(data))
        await s.open()
        await s.until(lambda view: len(view.parts) == 2)
        yield s, keys


WAIVE: JsonObject = {"item": "1.1", "reason": "why", "minutes": "60"}


@pytest.mark.parametrize(
    ("asks", "grants", "told"),
    [
        ("cap", "app", ""),
        ("cap", "cap", "doesn't grant it"),
        ("cap", "obs", "is observer"),
        ("cap", "", "nothing was given"),
        ("", "app", "names no other account"),
    ],
)
async def test_keys_tell_apart_who_shares_an_account(
    asks: str, grants: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    async with sharing(tmp_path) as (s, keys):
        ann = await s.attach("ann")

        def sit(name: str) -> None:
            monkeypatch.setenv(KEY_FILE, str(keys.get(name, tmp_path / "none")))

        sit(asks)
        shown = await ann.preview("item.waive", WAIVE)
        wanted: JsonObject = {"command": "item.waive", "args": WAIVE, "reason": "why"}
        asked = await ann.command("request.make", wanted, Confirmation(token=shown.token))
        if asked.ok:
            seq = str(integer(asked.result, "request"))
            sit(grants)
            answer: JsonObject = {"request": seq, "sign": "yes"}
            look = await ann.preview("request.grant", answer)
            granted = await ann.command(
                "request.grant", answer, Confirmation(look.phrase or "dotmac", look.token)
            )
            assert told in granted.message
            assert granted.ok is (not told)
        else:
            assert told in asked.message
        again = await ann.preview("item.waive", WAIVE)
        done = await ann.command("item.waive", WAIVE, Confirmation(again.phrase, again.token))
        assert done.ok is (not told)
        if not told:
            assert body_as(RequestGranted, s.events(RequestGranted.KIND)[0]).key
    assert verify(s.log).ok


async def test_two_people_of_one_account_sign_with_two_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    async with sharing(tmp_path) as (s, keys):
        ann = await s.attach("ann")
        for name, told in (("cap", "(1 of 2)"), ("cap", "(1 of 2)"), ("app", "(2 of 2)")):
            monkeypatch.setenv(KEY_FILE, str(keys[name]))
            reply = await ann.command("attest.sign", {"item": "1.2", "verdict": "GO"})
            assert told in reply.message
