"""What passes into the log: words without secrets, bodies that fit.

The last fence, behind makers that do all of this themselves. What a kind of event may hold is its class
(``state.events``): a field that isn't there can't be written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from hashlib import sha256

from state.base import canonical
from state.base.codec import LOG, Notes
from state.base.json import Json, JsonObject
from state.events.event import Body, Draft
from state.events.world import MetricBatch
from state.log.errors import LogError

_WORDS = frozenset({"text", "reason", "comment", "link", "second", "tty"})
"""Fields with what a person typed or an error said.

Digests and names are left alone: a short secret may be part of one by chance.
"""
_TAILS = (2000, 500, 120, 40)
_LINES = (100, 20, 10, 5)
_logger = logging.getLogger(__name__)


class BodyFilter:
    """Looks at every draft before it is written."""

    def __init__(
        self, clean: Callable[[str], str] | None = None, keep: Callable[[str, bytes], None] | None = None
    ) -> None:
        self._clean = clean
        self._keep = keep

    def admit(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Return the drafts as they may be written.

        Raises CanonicalError for a body that can't be made to fit.
        """
        return [draft if isinstance(draft.body, MetricBatch) else self._admitted(draft) for draft in drafts]

    def _admitted(self, draft: Draft) -> Draft:
        body = self._cleaned(draft.body)
        whole = replace(draft, body=body).fields()
        shorter = fit(whole, self._attach)
        if shorter is not whole:
            body = LOG.load(type(body), shorter, Notes())
        return draft if body is draft.body else replace(draft, body=body)

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

    def _cleaned(self, body: Body) -> Body:
        names = (
            [field.name for field in fields(body) if field.name in _WORDS] if self._clean is not None else []
        )
        given = {name: getattr(body, name) for name in names}
        clean = {name: self.clean(words) for name, words in given.items()}
        return replace(body, **clean) if clean != given else body  # type: ignore[arg-type]  # all of them are texts


def fit(body: JsonObject, keep: Callable[[str, bytes], None] | None = None) -> JsonObject:
    """Return a body that fits an event: where it doesn't, each long text and list of lines as its tail.

    ``cut`` then holds SHA-256 and length (bytes) of the whole body's canonical text, which ``keep`` is given first.
    Raises CanonicalError where even the shortest form is too long.
    """
    try:
        canonical.encode(body)
    except canonical.TooLongError as error:
        whole = error.text.encode()
    else:
        return body
    digest = sha256(whole).hexdigest()
    if keep is not None:
        keep(digest, whole)
    cut: JsonObject = {"sha256": digest, "length": len(whole)}
    for tail, lines in zip(_TAILS, _LINES, strict=True):
        shorter = {**{key: _tail(value, tail, lines) for key, value in body.items()}, "cut": cut}
        try:
            canonical.encode(shorter)
        except canonical.TooLongError:
            continue
        return shorter
    raise canonical.CanonicalError(f"body: {len(whole)} bytes, and its tails don't fit one event either")


def _tail(value: Json, longest: int, lines: int) -> Json:
    if isinstance(value, str):
        return value if len(value) <= longest else f"…{value[-longest:]}"
    if isinstance(value, Mapping):
        return {key: _tail(one, longest, lines) for key, one in value.items()}
    if isinstance(value, Sequence):
        kept = value[-lines:] if all(isinstance(one, str) for one in value) else value
        return [_tail(one, longest, lines) for one in kept]
    return value
