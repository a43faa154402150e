"""I11: canary secrets, in every encoding that a tool might print, are in no file that a launch leaves behind."""

from __future__ import annotations

import base64
import json
import random
import string
from pathlib import Path
from urllib.parse import quote

from console.__main__ import main
from state.base.json import JsonObject
from state.events.event import Draft
from state.events.launch import LaunchReleased
from tests.console.engine.stand import Stand, stand

_CHANCE = random.Random(11)
CANARIES = [
    "".join(_CHANCE.choices(string.ascii_letters + string.digits + '"\\ü/+&', k=_CHANCE.randint(8, 40)))
    for _ in range(20)
]


def forms(value: str) -> list[str]:
    raw = value.encode()
    return [
        value,
        base64.b64encode(raw).decode(),
        raw.hex(),
        quote(value, safe=""),
        json.dumps(value)[1:-1],
    ]


async def test_canaries_are_in_no_file(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        for value in CANARIES:
            s.engine.clients.redactor.register(value)
        client = await s.attach("ann")
        for value in CANARIES:
            for form in forms(value):
                assert (await client.command("note.add", {"text": f"the log said {form} and stopped"})).ok
        words: JsonObject = {"item": "1.1", "verdict": "NO-GO", "comment": CANARIES[0], "link": CANARIES[1]}
        assert (await client.command("attest.sign", words)).ok
        refused = await client.command("attest.sign", {"item": CANARIES[2], "verdict": "GO"})
        assert not refused.ok
        assert (await client.command("launch.hold", {"reason": f"leak of {CANARIES[3]}"})).ok
        await s.engine.journal.record(Draft(LaunchReleased(CANARIES[4])))
        assert CANARIES[3] not in repr(s.view)
        await client.close()
        await s.close()
        archive(s)
        assert found(s.log.parent) == []


def archive(s: Stand) -> None:
    assert main(["archive", str(s.log), str(s.log.with_name("archive.lclog"))]) == 0


def found(folder: Path) -> list[str]:
    """Return which canary is where."""
    needles = [(value[:4], form.encode()) for value in CANARIES for form in forms(value)]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name.endswith("-journal") for path in files)
    return [
        f"{name}… in {path.name}" for path in files for name, form in needles if form in path.read_bytes()
    ]
