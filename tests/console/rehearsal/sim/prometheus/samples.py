"""Series for tests, written as promtool writes them: values 15 s apart, ``_`` a gap, ``stale`` a marker."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from console.rehearsal.sim.prometheus.columns import Value
from console.rehearsal.sim.prometheus.evaluate import Scope, evaluate
from console.rehearsal.sim.prometheus.series import NAME, Labels, Matcher, Series, labels_of, selected
from console.rehearsal.sim.prometheus.tree import parse

INTERVAL_MS = 15_000


class FixedSource:
    """Series that are given once."""

    def __init__(self, series: Iterable[Series]) -> None:
        self._series = tuple(series)

    def series(
        self, name: str | None, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> list[Series]:
        found: list[Series] = []
        for one in self._series:
            if selected(one.labels, name, matchers):
                keep = [i for i, at in enumerate(one.times) if start_ms <= at <= end_ms]
                if keep:
                    times = [one.times[i] for i in keep]
                    found.append(Series(one.labels, times, [one.values[i] for i in keep]))
        return found


def labels(text: str) -> Labels:
    """Read ``name{a="b",c="d"}``."""
    name, _, rest = text.partition("{")
    pairs = re.findall(r'(\w+)="([^"]*)"', rest)
    return labels_of([(NAME, name), *pairs])


def expanded(text: str) -> list[str]:
    """Write out ``a+bxn``, ``a-bxn`` and ``axn`` as promtool does: n + 1 values."""
    out: list[str] = []
    for word in text.split():
        if gaps := re.fullmatch(r"_x(\d+)", word):
            out.extend(["_"] * int(gaps[1]))
            continue
        match = re.fullmatch(r"(-?[\d.]+)([+-][\d.]+)?x(\d+)", word)
        if match is None:
            out.append(word)
            continue
        start, step = float(match[1]), float(match[2] or 0)
        out.extend(repr(start + step * index) for index in range(int(match[3]) + 1))
    return out


def series(text: str, values: str) -> Series:
    """Read a series whose first sample is at time zero."""
    words = list(enumerate(expanded(values)))
    times = [index * INTERVAL_MS for index, word in words if word != "_"]
    return Series(
        labels(text), times, [None if word == "stale" else float(word) for _, word in words if word != "_"]
    )


def source(written: dict[str, str]) -> FixedSource:
    """Read all series."""
    return FixedSource(series(name, values) for name, values in written.items())


def ask(written: dict[str, str], query: str, *at_s: float, closed: bool = False) -> Value:
    """Evaluate a query at the given seconds."""
    steps = tuple(round(at * 1000) for at in at_s)
    return evaluate(parse(query), Scope(source(written), steps, steps[0], steps[-1], closed=closed))
