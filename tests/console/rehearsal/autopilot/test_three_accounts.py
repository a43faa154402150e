"""A whole launch that three Unix accounts drive over the engine's shared socket; a fourth isn't let in.

The engine is a process of its own, as for people. Each account connects from a process that is that account's: the
kernel says whose the connection is, the socket's mode and group let it through, and the runbook says what it may do.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from console.client.engine_client import AttachError, EngineClient, SocketConnection
from console.client.protocol import FRAME_LIMIT
from console.engine.process.running import EngineInfo, shared_socket
from console.engine.process.spawn import start_engine, stop
from console.rehearsal.autopilot.captain import Captain, Outcome, Pace
from state.base.json import Json, JsonObject, text
from state.commands import Confirmation, Reply
from state.events.bake import ConditionChanged, ConditionSamples
from state.events.event import Event
from state.events.gates import AttestSigned
from state.events.launch import ConsoleOpened
from state.events.operations import OperationIntended
from state.fold import fold, line_of
from state.log.reader import LogReader
from state.log.verify import verify
from state.view.attestations import go_problem
from state.view.enums import GateStatus, LaunchState, Verdict
from tests.console.rehearsal.worlds import running

pytestmark = [
    pytest.mark.skipif(os.getuid() != 0, reason="only root can become other accounts"),
    pytest.mark.skipif(not os.environ.get("LAUNCH_CONSOLE_ACCOUNTS"), reason="make test-accounts runs it"),
    pytest.mark.timeout(900),  # a machine that does much else took nine minutes for it
]
GROUP = 60_900
START_S = 120.0
"""Real seconds for an engine to come up on a machine that does other things too."""
CAPTAIN, OPERATOR, APPROVER, STRANGER = 60_911, 60_912, 60_913, 60_914
PEOPLE: list[Json] = [
    {"id": "captain", "name": "Captain", "accounts": [str(CAPTAIN)], "roles": ["captain"]},
    {"id": "operator", "name": "Operator", "accounts": [str(OPERATOR)], "roles": ["operator"]},
    {"id": "approver", "name": "Approver", "accounts": [str(APPROVER)], "roles": ["approver"]},
]
ASKS: Mapping[str, JsonObject] = {
    "1.1": {"people": 3},
    "2.1": {"role": "approver"},
    "3.1": {"people": 2, "not": [{"signed": "2.1"}]},
    "9.2": {"not": ["the one who ran production.deploy"]},
}
"""What some items ask of people here, beside their question."""
DULL = frozenset({ConditionChanged.KIND, ConditionSamples.KIND})
"""Events that tell nothing of why a launch isn't GO."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other accounts can reach, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="lc-three-", dir="/tmp"))
    path.chmod(0o711)
    (path / "shared").mkdir()
    yield path
    shutil.rmtree(path, ignore_errors=True)


def asked(runbook: Path) -> Path:
    """Write the rehearsal's runbook for three people of a group, with items that ask for more than one of them."""
    data = yaml.safe_load(runbook.read_text())
    data["people"], data["group"] = PEOPLE, str(GROUP)
    for gate in data["gates"]:
        for item in gate["items"]:
            if (more := ASKS.get(item["id"])) is not None:
                question = item.get("attest") or "Is it so?"
                base = {"question": question} if isinstance(question, str) else question
                item["attest"] = {**base, **more}
    path = runbook.with_name("three.yaml")
    path.write_text(yaml.safe_dump(data, sort_keys=False))  # the first domain is the one that checks ask
    return path


def connected(uid: int, log: Path) -> socket.socket:
    """Return a connection that a process of another account made; it has read the log before.

    Raises OSError where it may not.
    """
    ours, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        told = b"x"
        fds: list[int] = []
        try:
            os.setgroups([GROUP])
            os.setgid(uid)
            os.setuid(uid)
            LogReader(log).close()
            there = socket.socket(socket.AF_UNIX)
            there.connect(str(shared_socket(log)))
            fds = [there.fileno()]
        except OSError as error:
            told = (error.strerror or "?").encode()
        finally:
            socket.send_fds(theirs, [told], fds)
            os._exit(0)
    theirs.close()
    told, fds, _, _ = socket.recv_fds(ours, 200, 1)
    os.waitpid(child, 0)
    ours.close()
    if not fds:
        raise OSError(told.decode())
    found = socket.socket(fileno=fds[0])
    found.setblocking(False)
    return found


async def attach(uid: int, log: Path) -> EngineClient:
    for _ in range(9):  # a machine that does much else greets late; a person would try again too
        try:
            return await attached(uid, log)
        except AttachError as error:
            if "gave no answer" not in str(error):
                raise
    return await attached(uid, log)


async def attached(uid: int, log: Path) -> EngineClient:
    reader, writer = await asyncio.open_unix_connection(sock=connected(uid, log), limit=FRAME_LIMIT)
    client = EngineClient(SocketConnection(reader, writer), patience_s=None)
    await client.open(f"tty of {uid}")
    return client


