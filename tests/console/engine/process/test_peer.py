"""Who is at the other end of a socket is the kernel's word, and no frame says otherwise; without root, too."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from console.client.protocol import VERSION
from console.engine.process import socket_server
from console.engine.process.running import shared_socket
from console.engine.process.socket_server import SocketServer, account_of
from state.base.json import Json, JsonObject, obj, text
from state.events.log import NoteAdded
from tests.console.engine.stand import Stand, stand

KEYS = "account actor you user who name uid how_known credentials"
CLAIMS: JsonObject = dict.fromkeys(KEYS.split(), "ann")


async def talk(s: Stand, group: int | None, *frames: dict[str, Json]) -> list[JsonObject]:
    """Attach over the socket, claim to be ann in every frame, and return what came back."""
    path = shared_socket(s.log)
    server = SocketServer(s.engine.hub, path, group=group)
    await server.open()

    reader, writer = await asyncio.open_unix_connection(path, limit=2**24)
    told: list[JsonObject] = []
    hello: dict[str, Json] = {"t": "hello", "tty": "x"}
    for number, frame in enumerate([hello, *frames]):
        writer.write(json.dumps({**CLAIMS, "v": VERSION, "id": number, **frame}).encode() + b"\n")
        while raw := await asyncio.wait_for(reader.readline(), 10):
            told.append(json.loads(raw))
            if text(told[-1], "t") in {"keyframe", "reply", "error"}:
                break
    writer.close()
    await server.aclose()
    return told


async def test_an_account_is_the_kernels_word_whatever_a_frame_claims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uids = []

    def named(uid: int) -> str:
        uids.append(uid)
        return "tom"

    monkeypatch.setattr(socket_server, "account_of", named)
    async with stand(tmp_path) as s:
        await s.open(run=False)
        args: JsonObject = {**CLAIMS, "reason": "a drill"}
        command: dict[str, Json] = {"t": "command", "args": args, "confirmation": {**CLAIMS}}
        note: dict[str, Json] = {**command, "name": "note.add", "args": {**CLAIMS, "text": "mine"}}
        told = await talk(s, None, {**command, "name": "launch.hold"}, note)
        welcome = next(one for one in told if text(one, "t") == "welcome")
        assert text(welcome, "you") == "tom"
        held = next(one for one in told if text(one, "t") == "reply")
        assert not obj(held["reply"])["ok"], "tom only watches"
        (noted,) = s.events(NoteAdded.KIND)
        assert noted.actor == "tom"
    assert uids == [os.getuid()]


async def test_whom_the_runbook_does_not_name_is_turned_away_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_server, "account_of", lambda _uid: "mallory")
    async with stand(tmp_path) as s:
        data = s.runbook.read_text().replace("accounts:\n  - '*'", "accounts:\n  - tom")
        assert "- tom" in data
        s.runbook.write_text(data)
        await s.open(run=False)
        (told,) = await talk(s, os.getgid())
        assert told == {**told, "t": "error", "message": "mallory is nobody in the runbook of this launch"}


def test_an_account_without_a_name_is_its_number() -> None:
    assert account_of(2**31 - 7) == str(2**31 - 7)


async def test_a_second_hello_is_an_error(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        told = await talk(s, None, {"t": "hello", "tty": "y"})
        assert text(told[-1], "t") == "error"
        assert "one connection is one console" in text(told[-1], "message")
