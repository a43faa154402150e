"""Alert rules that could never fire: they ask for metrics that nobody exports."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Final

from state.base.json import JsonObject, text

if TYPE_CHECKING:
    from checks.clients.prometheus import PrometheusClient

# They have a value where there is no series: that is what they are for. vector() has one always.
_OF_NOTHING: Final = frozenset({"absent", "absent_over_time", "vector", "time"})
_PARTS: Final = ("lhs", "rhs", "expr", "param", "vector_selector", "vs")


async def dead_rules(prometheus: PrometheusClient, ignored: Sequence[str] = ()) -> dict[str, list[str]]:
    """Return the alert rules that can't fire, each with the metrics that it asks for in vain.

    ``ignored`` are metrics that exist only after their first event. Raises CouldNotLookError.
    """
    rules = await prometheus.rules()
    gone = await without_series(prometheus, rules, ignored)
    return dead_among(rules, gone)


def dead_among(rules: Sequence[JsonObject], gone: AbstractSet[str]) -> dict[str, list[str]]:
    """Return the alert rules that can't fire while some metrics have no series, each with those that it lacks.

    Of several rules with one name each is judged by itself.
    """
    dead: dict[str, list[str]] = {}
    for rule in rules:
        if text(rule, "type") == "alerting" and (lacking := lacking_of(text(rule, "query"), gone)):
            name = text(rule, "name")
            dead[name] = sorted({*dead.get(name, []), *lacking})
    return dead


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
    recorded = {
        text(rule, "name"): text(rule, "query") for rule in rules if text(rule, "type") == "recording"
    }
    expected = set[str]().union(*metrics_by_rule(rules).values())
    todo, asked = sorted(expected), set(expected)
    while todo:  # what is recorded is there as long as what it is recorded from is
        more = metrics_of(recorded.get(todo.pop(), "")) - asked
        todo, asked = [*todo, *more], asked | more
    plain = sorted(asked - recorded.keys() - set(ignored))
    gone = {metric for metric in plain if not await exists(prometheus, metric)}
    for _ in recorded:  # one recorded from another needs a turn more
        dead = {name for name in asked & recorded.keys() - gone if lacking_of(recorded[name], gone)}
        dead = {name for name in sorted(dead) if not await exists(prometheus, name)}
        if not dead:
            break
        gone |= dead
    return gone & expected


async def exists(prometheus: PrometheusClient, metric: str) -> bool:
    """Return whether any series has this name now."""
    name = metric.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    counted = await prometheus.query(f'count({{__name__="{name}"}})')
    return any(sample.value > 0 for sample in counted)


def lacking_of(promql: str, gone: AbstractSet[str]) -> set[str]:
    """Return the metrics without series for whose sake an expression has no value; none where it may have one.

    ``absent`` has its value while there is nothing, one side of ``or`` is enough, and ``unless`` takes away only.
    """
    import promql_parser

    try:
        return _lacking(promql_parser.parse(promql), gone)
    except ValueError:
        return set()


def _lacking(node: Any, gone: AbstractSet[str]) -> set[str]:
    import promql_parser

    if isinstance(node, promql_parser.VectorSelector):
        return _names(node) & gone
    if isinstance(node, promql_parser.Call):
        if node.func.name in _OF_NOTHING:
            return set()
        return set[str]().union(*(_lacking(arg, gone) for arg in node.args or ()))
    if isinstance(node, promql_parser.BinaryExpr):
        left, right, op = _lacking(node.lhs, gone), _lacking(node.rhs, gone), str(node.op)
        if op == "or":
            return left | right if left and right else set()
        return left if op == "unless" else left | right
    children = (getattr(node, part, None) for part in _PARTS)
    found = [_lacking(child, gone) for child in children if not isinstance(child, str | int | float | None)]
    return set[str]().union(*found)


def _names(node: Any) -> set[str]:
    if isinstance(node.name, str):
        return {node.name}
    matchers = node.matchers.matchers
    return {one.value for one in matchers if one.name == "__name__" and str(one.op) == "MatchOp.Equal"}


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
        if isinstance(node, promql_parser.VectorSelector):
            names |= _names(node)
        for part in _PARTS:
            child = getattr(node, part, None)
            if child is not None and not isinstance(child, str | int | float):
                todo.append(child)
        todo.extend(getattr(node, "args", None) or [])
    return names
