"""The rule of gaps: which samples make one breach, and when it has lasted for ``for``.

A breach is a row of samples that are all beyond the limit, with none between them that was seen good. What was not
seen, a hole without samples or one of blind samples, neither ends it nor lengthens it:

- each sample beyond the limit stands for the step before it, the first for none: that is the breach's *seen time*;
- it trips at the sample with which its seen time reaches ``for``, however long the holes between are;
- it also trips where some stretch of it that is as long as ``for`` was seen to ``min_coverage``: a scrape or two that
  were lost don't put a trip off. With ``min_coverage: 1`` only seen time counts.

docs/stop-conditions.md has it in words; ``tests/state/conditions/reference.py`` is an independent slow form of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from state.base.times import SECOND_US
from state.conditions.points import ConditionSpec, Judged

_PARTS = 10**6
"""Of a coverage: whole numbers, so that a share that is exactly reached is not missed by rounding."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A stretch in which every known point breached."""

    since_us: int
    end_us: int
    """Its newest sample."""
    seen_us: int
    """How much of it was seen."""
    coverage: float
    """The share of its expected points that were seen."""
    tripped: bool
    open: bool
    """Whether it reaches to the newest known point."""


def breaches(spec: ConditionSpec, points: Sequence[Judged]) -> list[Breach]:
    """Return the breaches in points that are in order, oldest first."""
    found: list[Breach] = []
    row: _Row | None = None
    for point in points:
        if point.value is None:
            continue
        if point.over:
            row = row or _Row(spec, point.at_us)
            row.add(point.at_us)
        elif row is not None:
            found.append(row.breach(is_open=False))
            row = None
    if row is not None:
        found.append(row.breach(is_open=True))
    return found


@dataclass(slots=True)
class _Row:
    """The samples of a breach, added one by one; each costs the same, however many there are."""

    spec: ConditionSpec
    since_us: int
    times: list[int] = field(default_factory=list)
    seen_us: int = 0
    tripped: bool = False
    _eligible: int = 0
    """How many of the samples lie at least ``for`` before the newest."""
    _best: int | None = None
    """Of these, the highest ``ahead``."""

    def add(self, at_us: int) -> None:
        step_us = round(self.spec.step_s * SECOND_US)
        if self.times:
            self.seen_us += min(at_us - self.times[-1], step_us)
        self.times.append(at_us)
        self.tripped = self.tripped or self._seen() or self._covered(at_us, step_us)

    def _seen(self) -> bool:
        return self.seen_us >= round(self.spec.for_s * SECOND_US)

    def _covered(self, last_us: int, step_us: int) -> bool:
        """Return whether some stretch up to the newest sample is ``for`` long and was seen well enough.

        Any: a lone point long before must not thin out a breach that was seen in full since. From the sample with
        index i, count - i of (last - time) / step + 1 expected samples were seen. With both sides brought apart, what
        belongs to i can be kept as a maximum.
        """
        part = round(self.spec.min_coverage * _PARTS)
        first_us, for_us = self.since_us, round(self.spec.for_s * SECOND_US)
        while self._eligible < len(self.times) and last_us - self.times[self._eligible] >= for_us:
            ahead = part * (self.times[self._eligible] - first_us) - self._eligible * step_us * _PARTS
            self._best = ahead if self._best is None else max(self._best, ahead)
            self._eligible += 1
        needed = part * (last_us - first_us + step_us) - len(self.times) * step_us * _PARTS
        return self._best is not None and self._best >= needed

    def breach(self, *, is_open: bool) -> Breach:
        last_us = self.times[-1]
        expected = (last_us - self.since_us) / (self.spec.step_s * SECOND_US) + 1
        coverage = min(1.0, len(self.times) / expected)
        return Breach(self.since_us, last_us, self.seen_us, coverage, self.tripped, is_open)
