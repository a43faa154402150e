"""Every rule of seats, attacked: who is who, what a key may say, and that one person alone opens no closed lock."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from console.client.engine_client import EngineClient
from console.client.signing import KEY_FILE, Signed, attestation_of, sign_attestation, statement_of
from console.rehearsal.autopilot.second import Second
from console.ui.keys.keymap import entries
from screens.kit.screen_state import Mode
from state.attest.statement import Statement
from state.base.frozen import replace
from state.base.json import Json, JsonObject, integer, text
from state.commands import BY_NAME, COMMANDS, NEEDS_TWO, Confirmation, Field, Reply
from state.events.bake import ConditionMuted
from state.events.gates import AttestSigned, AttestWithdrawn, ItemWaived
from state.events.operations import OperationIntended
from state.events.requests import RequestGranted, RequestMade, RequestRefused
from state.log.allowed_signers import read_allowed
from state.log.errors import Damage
from state.log.verify import verify
from state.runbook.load import RunbookError
from state.view.enums import RequestState
from state.view.locks import locks
from state.view.people import role_problem
from tests.console.engine.commands.test_alone import ARGS, TYPED, people, person
from tests.console.engine.stand import Stand, stand
from tests.state.attest.test_sshsig import keygen

GO: JsonObject = {"item": "1.1", "verdict": "GO", "comment": ""}
WAIVE: JsonObject = {"item": "1.1", "reason": "why", "minutes": "60"}


# one person alone

GIVEN: Mapping[Field, Json] = {
    Field.ITEM: "1.1",
    Field.GATE: "1",
    Field.STAGE: "build",
    Field.OPERATION: "production.deploy",
    Field.CONDITION: "error-rate",
    Field.WATCHING: "error-rate",
    Field.DEVIATION: "1",
    Field.TEXT: "why",
    Field.VERDICT: "GO",
    Field.MINUTES: "10",
    Field.RATE: "1",
    Field.CHOICE: "retry",
    Field.REQUEST: "1",
    Field.POLL: "1",
}
ENDS = frozenset({"launch.scrub", "launch.close", "engine.stop"})
"""What ends everything is tried last of all, by nobody here."""


async def give(client: EngineClient, name: str, args: JsonObject) -> Reply:
    shown = await client.preview(name, args)
    return await client.command(name, args, Confirmation(shown.phrase or "dotmac", shown.token))


def opened(s: Stand) -> list[str]:
    """Return what was let past a lock, in words."""
    done = [e.kind for kind in (ItemWaived, ConditionMuted, RequestGranted) for e in s.events(kind.KIND)]
    made = [e for e in s.events(OperationIntended.KIND) if e.body.get("commands")]
    return [*done, *(text(e.body, "id") for e in made)]


async def test_no_command_of_the_registry_leads_one_account_past_a_closed_lock(tmp_path: Path) -> None:
    """Keys, palette, socket and dialogs give commands of the registry alone: each is given here, in every way."""
    async with stand(tmp_path) as s:
        people(s, person("ann", "ann", "captain", "operator", "approver"), person("all", "*", "observer"))
        await s.open()
        await s.released("production.migrate")  # the way back is interlocked from here on
        first, second, stranger = await s.attach("ann"), await s.attach("ann"), await s.attach("tom")
        for client in (first, second, stranger):
            for spec in COMMANDS:
                if spec.name in ENDS:
                    continue
                args: dict[str, Json] = {p.name: GIVEN[p.field] for p in spec.parameters}
                for more in TYPED if spec.name in NEEDS_TWO and client is first else TYPED[:1]:
                    await give(client, spec.name, {**args, **more})
            for back in ("production.rollback", "production.deploy"):
                await give(client, "operation.run", {"operation": back})
            for name in NEEDS_TWO:
                wanted: JsonObject = {"command": name, "args": ARGS[name], "reason": "why"}
                shown = await client.preview(name, ARGS[name])
                await client.command("request.make", wanted, Confirmation(token=shown.token))
        assert opened(s) == []
        assert not s.events(RequestMade.KIND), "nobody else could grant it, so nothing waits"


def test_the_palette_gives_commands_of_the_registry_alone() -> None:
    names = {e.name.removeprefix("command:") for e in entries(Mode.LIVE) if e.name.startswith("command:")}
    assert names == {spec.name for spec in COMMANDS if spec.listed}
    assert names <= set(BY_NAME)


async def test_the_second_person_of_a_rehearsal_grants_nothing_in_a_runbook_without_them(
    tmp_path: Path,
) -> None:
    async with stand(tmp_path) as s:
        people(s, person("ann", "ann", "captain"), person("eve", "eve", "approver"))
        await s.open()
        seconding = asyncio.create_task(Second(s.engine).run())
        ann = await s.attach("ann")
        shown = await ann.preview("item.waive", WAIVE)
        wanted: JsonObject = {"command": "item.waive", "args": WAIVE, "reason": "why"}
        assert (await ann.command("request.make", wanted, Confirmation(token=shown.token))).ok
        await asyncio.sleep(0.3)
        seconding.cancel()
        with suppress(asyncio.CancelledError):
            await seconding
        assert opened(s) == []


async def test_a_green_launch_needs_one_person_where_attest_asks_for_one(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        people(s, person("ann", "ann", "captain"))
        await s.open(run=False)
        ann = await s.attach("ann")
        for gate in s.view.gates:
            for item in gate.items:
                args: JsonObject = {"item": item.id, "verdict": "GO", "comment": "seen", "link": "x:1"}
                shown = await ann.preview("attest.sign", args)
                assert (await ann.command("attest.sign", args, Confirmation(token=shown.token))).ok
        spec = next(o for o in s.view.operation_specs if o.id == "production.deploy")
        judged = [i.id for g in s.view.gates for i in g.items if i.checks]
        told = [lock.words for lock in locks(s.view, spec, s.clock.wall_us()) if lock.kind.by_judgement]
        assert not told or judged, "checks alone may keep it closed"
        assert not any("second person" in one for one in told)


# who is who


@pytest.mark.needs("ssh-keygen")
@pytest.mark.parametrize(
    ("twin", "told"),
    [
        ({"id": "eve", "accounts": ["eve"]}, "has this key too"),
        ({"id": "cap", "accounts": ["eve"], "signing_keys": []}, "stands twice"),
        ({"id": "eve", "accounts": ["ann"], "signing_keys": []}, "is cap's account too"),
    ],
)
async def test_one_person_under_two_names_is_refused_when_the_runbook_is_read(
    twin: JsonObject, told: str, tmp_path: Path
) -> None:
    key = keygen(tmp_path, "ed25519").with_suffix(".pub").read_text()
    async with stand(tmp_path) as s:
        first = person("cap", "ann", "captain", keys=(key,))
        people(s, first, {**person("eve", "eve", "approver", keys=(key + " other",)), **twin})
        with pytest.raises(RunbookError, match=told):
            await s.open(run=False)


@dataclass(frozen=True)
class Table:
    """An engine whose people have keys, and what signs for them."""

    s: Stand
    keys: Mapping[str, Path]

    async def signed(
        self, client: EngineClient, name: str, args: JsonObject, by: str, token: str = ""
    ) -> Signed:
        """Sign a command's statement with a key of anybody's, whatever the client would do."""
        await client.until(lambda view: view.seq >= self.s.view.seq)
        made = statement_of(client.view, client.welcome.account, name, {**args, "sign": "yes"}, token)
        assert made is not None
        return await self.sign(made[0], by)

    async def sign(self, statement: Statement, by: str) -> Signed:
        public = self.keys[by].with_suffix(".pub").read_text()
        return await sign_attestation(statement, [public], {**os.environ, KEY_FILE: str(self.keys[by])})

    async def send(
        self,
        client: EngineClient,
        name: str,
        args: JsonObject,
        made: Signed,
        given: Confirmation | None = None,
    ) -> Reply:
        """Give a command with a signature of somebody's choice."""
        sent = {**args, "statement": made.statement, "signature": made.signature}
        said = given or Confirmation()
        frame = await client._ask(
            {
                "t": "command",
                "name": name,
                "args": sent,
                "confirmation": {"phrase": said.phrase, "token": said.token},
            }
        )
        reply = frame["reply"]
        assert isinstance(reply, dict)
        return Reply(ok=bool(reply["ok"]), message=text(reply, "message"))


