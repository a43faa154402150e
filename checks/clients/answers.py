"""What an HTTP answer is worth: its status, its kind of content, its JSON.

Shared by every client that speaks HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, cast
from urllib.parse import urlsplit

from checks.clients.errors import (
    ConflictError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    RejectedError,
    ServerFailedError,
    TooLargeError,
    TooManyRequestsError,
    UnauthorizedError,
    Where,
    WrongContentError,
)
from checks.errors import CouldNotLookError
from state.base.json import Json, JsonObject, obj, text
from state.base.text import line

BODY_LIMIT: Final = 8 * 1024 * 1024
"""Bytes: a larger answer is refused, because no question that is asked here has one."""

_LONGEST_INTEGER: Final = 40
LOGIN_WORDS: Final = ("login", "signin", "sign-in", "sign_in", "oauth", "sso", "saml", "auth/realms")


def too_large(where: Where, expected: str) -> TooLargeError:
    """Return the error for a body above the cap."""
    return TooLargeError(
        f"{where}: the answer is larger than {BODY_LIMIT // 1024 // 1024} MiB; expected {expected}"
    )


def refuse_status(
    where: Where, status: int, headers: Mapping[str, str], body: bytes, *, expected: str, permission: str = ""
) -> None:
    """Raise the error that fits a status outside 200 to 299; ``headers`` has lower-case keys."""
    if 200 <= status <= 299:
        return
    raise _status_error(where, status, headers, body, expected, permission)


def _status_error(
    where: Where, status: int, headers: Mapping[str, str], body: bytes, expected: str, permission: str
) -> CouldNotLookError:
    detail = _detail(headers, body)
    if 300 <= status <= 399:
        target = urlsplit(headers.get("location", ""))
        place = line(f"{target.netloc}{target.path}", 120) or "nowhere"
        kind = "a login page" if _is_login(target.path + target.netloc) else "another place"
        return WrongContentError(f"{where} redirects to {kind} ({place}); expected {expected}")
    if status == 401:
        return UnauthorizedError(
            f"{where} answered 401: the credentials are missing, wrong or expired; expected {expected}"
        )
    if status == 403:
        needed = f"; needed: permission to {permission}" if permission else ""
        return ForbiddenError(f"{where} answered 403{detail}{needed}")
    if status == 404:
        return NotFoundError(f"{where} answered 404{detail}; expected {expected}")
    if status == 410:
        return GoneError(f"{where} answered 410{detail}; expected {expected}")
    if status >= 500:
        return ServerFailedError(f"{where} answered {status}{detail}; expected {expected}")
    if status == 429:
        after = headers.get("retry-after", "")
        seconds = float(after) if after.isdecimal() else 0.0
        return TooManyRequestsError(f"{where} answered 429{detail}; expected {expected}", seconds)
    refusal = ConflictError if status == 409 else RejectedError
    return refusal(f"{where} answered {status}{detail}; expected {expected}")


def _is_login(target: str) -> bool:
    return any(word in target.lower() for word in LOGIN_WORDS)


def _detail(headers: Mapping[str, str], body: bytes) -> str:
    if "json" not in headers.get("content-type", "") or len(body) > BODY_LIMIT:
        return ""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    answer = obj(value)
    for key in ("message", "error", "detail"):
        if found := text(answer, key):
            return f" ({line(found, 400)})"
    return ""


def read_json(where: Where, headers: Mapping[str, str], body: bytes, *, expected: str) -> Json:
    """Return the JSON of a body.

    Raises WrongContentError for HTML, a truncated or otherwise broken document.
    """
    if "html" in headers.get("content-type", "") or body[:200].lstrip()[:1] == b"<":
        raise WrongContentError(
            f"{where} answered HTML instead of JSON (a proxy or login page?); expected {expected}"
        )
    if not body.strip():
        raise WrongContentError(f"{where} answered nothing; expected {expected}")
    try:
        return cast("Json", json.loads(body))
    except ValueError as error:
        # Python reads no number of thousands of digits; what has one is told apart later, the rest is whole.
        if not isinstance(error, json.JSONDecodeError) and not isinstance(error, UnicodeDecodeError):
            with suppress(ValueError, RecursionError):
                return cast("Json", json.loads(body, parse_int=_short_integer))
    except RecursionError:
        pass
    kind = line(headers.get("content-type", "no content type"), 60)
    raise WrongContentError(
        f"{where} answered broken or truncated JSON ({len(body)} bytes, {kind}); expected {expected}"
    )


def _short_integer(digits: str) -> int | str:
    return int(digits) if len(digits) < _LONGEST_INTEGER else f"{digits[:20]}…"


def read_object(where: Where, headers: Mapping[str, str], body: bytes, *, expected: str) -> JsonObject:
    """Return the JSON object of a body.

    Raises WrongContentError as ``read_json`` does, and for another kind of JSON value.
    """
    value = read_json(where, headers, body, expected=expected)
    if not isinstance(value, Mapping):
        raise WrongContentError(f"{where} answered JSON that is not an object; expected {expected}")
    return value
