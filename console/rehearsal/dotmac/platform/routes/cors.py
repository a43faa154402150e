"""Cross-origin answers, as Starlette gives them."""

from __future__ import annotations

import re

from console.rehearsal.dotmac.platform.core import Answer, Call, text_answer

_METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
_LOCALHOST = ("http://localhost:3000", "http://localhost:3001")


def allowed(call: Call, origin: str) -> bool:
    """Return whether a page of ``origin`` may read answers."""
    settings = call.settings.web
    admin = call.core.admin_host
    origins = set(settings.cors_origins if settings.cors_origins is not None else [f"https://{admin}"])
    if settings.cors_localhost:
        origins.update(_LOCALHOST)
    if settings.cors_pattern and re.match(settings.cors_pattern, origin):
        return True
    if settings.cors_plain_http:
        origins.add(f"http://{admin}")
    return settings.cors_any_origin or origin in origins


def cors_headers(call: Call) -> list[tuple[str, str]]:
    """Return the headers of a plain answer: the origin appears only where it is allowed."""
    origin = call.headers.get("Origin")
    if origin is None:
        return []
    found = [("Access-Control-Allow-Credentials", "true")]
    if allowed(call, origin) or call.settings.web.cors_answers_any:
        found += [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
    return found


def preflight(call: Call) -> Answer:
    """Return the answer to a preflight: no other middleware sees it."""
    origin = call.headers.get("Origin", "")
    headers = [
        ("Vary", "Origin"),
        ("Access-Control-Allow-Methods", _METHODS),
        ("Access-Control-Max-Age", "3600"),
        ("Access-Control-Allow-Credentials", "true"),
    ]
    if expected := call.headers.get("Access-Control-Request-Headers"):
        headers.append(("Access-Control-Allow-Headers", expected))
    good = allowed(call, origin)
    answer = text_answer("OK" if good else "Disallowed CORS origin", 200 if good else 400)
    answer.headers = [("Access-Control-Allow-Origin", origin), *headers] if good else headers
    return answer
