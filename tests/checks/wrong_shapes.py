"""Servers whose every answer has the wrong shape, and a runbook that leads everything to them."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import yaml

from checks.clients.answers import BODY_LIMIT
from state.base.json import Json, JsonObject, obj, objs
from tests.checks.authority import TestAuthority
from tests.paths import SOP_RUNBOOK

TIMEOUT_S = 4
"""Of every check."""
_WORDS = (
    *("status", "data", "items", "metadata", "spec", "result", "access_token", "token", "paths", "features"),
    *("ready", "services", "config", "total_count", "check_runs", "id", "name", "labels", "values", "rules"),
    *("groups", "cluster", "database", "resultType", "conditions", "containers", "traces", "streams"),
)
"""What good answers have as keys; here with values of other types."""
_HTML = "<!doctype html><html><head><title>Welcome</title></head><body>Hello</body></html>"
_STATUSES = (200, 201, 204, 206, 300, 304, 400, 404, 405, 409, 410, 418, 429, 500, 502, 503, 504)


def plain_shapes() -> dict[str, bytes]:
    """Return the shapes that are always tried, by their names: whole answers, but for the line of the status."""
    bodies: Mapping[str, str] = {
        "empty": "",
        "null": "null",
        "list": "[]",
        "object": "{}",
        "number": "0",
        "text": '"healthy"',
        "true": "true",
        "html": _HTML,
        "truncated": '{"status": "success", "data": {"result": [{"metric',
        "infinite": '{"status": 1e400, "data": 1e400, "items": 1e400, "total_count": 1e400, "access_token": 1e400}',
        "not a number": '{"status": NaN, "data": NaN, "items": NaN}',
        "deep": "[" * 100_000,
        "deep objects": '{"data":' * 20_000,
        "nothing in it": json.dumps(dict.fromkeys(_WORDS)),
        "empty things": json.dumps({word: [] for word in _WORDS}),
        "empty parts": json.dumps({word: [{}] for word in _WORDS}),
        "numbers": json.dumps(dict.fromkeys(_WORDS, 7)),
        "xml": "<?xml version='1.0'?><Error><Code>Odd</Code></Error>",
        "digits": "9" * 5000,
    }
    return {name: body.encode() for name, body in bodies.items()} | {
        "bytes": b"\xff\xfe\x00\x80" * 9,
        "huge": b'{"data": "' + b"x" * (BODY_LIMIT + 1),
    }


def drawn_value(draw: random.Random, depth: int = 0) -> Json:
    """Return JSON with the keys of good answers, and values that none of them has."""
    kind = draw.randrange(9 if depth < 4 else 6)
    if kind == 7:
        return [drawn_value(draw, depth + 1) for _ in range(draw.randrange(4))]
    if kind >= 6:
        return {word: drawn_value(draw, depth + 1) for word in draw.sample(_WORDS, draw.randrange(1, 9))}
    return draw.choice([None, True, False, -1, 0, 10**30, 1.5, "", "\x00\x1b[2J", "x" * 400, "-", "NaN"])


@dataclass(slots=True)
class WrongServer:
    """Answers everything with one shape, or each request with another drawn one (``shape`` is nothing)."""

    shape: str
    draw: random.Random
    asked: list[str] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _plain: dict[str, bytes] = field(default_factory=plain_shapes)

    def answer(self) -> bytes:
        """Return an answer as it goes over the wire."""
        if self.shape == "huge" and len(self.asked) % 16:  # one in so many: all of them would take minutes
            return self._told(200, "truncated", self._plain["truncated"])
        name = self.shape or self.draw.choice([*self._plain, "drawn", "drawn", "drawn", "cut", "no http"])
        if name == "no http":
            return self.draw.randbytes(200)
        status = 200 if self.shape or self.draw.random() < 0.6 else self.draw.choice(_STATUSES)
        if name.isdigit():
            status, name = int(name), "object"
        body = self._plain.get(name)
        if body is None:
            body = json.dumps(drawn_value(self.draw)).encode()
        return self._told(status, name, body)

    def _told(self, status: int, name: str, body: bytes) -> bytes:
        length = len(body) + 99 if name == "cut" else len(body)
        kind = "text/html" if name == "html" else self.draw.choice(["application/json", "text/plain", "x"])
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        return head.encode() + body

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, whatever it is."""
        self.writers.append(writer)
        try:
            head = await asyncio.wait_for(reader.read(65536), 5)
            self.asked.append(head.split(b"\r\n")[0].decode(errors="replace")[:80])
            if self.shape == "silence":
                await asyncio.sleep(60)
            writer.write(self.answer())
            with suppress(TimeoutError):
                await asyncio.wait_for(writer.drain(), 5)
        except (OSError, TimeoutError):
            return
        finally:
            writer.close()


