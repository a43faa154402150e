"""What takes two people: requested by one, granted by another account, carried out once and for that only."""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from console.client.engine_client import EngineClient, SocketConnection
from console.client.protocol import FRAME_LIMIT
from console.engine.process.socket_server import SocketServer, account_of
from state.base.json import Json, JsonObject, integer
from state.commands import Confirmation, Reply
from state.events.gates import ItemWaived
from state.events.launch import CommandRefused
from state.events.requests import RequestGranted, RequestMade
from state.view.enums import RequestState
from state.view.launch import PersonView, RequestView, WaiverView
from tests.console.engine.stand import Stand, confirmed, stand

WAIVE = "item.waive"
ARGS: JsonObject = {"item": "1.1", "reason": "the vendor answers on Monday", "minutes": "60"}


async def ask(client: EngineClient, args: JsonObject = ARGS, *, token: str = "") -> Reply:
    """Request a waiver as it is shown."""
    shown = token or (await client.preview(WAIVE, args)).token
    wanted: JsonObject = {"command": WAIVE, "args": args, "reason": "the vendor answers on Monday"}
    return await client.command("request.make", wanted, Confirmation(token=shown))


async def made(client: EngineClient, args: JsonObject = ARGS) -> int:
    reply = await ask(client, args)
    assert reply.ok, reply.message
    return integer(reply.result, "request")


async def grant(client: EngineClient, seq: int, phrase: str = "") -> Reply:
    args: JsonObject = {"request": str(seq), "comment": "I looked at it"}
    shown = await client.preview("request.grant", args)
    return await client.command("request.grant", args, confirmed(phrase or shown.phrase, shown.token))


async def carry_out(client: EngineClient, args: JsonObject = ARGS) -> Reply:
    shown = await client.preview(WAIVE, args)
    return await client.command(WAIVE, args, confirmed(shown.phrase, shown.token))


def request(s: Stand, seq: int) -> RequestView:
    found = s.view.request(seq)
    assert found is not None
    return found


def waiver(s: Stand, item: str = "1.1") -> WaiverView | None:
    found = s.view.item(item)
    assert found is not None
    return found.waiver


