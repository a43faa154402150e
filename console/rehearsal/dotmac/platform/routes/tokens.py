"""JSON web tokens, HS256: made and read with the standard library's hmac."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Collection
from dataclasses import dataclass

from state.base.json import Json, JsonObject, integer, obj, text

ISSUER = "dotmac-platform"
AUDIENCE = "dotmac-api"


def _pack(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unpack(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def sign(claims: JsonObject, signing_key: str) -> str:
    """Return a token over ``claims``."""
    header = _pack(json.dumps({"alg": "HS256", "typ": "JWT"}, separators=(",", ":")).encode())
    body = _pack(json.dumps(claims, separators=(",", ":"), default=str).encode())
    return f"{header}.{body}.{_signature(header, body, signing_key)}"


def _signature(header: str, body: str, signing_key: str, algorithm: str = "HS256") -> str:
    name = f"sha{algorithm[2:]}"
    return _pack(hmac.digest(signing_key.encode(), f"{header}.{body}".encode(), name))


@dataclass(frozen=True, slots=True)
class Carelessness:
    """What a platform believes besides a token that it signed itself, which nobody should."""

    keys: Collection[str] = ()
    algorithms: Collection[str] = ("HS256",)
    """With which one of ``keys`` may sign."""
    unsigned: bool = False
    """Tokens with alg none are let in."""
    unsigned_words: Collection[str] = ()
    """Further spellings of none."""

    def believes(self, algorithm: str, parts: tuple[str, str, str]) -> bool:
        """Return whether a token with another signature than the platform's own is let in."""
        header, body, signature = parts
        if algorithm.lower() == "none" or algorithm in self.unsigned_words:
            return not signature and (self.unsigned or algorithm in self.unsigned_words)
        return algorithm in self.algorithms and any(
            hmac.compare_digest(signature.encode(), _signature(header, body, key, algorithm).encode())
            for key in self.keys
        )


CAREFUL = Carelessness()


def read(token: str, signing_key: str, *, now_s: int, careless: Carelessness = CAREFUL) -> JsonObject | None:
    """Return the claims of a token that ``signing_key`` signed and that has not expired, else None."""
    try:
        header, body, signature = token.split(".")
        algorithm = text(obj(json.loads(_unpack(header))), "alg")
        claims: Json = json.loads(_unpack(body))
    except ValueError:
        return None
    own = algorithm == "HS256" and hmac.compare_digest(
        signature.encode(), _signature(header, body, signing_key).encode()
    )
    known = own or careless.believes(algorithm, (header, body, signature))
    found = obj(claims)
    return found if known and integer(found, "exp", now_s + 1) > now_s else None
