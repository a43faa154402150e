"""What the PromQL evaluator works on: labels, matchers, and a source of samples."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Protocol, TypeAlias

Labels: TypeAlias = tuple[tuple[str, str], ...]
"""Label pairs sorted by name, the metric's own name under ``NAME``; empty values are left out."""

NAME = "__name__"


class MatchOp(Enum):
    """How a matcher compares."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


@lru_cache(maxsize=512)
def _anchored(pattern: str) -> re.Pattern[str]:
    return re.compile(f"(?s:{pattern})")


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label matcher; an absent label has the empty value, regular expressions are anchored."""

    name: str
    op: MatchOp
    value: str

    def matches(self, value: str) -> bool:
        """Return whether a label's value passes."""
        if self.op is MatchOp.EQUAL:
            return value == self.value
        if self.op is MatchOp.NOT_EQUAL:
            return value != self.value
        found = _anchored(self.value).fullmatch(value) is not None
        return found is (self.op is MatchOp.REGEX)


@dataclass(frozen=True, slots=True)
class Series:
    """Samples of one label set: ``times`` ascending in milliseconds; a value of None is a staleness marker.

    Series of one target should share one ``times`` object: windows are then computed once for all of them.
    """

    labels: Labels
    times: Sequence[int]
    values: Sequence[float | None]


class SampleSource(Protocol):
    """Where samples come from."""

    def series(
        self, name: str | None, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> list[Series]:
        """Return the series that match, with their samples from ``start_ms`` to ``end_ms``, both included.

        ``name`` is None where the selector names no metric; ``matchers`` may then hold one for ``NAME``.
        """
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """A scrape target as ``/api/v1/targets`` shows it."""

    labels: Labels
    scrape_url: str
    healthy: bool
    last_error: str
    last_scrape_ms: int


class TargetSource(Protocol):
    """What a source can tell beside samples."""

    def targets(self, now_ms: int) -> list[Target]:
        """Return the targets that are scraped now."""
        ...

    def metadata(self) -> dict[str, tuple[str, str]]:
        """Return type and help text by metric name."""
        ...


def labels_of(pairs: Iterable[tuple[str, str]]) -> Labels:
    """Return label pairs in the one order that makes equal sets equal."""
    return tuple(sorted((name, value) for name, value in pairs if value))


def label(labels: Labels, name: str) -> str:
    """Return a label's value, empty where it is absent."""
    for own, value in labels:
        if own == name:
            return value
    return ""


def without(labels: Labels, names: Iterable[str]) -> Labels:
    """Return the labels less those named."""
    gone = frozenset(names)
    return tuple(pair for pair in labels if pair[0] not in gone)


def only(labels: Labels, names: Iterable[str]) -> Labels:
    """Return the labels named, and no other."""
    kept = frozenset(names)
    return tuple(pair for pair in labels if pair[0] in kept)


def selected(labels: Labels, name: str | None, matchers: Sequence[Matcher]) -> bool:
    """Return whether a label set passes a selector."""
    if name is not None and label(labels, NAME) != name:
        return False
    return all(matcher.matches(label(labels, matcher.name)) for matcher in matchers)


def show(labels: Labels) -> str:
    """Return a label set as PromQL writes it."""
    pairs = ", ".join(f'{name}="{value}"' for name, value in labels if name != NAME)
    return f"{label(labels, NAME)}{{{pairs}}}"
