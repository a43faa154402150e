"""How far back a stop condition's history is asked for, so that nothing that happened goes unseen.

Judging begins where it ended: after a restart, a sleep or an outage everything since the last moment that was judged
is asked for, so a breach in between trips at once. A breach that began earlier is followed back to where it began.
"""

from __future__ import annotations

from dataclasses import replace

from state.base.times import SECOND_US
from state.conditions.points import ConditionSpec, Samples, Source, judged_points
from state.conditions.release import Gathered
from state.view.launch import ConditionView, LaunchView

LONGEST_US = 86_400 * SECOND_US
"""How far back is looked at most."""
POINTS = 720
"""Points that one query asks for at most: three hours at the usual interval. Prometheus gives 11,000."""
LATE_STEPS = 4
"""Intervals by which a sample may come later than ``max_age`` and still be judged."""


def reach_us(spec: ConditionSpec) -> int:
    """Return how far before the last judgement it begins again: the start of a breach, and late samples."""
    return int((spec.for_s + spec.max_age_s + LATE_STEPS * spec.step_s) * SECOND_US)


def judged_until(view: LaunchView, old: ConditionView | None) -> int:
    """Return the last moment that the log knows to be judged, in microseconds; 0 where none is."""
    return view.judged_us if old is None or not old.judged_us else min(old.judged_us, view.judged_us)


def judged_now(spec: ConditionSpec, gathered: Gathered, before_us: int, now_us: int) -> int:
    """Return until when is judged after a look, where it had been until ``before_us``.

    What a failed query or a source without new samples didn't show was not judged: it may be told later.
    """
    sources = [one for one in (gathered.source, gathered.second) if one is not None]
    every = [s for one in sources for s in (one.main, one.total) if s is not None]
    if any(samples.error for samples in every):
        return before_us
    newest_us = min(_newest(one.main if one.total is None else one.total) for one in sources)
    fresh = now_us - newest_us <= spec.max_age_s * SECOND_US
    return now_us if fresh else newest_us or before_us


def _newest(samples: Samples) -> int:
    return max((series[-1][0] for series in samples.series if series), default=0)


def began_earlier(spec: ConditionSpec, gathered: Gathered) -> bool:
    """Return whether a history begins in the midst of a breach, so that what lies before it matters."""
    joined = judged_points(spec, gathered.source, gathered.second, gathered.baseline)
    if isinstance(joined, tuple):
        return False
    first = next((point for point in joined if point.value is not None), None)
    return first is not None and first.over


def after(earlier: Gathered, later: Gathered) -> Gathered:
    """Return a history with what lies before it."""
    second = None if later.second is None or earlier.second is None else _after(earlier.second, later.second)
    baseline = None if later.baseline is None else {**(earlier.baseline or {}), **later.baseline}
    return replace(later, source=_after(earlier.source, later.source), second=second, baseline=baseline)


def _after(earlier: Source, later: Source) -> Source:
    total = None if later.total is None or earlier.total is None else _joined(earlier.total, later.total)
    return Source(_joined(earlier.main, later.main), total)


def _joined(earlier: Samples, later: Samples) -> Samples:
    """Return the series of both, those of a name as one; an error of either is one of the whole."""
    if earlier.error or later.error:
        return Samples(error=earlier.error or later.error)
    found = dict(zip(earlier.names, earlier.series, strict=True))
    for name, series in zip(later.names, later.series, strict=True):
        found[name] = found.get(name, ()) + series
    return Samples(tuple(found.values()), names=tuple(found))
