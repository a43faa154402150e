"""A Prometheus that answers and can't be trusted all the same (gate 5), and what it tells of the queues (gate 6)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from aiohttp import web

from console.rehearsal.dotmac.metrics import QUEUE_LENGTH, QUEUE_READERS, TASKS_SENT
from console.rehearsal.dotmac.names import QUEUES
from console.rehearsal.world.fault import Apply, Fault, Hook, at, blinds, fails, only
from console.rehearsal.world.world import World
from state.base.json import Json, JsonObject

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
    told: Hook = _ranged([_SERIES], lambda n: 1000 + 3 * n + _APART * (n * 7 % _WORKERS))
    world.prometheus.hooks.append(at("/api/v1/query_range", only('endpoint="/health"', told)))


def _ranged(series: Sequence[Json], value: Callable[[int], int]) -> Hook:
    """Return a hook that answers every range query with these series, whose n-th point has a value."""

    async def hook(request: web.Request) -> web.StreamResponse | None:
        start, end, step = [float(await _parameter(request, name)) for name in ("start", "end", "step")]
        times = [start + n * step for n in range(int((end - start) / step) + 1)]
        points: list[Json] = [[time, str(value(n))] for n, time in enumerate(times)]
        return _answer("matrix", [{"metric": one, "values": points} for one in series])

    return hook


def lengths(value: Callable[[int], int], queues: Sequence[str] = QUEUES) -> Apply:
    """Let Prometheus tell these lengths of queues, and of no other: of the n-th minute before it is asked."""
    told: list[Json] = [{"__name__": QUEUE_LENGTH, "queue_name": name} for name in queues]
    hook = at("/api/v1/query_range", only(QUEUE_LENGTH, _ranged(told, value)))
    return lambda world: world.prometheus.hooks.append(hook)


def _vector(metric: str, *samples: tuple[JsonObject, str]) -> Apply:
    """Let Prometheus answer a query for a metric with these samples."""

    def apply(world: World) -> None:
        async def hook(_: web.Request) -> web.StreamResponse:
            now = world.clock.wall_us() / 1_000_000
            return _answer("vector", [{"metric": labels, "value": [now, text]} for labels, text in samples])

        world.prometheus.hooks.append(at("/api/v1/query", only(metric, hook)))

    return apply


FAULTS: tuple[Fault, ...] = (
    fails("prometheus-clock-ahead", "5.3", "Prometheus' clock is half a minute ahead", _ahead),
    fails(
        "several-workers",
        "5.3",
        "four worker processes of production's backend count behind one scrape target",
        _several_workers,
    ),
    fails(
        "queue-too-long",
        "6.3",
        "five thousand tasks wait in every queue, and get no fewer",
        lengths(lambda n: 5000 + n % 3),
    ),
    fails("queue-grows", "6.3", "a task more waits each minute, and none is done", lengths(lambda n: n)),
    blinds(
        "queue-untold",
        "6.3",
        "nobody tells how long the queue is that most tasks are put in",
        lengths(lambda _: 0, QUEUES[1:]),
    ),
    blinds("queues-untold", "6.3", "no exporter tells how long the queues are", lengths(lambda _: 0, ())),
    fails(
        "queue-unread",
        "6.3",
        "no worker reads the queue of low priority any more",
        _vector(QUEUE_READERS, *(({"queue_name": name}, "1") for name in QUEUES[:2])),
    ),
    fails("periodic-stopped", "6.3", "no periodic task was sent lately", _vector(TASKS_SENT, ({}, "0"))),
    blinds("periodic-untold", "6.3", "nobody tells whether periodic tasks are sent", _vector(TASKS_SENT)),
)
