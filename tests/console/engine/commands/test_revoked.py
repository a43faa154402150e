"""A key that the runbook's list of revoked keys has signs nothing any more, whatever it would sign."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from console.__main__ import main
from console.client.engine_client import EngineClient
from console.client.signing import statement_of
from console.exit_codes import ExitCode
from state.base.json import JsonObject, integer
from state.commands import COMMANDS, Confirmation
from state.events.gates import AttestSigned
from state.log.errors import Damage
from state.log.revoked_keys import read_revoked
from state.log.verify import verify
from tests.console.engine.commands.test_alone import people
from tests.console.engine.commands.test_seats import GO, WAIVE, Table, asked, table

pytestmark = pytest.mark.needs("ssh-keygen")


@pytest.fixture
def list_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a list that every runbook of this test names; nothing is revoked yet."""
    path = tmp_path / "revoked.krl"
    revoke(path)
    monkeypatch.setattr(
        "tests.console.engine.commands.test_seats.people",
        lambda s, *named: people(s, *named, revoked_keys=str(path)),
    )
    return path


def revoke(path: Path, *keys: Path) -> None:
    path.unlink(missing_ok=True)
    public = [key.with_suffix(".pub") for key in keys]
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", path, *public], check=True)


def signable(client: EngineClient) -> set[str]:
    """Return the commands that can be signed: each is tried here, also one that comes after this test."""
    args: JsonObject = {"sign": "yes", "request": str(client.view.requests[-1].seq)}
    return {c.name for c in COMMANDS if statement_of(client.view, "app", c.name, args, "") is not None}


async def refusals(t: Table, list_: Path, cap: EngineClient, app: EngineClient) -> dict[str, str]:
    """Give every command that can be signed, with a key that is revoked; return the answers that refused it."""
    told: dict[str, str] = {}

    async def give(name: str, args: JsonObject, given: Confirmation | None = None, by: str = "app") -> None:
        client = app if by == "app" else cap
        made = await t.signed(client, name, args, by, given.token if given is not None else "")
        reply = await t.send(client, name, args, made, given)
        if not reply.ok:
            told[name] = reply.message

    await give("attest.sign", {**GO, "item": "1.2"})
    await give("attest.withdraw", {"item": "1.1", "reason": "not yet"})
    grant: JsonObject = {"request": str(await asked(t, cap))}
    shown = await app.preview("request.grant", {**grant, "sign": "yes"})
    await give("request.grant", grant, Confirmation(shown.phrase, shown.token))
    await give("request.refuse", {"request": str(await asked(t, cap)), "reason": "no"})
    poll = await cap.command("poll.open", {"about": "promote"})
    number = str(integer(poll.result, "poll"))
    await give("poll.answer", {"poll": number, "verdict": "NO-GO", "comment": "wait"})
    await asyncio.to_thread(revoke, list_, t.keys["app"], t.keys["cap"])
    shown = await cap.preview("item.waive", WAIVE)
    wanted: JsonObject = {"command": "item.waive", "args": WAIVE, "reason": "why"}
    await give("request.make", wanted, Confirmation(token=shown.token), "cap")
    return told


async def test_a_revoked_key_signs_nothing_from_that_moment(
    tmp_path: Path, list_: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with table(tmp_path, monkeypatch) as t:
        cap, app = await t.s.attach("cap"), await t.s.attach("app")
        assert (await t.send(app, "attest.sign", GO, await t.signed(app, "attest.sign", GO, "app"))).ok
        await asyncio.to_thread(revoke, list_, t.keys["app"])
        told = await refusals(t, list_, cap, app)
        assert set(told) == signable(app)
        assert [name for name, why in told.items() if "is revoked" not in why] == [], told.get("request.make")
        await asyncio.to_thread(revoke, list_, t.keys["app"])
        no: JsonObject = {"item": "1.2", "verdict": "NO-GO", "comment": "my key leaked"}
        assert (await app.command("attest.sign", no)).ok, "a NO-GO needs no key"
        assert (await t.send(cap, "attest.sign", GO, await t.signed(cap, "attest.sign", GO, "cap"))).ok
    assert verify(t.s.log).ok, "it was good when it was given"
    found = verify(t.s.log, revoked=read_revoked(list_))
    assert found.damage is Damage.SIGNATURE
    assert "is revoked" in found.message
    assert main(["verify", str(t.s.log), "--revoked-keys", str(list_)]) == ExitCode.DAMAGED_LOG
    assert main(["verify", str(t.s.log), "--revoked-keys", str(tmp_path / "missing")]) == ExitCode.BAD_CONFIG
    revoke(list_, t.keys["mal"])
    assert main(["verify", str(t.s.log), "--revoked-keys", str(list_)]) == ExitCode.GO


async def test_nobody_signs_where_the_list_cannot_be_read(
    tmp_path: Path, list_: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with table(tmp_path, monkeypatch) as t:
        cap = await t.s.attach("cap")
        for spoil in (
            list_.unlink,
            lambda: list_.write_bytes(b"SSHKRL\n\0cut"),
            lambda: list_.write_text("x y"),
        ):
            spoil()
            refused = await t.send(cap, "attest.sign", GO, await t.signed(cap, "attest.sign", GO, "cap"))
            assert "is revoked is not known" in refused.message
        assert not t.s.events(AttestSigned.KIND)
        await asyncio.to_thread(revoke, list_, t.keys["mal"])
        assert (await t.send(cap, "attest.sign", GO, await t.signed(cap, "attest.sign", GO, "cap"))).ok
