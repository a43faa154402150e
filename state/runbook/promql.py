"""PromQL in a runbook: parsed when the runbook is read, so that a mistake isn't found during a launch."""

from __future__ import annotations

from collections.abc import Iterator

import promql_parser as promql

_CHILDREN = ("lhs", "rhs", "expr", "param", "vector_selector")


def problem_of(query: str) -> str | None:
    """Return why a query is not PromQL, or None where it is."""
    try:
        promql.parse(query)
    except ValueError as error:
        return f"{error} (in {query!r})"
    return None


def nodes(query: str) -> Iterator[object]:
    """Yield every node of a query's tree, the outermost first; none where it can't be parsed."""
    try:
        todo: list[object] = [promql.parse(query)]
    except ValueError:
        return
    while todo:
        node = todo.pop(0)
        yield node
        children = [getattr(node, name, None) for name in _CHILDREN]
        todo += [c for c in children if c is not None and not isinstance(c, str | int | float)]
        todo += list(getattr(node, "args", None) or [])
