"""LCJ-1: the one spelling of a JSON object, and the hashes that are taken over it.

On its domain (keys of ``[a-z0-9_]``, no floats, whole numbers up to 2**53 - 1) the text equals RFC 8785.
Nothing here may ever change: every log that was written depends on every byte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from json import JSONEncoder
from json.encoder import encode_basestring
from typing import cast

from state.base.json import Json, JsonObject

LARGEST_INTEGER = 2**53 - 1
LARGEST_DEPTH = 16
LARGEST_BODY_BYTES = 16 * 1024

_KEY = re.compile(r"[a-z0-9_]+")
_is_key = lru_cache(maxsize=4096)(_KEY.fullmatch)
_SURROGATE = re.compile("[\ud800-\udfff]")
_ANCHOR = re.compile(r"lc1:([0-9a-f]{8}):([1-9][0-9]{0,15}):([0-9a-f]{32})")
_dump = JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


class CanonicalError(ValueError):
    """A body is outside the domain of LCJ-1; the message names the field, never its value."""


class TooLongError(CanonicalError):
    """A body's text is over 16 KiB."""

    def __init__(self, text: str, size: int) -> None:
        super().__init__(f"body: {size} bytes, at most {LARGEST_BODY_BYTES} fit one event")
        self.text = text
        """The whole canonical text."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The head of a log at one moment, short enough to be read aloud and kept elsewhere."""

    log: str
    """The first 8 digits of the log's id."""
    seq: int
    hash: str
    """The first 32 of 64 hexadecimal digits."""

    def __str__(self) -> str:
        return f"lc1:{self.log}:{self.seq}:{self.hash}"


def encode(body: JsonObject) -> str:
    """Return the canonical text of an object; lone surrogates become U+FFFD.

    Raises CanonicalError, which names the first field outside the domain, and TooLongError over 16 KiB.
    """
    text = _dump(_object(body, "body", 1))
    size = len(text.encode())
    if size > LARGEST_BODY_BYTES:
        raise TooLongError(text, size)
    return text


def _speller() -> Callable[[Json], str]:
    """Return the encoder, made once: ``JSONEncoder.encode`` builds it anew for every text."""
    make: Callable[..., Callable[[Json, int], tuple[str, ...]]] | None = getattr(
        json.encoder, "c_make_encoder", None
    )
    if make is None:
        return _dump
    pieces = make(None, None, encode_basestring, None, ":", ",", True, False, False)
    return lambda value: "".join(pieces(value, 0))


spell = _speller()
"""Returns the text of parsed JSON in canonical spelling, without looking at its domain."""


def clean_text(value: str) -> str:
    """Return a text in which every lone surrogate is U+FFFD, so that it has a UTF-8 form."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", value)
    return value


def _object(value: Mapping[str, Json], where: str, depth: int) -> dict[str, Json]:
    if depth > LARGEST_DEPTH:
        raise CanonicalError(f"{where}: nested deeper than {LARGEST_DEPTH}")
    cleaned: dict[str, Json] = {}
    for key, member in value.items():
        if not isinstance(key, str) or _KEY.fullmatch(key) is None:
            raise CanonicalError(
                f"{where}: a key is made of a-z, 0-9 and _, not {clean_text(str(key))[:40]!r}"
            )
        cleaned[key] = _member(member, f"{where}.{key}", depth)
    return cleaned


def _member(value: Json, where: str, depth: int) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean_text(str(value))
    if isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise CanonicalError(f"{where}: a whole number beyond 2**53 - 1; write it as a text")
        return int(value)
    if isinstance(value, Mapping):
        return _object(value, where, depth + 1)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        if depth + 1 > LARGEST_DEPTH:
            raise CanonicalError(f"{where}: nested deeper than {LARGEST_DEPTH}")
        return [_member(one, f"{where}[{index}]", depth + 1) for index, one in enumerate(value)]
    hint = "; write it as a decimal text" if isinstance(value, float) else ""
    raise CanonicalError(f"{where}: a {type(value).__name__} has no canonical form{hint}")


def in_domain(value: Json, depth: int = 1) -> bool:
    """Return whether parsed JSON is what ``encode`` writes: its keys, its whole numbers and how deep it is nested."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return -LARGEST_INTEGER <= cast("int", value) <= LARGEST_INTEGER
    if kind is dict:
        members = cast("dict[str, Json]", value)
        keyed = depth <= LARGEST_DEPTH and all(map(_is_key, members))
        return keyed and all(in_domain(one, depth + 1) for one in members.values() if type(one) is not str)
    return (
        kind is list
        and depth <= LARGEST_DEPTH
        and all(in_domain(one, depth + 1) for one in cast("list[Json]", value) if type(one) is not str)
    )


def genesis(log_id: str) -> bytes:
    """Return the 32 bytes that stand before the first event of a log."""
    return sha256(b"launch-console/genesis/v1\n" + log_id.encode()).digest()


def body_sha(salt: bytes, body_text: str) -> bytes:
    """Return the 32 bytes that stand for a body in its event's header.

    The salt (16 random bytes) keeps a redacted short secret from being guessed back.
    """
    return sha256(b"launch-console/body/v1\n" + salt + body_text.encode()).digest()


def header(
    log_id: str,
    seq: int,
    eid: str,
    kind: str,
    gate: str | None,
    ref: int | None,
    actor: str,
    session: str,
    boot: str,
    wall_us: int,
    mono_us: int,
    body_digest: bytes,
    prev: bytes,
) -> str:
    """Return the canonical text that an event's hash is taken over: every column but the body itself."""
    first, second, third, fourth = names(log_id, kind, gate, actor, session, boot)
    return (
        f'{first}{body_digest.hex()}{second}{encode_basestring(eid)}{third}{mono_us},"prev":"{prev.hex()}",'
        f'"ref":{"null" if ref is None else ref},"seq":{seq}{fourth}{wall_us}}}'
    )


@lru_cache(maxsize=1024)
def names(
    log_id: str, kind: str, gate: str | None, actor: str, session: str, boot: str
) -> tuple[str, str, str, str]:
    """Return what stands between the parts of a header that differ from event to event; see ``header``."""
    quote = encode_basestring
    return (
        f'{{"actor":{quote(actor)},"body":"',
        f'","boot":{quote(boot)},"eid":',
        f',"gate":{"null" if gate is None else quote(gate)},"log":{quote(log_id)},"mono_us":',
        f',"session":{quote(session)},"type":{quote(kind)},"v":1,"wall_us":',
    )


def event_hash(header_text: str) -> bytes:
    """Return the 32 bytes of an event's hash, which is also its leaf hash in RFC 6962."""
    return sha256(b"\x00" + header_text.encode()).digest()


def anchor(log_id: str, seq: int, digest: str) -> str:
    """Return ``lc1:<log>:<seq>:<hash>`` for an event's hash of 64 hexadecimal digits."""
    return f"lc1:{log_id[:8]}:{seq}:{digest[:32]}"


def parse_anchor(text: str) -> Anchor:
    """Return an anchor from its text.

    Raises ValueError where it isn't one.
    """
    found = _ANCHOR.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"an anchor looks like lc1:0193b0c4:3:eda1… (32 digits), not like {clean_text(text)[:80]!r}"
        )
    return Anchor(found[1], int(found[2]), found[3])
