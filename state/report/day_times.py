"""Moments of a launch as its report says them: on the day of its opening without the date."""

from __future__ import annotations

from dataclasses import dataclass

from state.base.times import clock, date, stamp


@dataclass(frozen=True, slots=True)
class Times:
    """Says moments, without the date where the day is that of the opening."""

    opened_us: int

    @property
    def day(self) -> str:
        """The day of the opening."""
        return date(self.opened_us)

    def at(self, at_us: int) -> str:
        """Return a moment: ``20:14:07Z``, or with its day where that is another one."""
        return clock(at_us) if at_us > 0 and date(at_us) == self.day else stamp(at_us)

    def full(self, at_us: int) -> str:
        """Return a moment with its day."""
        return stamp(at_us)