async def test_one_person_alone_waives_nothing(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        ann = await s.attach("ann")
        shown = await ann.preview(WAIVE, ARGS)
        assert (shown.allowed, shown.override_allowed, shown.request) == (False, True, 0)
        for confirmation in (
            confirmed(shown.phrase, shown.token),
            confirmed("", shown.token),
            Confirmation(),
        ):
            reply = await ann.command(WAIVE, ARGS, confirmation)
            assert reply.message.startswith("a waiver takes a second person: ")
        seq = await made(ann)
        own = await grant(ann, seq)
        assert own.message.startswith("who requests something doesn't grant it")
        still = await carry_out(ann)
        assert f"request #{seq} waits for a second person until" in still.message
        assert waiver(s) is None
        assert request(s, seq).state is RequestState.WAITING
        await ann.close()


async def test_a_request_says_exactly_what_is_wanted_and_both_accounts_stand_in_the_record(
    tmp_path: Path,
) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        ann, eve = await s.attach("ann"), await s.attach("eve")
        seq = await made(ann)
        (event,) = s.events(RequestMade.KIND)
        assert (event.seq, event.actor) == (seq, "ann")
        assert event.body["args"] == [["item", "1.1"], ["reason", ARGS["reason"]], ["minutes", "60"]]
        assert event.body["over"] == ["a waiver takes a second person"]
        assert event.body["until_us"] == event.wall_us + 900 * 1_000_000
        seen = await eve.preview("request.grant", {"request": str(seq)})
        assert seen.title == f"Grant request #{seq}: Waive item 1.1"
        assert seen.blast[0].startswith("ann (in the engine's process (ann)) requests it: the vendor answers")
        assert seen.blast[1] == "✖ a waiver takes a second person"
        assert seen.phrase == f"grant {seq}"
        assert not (await grant(eve, seq, phrase="yes")).ok
        assert (await grant(eve, seq)).ok
        (said,) = s.events(RequestGranted.KIND)
        assert (said.actor, said.ref) == ("eve", seq)
        assert said.body == {"how_known": "in the engine's process (eve)", "comment": "I looked at it"}
        assert waiver(s) is None  # a grant does nothing by itself
        assert not (await carry_out(eve)).ok
        assert (await carry_out(ann)).ok
        found = waiver(s)
        assert found is not None
        assert (found.actor, found.second) == ("ann", "eve (in the engine's process (eve))")
        assert request(s, seq).state is RequestState.USED
        (deviation,) = s.view.deviations
        assert deviation.who == "ann"
        assert deviation.what == f"1.1 waived with eve (in the engine's process (eve)): {ARGS['reason']}"
        await ann.close()
        await eve.close()


async def test_a_grant_is_worth_one_run_also_where_two_are_asked_for_at_once(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        ann, eve = await s.attach("ann"), await s.attach("eve")
        seq = await made(ann)
        assert (await grant(eve, seq)).ok
        shown = await ann.preview(WAIVE, ARGS)
        both = await asyncio.gather(
            *(ann.command(WAIVE, ARGS, confirmed(shown.phrase, shown.token)) for _ in range(2))
        )
        assert sorted(reply.ok for reply in both) == [False, True]
        assert len(s.events(ItemWaived.KIND)) == 1
        assert not (await carry_out(ann)).ok
        assert not (await grant(eve, seq)).ok
        await ann.close()
        await eve.close()


@pytest.mark.parametrize(
    "other", [{**ARGS, "item": "1.2"}, {**ARGS, "minutes": "61"}, {**ARGS, "reason": "another"}]
)
async def test_a_grant_is_for_what_was_requested_and_nothing_else(tmp_path: Path, other: JsonObject) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        ann, eve = await s.attach("ann"), await s.attach("eve")
        assert (await grant(eve, await made(ann))).ok
        assert not (await carry_out(ann, other)).ok
        assert (await carry_out(ann)).ok
        await ann.close()
        await eve.close()


async def test_what_was_shown_must_still_be_so(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        ann, eve = await s.attach("ann"), await s.attach("eve")
        assert (await ask(ann, token="0" * 32)).message.startswith("what was shown has changed since")
        seq = await made(ann)
        assert (await grant(eve, seq)).ok
        journal = s.engine.journal
        changed = replace(journal.view.candidate, images=(("backend", "other@sha256:1"),))
        journal.view = replace(journal.view, candidate=changed)
        refused = await carry_out(ann)
        assert f"request #{seq} was granted for something else: what is shown has changed" in refused.message
        assert waiver(s) is None
        await ann.close()
        await eve.close()


async def test_its_time_ends_it(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        ann, eve = await s.attach("ann"), await s.attach("eve")
        late, granted = await made(ann), await made(ann, {**ARGS, "item": "1.2"})
        assert (await grant(eve, granted)).ok
        await s.clock.advance(3601)
        assert "is expired: it takes no answer any more" in (await grant(eve, late)).message
        assert not (await carry_out(ann, {**ARGS, "item": "1.2"})).ok
        assert s.events(ItemWaived.KIND) == []
        await ann.close()
        await eve.close()


async def test_refused_withdrawn_and_taken_back(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        ann, eve, bob = await s.attach("ann"), await s.attach("eve"), await s.attach("bob")
        seq = await made(ann)
        args: JsonObject = {"request": str(seq), "reason": "ask the vendor first"}
        assert not (await ann.command("request.refuse", args)).ok
        assert (await bob.command("request.refuse", args)).message == (
            "you are bob (operator); this needs approver or captain"
        )
        assert not (await eve.command("request.refuse", {"request": str(seq)})).ok
        assert (await eve.command("request.refuse", args)).ok
        assert (request(s, seq).state, request(s, seq).comment) == (
            RequestState.REFUSED,
            "ask the vendor first",
        )
        assert not (await grant(eve, seq)).ok
        again = await made(ann)
        assert (await grant(eve, again)).ok
        assert (await eve.command("request.refuse", {"request": str(again), "reason": "no longer"})).ok
        assert not (await carry_out(ann)).ok
        third = await made(ann)
        assert not (await bob.command("request.withdraw", {"request": str(third)})).ok
        assert (await ann.command("request.withdraw", {"request": str(third)})).ok
        assert not (await grant(eve, third)).ok
        assert s.events(ItemWaived.KIND) == []
        for client in (ann, eve, bob):
            await client.close()


async def test_who_may_grant_is_a_person_not_a_name(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        journal = s.engine.journal
        people = (
            *(person for person in journal.view.people if person.id != "cap"),
            PersonView("alias", "C again", ("approver",), ("ann",)),
            PersonView("cap", "C", ("captain",), ("ann", "ann.admin")),
        )
        journal.view = replace(journal.view, people=people)
        ann = await s.attach("ann")
        seq = await made(ann)
        for account, why in (
            ("ann.admin", "are the same person (cap)"),
            ("bob", "you are bob (operator)"),
            ("tom", "you are tom (observer)"),
            ("ann", "doesn't grant it"),
        ):
            other = await s.attach(account)
            reply = await grant(other, seq)
            assert not reply.ok
            assert why in reply.message
            await other.close()
        assert request(s, seq).state is RequestState.WAITING
        refused = [e.actor for e in s.events(CommandRefused.KIND)]
        assert refused == ["ann.admin", "bob", "tom", "ann"]
        await ann.close()


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({}, "needs the command that is requested"),
        ({"command": "launch.scrub", "args": {}}, "takes no second person"),
        ({"command": "request.make", "args": {}}, "takes no second person"),
        ({"command": WAIVE, "args": {"item": "99.9"}}, "there is no item 99.9"),
        ({"command": WAIVE, "args": "1.1"}, "needs an item"),
        ({"command": "operation.run", "args": {"operation": "no.such"}}, "no operation 'no.such'"),
        ({"command": WAIVE, "args": ARGS, "reason": ""}, "request.make needs a reason"),
    ],
)
async def test_what_can_not_be_requested(tmp_path: Path, wanted: dict[str, Json], why: str) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        ann = await s.attach("ann")
        token = (await ann.preview(WAIVE, ARGS)).token
        reply = await ann.command("request.make", {"reason": "r", **wanted}, Confirmation(token=token))
        assert not reply.ok
        assert why in reply.message
        assert s.events(RequestMade.KIND) == []
        await ann.close()


async def test_who_may_not_give_the_command_may_not_request_it(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        ann = await s.attach("ann")
        for account in ("eve", "tom", "bob"):  # an approver, an observer, and an operator who doesn't drive
            other = await s.attach(account)
            assert not (await ask(other, token="x")).ok
            await other.close()
        assert s.events(RequestMade.KIND) == []
        await ann.close()


# through the real socket: the kernel says whose an answer is


@asynccontextmanager
async def served(s: Stand) -> AsyncIterator[Path]:
    """Serve an engine on a socket that every account of this machine may use, as a shared launch would."""
    with tempfile.TemporaryDirectory(prefix="lc") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101  a moment's work, before anything is served
        server = SocketServer(s.engine.hub, Path(folder) / "e.sock")
        await server.open()
        os.chmod(server.path, 0o666)  # noqa: PTH101  as above
        try:
            yield server.path
        finally:
            await server.aclose()


async def attach_as(path: Path, uid: int) -> EngineClient:
    """Attach over the socket as another account: its credentials are those that the process has as it connects."""
    connected = socket.socket(socket.AF_UNIX)
    connected.setblocking(False)
    os.seteuid(uid)
    try:
        connected.connect(str(path))
    finally:
        os.seteuid(0)
    reader, writer = await asyncio.open_unix_connection(sock=connected, limit=FRAME_LIMIT)
    client = EngineClient(SocketConnection(reader, writer), patience_s=None)  # nobody beats for these engines
    await client.open("tty1")
    return client


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can connect as two accounts")
async def test_over_the_socket_two_accounts_are_two_people_and_one_account_is_one(tmp_path: Path) -> None:
    second, third = pwd.getpwnam("daemon"), pwd.getpwnam("nobody")
    async with stand(tmp_path) as s:
        book = s.runbook.read_text().replace("- ann\n", f"- {account_of(0)}\n", 1)
        s.runbook.write_text(book.replace("- eve\n", f"- {second.pw_name}\n", 1))
        await s.open(run=False)
        async with served(s) as path:
            captain, again = await attach_as(path, 0), await attach_as(path, 0)
            other, stranger = await attach_as(path, second.pw_uid), await attach_as(path, third.pw_uid)
            assert captain.welcome.drives
            seq = await made(captain)
            assert (
                "doesn't grant it" in (await grant(again, seq)).message
            )  # another console, the same account
            assert "you are nobody (observer)" in (await grant(stranger, seq)).message
            assert (await grant(other, seq)).ok
            one = request(s, seq)
            assert one.granted_by == f"daemon (socket peer uid {second.pw_uid} (daemon))"
            assert (await carry_out(captain)).ok
            found = waiver(s)
            assert found is not None
            assert (found.actor, found.second) == (account_of(0), one.granted_by)
            for client in (captain, again, other, stranger):
                await client.close()
