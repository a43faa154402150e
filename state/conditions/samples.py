"""The samples that a condition was judged by, as a short text of the log, so that a launch can be judged again.

``error-rate=0.1:10;ingress=0.2:9|0.3:8;latency-p95=0.41@0.2``: bad and total, or the value; after ``|`` those of the
second source; after ``@`` the baseline. ``-`` where there was none, ``!`` where the query failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from state.conditions.points import ConditionSpec, Point, Samples, Source, deciding, judged_pair

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

    @property
    def seen(self) -> bool:
        """Whether there was a sample at all."""
        return isinstance(self.main, float) or isinstance(self.total, float)


class ByTime:
    """A source's numbers by time: of several series those of the one that decides, or their sum."""

    def __init__(self, spec: ConditionSpec, source: Source) -> None:
        self._spec = spec
        self._failed = bool(source.main.error or (source.total is not None and source.total.error))
        self._ratio = source.total is not None
        self._main = _tables(source.main)
        self._total = {} if source.total is None else _tables(source.total)

    def pair(self, at: int) -> tuple[Number, Number]:
        """Return (bad or value, total) of a time."""
        if self._failed:
            return FAILED, FAILED
        main = {name: table[at] for name, table in self._main.items() if at in table}
        total = {name: table[at] for name, table in self._total.items() if at in table}
        if self._spec.reduce == "sum":
            return sum(main.values()) if main else None, sum(total.values()) if total else None
        pairs = _pairs(main, total) if self._ratio else [(value, None) for value in main.values()]
        if not pairs:
            return None, None
        return pairs[deciding(self._spec, [judged_pair(self._spec, at, *pair) for pair in pairs])]


def _tables(samples: Samples) -> dict[str, dict[int, float]]:
    several = len(samples.series) > 1 and len(samples.names) == len(samples.series)
    names = samples.names if several else [str(index) for index in range(len(samples.series))]
    return {name: dict(series) for name, series in zip(names, samples.series, strict=True)}


def _pairs(main: Mapping[str, float], total: Mapping[str, float]) -> list[tuple[float | None, float | None]]:
    if len(total) > 1:
        return [(main.get(name), all_) for name, all_ in total.items()]
    all_ = next(iter(total.values()), None)
    return [(bad, all_) for bad in main.values()] or [(None, all_)]


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
