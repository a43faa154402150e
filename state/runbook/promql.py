"""PromQL in a runbook: parsed when the runbook is read, so that a mistake isn't found during a launch."""

from __future__ import annotations

from promql_parser import parse


def problem_of(query: str) -> str | None:
    """Return why a query is not PromQL, or None where it is."""
    try:
        parse(query)
    except ValueError as error:
        return f"{error} (in {query!r})"
    return None
