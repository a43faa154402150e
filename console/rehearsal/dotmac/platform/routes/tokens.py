"""JSON web tokens, HS256: made and read with the standard library's hmac."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable

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


def _signature(header: str, body: str, signing_key: str) -> str:
    return _pack(hmac.digest(signing_key.encode(), f"{header}.{body}".encode(), "sha256"))


def read(token: str, signing_keys: Iterable[str], *, now_s: int, unsigned: bool = False) -> JsonObject | None:
    """Return the claims of a token that one of ``signing_keys`` signed and that has not expired, else None.

    ``unsigned`` lets tokens with alg "none" in, which nobody should.
    """
    try:
        header, body, signature = token.split(".")
        algorithm = text(obj(json.loads(_unpack(header))), "alg")
        claims: Json = json.loads(_unpack(body))
    except ValueError:
        return None
    if algorithm.lower() == "none":
        known = unsigned and not signature
    else:
        known = algorithm == "HS256" and any(
            hmac.compare_digest(signature.encode(), _signature(header, body, key).encode())
            for key in signing_keys
        )
    found = obj(claims)
    return found if known and integer(found, "exp", now_s + 1) > now_s else None
