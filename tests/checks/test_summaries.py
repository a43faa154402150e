"""A summary names only what was looked at: its numbers are those of the requests that a server saw."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from checks.base import CheckContext, Outcome
from checks.clients.clients import Clients
from checks.registry import kind
from state.base.clock import SystemClock
from state.base.json import Json
from state.runbook.environment import Tier
from state.runbook.load import load_runbook
from state.runbook.models import Runbook
from state.view.enums import Verdict
from state.view.launch import LaunchView
from tests.checks.test_forged import good_token
from tests.checks.wrong_shapes import one_server

GOOD = good_token()
ORIGIN = "https://api-production.example.com"
PAGE = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'self'",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
JOBS = ("lint", "unit", "build")
BURST = 6


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the server saw it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str


@dataclass(slots=True)
class GoodServer:
    """Answers as a platform should that is all right, and keeps what it was asked."""

    asked: list[Asked] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    wrong_passwords: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
            body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
            method, path = first.split()[:2]
            one = Asked(method, path, headers, body)
            self.asked.append(one)
            status, more, told = self._answer(one)
            raw = json.dumps(told).encode()
            more = [("Content-Type", "application/json"), *more]
            lines = "".join(f"{name}: {value}\r\n" for name, value in more)
            writer.write(
                f"HTTP/1.1 {status} X\r\n{lines}Content-Length: {len(raw)}\r\nConnection: close\r\n\r\n".encode()
                + raw
            )
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    def _answer(self, one: Asked) -> tuple[int, list[tuple[str, str]], Json]:
        path = one.path.partition("?")[0]
        if one.method == "OPTIONS" or "origin" in one.headers:
            own = one.headers["origin"] == ORIGIN
            return 200, [("Access-Control-Allow-Origin", ORIGIN)] if own else [], {"fine": 1}
        if path.endswith("/login"):
            if "not-the-password" not in one.body:
                cookies = [
                    ("Set-Cookie", f"{name}=v; Secure; HttpOnly; SameSite=Strict; Path=/") for name in "ab"
                ]
                return 200, cookies, {"access_token": GOOD, "expires_in": 900}
            self.wrong_passwords += 1
            return 429 if self.wrong_passwords > 4 else 401, [], {"detail": "no"}
        if path == "/whoami":
            good = one.headers.get("authorization") == f"Bearer {GOOD}"
            return (200, [], {"user": "ann"}) if good else (401, [], {"detail": "no"})
        if path == "/admin-only":
            return 403, [], {"detail": "no"}
        if "/statuses" in path:
            return 200, [], []
        if "/check-runs" in path:
            runs: list[Json] = [
                {"id": n, "name": job, "status": "completed", "conclusion": "success"}
                for n, job in enumerate(JOBS)
            ]
            return 200, [], {"total_count": len(runs), "check_runs": runs}
        if path.endswith("/ingresses"):
            return 200, [], {"kind": "IngressList", "metadata": {}, "items": []}
        return 200, list(PAGE.items()), {"number": 7, "nested": {"list": [1]}}

    def paths(self, method: str = "GET") -> set[str]:
        """Return what was asked for, each once."""
        return {one.path for one in self.asked if one.method == method}


@asynccontextmanager
async def judging(server: GoodServer, book: Runbook) -> AsyncIterator[CheckContext]:
    """Give a context whose clients are new, so that a server that forgot everything sees every login."""
    server.asked.clear()
    server.writers.clear()
    server.wrong_passwords = 0
    clients = Clients(book)
    try:
        yield CheckContext(Tier.PRODUCTION, book, clients, SystemClock(), LaunchView())
    finally:
        await clients.aclose()


async def run(name: str, settings: dict[str, object], context: CheckContext) -> Outcome:
    found = kind(name)
    assert found is not None
    return await found.run(settings, context)


def forged(server: GoodServer) -> int:
    """Return how many tokens were tried at the path that are not the good one."""
    tried = {one.headers.get("authorization", "") for one in server.asked if one.path == "/whoami"}
    return len(tried - {"", f"Bearer {GOOD}"})


def wrong_tries(server: GoodServer) -> int:
    return sum("not-the-password" in one.body for one in server.asked)


def origins(server: GoodServer) -> int:
    return len({one.headers["origin"] for one in server.asked if one.method == "OPTIONS"} - {ORIGIN})


def pages_asked(server: GoodServer) -> int:
    return len(server.paths())


ROLE = "tenant_admin"
Counted = Callable[[GoodServer], int]
CASES: tuple[tuple[str, dict[str, object], str, Counted], ...] = (
    ("web.csp", {"pages": [{"path": f"/page{n}"} for n in range(3)]}, r"^(\d+) pages", pages_asked),
    ("web.csp", {"pages": [{"path": "/one"}], "hsts_min_days": 0}, r"^(\d+) page has", pages_asked),
    ("web.cors", {"path": "/api"}, r"(\d+) other origins", origins),
    ("auth.forged_tokens", {"path": "/whoami", "role": ROLE, "keys": ["", "k"]}, r"^(\d+) forged", forged),
    (
        "flows.smoke",
        {"steps": [{"flow": "a", "path": f"/step{n}", "has": ["number"]} for n in range(4)]},
        r"^(\d+) answers",
        pages_asked,
    ),
    (
        "gaps.placeholders",
        {"probes": [{"path": f"/probe{n}", "role": ROLE, "field": "number"} for n in range(3)]},
        r"^(\d+) probes give",
        pages_asked,
    ),
    (
        "web.rate_limit",
        {"path": "/api/v1/auth/login", "max_calls": BURST, "role": ROLE},
        r"of (\d+) wrong",
        wrong_tries,
    ),
    (
        "auth.roles",
        {"matrix": {"/whoami": {ROLE: [200], "anonymous": [401]}, "/admin-only": {ROLE: [403]}}},
        r"^(\d+) answers",
        lambda server: sum(one.path in {"/whoami", "/admin-only"} for one in server.asked),
    ),
    (
        "auth.roles",
        {"matrix": {"/whoami": {ROLE: [200], "anonymous": [401]}, "/admin-only": {ROLE: [403]}}},
        r"to (\d+) paths",
        pages_asked,
    ),
    ("ci.passed", {"required": list(JOBS)}, r"^(\d+) CI jobs", lambda _: len(JOBS)),
    (
        "web.cookies",
        {"role": ROLE, "cookies": {"a": {}, "b": {}}},
        r"^(\d+) cookies",
        lambda server: 2 * sum(one.path.endswith("/login") for one in server.asked),
    ),
    (
        "tls.certificates",
        {"redirect": False, "ingress": False},
        r"^(\d+) domains",
        lambda server: len(server.writers) // 2,  # a domain's certificate is read once, and verified once
    ),
)


UNASKED: tuple[tuple[str, dict[str, object], str], ...] = (
    ("web.csp", {"hsts_min_days": 0}, "HSTS"),
    ("web.csp", {"frames": False}, "framing"),
    ("web.csp", {"nosniff": False}, "nosniff"),
)


async def test_the_numbers_in_summaries_are_what_a_server_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len({name for name, *_ in CASES}) >= 10
    server = GoodServer()
    wrong: list[str] = []
    async with one_server(server, tmp_path) as world:
        for name, value in world.variables.items():
            monkeypatch.setenv(name, value)
        book = load_runbook(world.runbook).runbook
        for name, settings, number, counted in CASES:
            async with judging(server, book) as context:
                outcome = await run(name, settings, context)
                await asyncio.sleep(0.05)  # a handshake that was cut off is told to the server a moment later
                seen = counted(server)
            match = re.search(number, outcome.summary)
            if outcome.verdict is not Verdict.PASS or match is None or int(match[1]) != seen:
                wrong.append(f"{name}: {outcome.verdict} {outcome.summary}; the server saw {seen}")
        for name, settings, word in UNASKED:
            async with judging(server, book) as context:
                full = await run(name, {}, context)
                less = await run(name, settings, context)
            if word not in full.summary or word in less.summary:
                wrong.append(f"{name}: {full.summary} | {less.summary}")
    assert wrong == []
