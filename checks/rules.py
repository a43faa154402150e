"""Alert rules that could never fire: they ask for metrics that nobody exports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from state.base.json import JsonObject, text

if TYPE_CHECKING:
    from checks.clients.prometheus import PrometheusClient


async def dead_rules(prometheus: PrometheusClient, ignored: Sequence[str] = ()) -> dict[str, list[str]]:
    """Return the alert rules that can't fire, each with the metrics that it asks for in vain.

    ``ignored`` are metrics that exist only after their first event. Raises CouldNotLookError.
    """
    rules = await prometheus.rules()
    dead = await without_series(prometheus, rules, ignored)
    found = {name: sorted(used & dead) for name, used in metrics_by_rule(rules).items()}
    return {name: used for name, used in found.items() if used}


def metrics_by_rule(rules: Sequence[JsonObject]) -> dict[str, set[str]]:
    """Return the metrics that each alert rule reads, by its name."""
    found: dict[str, set[str]] = {}
    for rule in rules:
        if text(rule, "type") == "alerting":
            found.setdefault(text(rule, "name"), set()).update(metrics_of(text(rule, "query")))
    return found


async def without_series(
    prometheus: PrometheusClient, rules: Sequence[JsonObject], ignored: Sequence[str] = ()
) -> set[str]:
    """Return the metrics of alert rules that no series has; what a rule records counts as there."""
    recorded = {text(rule, "name") for rule in rules if text(rule, "type") == "recording"}
    expected = set[str]().union(*metrics_by_rule(rules).values()) - recorded - set(ignored)
    return {metric for metric in sorted(expected) if not await exists(prometheus, metric)}


async def exists(prometheus: PrometheusClient, metric: str) -> bool:
    """Return whether any series has this name now."""
    counted = await prometheus.query(f'count({{__name__="{metric}"}})')
    return any(sample.value > 0 for sample in counted)


def metrics_of(promql: str) -> set[str]:
    """Return the names of the metrics that a PromQL expression reads; empty where it can't be parsed."""
    import promql_parser

    try:
        todo = [promql_parser.parse(promql)]
    except ValueError:
        return set()
    names: set[str] = set()
    while todo:
        node = todo.pop()
        name = getattr(node, "name", None)
        if isinstance(node, promql_parser.VectorSelector) and isinstance(name, str):
            names.add(name)
        elif isinstance(node, promql_parser.VectorSelector):
            names |= {
                matcher.value
                for matcher in node.matchers.matchers
                if matcher.name == "__name__" and str(matcher.op) == "MatchOp.Equal"
            }
        for part in ("lhs", "rhs", "expr", "param", "vector_selector", "vs"):
            child = getattr(node, part, None)
            if child is not None and not isinstance(child, str | int | float):
                todo.append(child)
        todo.extend(getattr(node, "args", None) or [])
    return names
