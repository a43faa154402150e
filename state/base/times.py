"""Moments and lengths of time in words. A moment is in microseconds since 1970, and is told in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

SECOND_US = 1_000_000
_FIRST_US, _LAST_US = -62_135_596_800 * SECOND_US, 253_402_300_799 * SECOND_US
"""0001-01-01 and 9999-12-31 23:59:59: what a datetime holds."""


def moment(at_us: int) -> datetime:
    """Return a moment as a datetime in UTC; one beyond the years that there are, as the first or the last of them."""
    if not _FIRST_US <= at_us <= _LAST_US:
        return datetime.min.replace(tzinfo=UTC) if at_us < 0 else datetime.max.replace(tzinfo=UTC)
    return datetime.fromtimestamp(at_us / SECOND_US, UTC)


def micros(at: datetime) -> int:
    """Return a datetime as microseconds since 1970."""
    return int(at.timestamp() * SECOND_US)


def micros_of(stamp: str) -> int:
    """Return a moment as RFC 3339 writes it, in microseconds since 1970; 0 where the text is none."""
    try:
        return micros(datetime.fromisoformat(stamp))
    except ValueError:
        return 0


def iso(at_us: int) -> str:
    """Return a moment for other programs, as RFC 3339 writes it: ``2026-12-01T20:14:07Z``."""
    return f"{moment(at_us):%Y-%m-%dT%H:%M:%SZ}"


def clock(at_us: int, *, seconds: bool = True) -> str:
    """Return the time of day: ``20:14:07Z``, ``20:14Z``; dashes where there is none."""
    if at_us <= 0:
        return "--:--"
    return f"{moment(at_us):%H:%M:%SZ}" if seconds else f"{moment(at_us):%H:%MZ}"


def date(at_us: int) -> str:
    """Return the day: ``2026-12-01``; a dash where there is none."""
    return f"{moment(at_us):%Y-%m-%d}" if at_us > 0 else "-"


def stamp(at_us: int, *, seconds: bool = True) -> str:
    """Return day and time: ``2026-12-01 20:14:07Z``; a dash where there is none."""
    return f"{date(at_us)} {clock(at_us, seconds=seconds)}" if at_us > 0 else "-"


def span(seconds: float) -> str:
    """Return a length of time in at most two parts: ``45 s``, ``5 m 10 s``, ``2 h 05 m``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} m"
    return f"{whole // 86_400} d {whole % 86_400 // 3600:02d} h"


def stopwatch(seconds: float) -> str:
    """Return a length of time as ``4:05`` or ``1:04:05``."""
    whole = max(0, int(seconds))
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    return _hours(whole)


def offset(at_us: int, start_us: int) -> str:
    """Return a moment as its distance from the launch's opening: ``T+0:14:07``."""
    seconds = (at_us - start_us) // SECOND_US
    return f"{'T+' if seconds >= 0 else 'T-'}{_hours(abs(seconds))}"


def ago(at_us: int, now_us: int) -> str:
    """Return how long ago a moment was; ``never`` where there is none."""
    return f"{span((now_us - at_us) / SECOND_US)} ago" if at_us > 0 else "never"


def _hours(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
