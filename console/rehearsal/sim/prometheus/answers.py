"""The JSON of the Prometheus HTTP API: results, numbers, times, errors."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from aiohttp import web

from console.rehearsal.sim.prometheus.columns import Column
from console.rehearsal.sim.prometheus.series import Labels
from console.rehearsal.sim.prometheus.tree import QueryError, parse_duration_ms
from state.base.json import Json

_STATUS = {"bad_data": 400, "execution": 422, "timeout": 503, "canceled": 503, "internal": 500}


def number(value: float) -> str:
    """Return a sample value as Prometheus writes it: shortest digits, no exponent."""
    if math.isnan(value):
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def seconds(at_ms: int) -> Json:
    """Return a time as seconds: a whole number where it is one."""
    whole, rest = divmod(at_ms, 1000)
    return whole if rest == 0 else at_ms / 1000


def stamp(at_ms: int) -> str:
    """Return a time as RFC 3339, UTC, with milliseconds."""
    text = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def point(at_ms: int, value: float) -> Json:
    """Return a sample as the API gives it."""
    return [seconds(at_ms), number(value)]


def points(steps: Iterable[int], values: Column) -> list[Json]:
    """Return the samples of a column, without the steps that have none."""
    return [point(at, value) for at, value in zip(steps, values, strict=True) if value is not None]


def metric(labels: Labels) -> Json:
    """Return labels as a JSON object."""
    return dict(labels)


def success(data: Json) -> web.Response:
    """Return an answer with data."""
    return _answer({"status": "success", "data": data}, 200)


def failure(problem: QueryError) -> web.Response:
    """Return the answer for a query that cannot be answered."""
    body: Json = {"status": "error", "errorType": problem.kind, "error": str(problem)}
    return _answer(body, _STATUS.get(problem.kind, 422))


def _answer(body: Json, status: int) -> web.Response:
    text = json.dumps(body, separators=(",", ":"))
    return web.Response(text=text, status=status, content_type="application/json")


def invalid(parameter: str, problem: str) -> QueryError:
    """Return the error of a bad parameter, worded as the API words it."""
    return QueryError("bad_data", f'invalid parameter "{parameter}": {problem}')


def read_time(text: str, parameter: str) -> int:
    """Return a time given as Unix seconds or RFC 3339, in milliseconds.

    Raises QueryError of kind ``bad_data``.
    """
    try:
        return round(float(text) * 1000)
    except (ValueError, OverflowError):
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(parameter, f'cannot parse "{text}" to a valid timestamp') from None
    if at.tzinfo is None:
        raise invalid(parameter, f'cannot parse "{text}" to a valid timestamp')
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def read_step(text: str) -> int:
    """Return a step given as seconds or as a duration, in milliseconds.

    Raises QueryError of kind ``bad_data``.
    """
    try:
        return round(float(text) * 1000)
    except (ValueError, OverflowError):
        pass
    try:
        return parse_duration_ms(text)
    except QueryError as problem:
        raise invalid("step", str(problem)) from None
