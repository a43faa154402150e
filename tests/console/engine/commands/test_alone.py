"""One account and no second person: no command leads past what takes two, unless the runbook says single_operator."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from console.client.engine_client import EngineClient
from state.base.json import Json, JsonObject, integer
from state.commands import BY_NAME, COMMANDS, NEEDS_TWO, Confirmation, Field, Reply
from state.events.bake import ConditionMuted
from state.events.gates import ItemWaived
from state.events.operations import OperationIntended
from state.events.requests import RequestGranted
from state.log.reader import LogReader
from state.log.verify import verify
from state.report.page import report
from state.view.people import SINGLE_OPERATOR
from tests.console.engine.stand import Stand, stand

ARGS: dict[str, JsonObject] = {
    "item.waive": {"item": "1.1", "reason": "why", "minutes": "60"},
    "condition.mute": {"condition": "error-rate", "reason": "why", "minutes": "10"},
    "operation.run": {"operation": "production.deploy"},
}
TYPED: list[dict[str, Json]] = [
    {},
    {"second": "eve"},
    {"override_second": "eve", "override_reason": "why"},
    {"request": "1"},
    {"granted_by": "eve", "granted": "eve"},
]


def people(s: Stand, *named: JsonObject, **more: Json) -> None:
    data = yaml.safe_load(s.runbook.read_text())
    if named:
        data["people"] = list(named)
    data.update(more)
    s.runbook.write_text(yaml.safe_dump(data))


def person(name: str, account: str, *roles: str, keys: tuple[str, ...] = ()) -> dict[str, Json]:
    return {"id": name, "name": name, "accounts": [account], "roles": [*roles], "signing_keys": [*keys]}


async def _given(client: EngineClient, name: str, args: JsonObject) -> Reply:
    shown = await client.preview(name, args)
    return await client.command(name, args, Confirmation(shown.phrase or "dotmac", shown.token))


async def _requested(client: EngineClient, name: str) -> Reply:
    shown = await client.preview(name, ARGS[name])
    wanted: JsonObject = {"command": name, "args": ARGS[name], "reason": "why"}
    return await client.command("request.make", wanted, Confirmation(token=shown.token))


def test_every_command_that_takes_two_is_tried_here() -> None:
    assert set(ARGS) == NEEDS_TWO
    assert all(name in BY_NAME for name in NEEDS_TWO)


@pytest.mark.parametrize("name", sorted(NEEDS_TWO))
async def test_one_account_does_nothing_that_takes_two(name: str, tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        people(s, person("ann", "ann", "captain", "operator", "approver"))
        await s.open()
        await s.released("production.other")
        ann, again = await s.attach("ann"), await s.attach("ann")
        for client in (ann, again):
            await client.command("console.take_over", {"reason": "a test"})
            for more in TYPED:
                assert not (await _given(client, name, {**ARGS[name], **more})).ok
            asked = await _requested(client, name)
            assert not asked.ok
            assert "names no other account" in asked.message or name == "operation.run"
        assert not s.events(ItemWaived.KIND) + s.events(ConditionMuted.KIND)
        intended = [e.body["id"] for e in s.events(OperationIntended.KIND)]
        assert "production.deploy" not in intended


async def test_a_second_entry_of_the_same_account_is_no_second_person(tmp_path: Path) -> None:
    """What ``runbook check`` refuses holds in the engine too, where a view came from an older runbook."""
    async with stand(tmp_path) as s:
        people(s, person("ann", "ann", "captain"), person("eve", "eve", "approver"))
        await s.open(run=False)
        ann = await s.attach("ann")
        seq = integer((await _requested(ann, "item.waive")).result, "request")
        for client in (ann, await s.attach("ann")):
            assert not (await _given(client, "request.grant", {"request": str(seq)})).ok
        await s.clock.advance(15 * 60)
        eve = await s.attach("eve")
        late = await _given(eve, "request.grant", {"request": str(seq)})
        assert late.message == f"request #{seq} is expired: it takes no answer any more"


@pytest.mark.parametrize("name", ["item.waive", "condition.mute"])
async def test_a_single_operator_is_told_everywhere(name: str, tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        people(s, person("ann", "ann", "captain"), single_operator=True)
        await s.open(run=False)
        ann = await s.attach("ann")
        assert SINGLE_OPERATOR in (await ann.preview(name, ARGS[name])).blast
        assert not (await _given(ann, name, ARGS[name])).ok, "it is asked for first, with a reason"
        seq = integer((await _requested(ann, name)).result, "request")
        assert (await _given(ann, "request.grant", {"request": str(seq)})).ok
        assert (await _given(ann, name, ARGS[name])).ok
        (answer,) = s.events(RequestGranted.KIND)
        assert str(answer.body["how_known"]).endswith("single operator: nobody else was asked")
        assert s.view.scope.single_operator
    with LogReader(s.log) as reader:
        assert f"**{SINGLE_OPERATOR}**" in report(reader.every(), verify(s.log))


MINUTES = (
    "00000000199999",
    "0",
    "007",
    "-5",
    "1e3",
    "30.0",
    "٣٠",
    "²",
    "9" * 40,
    " ",
    "0x10",
    "1_0",
    "1441",
    "+5",
)


WITH_MINUTES = sorted(c.name for c in COMMANDS if any(p.field is Field.MINUTES for p in c.parameters))


@pytest.mark.parametrize("name", WITH_MINUTES)
async def test_a_number_is_what_was_checked(name: str, tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        people(s, person("ann", "ann", "captain"), single_operator=True)
        await s.open()
        await s.released()
        await s.tick(15)
        ann = await s.attach("ann")
        for minutes in MINUTES:
            args: JsonObject = {**ARGS.get(name, {"reason": "why"}), "minutes": minutes}
            shown = await ann.preview(name, args)
            wanted: JsonObject = {"command": name, "args": args, "reason": "why"}
            if name in NEEDS_TWO:
                asked = await ann.command("request.make", wanted, Confirmation(token=shown.token))
                assert not asked.ok or not minutes.strip(), minutes
            reply = await ann.command(name, args, Confirmation(shown.phrase, shown.token))
            assert not reply.ok, minutes