@asynccontextmanager
async def table(folder: Path, monkeypatch: pytest.MonkeyPatch, **accounts: str) -> AsyncIterator[Table]:
    """Yield an engine with a captain, an approver and an operator who have a key each; ``mal`` is nobody."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv(KEY_FILE, str(folder / "none"))
    keys = {}
    for name in ("cap", "app", "ops", "mal"):
        (folder / name).mkdir()
        keys[name] = keygen(folder / name, "ed25519")
    roles = {"cap": "captain", "app": "approver", "ops": "operator"}
    async with stand(folder) as s:
        people(
            s,
            *(
                person(
                    name, accounts.get(name, name), role, keys=(keys[name].with_suffix(".pub").read_text(),)
                )
                for name, role in roles.items()
            ),
        )
        await s.open()
        await s.until(lambda view: len(view.parts) == 2)
        yield Table(s, keys)


@pytest.mark.needs("ssh-keygen")
async def test_a_word_counts_for_its_launch_its_account_its_key_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with table(tmp_path / "a", monkeypatch) as t, table(tmp_path / "b", monkeypatch) as elsewhere:
        cap, there = await t.s.attach("cap"), await elsewhere.s.attach("cap")
        other = attestation_of(there.view, "cap", GO)
        own = attestation_of(cap.view, "cap", GO)
        for said, by, why in (
            (other, "cap", "another log"),
            (replace(own, head=other.head), "cap", "another log"),
            (own, "app", "does not list the key"),
            (own, "mal", "does not list the key"),
            (replace(own, account="app"), "cap", "another word"),
            (replace(own, item="1.2"), "cap", "another word"),
            (replace(own, go=False), "cap", "another word"),
            (replace(own, candidate="v9.9.9"), "cap", "another candidate"),
        ):
            refused = await t.send(cap, "attest.sign", GO, await t.sign(said, by))
            assert not refused.ok
            assert why in refused.message, (why, refused.message)
        assert not (await cap.command("attest.sign", GO)).ok, "and none at all is nothing"
        made = await t.signed(cap, "attest.sign", GO, "cap")
        assert (await t.send(cap, "attest.sign", GO, made)).ok
        assert "counts once" in (await t.send(cap, "attest.sign", GO, made)).message
        gone: JsonObject = {"item": "1.1", "reason": "not yet"}
        taken = await t.signed(cap, "attest.withdraw", gone, "cap")
        assert (await t.send(cap, "attest.withdraw", gone, taken)).ok
        assert "counts once" in (await t.send(cap, "attest.sign", GO, made)).message
        (event,) = t.s.events(AttestWithdrawn.KIND)
        assert text(event.body, "key").startswith("SHA256:")
        fresh = await t.signed(cap, "attest.sign", GO, "cap")
        assert (await t.send(cap, "attest.sign", GO, fresh)).ok
        assert not (await t.send(cap, "attest.withdraw", gone, taken)).ok, "nor does a withdrawal come back"
        assert len(t.s.events(AttestSigned.KIND)) == 2
    assert verify(t.s.log).ok


@pytest.mark.needs("ssh-keygen")
async def test_requests_grants_and_refusals_are_signed_by_two_people_or_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with table(tmp_path, monkeypatch, app="cap") as t:  # the captain and the approver share an account
        cap = await t.s.attach("cap")
        seq = await asked(t, cap)
        grant: JsonObject = {"request": str(seq)}
        shown = await cap.preview("request.grant", {**grant, "sign": "yes"})
        typed = Confirmation(shown.phrase, shown.token)
        for by, why in (("cap", "doesn't grant it"), ("mal", "is nobody in the runbook")):
            refused = await t.send(
                cap, "request.grant", grant, await t.signed(cap, "request.grant", grant, by), typed
            )
            assert why in refused.message
        assert not (await cap.command("request.grant", grant, typed)).ok, "unsigned, it may be anybody's"
        no: JsonObject = {"request": str(seq), "reason": "ask the vendor"}
        refusal = await t.signed(cap, "request.refuse", no, "app")
        assert (await t.send(cap, "request.refuse", no, refusal)).ok
        (event,) = t.s.events(RequestRefused.KIND)
        assert text(event.body, "how_known").startswith("SSH key SHA256:")
        again = await asked(t, cap)
        late: JsonObject = {"request": str(again)}
        old = await t.signed(cap, "request.grant", late, "app")
        assert not (await t.send(cap, "request.grant", grant, old, typed)).ok, (
            "the one that was refused stays so"
        )
        await t.s.clock.advance(15 * 60)
        expired = await t.send(cap, "request.grant", late, old, Confirmation(f"grant {again}", shown.token))
        assert "is expired" in expired.message
        found = t.s.view.request(seq)
        assert found is not None
        assert found.state is RequestState.REFUSED
        assert opened(t.s) == []
    assert verify(t.s.log).ok


async def asked(t: Table, client: EngineClient) -> int:
    shown = await client.preview("item.waive", WAIVE)
    wanted: JsonObject = {"command": "item.waive", "args": WAIVE, "reason": "why"}
    made = await t.signed(client, "request.make", wanted, "cap", shown.token)
    sent = {**wanted, "statement": made.statement, "signature": made.signature}
    frame = await client._ask(
        {
            "t": "command",
            "name": "request.make",
            "args": sent,
            "confirmation": {"phrase": "", "token": shown.token},
        }
    )
    reply = frame["reply"]
    assert isinstance(reply, dict)
    assert reply["ok"], reply
    result = reply["result"]
    assert isinstance(result, dict)
    return integer(result, "request")


@pytest.mark.needs("ssh-keygen")
async def test_a_key_that_left_the_runbook_signs_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retired: gone from the runbook, or past its valid-before in the file of allowed signers."""
    async with table(tmp_path, monkeypatch) as t:
        cap = await t.s.attach("cap")
        assert (await t.send(cap, "attest.sign", GO, await t.signed(cap, "attest.sign", GO, "cap"))).ok
        (tmp_path / "new").mkdir()
        new = keygen(tmp_path / "new", "ed25519").with_suffix(".pub").read_text()
        changed = [replace(p, signing_keys=(new,)) if p.id == "cap" else p for p in t.s.view.people]
        journal = t.s.engine.journal
        journal.view = replace(journal.view, people=tuple(changed))
        args: JsonObject = {**GO, "item": "1.2"}
        made = await t.sign(attestation_of(cap.view, "cap", args), "cap")
        refused = await t.send(cap, "attest.sign", args, made)
        assert "does not list the key" in refused.message
    public = " ".join(t.keys["cap"].with_suffix(".pub").read_text().split()[:2])
    signers = tmp_path / "allowed"
    for option, good in (("", True), ('valid-before="20200101" ', False), ('valid-after="20400101" ', False)):
        signers.write_text(f"cap {option}{public}\n")
        found = verify(t.s.log, allowed=read_allowed(signers))
        assert found.ok is good, found.message
        assert good or found.damage is Damage.SIGNATURE


