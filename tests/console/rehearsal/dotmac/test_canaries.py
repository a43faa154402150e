"""The made-up secrets of a whole rehearsed launch are nowhere but in its world, in no form that a tool might print.

The launch runs as a person's does: world, engine and helm are processes of their own, the engine is reached by
its socket, and helm tells every secret in every form on its error stream.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from console.client.engine_client import EngineClient
from console.client.file_source import FileSource
from console.client.sources import EventSource, LiveSource
from console.engine.process.spawn import start_engine, stop
from console.rehearsal.autopilot.captain import Captain, Outcome, Pace
from console.rehearsal.cli import rehearse
from console.rehearsal.dotmac.credentials import access_key, password, platform_secret, storage_key
from console.rehearsal.dotmac.names import LOGINS, Env
from console.rehearsal.sim.seeded import key
from console.rehearsal.world.folder import world_folder
from console.ui import crash
from console.ui.app import LaunchApp
from screens.kit.screen_state import Mode
from state.base.json import JsonObject, text
from tests.paths import ROOT
from tests.terminal.range import Range, new_range, until

SEED = 710_311
FAULT = "bad-candidate"
"""So that there is a rollback too."""
SIZE = (200, 55)
SCREENS = ("dashboard", "deploy", "bake", "pods", "log")
_SECRET = ("SECRET", "PASSWORD", "TOKEN", "ACCESS_KEY", "DATABASE_URL", "REDIS_URL", "BROKER_URL")


def canaries() -> list[str]:
    """Return every secret value of the world, and the kubeconfig's tokens."""
    found: set[str] = set()
    for env in Env:
        secret = platform_secret(SEED, env)
        found |= {value for name, value in secret.items() if any(word in name for word in _SECRET)}
        found |= {password(SEED, env, role) for role in LOGINS}
        found |= {access_key(SEED, env), storage_key(SEED, env), key(SEED, env, "kube token")}
    assert all(len(value) >= 16 for value in found)
    return sorted(found)


def told(value: str) -> Iterator[str]:
    """Yield a value as it is and as hex, in URLs and JSON, and base64 of it wherever it stands in a text."""
    raw = value.encode()
    yield from (value, raw.hex(), raw.hex().upper(), quote(value, safe=""), quote_plus(value))
    yield json.dumps({"value": value})
    yield from (base64.b64encode(b"=" * shift + raw + b"=").decode() for shift in range(3))


def core(form: str) -> bytes:
    """Return what stays the same of a form, whatever stands beside the value."""
    return form.removeprefix('{"value": "').removesuffix('"}')[4:-4].encode()


NEEDLES = {core(form): value for value in canaries() for form in told(value)}
TOLD = "\n".join(form for value in canaries() for form in told(value))


def found(told: Iterable[tuple[str, bytes]]) -> list[str]:
    """Return which canary is in what."""
    return sorted(
        {f"{value[:6]}… in {name}" for name, raw in told for n, value in NEEDLES.items() if n in raw}
    )


def files(folder: Path, *, but: str = "") -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file() and not (but and but in path.parts):
            yield str(path.relative_to(folder)), path.read_bytes()


def talkative(helm: Path) -> Path:
    """Let helm tell everything, and keep the command line and environment that it had."""
    program = helm.read_text().rstrip()
    words = helm.with_name("helm.told")
    words.write_text(TOLD)
    shebang, _, rest = program.partition("\n")
    assert "sh" in shebang
    had = helm.with_name("helm.had")
    helm.write_text(f"{shebang}\ncat {words} >&2; cat /proc/$$/cmdline /proc/$$/environ >> {had}\n{rest}\n")
    return had


@contextmanager
def world(place: Range) -> Iterator[JsonObject]:
    """Serve a world for the length of a block, and give its description."""
    folder = world_folder(place.log)
    words = (str(folder), str(place.log), "--fault", FAULT, "--seed", str(SEED), "--rate", "40")
    command = (sys.executable, "-m", "console.rehearsal.cli.serve_world", *words)
    with (
        place.log.with_name(f"{place.log.name}.world.out").open("wb") as out,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out) as process,
    ):
        try:
            yield until(lambda: rehearse._served(folder), "the world")
        finally:
            process.terminate()


async def command_lines() -> set[bytes]:
    """Return every command line that ever shows, until it is cancelled."""
    seen: set[bytes] = set()
    try:
        while True:
            seen |= await asyncio.to_thread(_shown)
            await asyncio.sleep(0.1)
    except asyncio.CancelledError:
        return seen


def _shown() -> set[bytes]:
    lines = set()
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            lines.add(process.read_bytes())
    return lines


async def pictures(source: EventSource, mode: Mode) -> dict[str, bytes]:
    """Return every screen as an SVG."""
    app = LaunchApp(source, mode)
    drawn: dict[str, bytes] = {}
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0.5)
        for name in SCREENS:
            app.action_open(name)
            await pilot.pause()
            drawn[f"{mode} {name}"] = app.export_screenshot().encode()
        for number in range(1, 11):
            app.action_gate(number)
            await pilot.pause()
            drawn[f"{mode} gate {number}"] = app.export_screenshot().encode()
    return drawn


def crashed() -> None:
    """Write a crash file while secrets are in a local variable."""
    secrets = canaries()
    with pytest.raises(ZeroDivisionError) as caught:
        len(secrets) // 0
    assert crash.write(caught.value) is not None


def exports(place: Range) -> Iterator[tuple[str, bytes]]:
    """Yield what the commands of the program print of the launch; what they write lies beside the log."""
    commands = (
        ("verify", str(place.log)),
        ("archive", str(place.log)),
    )
    for words in commands:
        done = place.run(*words)
        yield f"launch-console {words[0]}", (done.stdout + done.stderr).encode()


@pytest.mark.timeout(300)
async def test_they_are_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with new_range() as place:
        for name, value in place.env.items():
            monkeypatch.setenv(name, value)
        with world(place) as described:
            await _everywhere(place, described)


async def _everywhere(place: Range, described: JsonObject) -> None:
    had = talkative(Path(text(described, "helm")))
    runbook, clock = Path(text(described, "runbook")), Path(text(described, "clock"))
    info = await asyncio.to_thread(start_engine, runbook, place.log, clock)
    watching = asyncio.create_task(command_lines())
    client = await EngineClient.connect(info.socket)
    assert await Captain(client, Pace()).drive() is Outcome.ROLLED_BACK
    drawn = await pictures(LiveSource(info.socket), Mode.LIVE)
    await client.close()
    drawn |= await pictures(FileSource(place.log, replay=True, speed=1.0), Mode.REPLAY)
    crashed()
    printed = dict(await asyncio.to_thread(lambda: list(exports(place))))
    watching.cancel()
    lines = await watching
    await asyncio.to_thread(stop, info)
    own = world_folder(place.log)
    left = dict(files(place.folder, but=own.name))
    assert found(files(own)), "they are nowhere at all"
    shown = [("a command line", line) for line in lines]
    assert found((*left.items(), *drawn.items(), *printed.items(), *shown)) == []
    assert found([("what helm had", had.read_bytes())]) == []
    assert {"launch.lclog", "launch.lclog.engine.out", "launch.lclog.world.out"} <= left.keys()
    assert any(name.endswith("/err") and b"[redacted]" in raw for name, raw in left.items())
    assert any("crash-" in name for name in left)
    assert any(b"--install" in line for line in lines)
    assert len(drawn) == 2 * (len(SCREENS) + 10)
