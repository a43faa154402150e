"""The figures of launches, put together: medians over those that are known, and how many aren't."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

from state.base.times import SECOND_US
from state.figures.one_launch import Change, LaunchFigures, OverrideKind


@dataclass(frozen=True, slots=True)
class Spread:
    """Lengths of time in seconds: of those that are known their median and ninth decile, both None where none is."""

    known: int
    unknown: int
    median_s: float | None
    p90_s: float | None


@dataclass(frozen=True, slots=True)
class GateTotal:
    """A gate over all launches that have it."""

    number: int
    title: str
    lead: Spread
    """From the launch's opening to the gate's first GO."""
    lost: int
    """How often it was GO and then was not."""


@dataclass(frozen=True, slots=True)
class ChangeTotal:
    """What became of the deploys of production."""

    good: int
    failed: int
    unknown: int

    @property
    def rate(self) -> float | None:
        """The change failure rate, 0 to 1, of those whose end is known; None where there is none."""
        decided = self.good + self.failed
        return self.failed / decided if decided else None


@dataclass(frozen=True, slots=True)
class NoGoTotal:
    """An item that was a NO-GO: in how many launches, and how often."""

    item: str
    text: str
    launches: int
    times: int


@dataclass(frozen=True, slots=True)
class PersonTotal:
    """What a person let pass, by kind."""

    who: str
    counts: tuple[tuple[OverrideKind, int], ...]


@dataclass(frozen=True, slots=True)
class Unused:
    """A log that wasn't used, or not to its end: which and why."""

    log: str
    why: str
    used: int = 0
    """How many of its events were used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The figures of delivery over launches."""

    launches: tuple[LaunchFigures, ...]
    gates: tuple[GateTotal, ...]
    changes: ChangeTotal
    restored: Spread
    """From the first trip of a release of production until it was restored."""
    no_go: tuple[NoGoTotal, ...]
    """The most frequent first."""
    people: tuple[PersonTotal, ...]
    """Who overrode most first."""
    unused: tuple[Unused, ...] = ()


def total(found: Iterable[LaunchFigures], unused: Sequence[Unused] = ()) -> Totals:
    """Return the figures of launches together; of copies of one log the longest counts, and the others are named."""
    launches, copies = _once(found)
    changes = Counter(change for one in launches for change in one.changes)
    incidents = [incident for one in launches for incident in one.incidents]
    return Totals(
        launches=tuple(launches),
        gates=tuple(_gates(launches)),
        changes=ChangeTotal(changes[Change.GOOD], changes[Change.FAILED], changes[Change.UNKNOWN]),
        restored=spread([i.restored_us and i.restored_us - i.tripped_us for i in incidents]),
        no_go=tuple(_no_go(launches)),
        people=tuple(_people(launches)),
        unused=(*unused, *copies),
    )


def _once(found: Iterable[LaunchFigures]) -> tuple[list[LaunchFigures], list[Unused]]:
    kept: dict[str, LaunchFigures] = {}
    copies = []
    for one in found:
        other = kept.get(one.log_id)
        if other is None:
            kept[one.log_id] = one
            continue
        longer, copy = (one, other) if one.events > other.events else (other, one)
        kept[one.log_id] = longer
        copies.append(Unused(copy.log, f"the same launch as {longer.log}, counted once"))
    return sorted(kept.values(), key=lambda one: (one.opened_us, one.log)), copies


def spread(lengths: Iterable[int | None]) -> Spread:
    """Return the spread of lengths in microseconds; None is one that isn't known."""
    every = list(lengths)
    known = sorted(one for one in every if one is not None)
    if not known:
        return Spread(0, len(every), None, None)
    ninth = known[ceil(0.9 * len(known)) - 1]
    return Spread(len(known), len(every) - len(known), median(known) / SECOND_US, ninth / SECOND_US)


def _gates(launches: Sequence[LaunchFigures]) -> Iterator[GateTotal]:
    every = [gate for one in launches for gate in one.gates]
    # By title, too: gate 3 of another runbook is another gate.
    for number, title in sorted({(gate.number, gate.title) for gate in every}):
        own = [gate for gate in every if (gate.number, gate.title) == (number, title)]
        yield GateTotal(number, title, spread(g.lead_us for g in own), sum(g.lost for g in own))


def _no_go(launches: Sequence[LaunchFigures]) -> list[NoGoTotal]:
    times: Counter[tuple[str, str]] = Counter()
    where: Counter[tuple[str, str]] = Counter()
    for one in launches:
        for item in one.no_go:
            times[item.item, item.text] += item.times
            where[item.item, item.text] += 1
    found = [NoGoTotal(*key, where[key], times[key]) for key in times]
    return sorted(found, key=lambda one: (-one.launches, -one.times, one.item, one.text))


def _people(launches: Sequence[LaunchFigures]) -> list[PersonTotal]:
    counts: dict[str, Counter[OverrideKind]] = {}
    for one in launches:
        for who, what, times in one.overrides:
            counts.setdefault(who, Counter())[what] += times
    found = [
        PersonTotal(who, tuple((kind, own[kind]) for kind in OverrideKind)) for who, own in counts.items()
    ]
    return sorted(
        found, key=lambda one: (-sum(n for k, n in one.counts if k is not OverrideKind.AGREED), one.who)
    )
