"""The lines of a preflight: each passes, fails, could not be seen, or is only noted."""

from __future__ import annotations

from dataclasses import dataclass

from console.engine.operations.verdict.workloads import Live
from state.view.enums import OperationKind, Verdict
from state.view.rollout import WorkloadKind, is_paused

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


def unseen(words: str, *, soft: bool = False) -> Finding:
    """Return a line that could not be judged."""
    return Finding(Verdict.UNKNOWN, words, soft)


def of_what_runs(live: Live, kind: OperationKind) -> list[Finding]:
    """Return what is to be said of the workloads that are there now.

    That they aren't whole is often why one deploys or goes back: it is said, and closes neither. A paused Deployment
    does close a deploy, of which nothing would run; a rollback leaves it as it is.
    """
    if not live.rollouts:
        return [passes("no pod of this release runs")]
    found = [passes(f"pods: {live.words}") if live.settled else notes(f"pods: {live.words}")]
    for one in live.owned:
        if one.rollout.kind is WorkloadKind.DEPLOYMENT and is_paused(one.live):
            words = f"{one.rollout.title} is paused: what is released of it doesn't run until it is resumed"
            resume = f"kubectl -n {one.namespace} rollout resume deployment/{one.rollout.name}"
            found.append((fails if kind is OperationKind.DEPLOY else notes)(f"{words} ({resume})"))
    return found
