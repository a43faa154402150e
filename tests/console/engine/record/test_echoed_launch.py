"""A launch among servers that put all they are sent into their answers, webhooks too; then it is scanned.

Nothing secret is in its log, in what lies beside it, in its report and archive; and a value that is planted is found.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from checks.clients.redact import MARK
from console.__main__ import main
from console.engine.engine import Engine
from console.exit_codes import ExitCode
from state.events.gates import CheckFinished
from state.events.world import WebhookSent
from state.log.reader import LogReader
from tests.checks.test_echoing_servers import (
    CANARIES,
    OF_THE_REALM,
    Echo,
    clients,
    database,
    echoing,
    left,
)
from tests.clocks import ManualClock
from tests.console.engine.stand import Stand

HOOK = "/services/T0815/hook-canary-7Qm2ZsLx"
OWN = "db/9kQz@of:Xw38Lp+m2"
EVERY = (*CANARIES.values(), OF_THE_REALM, OWN, HOOK)
IN_THE_STORE = ("6.4", "7.1")
ITEMS = ("4.2", "5.3", "6.3", "6.4", "6.5", "6.6", "6.7", "7.1", "7.3", "10.2")
"""Their checks ask Prometheus, Alertmanager, object store, database, registry, traces, logs and the cluster."""


def written(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Path:
    """Write a runbook all of whose services are at one address, and give every secret that it names."""
    clients(folder, url, monkeypatch, database_url)
    book = folder / "book.yaml"
    data = yaml.safe_load(book.read_text())
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": CANARIES["TOKEN"]}}],
        "contexts": [
            {"name": n, "context": {"cluster": "c", "user": "u"}} for n in ("staging", "production")
        ],
    }
    (folder / "kubeconfig").write_text(yaml.safe_dump(config))
    (folder / "values.yaml").write_text(yaml.safe_dump({"smtp": {"password": CANARIES["HEADER"]}}))
    for name, env in data["environments"].items():
        env["kube"]["kubeconfig"] = str(folder / "kubeconfig")
        env["chart"] = {"path": "chart", "version": "1", "values": ["values.yaml"]}
        env["domains"] = {key: {"host": "127.0.0.1:9"} for key in env["domains"]}
        for role, account in env["accounts"].items():
            monkeypatch.setenv(account["password"]["env"], f"canary of {name} {role}")
    data["people"] = [{"id": "cap", "name": "C", "accounts": ["ann"], "roles": ["captain"]}]
    monkeypatch.setenv("LC_CI_TOKEN", "canary-of-the-builds-4Tq8")
    data["webhooks"] = [{"env": "ECHO_HOOK"}]
    monkeypatch.setenv("ECHO_HOOK", f"{url}{HOOK}?sig={quote(CANARIES['HEADER'])}")
    (folder / "chart").mkdir()
    (folder / "chart" / "Chart.yaml").write_text("apiVersion: v2\nname: dotmac\nversion: '1'\n")
    book.write_text(yaml.safe_dump(data))
    return book


@asynccontextmanager
async def engine(book: Path, log: Path) -> AsyncIterator[Engine]:
    one = await Engine.open(book, log, ManualClock(), account="ann")
    running = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        one.stop("the test is over")
        await running
        await one.close()


@contextmanager
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Note where this process' Python connects to; libpq's own are in the database's hands."""
    found: set[str] = set()
    plain = socket.socket.connect

    def connect(one: socket.socket, to: Any) -> None:
        found.add(":".join(str(part) for part in to[:2]) if isinstance(to, tuple) else str(to))
        plain(one, to)

    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "connect", connect)
        yield found


async def happened(s: Stand, kind: str, times: int) -> None:
    async with asyncio.timeout(60):
        while len(s.events(kind)) < times:  # noqa: ASYNC110  the log is what is looked at
            await asyncio.sleep(0.05)


async def driven(book: Path, log: Path, echo: Echo) -> None:
    """Hold, run checks under two statuses, let every watch look, and type secrets where a person may."""
    async with engine(book, log) as one:
        s = Stand.__new__(Stand)
        s.engine, s.log, s.clock = one, log, one.journal.clock  # type: ignore[assignment]  # the manual one
        ann = await s.attach("ann")
        echo.status = 403
        assert (await ann.command("launch.hold", {"reason": f"it leaks {CANARIES['TOKEN']}"})).ok
        await happened(s, WebhookSent.KIND, 1)
        # The object store's library asks again for seconds where it is answered 500.
        for echo.status, items in ((403, ITEMS), (500, [i for i in ITEMS if i not in IN_THE_STORE])):
            before = len(s.events(CheckFinished.KIND))
            for item in items:
                assert (await ann.command("check.run", {"item": item})).ok
            await happened(s, CheckFinished.KIND, before + len(items))
            await s.tick(30)
        await ann.close()


def looked(folder: Path) -> list[str]:
    """Return which file of a launch holds a canary; the runbook's own files name them."""
    own = {"kubeconfig", "values.yaml", "book.yaml"}
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in own]
    assert {"a.lclog", "a.lclog-journal", "a.md", "a.archive.lclog"} <= {path.name for path in files}
    return [
        f"{value[:9]} in {f.name}"
        for f in files
        for value in left(f.read_bytes().decode("utf-8", "replace"), EVERY)
    ]


async def test_nothing_is_left_of_what_every_server_says_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "a.lclog"
    async with echoing() as echo, database() as (port, heard):
        url = f"postgresql+psycopg://app:{quote(OWN, safe='')}@127.0.0.1:{port}/x"
        book = written(tmp_path, echo.url, monkeypatch, url)
        with connections(monkeypatch) as connected:
            await driven(book, log, echo)
        assert {echo.url.removeprefix("http://")} <= connected
        assert {echo.url.removeprefix("http://"), "127.0.0.1:9"} >= connected, "nobody else is told anything"
    sent = "\n".join(echo.heard)
    assert {CANARIES[name] for name in ("TOKEN", "PASSWORD", "ACCESS", "HEADER")} <= set(left(sent)), (
        "all was sent"
    )
    assert set(heard) == {OWN}, "the database too"
    (hook,) = [one for one in echo.heard if HOOK in one]
    told = hook[hook.index('{"text"') :]
    assert MARK in told
    assert left(told, EVERY) == [], "a chat is told no secret either"
    main(["report", str(log), str(tmp_path / "a.md")])
    main(["archive", str(log), str(tmp_path / "a.archive.lclog")])
    assert looked(tmp_path) == []
    assert HOOK.encode() not in log.read_bytes()
    with LogReader(log) as reader:
        said = json.dumps([event.body for event in reader.every() if event.kind == CheckFinished.KIND])
    assert said.count(MARK) > 3, "errors do quote the servers"
    capsys.readouterr()
    scan = ["scan", str(log), "--runbook", str(book)]
    assert main(scan) == ExitCode.GO, capsys.readouterr()
    assert "CLEAN" in capsys.readouterr().out
    for name, value in ((f"{log.name}.engine.out", CANARIES["TOKEN"]), ("a.notes.md", HOOK)):
        planted = tmp_path / name
        planted.write_text(f"first\nit said {value} and stopped\n")
        assert main(scan) == ExitCode.NO_GO
        found = capsys.readouterr().out
        assert f"{planted}: line 1" in found
        assert value not in found
        planted.unlink()
