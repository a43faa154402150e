"""The closed sets of what a check, an item, a gate, a condition, an operation and an environment can be."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """What is known of an item or of one of its checks."""

    PASS = "pass"  # noqa: S105  a verdict, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    PENDING = "pending"
    RUNNING = "running"
    STALE = "stale"
    WAIVED = "waived"
    DEFERRED = "deferred"
    """Can only be judged on something that runs, in a first launch before its deploy: not pass."""


class Judges(StrEnum):
    """What a kind of check says something about."""

    CANDIDATE = "candidate"
    """How a release behaves: judged where the candidate runs, in staging before the promotion and live after it."""
    ENVIRONMENT = "environment"
    """What a place is like: judged there, before."""
    LAUNCH = "launch"
    """The launch itself: its window, its artifacts, its bake."""


class Look(StrEnum):
    """Where and when a check of the runbook looks. ``UNKNOWN`` is a word of another version."""

    ONCE = "once"
    """Where the runbook says."""
    CANDIDATE = "candidate"
    """At the candidate in staging, before its promotion."""
    LIVE = "live"
    """At production, after the candidate was promoted: the second look."""
    UNKNOWN = "unknown"


class After(StrEnum):
    """What makes the evidence of a check out of date when it ends. ``UNKNOWN`` is a word of another version."""

    DEPLOY = "deploy"
    PREPARE = "prepare"
    MIGRATE = "migrate"
    ROLLBACK = "rollback"
    BAKE = "bake"
    UNKNOWN = "unknown"


class Need(StrEnum):
    """What a GO has to bring. ``UNKNOWN`` is a word of another version."""

    COMMENT = "comment"
    LINK = "link"
    UNKNOWN = "unknown"


class GateStatus(StrEnum):
    """What a gate's items add up to. Computed, never set."""

    GO = "GO"
    NO_GO = "NO-GO"
    BLIND = "BLIND"
    OPEN = "OPEN"
    DEFERRED = "DEFERRED"
    """GO but for what can only be judged after a first deploy: opens the lock of that deploy, and is no GO."""
    UNKNOWN = "UNKNOWN"
    """A word of another version, in its log."""

    @property
    def opens(self) -> bool:
        """Whether a gate like this keeps no operation locked."""
        return self in {GateStatus.GO, GateStatus.DEFERRED}


class ConditionState(StrEnum):
    """What a stop condition says at one moment (docs/stop-conditions.md)."""

    WARMUP = "WARMUP"
    OK = "OK"
    BREACHING = "BREACHING"
    TRIPPED = "TRIPPED"
    NO_DATA = "NO_DATA"
    NO_TRAFFIC = "NO_TRAFFIC"
    STALE = "STALE"
    ERROR = "ERROR"
    MUTED = "MUTED"
    UNKNOWN = "UNKNOWN"
    """A word of another version, in its log: blind."""

    @property
    def blind(self) -> bool:
        """Whether the condition could not be judged: a hold, never a pass and never a rollback."""
        return self in _BLIND


_BLIND = frozenset(
    {
        *(ConditionState.NO_DATA, ConditionState.NO_TRAFFIC, ConditionState.STALE, ConditionState.ERROR),
        ConditionState.UNKNOWN,
    }
)


class OperationState(StrEnum):
    """How far an operation is. ``UNKNOWN`` is one whose end nobody saw."""

    INTENDED = "intended"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"

    @property
    def ended(self) -> bool:
        """Whether nothing more will come from it by itself."""
        return self not in {OperationState.INTENDED, OperationState.RUNNING}


class OperationKind(StrEnum):
    """What an operation does (SOP section 6 and pipeline)."""

    PREPARE = "prepare"
    """Creates the namespace, its labels and the secrets, before anything is installed there."""
    DEPLOY = "deploy"
    MIGRATE = "migrate"
    ROLLBACK = "rollback"
    UNINSTALL = "uninstall"
    """Takes away a first install that never worked: what has no revision to go back to."""
    STOP_JOB = "stop-job"
    """Stops a migration's job that doesn't end, so that another may be made."""


class Presence(StrEnum):
    """What helm's history tells of a release. ``UNKNOWN``: it can't be seen, or a word of another version."""

    ABSENT = "absent"
    """It has no record at all."""
    UNFINISHED = "unfinished"
    """Records, and none of an install that was ever complete."""
    PRESENT = "present"
    UNKNOWN = "unknown"


class Role(StrEnum):
    """What a person may do."""

    CAPTAIN = "captain"
    OPERATOR = "operator"
    APPROVER = "approver"
    OBSERVER = "observer"


class Tier(StrEnum):
    """What an environment is for."""

    STAGING = "staging"
    PRODUCTION = "production"


def tier_of(word: str) -> Tier | None:
    """Return the tier that a log names; None where this version knows no such one."""
    return next((tier for tier in Tier if tier == word), None)


class Severity(StrEnum):
    """How bad it is what an event tells."""

    PLAIN = "plain"
    BLIND = "blind"
    """Something could not be judged or seen, or is about to go wrong."""
    BAD = "bad"


class StepState(StrEnum):
    """How far a step of an operation is. ``UNKNOWN`` is a word of another version."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class BakeState(StrEnum):
    """How the bake stands, or how it ended. ``UNKNOWN`` is a word of another version."""

    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    FINISHED = "finished"
    """By a person, before its minimum was seen good."""
    TRIPPED = "tripped"
    ENDED = "ended"
    UNKNOWN = "unknown"


class AlertState(StrEnum):
    """Whether an alert tells somebody. ``UNKNOWN`` is a word of another version."""

    FIRING = "firing"
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    SILENCE = "silence"
    """No alert, but what hides some."""
    UNKNOWN = "unknown"


class RequestState(StrEnum):
    """How far a request is for what takes two people."""

    WAITING = "waiting"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    USED = "used"
    """It was carried out: a grant is worth one run."""
    EXPIRED = "expired"

    @property
    def open(self) -> bool:
        """Whether it can still be answered or carried out."""
        return self in {RequestState.WAITING, RequestState.GRANTED}


class PollState(StrEnum):
    """How a go/no-go poll stands."""

    OPEN = "open"
    GO = "GO"
    """Every seat said GO."""
    NO_GO = "NO-GO"
    EXPIRED = "expired"
    """Somebody didn't answer in time."""
    VOID = "void"
    """What it was about changed while it was open."""
    UNKNOWN = "unknown"


class Danger(StrEnum):
    """How much a command can hurt."""

    SAFE = "safe"
    CAUTION = "caution"
    DANGER = "danger"


class LaunchState(StrEnum):
    """Whether a launch runs, is held, or has ended."""

    RUNNING = "running"
    HELD = "held"
    SCRUBBED = "scrubbed"
    CLOSED = "closed"


ENDED = frozenset({LaunchState.SCRUBBED, LaunchState.CLOSED})
"""States after which nothing changes: the log is sealed."""
