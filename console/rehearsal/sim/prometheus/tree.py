"""The syntax tree of a query, typed: what promql-parser read, without its untyped objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Any, TypeAlias

import promql_parser

from console.rehearsal.sim.prometheus.series import Matcher, MatchOp


class QueryError(ValueError):
    """A query that cannot be answered; ``kind`` is the API's errorType."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Edge(Enum):
    """Where ``@`` pins a selector to an end of the query's range."""

    START = "start"
    END = "end"


At: TypeAlias = "int | Edge | None"


class Card(Enum):
    """How many series of each side may match."""

    ONE_TO_ONE = "one-to-one"
    MANY_TO_ONE = "group_left"
    ONE_TO_MANY = "group_right"
    MANY_TO_MANY = "set"


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """An instant selector; one of ``alternatives`` must match (usually there is exactly one)."""

    name: str | None
    alternatives: tuple[tuple[Matcher, ...], ...]
    offset_ms: int
    at: At


@dataclass(frozen=True, slots=True)
class RangeSelector:
    """A range selector."""

    selector: Selector
    range_ms: int


@dataclass(frozen=True, slots=True)
class Subquery:
    """A subquery; ``step_ms`` is None for the server's own interval."""

    expr: Node
    range_ms: int
    step_ms: int | None
    offset_ms: int
    at: At


@dataclass(frozen=True, slots=True)
class Call:
    """A function call."""

    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregation over the labels named (``by``), or over all others."""

    op: str
    expr: Node
    param: Node | None
    labels: tuple[str, ...]
    by: bool


@dataclass(frozen=True, slots=True)
class Binary:
    """A binary operation; ``on`` says whether ``labels`` are those that match or those ignored."""

    op: str
    lhs: Node
    rhs: Node
    on: bool
    labels: tuple[str, ...]
    card: Card
    include: tuple[str, ...]
    returns_bool: bool


@dataclass(frozen=True, slots=True)
class Negate:
    """The unary minus."""

    expr: Node


Node: TypeAlias = "Number | Text | Selector | RangeSelector | Subquery | Call | Aggregate | Binary | Negate"


@lru_cache(maxsize=512)
def parse(query: str) -> Node:
    """Read a query.

    Raises QueryError of kind ``bad_data``.
    """
    try:
        return _node(promql_parser.parse(query))
    except ValueError as problem:
        raise QueryError("bad_data", f"parse error: {problem}") from None


def parse_duration_ms(text: str) -> int:
    """Return a duration such as ``1h30m`` in milliseconds.

    Raises QueryError of kind ``bad_data``.
    """
    try:
        return _millis(promql_parser.parse_duration(text))
    except ValueError:
        raise QueryError("bad_data", f'cannot parse "{text}" to a valid duration') from None


def _millis(delta: timedelta | None) -> int:
    return 0 if delta is None else round(delta.total_seconds() * 1000)


def _at(modifier: Any) -> At:
    if modifier is None:
        return None
    if modifier.type == promql_parser.AtModifierType.Start:
        return Edge.START
    if modifier.type == promql_parser.AtModifierType.End:
        return Edge.END
    moment: datetime = modifier.at
    return round(moment.timestamp() * 1000)


_OPS = (
    (promql_parser.MatchOp.Equal, MatchOp.EQUAL),
    (promql_parser.MatchOp.NotEqual, MatchOp.NOT_EQUAL),
    (promql_parser.MatchOp.Re, MatchOp.REGEX),
    (promql_parser.MatchOp.NotRe, MatchOp.NOT_REGEX),
)


def _matcher(raw: Any) -> Matcher:
    op = next(ours for theirs, ours in _OPS if raw.op == theirs)
    return Matcher(str(raw.name), op, str(raw.value))


def _selector(raw: Any) -> Selector:
    common = tuple(_matcher(matcher) for matcher in raw.matchers.matchers)
    groups = [tuple(_matcher(one) for one in group) for group in raw.matchers.or_matchers]
    alternatives = tuple(common + group for group in groups) if groups else (common,)
    name = None if raw.name is None else str(raw.name)
    return Selector(name, alternatives, _millis(raw.offset), _at(raw.at))


def _call(raw: Any) -> Call:
    return Call(str(raw.func.name), tuple(_node(one) for one in raw.args))


def _aggregate(raw: Any) -> Aggregate:
    modifier = raw.modifier
    by = modifier is None or modifier.type == promql_parser.AggModifierType.By
    labels = () if modifier is None else tuple(str(label) for label in modifier.labels)
    param = None if raw.param is None else _node(raw.param)
    return Aggregate(str(raw.op), _node(raw.expr), param, labels, by)


_CARDS = (
    (promql_parser.VectorMatchCardinality.OneToOne, Card.ONE_TO_ONE),
    (promql_parser.VectorMatchCardinality.ManyToOne, Card.MANY_TO_ONE),
    (promql_parser.VectorMatchCardinality.OneToMany, Card.ONE_TO_MANY),
    (promql_parser.VectorMatchCardinality.ManyToMany, Card.MANY_TO_MANY),
)


def _binary(raw: Any) -> Binary:
    op = str(raw.op)
    card, on, returns_bool = Card.ONE_TO_ONE, False, False
    labels: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    modifier = raw.modifier
    if modifier is not None:
        card = next(ours for theirs, ours in _CARDS if modifier.card == theirs)
        returns_bool = bool(modifier.return_bool)
        include = tuple(str(label) for label in modifier.group_labels or ())
        if modifier.matching is not None:
            on = modifier.matching.type == promql_parser.LabelModifierType.Include
            labels = tuple(str(label) for label in modifier.matching.labels)
    return Binary(op, _node(raw.lhs), _node(raw.rhs), on, labels, card, include, returns_bool)


def _subquery(raw: Any) -> Subquery:
    step = None if raw.step is None else _millis(raw.step)
    return Subquery(_node(raw.expr), _millis(raw.range), step, _millis(raw.offset), _at(raw.at))


_READERS: dict[type, Callable[[Any], Node]] = {
    promql_parser.NumberLiteral: lambda raw: Number(float(raw.val)),
    promql_parser.StringLiteral: lambda raw: Text(str(raw.val)),
    promql_parser.VectorSelector: _selector,
    promql_parser.MatrixSelector: lambda raw: RangeSelector(
        _selector(raw.vector_selector), _millis(raw.range)
    ),
    promql_parser.SubqueryExpr: _subquery,
    promql_parser.Call: _call,
    promql_parser.AggregateExpr: _aggregate,
    promql_parser.BinaryExpr: _binary,
    promql_parser.UnaryExpr: lambda raw: Negate(_node(raw.expr)),
    promql_parser.ParenExpr: lambda raw: _node(raw.expr),
}


def _node(raw: Any) -> Node:
    reader = _READERS.get(type(raw))
    if reader is None:
        raise QueryError("bad_data", f"parse error: {type(raw).__name__} is not supported")
    return reader(raw)