class Talks(Protocol):
    """A server of raw connections."""

    writers: list[asyncio.StreamWriter]

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""


@dataclass(frozen=True, slots=True)
class OneServer:
    """A world in which one server is every system."""

    runbook: Path
    variables: Mapping[str, str]
    """Of the environment: what the runbook's secrets are."""


@asynccontextmanager
async def one_server(server: Talks, folder: Path) -> AsyncIterator[OneServer]:
    """Let a server answer every client of the SOP's runbook, over plain HTTP and TLS."""
    authority = TestAuthority(folder)
    plain = await asyncio.start_server(server.talk, "127.0.0.1", 0)
    tls = await asyncio.start_server(server.talk, "127.0.0.1", 0, ssl=authority.context("*.example.com"))
    ports = tuple(int(one.sockets[0].getsockname()[1]) for one in (plain, tls))
    try:
        yield OneServer(*_runbook(folder, authority.ca_file, ports))
    finally:
        plain.close()
        tls.close()
        # What a check that ran out of time still connects to is accepted only now.
        for _ in range(10):
            for writer in server.writers:
                writer.transport.abort()
            await asyncio.sleep(0.02)


def _runbook(folder: Path, ca: Path, ports: tuple[int, ...]) -> tuple[Path, dict[str, str]]:
    """Write the SOP's runbook with every address replaced, and return it with the values of its secrets."""
    plain, tls = (f"127.0.0.1:{port}" for port in ports)
    text = SOP_RUNBOOK.read_text()
    names = {part.split("}")[0].strip() for part in text.split("{ env: ")[1:]}
    variables = dict.fromkeys(names, "not-a-secret-but-long-enough-0123456789")
    book = dict(obj(yaml.safe_load(text)))
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(_kubeconfig(f"http://{plain}")))
    environments = {}
    for tier, given in obj(book["environments"]).items():
        one = dict(obj(given))
        url: dict[str, Json] = {"url": f"http://{plain}", "timeout": 3}
        one |= dict.fromkeys(("prometheus", "alertmanager", "grafana", "traces", "logs", "registry"), url)
        one["kube"] = {**obj(one["kube"]), "kubeconfig": str(kubeconfig)}
        one["domains"] = {
            word: {"host": f"{word}-{tier}.example.com", "pin": tls, "http_pin": plain}
            for word in obj(one["domains"])
        }
        one["objectstore"] = {**obj(one["objectstore"]), "url": f"http://{plain}"}
        one["ca_file"] = str(ca)
        one["chart"] = {**obj(one["chart"]), "path": str(folder / "chart"), "values": []}
        environments[tier] = one
        variables[f"LC_{tier.upper()}_DATABASE_URL"] = f"postgresql+psycopg://a:b@{plain}/c?connect_timeout=3"
    book["environments"] = environments
    book["ci"] = {**obj(book["ci"]), "url": f"http://{plain}"}
    gates = [dict(gate) for gate in objs(book["gates"])]
    first = [dict(item) for item in objs(gates[0]["items"])]
    first[0] = {**first[0], "checks": [*objs(first[0]["checks"]), {"kind": "telemetry.monitors"}]}
    gates[0] = {**gates[0], "items": first}
    book["gates"] = gates
    target = folder / "wrong.yaml"
    target.write_text(yaml.safe_dump(_timed(book), sort_keys=False))
    return target, variables


def _kubeconfig(server: str) -> JsonObject:
    tiers = ("staging", "production")
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": tier, "cluster": {"server": server}} for tier in tiers],
        "users": [{"name": tier, "user": {"token": "x"}} for tier in tiers],
        "contexts": [{"name": tier, "context": {"cluster": tier, "user": tier}} for tier in tiers],
    }


def _timed(value: Json) -> Json:
    """Return a runbook whose checks all have the timeout of the test."""
    if isinstance(value, Mapping):
        inner = {key: _timed(one) for key, one in value.items()}
        return (
            {**inner, "timeout": TIMEOUT_S}
            if isinstance(value.get("kind"), str) and "." in str(value["kind"])
            else inner
        )
    return [_timed(one) for one in value] if isinstance(value, list | tuple) else value
