"""That the outside world could not be observed: what clients raise and checks pass on."""

from __future__ import annotations


class CouldNotLookError(Exception):
    """The outside world could not be observed. The message is one line for the captain, without secrets."""


class NothingRunsError(CouldNotLookError):
    """Asked of something that runs, in a first launch before its deploy: it is judged after that."""
