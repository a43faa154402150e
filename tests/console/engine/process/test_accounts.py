"""Several Unix accounts on one launch: a group gets in, the kernel says who each is, the runbook what they may do."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from console.client.protocol import VERSION
from console.engine.process.running import shared_socket
from console.engine.process.socket_server import SocketServer, group_id, share
from state.base.json import Json, obj, text
from state.events.requests import RequestGranted
from state.log.errors import LogError
from state.log.reader import LogReader
from tests.console.engine.stand import Stand, stand

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can become other accounts")
GROUP = 60_900
CAPTAIN, APPROVER, OBSERVER, STRANGER, OUTSIDER = 60_901, 60_902, 60_903, 60_904, 60_905


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other accounts can reach, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="lc-accounts-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


def people(s: Stand) -> None:
    data = yaml.safe_load(s.runbook.read_text())
    roles = {CAPTAIN: "captain", APPROVER: "approver", OBSERVER: "observer"}
    data["people"] = [
        {"id": role, "name": role, "accounts": [str(uid)], "roles": [role]} for uid, role in roles.items()
    ]
    data["group"] = str(GROUP)
    s.runbook.write_text(yaml.safe_dump(data))


def as_account(uid: int, log: Path, frames: list[dict[str, Json]], *, member: bool = True) -> dict[str, Json]:
    """Attach as another account and send frames; return what came of it. Nothing is loaded after the fork."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        told: dict[str, Json] = {}
        try:
            os.setgroups([GROUP] if member else [])
            os.setgid(uid)
            os.setuid(uid)
            told = _talk(log, frames)
        except OSError as error:
            told = {"refused": error.strerror or ""}
        finally:
            os.write(writing, json.dumps(told).encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        told = json.loads(file.read() or "{}")
    os.waitpid(child, 0)
    return told


def _talk(log: Path, frames: list[dict[str, Json]]) -> dict[str, Json]:
    with LogReader(log) as reader:  # the log is readable for the group
        told: dict[str, Json] = {"events": reader.count()}
    with socket.socket(socket.AF_UNIX) as there:
        there.settimeout(30)
        there.connect(str(shared_socket(log)))
        lines = there.makefile("rb")
        token = phrase = ""
        hello: dict[str, Json] = {"t": "hello", "tty": "x"}
        for number, frame in enumerate([hello, *frames]):
            given: dict[str, Json] = {"phrase": phrase, "token": token}
            confirmed: dict[str, Json] = {"confirmation": given} if "confirmation" in frame else {}
            there.sendall(json.dumps({"v": VERSION, "id": number, **frame, **confirmed}).encode() + b"\n")
            for line in lines:
                answer = json.loads(line)
                if answer["t"] == "error":
                    return {**told, "error": answer["message"]}
                if answer["t"] == "welcome":
                    told |= {"you": answer["you"]}
                if answer["t"] == "keyframe" and not number:
                    break
                if answer["t"] == "reply" and answer["id"] == number:
                    shown = obj(answer.get("preview"))
                    token, phrase = text(shown, "token") or token, text(shown, "phrase") or phrase
                    told["reply"] = answer.get("reply")
                    break
    return told


def give(name: str, args: dict[str, Json]) -> list[dict[str, Json]]:
    return [
        {"t": "preview", "name": name, "args": args},
        {"t": "command", "name": name, "args": args, "confirmation": {}},
    ]


async def test_three_accounts_act_by_their_roles_and_a_fourth_is_refused(folder: Path) -> None:
    async with stand(folder) as s:
        people(s)
        await s.open(run=False)
        share(s.log, GROUP)
        server = SocketServer(s.engine.hub, shared_socket(s.log), group=GROUP)
        await server.open()

        async def on(uid: int, frames: list[dict[str, Json]], *, member: bool = True) -> dict[str, Json]:
            return await asyncio.to_thread(as_account, uid, s.log, frames, member=member)

        waive: dict[str, Json] = {"item": "1.1", "reason": "why", "minutes": "60"}
        asked = await on(
            CAPTAIN,
            [
                {"t": "command", "name": "console.take_over", "args": {"reason": "x"}, "confirmation": {}},
                {"t": "preview", "name": "item.waive", "args": waive},
                {
                    "t": "command",
                    "name": "request.make",
                    "args": {"command": "item.waive", "args": waive, "reason": "why"},
                    "confirmation": {},
                },
            ],
        )
        assert asked["you"] == str(CAPTAIN)
        assert obj(asked["reply"])["ok"], asked
        seq = text(obj(asked["reply"]), "message").split()[1].removeprefix("#")
        for uid, told in ((CAPTAIN, "doesn't grant it"), (OBSERVER, "(observer); this needs approver")):
            answer = await on(uid, give("request.grant", {"request": seq}))
            assert told in text(obj(answer["reply"]), "message")
        assert not s.events(RequestGranted.KIND)
        answer = await on(APPROVER, give("request.grant", {"request": seq}))
        assert obj(answer["reply"])["ok"], answer
        (granted,) = s.events(RequestGranted.KIND)
        assert granted.actor == str(APPROVER)
        assert f"socket peer uid {APPROVER}" in text(granted.body, "how_known")
        stranger = await on(STRANGER, [])
        assert stranger["error"] == f"{STRANGER} is nobody in the runbook of this launch"
        outsider = await on(OUTSIDER, [], member=False)
        assert "you" not in outsider
        assert (await on(APPROVER, []))["events"]
        await server.aclose()
    assert (s.log.stat().st_mode & 0o777, shared_socket(s.log).parent.stat().st_mode & 0o777) == (
        0o640,
        0o750,
    )


def test_a_group_that_is_not_there_is_named() -> None:
    with pytest.raises(LogError, match="no Unix group nobody-has-this"):
        group_id("nobody-has-this")
