"""Gate 5: a Prometheus that answers, and can't be trusted all the same."""

from __future__ import annotations

import json

from aiohttp import web

from console.rehearsal.world.fault import Fault, Hook, at, fails, only
from console.rehearsal.world.world import World
from state.base.json import Json

_AHEAD_S = 30.0
_WORKERS = 4
_APART = 137
"""Requests between the counters of two workers."""
_SERIES: Json = {"__name__": "dotmac_http_requests_total", "pod": "dotmac-backend-1", "endpoint": "/health"}


def _answer(kind: str, result: Json) -> web.Response:
    body = {"status": "success", "data": {"resultType": kind, "result": result}}
    return web.Response(text=json.dumps(body), content_type="application/json")


async def _parameter(request: web.Request, name: str) -> str:
    form = await request.post() if request.method == "POST" else {}
    return str(form.get(name) or request.query.get(name) or "")


def _ahead(world: World) -> None:
    """Let Prometheus' clock be half a minute ahead."""

    async def hook(request: web.Request) -> web.StreamResponse | None:
        if await _parameter(request, "query") != "time()":
            return None
        now = world.clock.wall_us() / 1_000_000 + _AHEAD_S
        return _answer("scalar", [now, f"{now:.3f}"])

    world.prometheus.hooks.append(at("/api/v1/query", hook))


def _several_workers(world: World) -> None:
    """Let each scrape of the probes' counter meet another of four worker processes."""

    async def hook(request: web.Request) -> web.StreamResponse | None:
        start, end, step = [float(await _parameter(request, name)) for name in ("start", "end", "step")]
        times = [start + n * step for n in range(int((end - start) / step) + 1)]
        points: list[Json] = [
            [time, str(1000 + 3 * n + _APART * (n * 7 % _WORKERS))] for n, time in enumerate(times)
        ]
        return _answer("matrix", [{"metric": _SERIES, "values": points}])

    probes: Hook = only('endpoint="/health"', hook)
    world.prometheus.hooks.append(at("/api/v1/query_range", probes))


FAULTS: tuple[Fault, ...] = (
    fails("prometheus-clock-ahead", "5.3", "Prometheus' clock is half a minute ahead", _ahead),
    fails(
        "several-workers",
        "5.3",
        "four worker processes of production's backend count behind one scrape target",
        _several_workers,
    ),
)
