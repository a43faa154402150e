"""A line of a preview: what was looked at, and whether it is as it should be."""

from __future__ import annotations

from dataclasses import dataclass

from state.runbook.models import Operation
from state.view.enums import Verdict
from state.view.locks import WAYS_BACK

FINE = frozenset({Verdict.PASS, Verdict.DEFERRED})


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the preflight."""

    verdict: Verdict
    words: str
    soft: bool = False
    """Whether two people may override it."""
    noted: bool = False
    """Whether it is only said, and stands against nothing."""

    @property
    def shown(self) -> str:
        """The line as a preview lists it."""
        if self.noted:
            return f"! {self.words}"
        return f"{self.verdict.value}: {self.words}"


def passes(words: str) -> Finding:
    """Return a line that is as it should be."""
    return Finding(Verdict.PASS, words)


def fails(words: str, *, soft: bool = False) -> Finding:
    """Return a line that isn't."""
    return Finding(Verdict.FAIL, words, soft)


def notes(words: str) -> Finding:
    """Return a line that isn't as it should be, and stands against nothing."""
    return Finding(Verdict.FAIL, words, noted=True)


def unseen(words: str, *, soft: bool = False, noted: bool = False) -> Finding:
    """Return a line that could not be judged."""
    return Finding(Verdict.UNKNOWN, words, soft, noted)


def blind(words: str, operation: Operation, *, soft: bool = False) -> Finding:
    """Return a line that could not be judged: said of a way back, which no blindness closes."""
    if operation.kind in WAYS_BACK:
        return unseen(f"could not be seen: {words}", soft=True, noted=True)
    return unseen(words, soft=soft)
