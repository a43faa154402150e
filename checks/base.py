"""What a check is: a kind with settings of its own, judging the outside world through clients.

A kind is an async function, registered under a name that says what it judges::

    class CspSettings(Settings):
        paths: tuple[str, ...] = ("/", "/login")

    @check("web.csp", CspSettings, ttl=3600)
    async def csp(settings: CspSettings, context: CheckContext) -> Outcome: ...

A check that could not look raises ``CouldNotLookError`` or a client's error, which derives from it: the
runner records ``unknown`` with its reason. Unknown is not pass.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from checks.errors import CouldNotLookError, NothingRunsError
from checks.guide import NO_GUIDE, Guide, ways_out
from state.base.json import EMPTY, JsonObject, texts
from state.view.enums import After, Judges, Verdict
from state.view.first_launch import is_first

if TYPE_CHECKING:
    from checks.clients.clients import Clients
    from checks.rendered import Rendered
    from state.base.clock import Clock
    from state.runbook.environment import Environment
    from state.runbook.models import Runbook
    from state.view.enums import Tier
    from state.view.launch import LaunchView


__all__ = [
    "REGISTRY",
    "RELEASES",
    "CheckContext",
    "CheckKind",
    "CouldNotLookError",
    "NothingRunsError",
    "Outcome",
    "Settings",
    "check",
    "deferred",
    "failed",
    "passed",
    "unknown",
]


class Settings(BaseModel):
    """The settings of a kind, from the runbook's ``with:``. An unknown key is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


class LeavesToQuestion:
    """Marks a setting that may leave a part to the item's question, and the value that does: it needs one then."""

    def __init__(self, value: object) -> None:
        self.value = value


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found: a verdict, one line that a captain understands, and what it saw.

    ``evidence`` holds no floats and no secret value.
    """

    verdict: Verdict
    summary: str
    evidence: JsonObject = field(default_factory=dict)
    ways: tuple[str, ...] = ()
    """What to change, a line for each reason: of a fail, and of what could not be judged."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is no pass, a reason each; the summary where the evidence names none."""
        named = texts(self.evidence.get("problems" if self.verdict is Verdict.FAIL else "not_seen"))
        return tuple(named) or (self.summary,)


def passed(summary: str, evidence: JsonObject = EMPTY) -> Outcome:
    """Return a pass."""
    return Outcome(Verdict.PASS, summary, evidence)


def failed(summary: str, evidence: JsonObject = EMPTY) -> Outcome:
    """Return a fail."""
    return Outcome(Verdict.FAIL, summary, evidence)


def unknown(summary: str, evidence: JsonObject = EMPTY) -> Outcome:
    """Return that it could not be judged."""
    return Outcome(Verdict.UNKNOWN, summary, evidence)


def deferred(summary: str, evidence: JsonObject = EMPTY) -> Outcome:
    """Return that it can only be judged on something that runs: of a first launch alone, before its deploy."""
    return Outcome(Verdict.DEFERRED, summary, evidence)


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What a check may use: its environment, every system's client, the clock, the launch so far."""

    tier: Tier
    runbook: Runbook
    clients: Clients
    clock: Clock
    view: LaunchView
    rendered: Rendered | None = None
    """The candidate's manifest, where an engine can render it."""

    @property
    def environment(self) -> Environment:
        """The environment that the check names."""
        return self.runbook.environments[self.tier]

    def first(self, tier: Tier | None = None) -> bool:
        """Return whether an environment (None: its own) has no release yet: its deploy is a first launch."""
        return is_first(self.view, tier or self.tier)

    def manifest(self, tier: Tier) -> Rendered:
        """Return the candidate's manifest, which stands for a release that isn't there yet.

        Raises NothingRunsError where nobody renders it.
        """
        if self.rendered is None:
            raise NothingRunsError(f"nothing runs in {tier} yet, and nobody renders its chart here")
        return self.rendered


S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True)
class CheckKind(Generic[S]):
    """A registered kind of check."""

    name: str
    settings: type[S]
    judge: Callable[[S, CheckContext], Awaitable[Outcome]]
    ttl: float
    """Seconds that its evidence stays fresh."""
    writes: bool
    """Whether it leaves something behind (a failed login): asked for before it runs in production."""
    leaves: str = ""
    """What that is, in words: ``a failed login in the audit trail``."""
    judges: Judges = Judges.ENVIRONMENT
    after: tuple[After, ...] = ()
    """What makes its evidence out of date when it ends in the environment that it looks at."""
    rendered: bool = False
    """Whether it can judge a candidate that runs nowhere yet, by its manifest."""
    guide: Guide = NO_GUIDE
    """What it asks, what a pass proves, and how each fail is mended."""

    async def run(self, settings: dict[str, object], context: CheckContext) -> Outcome:
        """Judge with raw settings from a runbook.

        Raises pydantic.ValidationError where the settings don't fit.
        """
        return self.mended(await self.judge(self.settings.model_validate(settings), context))

    def mended(self, outcome: Outcome) -> Outcome:
        """Return an outcome with the way out of each reason of a fail, or of not having seen something."""
        if outcome.ways or outcome.verdict not in {Verdict.FAIL, Verdict.UNKNOWN}:
            return outcome
        return replace(outcome, ways=ways_out(self.guide, outcome.reasons))


RELEASES = (After.DEPLOY, After.ROLLBACK)
"""What puts another release where one ran."""

REGISTRY: dict[str, CheckKind[Settings]] = {}


def check(
    name: str,
    settings: type[S],
    *,
    ttl: float = 3600.0,
    writes: bool = False,
    leaves: str = "",
    judges: Judges = Judges.ENVIRONMENT,
    after: tuple[After, ...] | None = None,
    rendered: bool = False,
    guide: Guide = NO_GUIDE,
) -> Callable[
    [Callable[[S, CheckContext], Awaitable[Outcome]]], Callable[[S, CheckContext], Awaitable[Outcome]]
]:
    """Register an async function as the kind ``name``; ``leaves`` says what it writes, in words.

    ``after`` says what makes its evidence out of date; left out, that is a release where it judges the candidate, and
    nothing where it judges anything else. ``rendered`` says that it can judge a first launch by its manifest.
    ``guide`` tells what it asks and how its fails are mended.

    Raises ValueError where the name is taken.
    """

    def register(
        judge: Callable[[S, CheckContext], Awaitable[Outcome]],
    ) -> Callable[[S, CheckContext], Awaitable[Outcome]]:
        if name in REGISTRY:
            raise ValueError(f"two check kinds are named {name}")
        REGISTRY[name] = CheckKind(
            name,
            settings,
            judge,  # type: ignore[arg-type]  # S is erased
            ttl,
            writes or bool(leaves),
            leaves,
            judges,
            after if after is not None else RELEASES if judges is Judges.CANDIDATE else (),
            rendered,
            guide,
        )
        return judge

    return register
