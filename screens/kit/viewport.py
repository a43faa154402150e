"""Which part of time the large graphs show: a setting of whoever looks, no part of the launch."""

from __future__ import annotations

from dataclasses import dataclass, replace

from state.base.times import SECOND_US
from state.view.launch import LaunchView

SPANS_S = (300, 600, 900, 1800, 3600, 7200, 14_400, 28_800)
"""The steps of zooming, in seconds."""
_PANS = 4
"""A step aside is this part of what is shown."""


@dataclass(frozen=True, slots=True)
class Viewport:
    """What part of time is shown; as it is made, it follows now and lets each graph choose its span."""

    span_s: int = 0
    """How much time is shown; 0: as much as the graph chooses."""
    end_us: int = 0
    """Where it ends; 0: it follows now."""

    def end(self, now_us: int) -> int:
        """Return where the shown part ends: never in the future, also where a replay went back."""
        return min(self.end_us, now_us) if self.end_us else now_us

    def follows(self, now_us: int) -> bool:
        """Return whether what is shown ends now."""
        return self.end(now_us) >= now_us

    def zoomed(self, by: int, chosen_s: int, now_us: int) -> Viewport:
        """Return a look with ``by`` steps more time in it; ``chosen_s`` is what the graph chose.

        What follows goes on following; otherwise the middle stays where it is.
        """
        span_s = self.span_s or chosen_s
        wider = [s for s in SPANS_S if s > span_s]
        closer = [s for s in SPANS_S if s < span_s]
        steps = wider[:by] if by > 0 else closer[by:]
        new_s = (steps[-1] if by > 0 else steps[0]) if steps else span_s
        if self.follows(now_us):
            return Viewport(new_s)
        return self._ending(self.end_us + (new_s - span_s) * SECOND_US // 2, new_s, now_us)

    def panned(self, by: int, chosen_s: int, now_us: int, oldest_us: int) -> Viewport:
        """Return a look ``by`` quarters of its span later; not before ``oldest_us``, and at now it follows."""
        span_s = self.span_s or chosen_s
        part_us = span_s * SECOND_US // _PANS
        end_us = max(self.end(now_us) + by * part_us, min(oldest_us + part_us, now_us))
        return self._ending(end_us, span_s, now_us)

    def _ending(self, end_us: int, span_s: int, now_us: int) -> Viewport:
        return replace(self, span_s=span_s, end_us=end_us if end_us < now_us else 0)


def oldest_us(view: LaunchView) -> int:
    """Return when the first sample of all graphs was taken, or 0 where there is none."""
    return min((s.points[0][0] for g in view.graphs for s in g.series if s.points), default=0)
