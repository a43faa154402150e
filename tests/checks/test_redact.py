from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.clients.redact import MARK, Redactor, secretish
from state.base.json import JsonObject

SECRET = 'p@ss "word"/with\\odd+chars&ü<it\'s>'


def forms(value: str) -> list[str]:
    raw = value.encode()
    return [
        value,
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        raw.hex(),
        raw.hex().upper(),
        quote(value),
        quote(value, safe=""),
        quote_plus(value),
        json.dumps(value),
        json.dumps(value, ensure_ascii=False),
        json.dumps(value).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"),
        "'" + value.replace("'", "''") + "'",
    ]


@pytest.mark.parametrize("form", forms(SECRET))
def test_a_value_goes_in_every_form(form: str) -> None:
    redactor = Redactor()
    redactor.register(SECRET)
    cleaned = redactor.clean(f"before {form} after")
    assert form.strip('"') not in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")


@given(
    value=st.text(min_size=8, max_size=40).filter(lambda v: len(v.strip()) >= 8),
    context=st.binary(max_size=5),
)
def test_base64_of_something_around_a_value_does_not_hold_it(value: str, context: bytes) -> None:
    redactor = Redactor()
    redactor.register(value)
    coded = base64.b64encode(context + value.strip().encode() + context).decode()
    assert MARK in redactor.clean(coded)


def test_a_long_line_of_several_goes_by_itself() -> None:
    redactor = Redactor()
    redactor.register("short\nMC4CAQAwBQYDK2VwBCIEIJ1h\n")
    assert redactor.clean("  MC4CAQAwBQYDK2VwBCIEIJ1h") == f"  {MARK}"
    assert redactor.clean("short of time") == "short of time"


def test_a_key_that_only_names_a_secret_holds_none() -> None:
    assert [
        key
        for key in ("secretName", "existingSecret", "pullSecret", "tokenRef", "apiToken")
        if secretish(key)
    ] == ["apiToken"]


def test_shapes_that_are_secret_whoever_wrote_them() -> None:
    redactor = Redactor()
    assert "hunter22" not in redactor.clean("postgresql://reader:hunter22@db/x")
    assert "abcdefghijklmnop" not in redactor.clean("Authorization: Bearer abcdefghijklmnop")
    assert "eyJ" not in redactor.clean("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl here")
    key = "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----"
    assert "MIIabc" not in redactor.clean(f"x {key} y")


def test_everyday_words_and_public_names_stay() -> None:
    redactor = Redactor(["api.example.com", "https://admin.example.com"])
    redactor.register_pair("ENVIRONMENT", "production")
    redactor.register_pair("DATABASE__PORT", "5432")
    redactor.register_pair("TRUSTED_HOSTS", '["api.example.com"]')
    redactor.register_pair("FRONTEND_URL", "https://admin.example.com")
    text = 'production at 5432 serves ["api.example.com"] and https://admin.example.com'
    assert redactor.clean(text) == text


def test_a_short_password_is_still_a_password() -> None:
    redactor = Redactor()
    redactor.register_pair("DATABASE__PASSWORD", "admin")
    redactor.register_pair("REDIS_URL", "redis://:tiny1@cache/0")
    assert redactor.clean("admin tiny1") == f"{MARK} {MARK}"


def test_json_is_cleaned_in_keys_and_values() -> None:
    redactor = Redactor()
    redactor.register("s3cr3t-value")
    answer: JsonObject = {"a s3cr3t-value": ["x", {"b": "s3cr3t-value!"}, 3, None, True]}
    assert redactor.clean_json(answer) == {f"a {MARK}": ["x", {"b": f"{MARK}!"}, 3, None, True]}


@pytest.mark.parametrize("cut", ["\n", "\r\n", "\n  ", "\\\n", "\n    | "])
def test_a_value_that_the_end_of_a_line_cuts_goes_and_the_lines_stay(cut: str) -> None:
    redactor = Redactor()
    redactor.register("correct-horse-battery-staple-42")
    text = f"begin: correct-horse-{cut}battery-staple-42 end"
    cleaned = redactor.clean(text)
    assert not any(part in cleaned for part in ("horse", "battery", "staple"))
    assert (cleaned.startswith("begin: "), cleaned.endswith(" end"), cleaned.count("\n")) == (True, True, 1)
    assert redactor.finds_across(text)
    assert not redactor.finds_across(cleaned)
