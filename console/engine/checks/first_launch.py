"""What checks of a first launch need of the engine: whether it is one, and the candidate's manifest."""

from __future__ import annotations

from dataclasses import replace

from checks.base import CheckContext, CheckKind, NothingRunsError, Outcome, Settings, deferred, unknown
from checks.rendered import WORDS, Render, Rendered
from console.engine.record.releases import Releases
from state.base.text import line
from state.view.enums import Judges, Presence, Verdict
from state.view.first_launch import FIRST

_NOTHING_RUNS = "nothing of the release runs yet"


class FirstLaunch:
    """Lets checks of production defer what needs something that runs, as long as no release is there."""

    def __init__(self, releases: Releases, render: Render) -> None:
        self._releases = releases
        self._render = render

    def rendered(self) -> Rendered:
        """Return the candidate's manifest, for one check."""
        return Rendered(self._render)

    async def known(self) -> None:
        """Look whether there is a release, where the log doesn't say so yet."""
        await self._releases.known()

    async def admitted(self, outcome: Outcome) -> Outcome:
        """Return an outcome as it may be recorded: nothing is deferred unless there is still no release."""
        if outcome.verdict is not Verdict.DEFERRED:
            return outcome
        seen = await self._releases.look()
        if seen.presence in FIRST:
            return outcome
        found = seen.presence is Presence.PRESENT
        why = "a release was found meanwhile" if found else f"the release can't be seen: {seen.reason}"
        return unknown(f"{why}; run it again", outcome.evidence)


async def judge(kind: CheckKind[Settings], settings: dict[str, object], context: CheckContext) -> Outcome:
    """Return what a kind finds; in a first launch, what can only be judged on something that runs is deferred.

    Raises CouldNotLookError, and what the kind raises.
    """
    if not context.first():
        outcome = await kind.run(settings, context)
    elif kind.judges is Judges.CANDIDATE and not kind.rendered:
        return deferred(f"{_NOTHING_RUNS} in {context.tier}")
    else:
        try:
            outcome = await kind.run(settings, context)
        except NothingRunsError as error:
            return deferred(line(str(error), 300))
    return _told(outcome, context)


def _told(outcome: Outcome, context: CheckContext) -> Outcome:
    """Return an outcome whose summary says so where it stands on a manifest."""
    if context.rendered is None or not context.rendered.used:
        return outcome
    return replace(outcome, summary=line(f"{outcome.summary} ({WORDS})", 400))
