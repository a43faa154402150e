"""What the selectors of a stop condition really select: one that can select nothing can never trip anything.

Each label that ``bad`` matches must exist, and without the matchers that make events bad it must select the very
series that ``total`` selects. A label or a namespace that is misspelt selects nothing, which looks like no errors
at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import promql_parser as promql

from state.runbook.promql import nodes

if TYPE_CHECKING:
    from checks.clients.prometheus import PrometheusClient
    from state.runbook.conditions import SecondSource, StopCondition

_SIGNS: Final = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
_NAME: Final = "__name__"
NOWHERE: Final = ", which nobody exports"
_PATTERN: Final = re.compile(r"\.\.|\.[*+]|\||\[.*\]")
"""What stands in a regular expression and hardly ever in the value of a label."""


@dataclass(frozen=True, slots=True)
class Match:
    """One matcher of a selector."""

    label: str
    sign: str
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.sign}{json.dumps(self.value, ensure_ascii=False)}"


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric and the matchers on its labels."""

    metric: str
    matches: tuple[Match, ...]

    def __str__(self) -> str:
        return f"{self.metric}{{{','.join(map(str, self.matches))}}}" if self.matches else self.metric

    def asked(self, *more: Match) -> str:
        """Return it as PromQL that any name fits into."""
        return f"{{{','.join(map(str, (Match(_NAME, '=', self.metric), *self.matches, *more)))}}}"

    def of(self, label: str) -> frozenset[Match]:
        """Return the matchers on a label."""
        return frozenset(m for m in self.matches if m.label == label)


def selectors(query: str) -> Iterator[Selector]:
    """Yield the selectors of a query; one without the name of a metric, or with ``or``, is left out."""
    for node in nodes(query):
        if not isinstance(node, promql.VectorSelector) or node.matchers.or_matchers:
            continue
        found = [Match(m.name, _SIGNS[str(m.op)], m.value) for m in node.matchers.matchers]
        names = [node.name] if node.name else [m.value for m in found if (m.label, m.sign) == (_NAME, "=")]
        if names:
            yield Selector(names[0], tuple(m for m in found if m.label != _NAME))


async def problems(condition: StopCondition, prometheus: PrometheusClient, at_s: float) -> list[str] | None:
    """Return why a condition could not trip as it is written, in words; None where nothing is there to tell it by.

    Raises CouldNotLookError.
    """
    found: list[str] = []
    known = True
    for name, told in (("", condition), ("second ", condition.second)):
        if told is not None:
            ask = _Ask(prometheus, at_s)
            words = await _source(told, ask)
            found += [f"{name}{one}" for one in words or ()]
            known = known and words is not None
    return found if found or known else None


async def _source(told: StopCondition | SecondSource, ask: _Ask) -> list[str] | None:
    part = "value" if told.value is not None else "bad" if told.bad is not None else "good"
    totals = list(selectors(told.total or ""))
    found: list[str] = []
    known = True
    for one in dict.fromkeys(selectors(told.main)):
        alike = [total for total in totals if total.metric == one.metric]
        if not alike and (clash := _clash(one, totals)):
            found.append(f"{part} {clash}")
        apart = [await _apart(one, total, ask) for total in alike]
        if apart and all(apart):
            found.append(f"{part} {apart[0]}")
            continue
        scope = alike[apart.index("")] if apart else Selector(one.metric, ())
        if await ask.count(scope.asked()):
            found += [f"{part} {words}" for words in await _unknown(one, scope, ask)]
        elif not alike:
            found.append(f"{part} asks for {one.metric}{NOWHERE}")
        else:
            known = False  # total selects nothing: no data, which is blind by itself
    return found if found or known else None


async def _unknown(one: Selector, scope: Selector, ask: _Ask) -> list[str]:
    """Return the labels that no series in the scope has, and values that only a regular expression would find."""
    found = []
    for label in dict.fromkeys(match.label for match in one.matches):
        absence = one.of(label) == {Match(label, "=", "")}  # asks that it isn't there
        if not absence and not await ask.count(scope.asked(Match(label, "!=", ""))):
            found.append(f"asks {scope} for the label {label}, which none of its series has")
    for match in one.matches:
        literal = match.sign == "=" and _PATTERN.search(match.value) and match not in scope.matches
        if literal and not found and not await ask.count(scope.asked(match)):
            found.append(f"asks {scope} for {match}, which no series has; a regular expression takes =~")
    return found


async def _apart(one: Selector, total: Selector, ask: _Ask) -> str:
    """Return how the series differ that two selectors select without what makes events bad, or nothing."""
    mine, whole = _scopes(one, total)
    if set(mine.matches) == set(whole.matches) or not await ask.count(total.asked()):
        return ""
    lost = await ask.count(f"{whole.asked()} unless {mine.asked()}")
    more = await ask.count(f"{mine.asked()} unless {whole.asked()}")
    if not lost and not more:
        return ""
    return (
        f"looks at {mine} and total at {whole}, which are not the same series ({lost} only in total, {more} only "
        "in the other)"
    )


def _clash(one: Selector, totals: Sequence[Selector]) -> str:
    """Return how a selector of another metric than total's means another place, or nothing."""
    for mine in (m for m in one.matches if m.sign == "="):
        theirs = [t for total in totals for t in total.of(mine.label)]
        if theirs and len(theirs) >= len(totals) and all(t.sign == "=" and t != mine for t in theirs):
            return f"looks at {one}, where total looks at {theirs[0]}"
    return ""


def _scopes(one: Selector, total: Selector) -> tuple[Selector, Selector]:
    """Return both without the matchers that make events bad: on labels that total leaves open or narrows otherwise.

    What total says with ``=`` belongs to the scope, and so does what both say alike.
    """
    judged = {
        m.label
        for m in one.matches
        if one.of(m.label) != total.of(m.label) and not any(t.sign == "=" for t in total.of(m.label))
    }
    return _without(one, judged), _without(total, judged)


def _without(one: Selector, labels: set[str]) -> Selector:
    return Selector(one.metric, tuple(m for m in one.matches if m.label not in labels))


@dataclass(frozen=True, slots=True)
class _Ask:
    """Counts series, all at the same moment."""

    prometheus: PrometheusClient
    at_s: float

    async def count(self, series: str) -> int:
        answer: Sequence[object] = await self.prometheus.query(f"count({series})", self.at_s)
        return round(sum(getattr(sample, "value", 0.0) for sample in answer))
