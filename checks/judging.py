"""How a check that looks at many things says one thing.

What is wrong, what could not be seen, and what was seen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

from checks.base import CouldNotLookError, NothingRunsError, Outcome
from state.base.json import Json
from state.base.text import line
from state.view.enums import Verdict

T = TypeVar("T")

HOUR: Final = 3600.0
LASTING: Final = 12 * HOUR
"""For what changes only when somebody changes it on purpose."""
STEADY: Final = 4 * HOUR
"""For configuration and behaviour of a release."""
FRESH: Final = 2 * HOUR
"""For health, which can turn at any time: long enough to outlast a bake."""

_NAMED: Final = 3
_GLANCE: Final = 340


class Findings:
    """What a check found so far. A fail outweighs what could not be seen; both stand in the evidence."""

    def __init__(self) -> None:
        self._wrong: list[str] = []
        self._blind: list[str] = []
        self._later: list[str] = []
        self._seen: dict[str, Json] = {}

    def wrong(self, problem: str) -> None:
        """Add a reason to fail."""
        self._wrong.append(line(problem, 300))

    def blind(self, reason: str) -> None:
        """Add something that could not be seen."""
        self._blind.append(line(reason, 300))

    def defer(self, reason: str) -> None:
        """Add something that can only be judged on what runs: in a first launch, before its deploy."""
        self._later.append(line(reason, 300))

    def _unseen(self, error: CouldNotLookError) -> None:
        note = self.defer if isinstance(error, NothingRunsError) else self.blind
        note(str(error))

    def need(self, holds: bool, problem: str) -> None:
        """Add a reason to fail unless ``holds``."""
        if not holds:
            self.wrong(problem)

    def saw(self, key: str, value: Json) -> None:
        """Add evidence: no floats, no secret values. A key has letters, digits and underscores."""
        self._seen[key] = value

    def looked_at(self, what: str, count: int) -> int:
        """Note how many of something were looked at, and return it: none at all is nothing seen, and no pass.

        ``what`` is one of them, in words.
        """
        self.saw(key("looked at", what), count)
        if not count:
            self.blind(f"not one {what} was seen, so there was nothing to judge")
        return count

    async def look(self, asking: Awaitable[T]) -> T | None:
        """Return an answer, or None after noting why there is none."""
        try:
            return await asking
        except CouldNotLookError as error:
            self._unseen(error)
            return None

    def read(self, reading: Callable[[], T]) -> T | None:
        """Return what ``reading`` makes of an answer, or None after noting why it can't."""
        try:
            return reading()
        except CouldNotLookError as error:
            self._unseen(error)
            return None

    @property
    def failed(self) -> bool:
        """Whether there is a reason to fail already."""
        return bool(self._wrong)

    def outcome(self, good: str) -> Outcome:
        """Return the verdict; ``good`` is the summary of a pass."""
        evidence: dict[str, Json] = dict(self._seen)
        if self._wrong:
            evidence["problems"] = list(self._wrong)
        if self._blind:
            evidence["not_seen"] = list(self._blind)
        if self._later:
            evidence["after_the_deploy"] = list(self._later)
        if self._wrong:
            return Outcome(Verdict.FAIL, _few(self._wrong), evidence)
        if self._blind:
            return Outcome(Verdict.UNKNOWN, _few(self._blind), evidence)
        if self._later:
            return Outcome(Verdict.DEFERRED, _few(self._later), evidence)
        return Outcome(Verdict.PASS, line(good, 300), evidence)


def looked(*parts: tuple[object, str]) -> str:
    """Return the words of a pass for what was looked at alone: each part's first says whether it was."""
    return ", ".join(words for was, words in parts if was)


def _few(reasons: list[str]) -> str:
    """Return as many reasons as a captain reads at a glance, at least one, and how many there are besides."""
    shown = line(reasons[0], _GLANCE)
    named = 1
    for reason in dict.fromkeys(reasons[1:_NAMED]):
        if len(shown) + len(reason) > _GLANCE:
            break
        shown, named = f"{shown}; {line(reason)}", named + 1
    more = len(reasons) - named
    return f"{shown}; and {more} more" if more > 0 else shown


def key(*parts: str) -> str:
    """Return a key for evidence made of words: lower case, with everything else as underscores."""
    joined = "_".join(parts).lower()
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in joined).strip("_") or "value"


def lookup(value: Json, dotted: str) -> Json:
    """Return what lies at ``a.b.0.c`` in nested objects and lists, or None."""
    for part in dotted.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list | tuple) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def whole(value: float) -> Json:
    """Return a number as evidence keeps it: an integer, or a decimal string."""
    return int(value) if value == int(value) and abs(value) < 2**53 else f"{value:.6g}"
