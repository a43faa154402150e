"""What passes into the log: fields on the list of their kind, words without secrets, bodies that fit.

The last fence, behind makers that do all of this themselves. In tests it raises; in a launch it leaves the field
out and says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from state.base.json import Json, JsonObject
from state.events.bodies import allowed, fit
from state.events.event import Draft, Kind
from state.log.errors import LogError

_WORDS = frozenset({"text", "reason", "comment", "link", "second", "tty"})
"""Fields with what a person typed or an error said.

Digests and names are left alone: a short secret may be part of one by chance.
"""
_logger = logging.getLogger(__name__)


class UnlistedFieldError(Exception):
    """A draft has a field that ``state.events.bodies`` doesn't list for its kind, or with another type."""


class Door:
    """Looks at every draft before it is written."""

    strict: ClassVar[bool] = False
    """Whether a field that isn't listed raises."""

    def __init__(
        self, clean: Callable[[str], str] | None = None, keep: Callable[[str, bytes], None] | None = None
    ) -> None:
        self._clean = clean
        self._keep = keep
        self._noted: set[tuple[str, str]] = set()

    def admit(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Return the drafts as they may be written, with a note after those that lost a field.

        Raises CanonicalError for a body that can't be made to fit, and UnlistedFieldError where ``strict``.
        """
        admitted: list[Draft] = []
        lost: list[str] = []
        for draft in drafts:
            body, wrong = allowed(draft.kind, draft.body)
            if wrong and self.strict:
                raise UnlistedFieldError(f"{draft.kind}: {', '.join(wrong)}")
            lost += [f"{draft.kind}: {key}" for key in wrong if (draft.kind, key) not in self._noted]
            self._noted |= {(draft.kind, key) for key in wrong}
            body = fit(self._cleaned(body), self._attach) if draft.kind != Kind.METRIC_BATCH else body
            admitted.append(draft if body is draft.body else replace(draft, body=body))
        if lost:
            _logger.error("fields that no kind of event lists were left out: %s", "; ".join(lost))
            told = f"left out of the log, because no kind of event lists it: {'; '.join(lost)}"
            admitted.insert(0, Draft(Kind.NOTE_ADDED, {"text": told[:1000]}))
        return admitted

    def _attach(self, digest: str, whole: bytes) -> None:
        if self._keep is None:
            return
        try:
            self._keep(digest, whole)
        except (OSError, LogError) as error:  # the log says the hash all the same
            _logger.warning("the text %s can't be kept whole: %s", digest, error)

    def clean(self, words: str) -> str:
        """Return words without secret values."""
        return self._clean(words) if self._clean is not None else words

    def _cleaned(self, body: JsonObject) -> JsonObject:
        if self._clean is None or _WORDS.isdisjoint(body):
            return body
        return {key: self._word(value) if key in _WORDS else value for key, value in body.items()}

    def _word(self, value: Json) -> Json:
        return self.clean(value) if isinstance(value, str) else value
