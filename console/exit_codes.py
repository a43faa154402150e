"""How every command of this program ends: one list for ``--help``, the README, the engine's process and the consoles.

It stands beside the rooms, not in one: the engine's process ends by it too, and knows no command line.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from state.log.errors import LogDamagedError, LogError, LogExistsError, RedactionRefusedError


class ExitCode(IntEnum):
    """An exit code and what it means. What a signal ended has 128 + its number instead."""

    meaning: str

    def __new__(cls, value: int, meaning: str = "") -> Self:
        """Make a member of a number and its meaning."""
        code = int.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        return code

    GO = 0, "done; of a launch or of checks: GO"
    INTERNAL = 1, "an error of this program or of its machine"
    BAD_CONFIG = 2, "wrong use, or a runbook or a file that can't be used"
    BAD_LOG = (
        3,
        "no usable log: missing, of another program, newer, unreadable, held by an engine",
    )
    NO_ENGINE = 4, "no engine answers"
    DAMAGED_LOG = 5, "a damaged log"
    HOLD = 10, "the launch is on hold"
    NO_GO = 11, "NO-GO: something failed"
    TRIPPED = 12, "a stop condition tripped, and nothing was rolled back"
    BLIND = 13, "blind: something could not be judged"
    ROLLED_BACK = 14, "rolled back, and verified"
    NOT_VERIFIED = 15, "rolled back, and not verified"
    STUCK = 16, "an operation is stuck"


def of_log(error: LogError) -> ExitCode:
    """Return how a command ends that can't use a log as it was asked to."""
    match error:
        case LogDamagedError():
            return ExitCode.DAMAGED_LOG
        case LogExistsError() | RedactionRefusedError():  # the log is good: what is asked of it isn't
            return ExitCode.BAD_CONFIG
        case _:
            return ExitCode.BAD_LOG


def signalled(number: int) -> int:
    """Return the exit code of what a signal ended, as a shell tells it."""
    return 128 + number


class FailedError(Exception):
    """A command can't do what it was asked; the message says in one or more lines why, and what to do."""

    def __init__(self, message: str, code: ExitCode = ExitCode.INTERNAL) -> None:
        super().__init__(message)
        self.code = code
        """How the command ends."""