@pytest.mark.needs("ssh-keygen")
async def test_the_one_who_ran_it_does_not_approve_it_with_another_key_or_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with table(tmp_path, monkeypatch) as t:
        journal = t.s.engine.journal
        items = [
            replace(i, rule=replace(i.rule, excluded=("ran production.deploy",))) if i.id == "1.1" else i
            for i in journal.view.gates[0].items
        ]
        gates = (replace(journal.view.gates[0], items=tuple(items)), *journal.view.gates[1:])
        twice = [replace(p, accounts=("cap", "ann")) if p.id == "cap" else p for p in journal.view.people]
        journal.view = replace(journal.view, gates=gates, people=tuple(twice))
        await t.s.released()  # as ann, who is the captain too
        cap, app = await t.s.attach("cap"), await t.s.attach("app")
        refused = await t.send(cap, "attest.sign", GO, await t.signed(cap, "attest.sign", GO, "cap"))
        assert "signed by somebody else than who ran production.deploy" in refused.message
        assert (await t.send(app, "attest.sign", GO, await t.signed(app, "attest.sign", GO, "app"))).ok


# roles of the runbook's own

SECURITY: JsonObject = {"question": "Is it safe?", "role": "security-lead"}


async def test_a_role_of_the_runbooks_own_signs_what_asks_for_it(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        data = yaml.safe_load(s.runbook.read_text())
        items = {i["id"]: i for g in data["gates"] for i in g["items"]}
        items["1.2"]["attest"] = SECURITY
        deploy = next(o for o in data["operations"] if o["id"] == "production.deploy")
        deploy["role"] = "release-manager"
        data["people"] = [
            person("cap", "ann", "captain"),
            person("sec", "sue", "security-lead"),
            person("rel", "bob", "operator", "release-manager"),
        ]
        s.runbook.write_text(yaml.safe_dump(data))
        await s.open(run=False)
        ann, sue = await s.attach("ann"), await s.attach("sue")
        asks: JsonObject = {"item": "1.2", "verdict": "GO"}
        assert (
            await ann.command("attest.sign", asks)
        ).message == "item 1.2 is signed by security-lead, and ann is not"
        assert (await sue.command("attest.sign", asks)).ok
        assert "and sue is security-lead" in (await sue.command("attest.sign", GO)).message
        veto: JsonObject = {"item": "1.1", "verdict": "NO-GO", "comment": "no"}
        assert (await sue.command("attest.sign", veto)).ok
        run: JsonObject = {"operation": "production.deploy"}
        refused = await ann.command("operation.run", run)
        assert refused.message == "production.deploy: it takes release-manager, and ann is captain"
        assert not (await sue.command("operation.run", run)).ok
        assert role_problem(s.view, "release-manager", "bob") == ""
        assert role_problem(s.view, "release-manager", "tom").endswith("and tom is nobody in the runbook")


@pytest.mark.parametrize(
    ("roles", "operation", "told"),
    [
        (("captain", "release-manager"), "release-manager", ""),
        (("captain",), "release-manager", "names no account whose people are all release-manager"),
        (("release-manager",), "release-manager", "names no account whose people are all release-manager"),
        (("captain", "aprover"), None, "nothing asks for aprover: is approver meant?"),
        (("captain", "historian"), None, ""),
    ],
)
async def test_whether_somebody_has_what_is_asked_for_is_said_when_the_runbook_is_read(
    roles: tuple[str, ...], operation: str | None, told: str, tmp_path: Path
) -> None:
    async with stand(tmp_path) as s:
        data = yaml.safe_load(s.runbook.read_text())
        data["people"] = [person("cap", "ann", *roles), person("app", "eve", "approver")]
        if operation is not None:
            next(o for o in data["operations"] if o["id"] == "production.deploy")["role"] = operation
        s.runbook.write_text(yaml.safe_dump(data))
        if told:
            with pytest.raises(RunbookError, match=told):
                await s.open(run=False)
        else:
            await s.open(run=False)
