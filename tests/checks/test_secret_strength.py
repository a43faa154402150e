"""Worlds of secrets: known ones in every wrapping, long ones that say little, and random ones that look odd."""

from __future__ import annotations

import base64
import random
import uuid

import pytest

from checks.secret_strength import bits, fresh, is_published
from checks.secrets import StrongSettings, weakness

KNOWN = ("default-secret-change-this", "minioadmin", "Sup3rS3cret!")
SETTINGS = StrongSettings(keys=(), known_bad=KNOWN)


def b64(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


@pytest.mark.parametrize(
    "value",
    [
        "minioadmin",
        "minioadmin\n",
        "  MinioAdmin ",
        '"minioadmin"',
        "'default-secret-change-this'",
        "sup3rs3cret!",
        "min ioadm in",
        b64("minioadmin"),
        b64("minioadmin\n"),
        b64(b64("default-secret-change-this")),
        b64("default-secret-change-this").rstrip("="),
        "base64:" + b64("minioadmin"),
        b"minioadmin".hex(),
        b64("minioadmin").encode().hex(),
        "dev-secret-key-change-me-min-32-chars",
        "this-is-a-changeme-value-of-many-letters",
    ],
)
def test_a_known_secret_is_known_in_every_wrapping(value: str) -> None:
    assert is_published(value, KNOWN, SETTINGS.suspicious)
    assert weakness(value, SETTINGS) == "is a known default"


@pytest.mark.parametrize(
    "value",
    [
        "password" * 4,
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "zyxwvutsrqponmlkjihgfedcba9876543210",
        "qwertyuiopasdfghjklzxcvbnm1234567890",
        "0123456789abcdef" * 4,
        "Password1Password2Password3Password4",
        "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbcccccccccccccccc",
        "abab" * 16,
        "\n" * 40,
        " " * 64,
    ],
)
def test_a_long_secret_that_says_little_is_weak(value: str) -> None:
    assert weakness(value, SETTINGS)


@pytest.mark.parametrize(
    "value",
    [
        "9f2c4e7ab1d0836a5e9c27f4b8d1630e",
        "kJ8dev-Qz7Lw2mXr5TnB9cVfHs4YgPa0uEiOoKj6Rt1",
        "kJ8your-z7Lw2mXr5TnB9cVfHs4YgPa0uEiOoKj6Rt1",
        "Zm9v-Qz7Lw2mXr5TnB9cVfHs4YgPa0uEiOoKj6Rt1==",
        "correct-Horse7battery!staple-vivid9Umbrella",
        "9f2c4e7ab1d0836a5e9c27f4b8d1630e\n",
        "abcd9f2c4e7ab1d0836a5e9c27f4b8d1630e1234",
        "üñîçødé-Qz7Lw2mXr5TnB9cVfHs4YgPa0uEiOo",
    ],
)
def test_an_odd_secret_that_is_random_is_strong(value: str) -> None:
    assert weakness(value, SETTINGS) == ""


def test_generated_secrets_are_strong() -> None:
    dice = random.Random(12)
    for _ in range(300):
        raw = dice.randbytes(32)
        for value in (
            raw[:16].hex(),
            raw.hex(),
            base64.urlsafe_b64encode(raw).decode(),
            str(uuid.UUID(bytes=raw[:16])),
        ):
            assert weakness(value, SETTINGS) == "", value


def test_what_was_said_before_is_nothing_new() -> None:
    assert fresh("") == ""
    assert fresh("passwordpassword") == "passwordp"
    assert bits(fresh("0123456789" * 9)) < 8
