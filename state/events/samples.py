"""The samples of one moment as a short text: most of a log is samples, so their spelling decides its size.

``errors=0.00061;latency=0.045,-,0.41``: each graph, and of each of its series in the declared order the value
or ``-`` where there was none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote, unquote

from state.base.json import Json, decimal, items

_NONE = "-"


def pack(rows: Sequence[tuple[str, Sequence[float | None]]]) -> str:
    """Return the text of (graph, values of its series); six digits of each, far more than a graph shows."""
    return ";".join(f"{quote(graph, safe='')}={','.join(map(_spell, values))}" for graph, values in rows)


def _spell(value: float | None) -> str:
    return _NONE if value is None else f"{value:.6g}"


def by_series(answer: Json, declared: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], float | None]:
    """Return the ``values`` of a ``metric.batch`` by (graph, series).

    ``declared`` has the series of each graph in their order. A graph with another number of values than of
    series is left out. Logs of earlier versions hold a list of ``[graph, series, value]`` instead.
    """
    if not isinstance(answer, str):
        rows = [items(row) for row in items(answer)]
        return {(str(r[0]), str(r[1])): decimal({"v": r[2]}, "v") for r in rows if len(r) == 3}
    found: dict[tuple[str, str], float | None] = {}
    for part in answer.split(";"):
        name, _, values = part.partition("=")
        graph, numbers = unquote(name), values.split(",")
        series = declared.get(graph, ())
        if len(series) == len(numbers):
            found.update({(graph, s): decimal({"v": n}, "v") for s, n in zip(series, numbers, strict=True)})
    return found


def spelled(answer: Json, declared: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str, str]]:
    """Yield (graph, series, value as the log spells it) of every value; nothing stands for a gap.

    A series that isn't declared has its place for a name: ``#1`` is the first of its graph.
    """
    if not isinstance(answer, str):
        for row in map(items, items(answer)):
            if len(row) == 3:
                yield str(row[0]), str(row[1]), "" if row[2] is None else str(row[2])
        return
    for part in answer.split(";") if answer else ():
        name, _, values = part.partition("=")
        graph, numbers = unquote(name), values.split(",")
        series = declared.get(graph, ())
        named = series if len(series) == len(numbers) else [f"#{n}" for n in range(1, len(numbers) + 1)]
        for one, number in zip(named, numbers, strict=True):
            yield graph, one, "" if number == _NONE else number


def count(answer: Json) -> int:
    """Return how many values a ``metric.batch`` holds, gaps included."""
    return answer.count("=") + answer.count(",") if isinstance(answer, str) else len(items(answer))
