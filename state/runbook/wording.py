"""What is wrong with a value of a runbook, in words of people who write runbooks.

Pydantic's own are for programmers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from state.base.text import line
from state.runbook.key_places import close, keys_at, types_at
from state.runbook.units import SecretRef, TokenRef

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

NEVER = "never write a secret here"
"""How a message begins that is about a value which no one may see."""
_PATTERNS = {
    r"^https?://[^\s/]+": "expected a URL, as in https://prometheus.example.org",
    r"^[1-9][0-9]?\.[1-9][0-9]?$": 'expected the number of an item in quotes, as in "3.2"',
    r"^[a-z0-9-]+$": "expected lower-case letters, digits and hyphens",
}
_NUMBER = "expected a whole number, as in 3"
_WORDS = {
    "model_type": "keys with values were expected here (as in `name: value`)",
    "dict_type": "keys with values were expected here (as in `name: value`)",
    "mapping_type": "keys with values were expected here (as in `name: value`)",
    "model_attributes_type": "keys with values were expected here (as in `name: value`)",
    "tuple_type": "a list was expected here, as in [one, two]",
    "list_type": "a list was expected here, as in [one, two]",
    "set_type": "a list was expected here, as in [one, two]",
    "frozen_set_type": "a list was expected here, as in [one, two]",
    "int_type": _NUMBER,
    "int_parsing": _NUMBER,
    "int_from_float": _NUMBER,
    "int_parsing_size": _NUMBER,
    "float_type": "expected a number, as in 0.5",
    "float_parsing": "expected a number, as in 0.5",
    "finite_number": "expected a number, as in 0.5",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "path_type": "expected a path, as in deploy/values.yaml",
    "timezone_aware": "expected a time with its offset, as in 2026-12-01T08:00:00Z",
    "string_too_short": "it is empty: write something, or leave the key out",
    "none_required": "leave it empty",
}
_TIMES = ("datetime_", "date_", "time_", "timezone_")


def worded(error: ErrorDetails, model: object, place: Sequence[str], data: object, written: str = "") -> str:
    """Return what is wrong at ``place`` of a model, and what is expected there.

    ``data`` is what the whole says, ``written`` how the value stands in the file, where that is known.
    """
    kind, value = error["type"], error.get("input")
    known: dict[str, Any] = error.get("ctx", {})
    if _is_secret(model, place) and not isinstance(value, Mapping) and kind != "missing":
        exec_too = TokenRef in types_at(model, place)
        how = ", { file: PATH } or { exec: [PROGRAM] }" if exec_too else " or { file: PATH }"
        return f"{NEVER}: say where it is found, {{ env: NAME }}{how}"
    if kind == "extra_forbidden":
        return _unknown(model, place, data)
    if kind == "missing":
        return _missing(model, place, data)
    if kind in {"string_type", "string_sub_type"}:
        return _text(value, written)
    if kind in {"enum", "literal_error"}:
        return _choice(known, value)
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(str(known.get("pattern")), f"expected what fits {known.get('pattern')}")
    if kind.startswith(_TIMES) and kind != "timezone_aware":
        return "expected a time, as in 2026-12-01T08:00:00Z"
    return _WORDS.get(kind) or _sized(kind, known, place) or _plain(error["msg"])


def _is_secret(model: object, place: Sequence[str]) -> bool:
    return any(issubclass(one, SecretRef) for one in types_at(model, place))


def _given(data: object, place: Sequence[str]) -> list[str]:
    for part in place:
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
        else:
            return []
    return [str(key) for key in data] if isinstance(data, Mapping) else []


def _unknown(model: object, place: Sequence[str], data: object) -> str:
    known = keys_at(model, place[:-1])
    if any(issubclass(one, SecretRef) for one in types_at(model, place[:-1])):
        return f"{NEVER}: this key is not known here; known are {', '.join(sorted(known))}"
    free = known - set(_given(data, place[:-1]))
    hint = close(place[-1], free) or close(place[-1], known)
    if not hint and known:
        hint = ", or correct its spelling" if len(known) > 12 else f": known are {', '.join(sorted(known))}"
        hint = f": remove it{hint}" if hint.startswith(",") else hint
    return f"this key is not known here{hint}"


def _missing(model: object, place: Sequence[str], data: object) -> str:
    known = keys_at(model, place[:-1])
    strange = [key for key in _given(data, place[:-1]) if key not in known]
    meant = [key for key in strange if close(key, {place[-1]})]
    return f"is missing: {line(meant[0], 60)} looks like it, misspelt" if meant else "is missing"


def _text(value: object, written: str) -> str:
    if isinstance(value, Mapping | list | tuple):
        return "a text was expected here, not " + ("keys" if isinstance(value, Mapping) else "a list")
    if value is None:
        return "a text was expected here: it is empty"
    return f'quote it: "{line(written, 60) or value}"'


def _choice(known: Mapping[str, Any], value: object) -> str:
    choices = re.findall(r"'([^']*)'", str(known.get("expected", ""))) or [str(known.get("expected", ""))]
    one_of = ", ".join(choices[:-1]) + (" or " if choices[:-1] else "") + choices[-1]
    given = f", not {line(str(value), 60)!r}" if isinstance(value, str | int | float) else ""
    return f"expected {one_of}{given}{close(value, set(choices)) if isinstance(value, str) else ''}"


def _sized(kind: str, known: Mapping[str, Any], place: Sequence[str]) -> str:
    thing = {"people": "person", "roles": "role"}.get(place[-1] if place else "", "")
    match kind:
        case "too_short":
            least = known.get("min_length", 1)
            amount = "one" if least == 1 else str(least)
            return f"give at least {amount}{f' {thing}' if thing and least == 1 else ''}"
        case "too_long":
            return f"give at most {known.get('max_length')}"
        case "string_too_long":
            return f"too long: at most {known.get('max_length')} characters"
        case "greater_than_equal":
            return f"expected {known.get('ge')} or more"
        case "greater_than":
            return f"expected more than {known.get('gt')}"
        case "less_than_equal":
            return f"expected {known.get('le')} or less"
        case "less_than":
            return f"expected less than {known.get('lt')}"
    return ""


def _plain(message: str) -> str:
    """Return pydantic's own words without its manner, for what has none of ours."""
    said = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return re.sub(r"^Input should be (?:an? )?(?:valid )?", "expected ", said)
