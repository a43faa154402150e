"""Where a replay can be told to go: a pointer, an event's number, a time; and the pointer to a moment of a log."""

from __future__ import annotations

import re

from state.base.times import SECOND_US

PLACES = "T+12m, 20:14, gate 6, 3.2, first breach, hold, failure, by ann, closed, #123"
_LONGEST_S = 366 * 86_400
_DAY_US = 86_400 * SECOND_US
_POINTER = re.compile(r"lc1:(?P<log>[0-9a-f]{8}):(?P<seq>\d{1,18})(?::[0-9a-f]{32})?")


def pointer(log_id: str, seq: int) -> str:
    """Return ``lc1:<log>:<seq>``: an event of a log, as an anchor names it, without its hash; nothing of no log."""
    return f"lc1:{log_id[:8]}:{seq}" if log_id and seq else ""


def parse_pointer(words: str) -> tuple[str, int] | None:
    """Return the log and the event that a pointer or an anchor names, or None where it is neither."""
    found = _POINTER.fullmatch(words.strip().lower())
    return (found["log"], int(found["seq"])) if found is not None else None


def place_of(words: str, log_id: str) -> int | None:
    """Return the event that ``#123`` or a pointer names, or None where the words are neither.

    Raises ValueError where a pointer is to another log.
    """
    if words.removeprefix("#").isdecimal():
        return int(words.removeprefix("#"))
    found = parse_pointer(words)
    if found is None:
        return None
    if found[0] != log_id[:8]:
        raise ValueError(f"{words} points to another launch; this is lc1:{log_id[:8]}")
    return found[1]


def moment_of(words: str, start_us: int) -> int | None:
    """Return the time that ``t+1h2m3s`` or ``20:14`` means, in microseconds, or None.

    ``start_us``: when the launch was opened; a time of day before it is the next day's.
    """
    if words.startswith("t+"):
        seconds = _length(words[2:])
        return None if seconds is None or seconds > _LONGEST_S else start_us + seconds * SECOND_US
    parts = words.rstrip("z").split(":")
    if not 2 <= len(parts) <= 3 or not all(p.isdecimal() and len(p) <= 2 for p in parts):
        return None
    of_day = sum(int(p) * size for p, size in zip(parts, (3600, 60, 1), strict=False)) * SECOND_US
    found = start_us - start_us % _DAY_US + of_day
    return found if found >= start_us - 60 * SECOND_US else found + _DAY_US


def is_text(words: str) -> bool:
    """Return whether words that name no place may be what an event says: neither a number, a time nor a pointer."""
    word = " ".join(words.lower().split())
    return (
        len(word) > 2 and not word.startswith(("#", "t+", "lc1:")) and not word.replace(":", "").isdecimal()
    )


def _length(words: str) -> int | None:
    """Return ``1h2m3s``, ``12m``, ``90`` or ``1:02:03`` in seconds, or None."""
    if ":" in words:
        parts = words.split(":")
        if len(parts) > 3 or not all(p.isdecimal() for p in parts):
            return None
        return sum(int(p) * size for p, size in zip(reversed(parts), (1, 60, 3600), strict=False))
    total, digits = 0, ""
    for char in words.replace(" ", ""):
        if char.isdecimal():
            digits += char
        elif char in "hms" and digits:
            total += int(digits) * {"h": 3600, "m": 60, "s": 1}[char]
            digits = ""
        else:
            return None
    return total + int(digits or 0) if total or digits else None
