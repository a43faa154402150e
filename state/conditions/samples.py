"""The samples that a condition was judged by, as a short text of the log, so that a launch can be judged again.

``error-rate=0.1:10;ingress=0.2:9|0.3:8;latency-p95=0.41@0.2``: bad and total, or the value; after ``|`` those of the
second source; after ``@`` the baseline. ``-`` where there was none, ``!`` where the query failed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from state.conditions.points import Point, Samples, Source

NONE, FAILED = "-", "!"
LONGEST = 220
"""Characters of one event's text."""

Number = float | str | None
"""A number (it may be NaN), ``!``, or None."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a condition was judged by at one time."""

    main: Number
    total: Number = None
    ratio: bool = False
    second: tuple[Number, Number] | None = None
    baseline: Number = None
    relative: bool = False


def source_at(source: Source, at: int) -> tuple[Number, Number]:
    """Return (bad or value, total) of a time: the worst series, where there are several of each."""
    if source.main.error or (source.total is not None and source.total.error):
        return FAILED, FAILED
    main = [dict(points).get(at) for points in source.main.series]
    if source.total is None:
        return _worst(main), None
    totals = [dict(points).get(at) for points in source.total.series]
    if len(totals) <= 1:
        return _worst(main), totals[0] if totals else None
    by_name = dict(zip(source.main.names, main, strict=False))
    pairs = [
        (by_name.get(name), total)
        for name, total in zip(source.total.names, totals, strict=False)
        if total is not None
    ]
    return max(pairs, key=lambda pair: _share(*pair), default=(None, None))


def _share(bad: float | None, total: float) -> float:
    return (bad or 0.0) / total if total > 0 and math.isfinite((bad or 0.0) / total) else -1.0


def _worst(values: Sequence[float | None]) -> float | None:
    seen = [v for v in values if v is not None]
    nan = next((v for v in seen if math.isnan(v)), None)
    return nan if nan is not None else max(seen, default=None)


def spell(moment: Moment) -> str:
    """Return a moment as text."""
    told = _pair((moment.main, moment.total), ratio=moment.ratio)
    if moment.second is not None:
        told += "|" + _pair(moment.second, ratio=moment.ratio)
    return told + ("@" + _number(moment.baseline) if moment.relative else "")


def _pair(pair: tuple[Number, Number], *, ratio: bool) -> str:
    return f"{_number(pair[0])}:{_number(pair[1])}" if ratio else _number(pair[0])


def _number(value: Number) -> str:
    if value is None:
        return NONE
    return value if isinstance(value, str) else f"{value:.6g}"


def read(values: str) -> Mapping[str, Moment]:
    """Return the moments of a text by condition; what can't be read is left out."""
    found = {}
    for part in values.split(";"):
        name, _, told = part.partition("=")
        try:
            found[name] = _moment(told)
        except ValueError:
            continue
    return found


def _moment(message: str) -> Moment:
    rest, relative, baseline = message.partition("@")
    first, _, second = rest.partition("|")
    main, ratio, total = first.partition(":")
    bad2, _, total2 = second.partition(":")
    return Moment(
        _parse(main),
        _parse(total) if ratio else None,
        bool(ratio),
        (_parse(bad2), _parse(total2) if ratio else None) if second else None,
        _parse(baseline) if relative else None,
        bool(relative),
    )


def _parse(message: str) -> Number:
    if message == NONE:
        return None
    return message if message == FAILED else float(message)


def source_of(moments: Mapping[int, tuple[Number, Number]], *, ratio: bool) -> Source:
    """Return the series of recorded pairs by time; failed where the newest query failed."""
    if moments and moments[max(moments)][0] == FAILED:
        failed = Samples(error="the query failed then")
        return Source(failed, failed if ratio else None)

    def series(which: int) -> Samples:
        points: list[Point] = [
            (at, value) for at, pair in sorted(moments.items()) if isinstance(value := pair[which], float)
        ]
        return Samples((tuple(points),)) if points else Samples()

    return Source(series(0), series(1) if ratio else None)