class Crew(Captain):
    """A captain whose items are signed by whoever may, each from a console of their own."""

    def __init__(self, captain: EngineClient, others: Sequence[EngineClient], pace: Pace) -> None:
        super().__init__(captain, pace)
        self._seats = [*others, captain]

    async def _attest(self, item_id: str) -> None:
        for client in self._seats:
            await client.until(lambda view: view.seq >= self.view.seq)
            item = client.view.item(item_id)
            if item is None or item.question is None or item.not_applicable:
                return
            good = [word for word in item.words if word.go and not word.stale]
            if len(good) >= item.rule.people:
                return
            account = client.welcome.account
            if any(word.actor == account for word in good) or go_problem(client.view, item, account):
                continue
            args: JsonObject = {
                "item": item_id,
                "verdict": "GO",
                "comment": f"{account} looked",
                "link": "x:1",
            }
            shown = await client.preview("attest.sign", args)
            reply = await client.command("attest.sign", args, Confirmation(shown.phrase, shown.token))
            assert reply.ok, reply.message
            await self._client.until(lambda view, seq=client.view.seq: view.seq >= seq)  # type: ignore[misc]  # bound now


async def driven(log: Path) -> Outcome:
    captain = await attach(CAPTAIN, log)
    others = [await attach(uid, log) for uid in (APPROVER, OPERATOR)]
    with pytest.raises(AttachError, match=f"{STRANGER} is nobody in the runbook of this launch"):
        await attach(STRANGER, log)
    reply = await captain.command("console.take_over", {"reason": "the captain drives"})
    assert reply.ok or captain.welcome.drives, reply.message
    for other in others:  # a role is what the kernel's account has, whatever is sent
        refused = await deploy(other)
        assert not refused.ok
    crew = Crew(captain, others, Pace())
    outcome = await crew.drive()
    if outcome is Outcome.GO:
        closed = await crew.close()
        assert closed.ok, closed.message
    for client in (captain, *others):
        await client.close()
    return outcome


async def deploy(client: EngineClient) -> Reply:
    args: JsonObject = {"operation": "production.deploy"}
    shown = await client.preview("operation.run", args)
    return await client.command("operation.run", args, Confirmation(shown.phrase, shown.token))


async def test_three_accounts_drive_a_launch_to_ten_gates_go_and_a_fourth_is_refused(folder: Path) -> None:
    log = folder / "shared" / "launch.lclog"
    engine: EngineInfo | None = None
    async with running(folder / "world", seed=1, rate=40.0) as world:
        try:
            book = asked(world.runbook_path)
            engine = await asyncio.to_thread(start_engine, book, log, world.folder.clock, None, START_S)
            assert await driven(log) is Outcome.GO, unfinished(log)
        finally:
            if engine is not None:
                await asyncio.to_thread(stop, engine)
    found = verify(log)
    assert found.ok, found.message
    with LogReader(log) as reader:
        events = list(reader.every())
    whole = fold(events)
    assert whole.state is LaunchState.CLOSED
    assert [gate.status(whole.wall_us) for gate in whole.gates] == [GateStatus.GO] * 10
    assert not whole.requests, "a green launch takes no second person but where attest: asks"
    told = {e.actor: text(e.body, "how_known") for e in events if e.kind == ConsoleOpened.KIND}
    assert told == {str(uid): f"socket peer uid {uid} ({uid})" for uid in (CAPTAIN, APPROVER, OPERATOR)}, (
        "and nobody else"
    )
    signers = words(events)
    assert len(signers["1.1"]) == 3
    assert signers["2.1"] == {str(APPROVER)}
    assert len(signers["3.1"]) == 2
    assert str(APPROVER) not in signers["3.1"]
    assert str(CAPTAIN) not in signers["9.2"]
    deploys = {e.actor for e in events if e.kind == OperationIntended.KIND}
    assert deploys == {str(CAPTAIN)}


def unfinished(log: Path) -> str:
    """Say what kept a launch from GO: its items that aren't, and what its last hundred events were."""
    with LogReader(log) as reader:
        events = list(reader.every())
    view = fold(events)
    items = [
        f"{i.id} {i.verdict(view.wall_us)}: {[c.summary for c in i.checks]} {[w.actor for w in i.words]}"
        for gate in view.gates
        for i in gate.items
        if i.verdict(view.wall_us) is not Verdict.PASS
    ]
    last = [line_of(event, view).words for event in events if event.kind not in DULL][-200:]
    return "\n".join(["", *items, *last])


def words(events: Sequence[Event]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for event in events:
        if event.kind == AttestSigned.KIND:
            assert "socket peer uid" in text(event.body, "how_known")
            found.setdefault(text(event.body, "item"), set()).add(event.actor)
    return found
