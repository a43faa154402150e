"""``launch-console check`` against a world: exit codes, lines, JSON, JUnit, and what is never told."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import pytest_asyncio
import yaml

from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import Csp
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.world.world import World
from state.base.json import JsonObject, obj, objs, text
from tests.console.cli.test_command_line import SOP, Said
from tests.console.rehearsal.worlds import running
from tests.paths import ROOT

pytestmark = pytest.mark.asyncio(loop_scope="module")
REAL_S = 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running(tmp_path_factory.mktemp("world") / "world", seed=1, rate=20) as made:
        yield made


async def started(*argv: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console", "check", *argv),
        cwd=ROOT,
        env={**os.environ, "KUBECONFIG": "/nowhere"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def check(*argv: str) -> Said:
    process = await started(*argv)
    async with asyncio.timeout(REAL_S):
        out, err = await process.communicate()
    said = Said(process.returncode or 0, out.decode(), err.decode())
    assert "Traceback" not in said.all
    return said


async def of(world: World, *argv: str) -> Said:
    said = await check("--runbook", str(world.runbook_path), "--clock", str(world.folder.clock), *argv)
    for secret in secrets(world):
        assert secret not in said.all
    return said


def secrets(world: World) -> list[str]:
    return [one.read_text().strip() for one in sorted(world.folder.secrets.rglob("*")) if one.is_file()]


def logins(world: World) -> int:
    lines = world.product(Dotmac).platforms[Env.PRODUCTION].records.lines
    return sum("/auth/login" in line.text() for line in lines)


def verdicts(said: Said) -> dict[str, str]:
    return {text(one, "check"): text(one, "verdict") for one in objs(obj(json.loads(said.out)).get("checks"))}


async def test_all_checks_of_two_gates_pass(world: World) -> None:
    said = await of(world, "6", "3", "--probes", "--live", "--json")
    assert said.code == 0, said.all
    document: JsonObject = obj(json.loads(said.out))
    assert (document["outcome"], document["exit"]) == ("pass", 0)
    found = verdicts(said)
    assert set(found.values()) == {"pass"}
    assert obj(document["counts"])["pass"] == len(found) >= 15
    assert {name.partition(".")[0] for name in found} == {"3", "6"}
    assert len(secrets(world)) > 5
    assert logins(world) > 0


async def test_a_candidate_that_is_not_in_staging_is_unknown_at_once_and_not_probed(world: World) -> None:
    before = logins(world)
    said = await of(world, "3.1", "3.2", "3.3")
    assert said.code == 13, said.all
    rows = [row for row in said.out.splitlines() if "→" not in row]
    assert [row.split()[0] for row in rows[:4]] == ["pass", *["UNKNOWN"] * 3]
    assert all("candidate in staging" in row for row in rows[1:4])
    assert said.out.count("run staging.deploy") == 3
    assert logins(world) == before


async def test_probes_are_left_out_of_production_and_that_is_no_pass(world: World) -> None:
    before = logins(world)
    said = await of(world, "3.2", "3.3", "--live")
    assert said.code == 13
    rows = [re.split(r"\s+", row, maxsplit=4) for row in said.out.splitlines()]
    assert rows[0][:4] == ["pass", "3.2", "web.csp", "production"]
    assert rows[1][:4] == ["SKIPPED", "3.3", "web.rate_limit", "production"]
    assert "--probes" in rows[1][4]
    assert "1 pass, 1 skipped: UNKNOWN" in said.out
    assert logins(world) == before


async def test_a_fault_is_named_and_counted(world: World, tmp_path: Path) -> None:
    web = world.product(Dotmac).settings[Env.PRODUCTION].web
    right = web.csp_admin
    web.csp_admin = Csp.NONE
    file = tmp_path / "junit.xml"
    said = await of(world, "3.1", "3.2", "3.3", "5.2", "--live", "--junit", str(file))
    web.csp_admin = right
    assert said.code == 11
    assert [row.split()[1] for row in said.out.splitlines() if row.startswith("FAIL")] == ["3.2"]
    assert "no Content-Security-Policy" in said.out
    assert "→ send a Content-Security-Policy with script-src" in said.out, "the way out"
    root = ET.parse(file).getroot()
    counts = {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "1", "errors": "0", "skipped": "2"}  # they log in
    suites = root.findall("testsuite")
    assert [suite.get("name", "")[:7] for suite in suites] == ["gate 3:", "gate 5:"]
    failing = [case for case in root.iter("testcase") if case.find("failure") is not None]
    assert [case.get("name") for case in failing] == ["3.2/0/live web.csp (production)"]
    assert "no Content-Security-Policy" in failing[0][0].get("message", "")
    assert "problems" in (failing[0][0].text or "")


async def test_a_prometheus_that_is_gone_is_unknown(world: World, tmp_path: Path) -> None:
    book = tmp_path / "dead.yaml"
    prometheus = str(world.describe()["prometheus"])
    book.write_text(world.runbook_path.read_text().replace(prometheus, "http://127.0.0.1:9"))
    file = tmp_path / "junit.xml"
    said = await check("--runbook", str(book), "1.4", "3.2", "--junit", str(file))
    assert said.code == 13, said.all
    assert said.out.startswith("UNKNOWN  1.4")
    assert "refused the connection" in said.out
    case = next(one for one in ET.parse(file).getroot().iter("testcase") if one.find("error") is not None)
    assert case.get("name") == "1.4/0 scope.conditions (production)"


async def test_a_sweep_that_is_ended_says_so(tmp_path: Path) -> None:
    asked = asyncio.Event()
    answering: list[asyncio.Task[None] | None] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.append(asyncio.current_task())
        asked.set()
        with contextlib.suppress(OSError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    book = yaml.safe_load(SOP.read_text())
    for env in book["environments"].values():
        env["prometheus"]["url"] = f"http://127.0.0.1:{port}"
    file = tmp_path / "book.yaml"
    file.write_text(yaml.safe_dump(book))
    process = await started("--runbook", str(file), "1.4")
    async with asyncio.timeout(REAL_S / 2):
        await asked.wait()
        process.send_signal(signal.SIGTERM)
        _, err = await process.communicate()
        await asyncio.gather(*(task for task in answering if task is not None))
    server.close()
    assert process.returncode == 143
    assert b"ended before every check had a result" in err
    assert b"Traceback" not in err
