"""When a launch may happen, and when production is frozen: once, or every week by the clock of a place.

Whoever asks whether a moment is frozen asks here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from state.runbook.units import Model

_DAY = timedelta(days=1)


class Window(Model):
    """When the launch may happen. Times carry their offset."""

    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _forward(self) -> Window:
        if self.end <= self.start:
            raise ValueError("a window ends after it starts")
        return self

    def holds(self, at: datetime) -> bool:
        """Return whether ``at`` lies inside."""
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Frozen:
    """A time in which production isn't changed, and why. Times are aware."""

    start: datetime
    end: datetime
    reason: str

    @property
    def words(self) -> str:
        """From when to when, by the clock of its place, and why."""
        day = "%H:%M" if self.end.date() == self.start.date() else "%Y-%m-%d %H:%M"
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:{day}} {_zone(self.end)}: {self.reason}"

    @property
    def until(self) -> str:
        """Until when, by the clock of its place, and why."""
        return f"until {self.end:%Y-%m-%d %H:%M} {_zone(self.end)}: {self.reason}"


def _zone(at: datetime) -> str:
    return at.tzname() or "UTC"


class Freeze(Window):
    """A time in which production isn't changed; the way back stays open."""

    reason: str

    def spans(self, start: datetime, end: datetime) -> Iterator[Frozen]:
        """Yield itself, where it meets the time from ``start`` to ``end``."""
        if self.start < end and start < self.end:
            yield Frozen(self.start, self.end, self.reason)


class Weekday(StrEnum):
    """A day of the week, in the order of ``date.weekday()``."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


def _time_of_day(value: object) -> object:
    # YAML reads 16:00 without quotes as a number to the base 60; one below 60 was never written with a colon.
    if isinstance(value, int) and not isinstance(value, bool) and 60 <= value <= 24 * 60:
        value = f"{value // 60:02d}:{value % 60:02d}"
    if isinstance(value, str) and len(value) == 5 and value[2] == ":" and (value[:2] + value[3:]).isdecimal():
        hours, minutes = int(value[:2]), int(value[3:])
        if hours < 24 and minutes < 60:
            return time(hours, minutes)
        if value == "24:00":
            return time(0)
    raise ValueError('a time of day such as "16:00" was expected')


def _some(days: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
    if not days:
        raise ValueError("at least one day was expected")
    return days


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    # A name that isn't there, one that leads out of the folder of zones, and the name of a folder in it.
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}: one such as Europe/Berlin was expected") from None
    return name


TimeOfDay = Annotated[
    time,
    BeforeValidator(_time_of_day),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-4]):[0-5][0-9]$", "examples": ["16:00"]}),
]


class RecurringFreeze(Model):
    """A time in which production isn't changed on days of every week; the way back stays open."""

    weekdays: Annotated[tuple[Weekday, ...], AfterValidator(_some)]
    """The days on which it begins."""
    start: TimeOfDay = Field(default=time(0), alias="from")
    end: TimeOfDay = Field(default=time(0), alias="to")
    """Not after ``from``: on the next day. 24:00 is the end of the day."""
    timezone: Annotated[str, AfterValidator(_known_zone)]
    """Whose clock is meant, by its name: ``Europe/Berlin``."""
    reason: str

    def spans(self, start: datetime, end: datetime) -> Iterator[Frozen]:
        """Yield each of its times that meets the time from ``start`` to ``end``, the earliest first."""
        zone = ZoneInfo(self.timezone)
        # One that began the day before may go over midnight.
        day, last = start.astimezone(zone).date() - _DAY, end.astimezone(zone).date()
        while day <= last:
            if _weekday(day) in self.weekdays:
                one = self._on(day, zone)
                if one.start < end.astimezone(UTC) and start.astimezone(UTC) < one.end:
                    yield Frozen(one.start.astimezone(zone), one.end.astimezone(zone), self.reason)
            day += _DAY

    def _on(self, day: date, zone: ZoneInfo) -> Frozen:
        until = day if self.end > self.start else day + _DAY
        # An hour that the clock shows twice, or leaves out, is frozen as long as it can be meant.
        begins, ends = _both(day, self.start, zone), _both(until, self.end, zone)
        return Frozen(min(begins), max(ends), self.reason)


def _weekday(day: date) -> Weekday:
    days: list[Weekday] = [*Weekday]
    return days[day.weekday()]


def _both(day: date, at: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the two moments that a time of day can be, in UTC: the same one but where the clock is changed."""
    first, second = (datetime.combine(day, at, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second


def _form(given: object) -> str:
    if isinstance(given, RecurringFreeze) or (
        isinstance(given, Mapping) and {"weekdays", "timezone", "from", "to"} & set(given)
    ):
        return "weekly"
    return "once"


AnyFreeze = Annotated[
    Annotated[Freeze, Tag("once")] | Annotated[RecurringFreeze, Tag("weekly")], Discriminator(_form)
]
"""``start``, ``end``, or ``weekdays``, ``from``, ``to``, ``timezone``; and a ``reason``."""


def frozen(freezes: Iterable[Freeze | RecurringFreeze], at: datetime) -> Frozen | None:
    """Return the freeze that a moment lies in, of several the one that ends last; None where there is none."""
    return max(frozen_between(freezes, at, at + timedelta.resolution), key=lambda one: one.end, default=None)


def frozen_between(
    freezes: Iterable[Freeze | RecurringFreeze], start: datetime, end: datetime
) -> list[Frozen]:
    """Return every freeze that meets the time from ``start`` to ``end``, by its beginning."""
    return sorted((one for freeze in freezes for one in freeze.spans(start, end)), key=lambda one: one.start)
