"""A bucket's policy: whom it lets in, and what is no policy at all."""

from __future__ import annotations

import pytest

from checks.storage import _public


@pytest.mark.parametrize(
    ("policy", "public"),
    [
        ("", 0),
        ("{}", 0),
        ('{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}]}', 1),
        ("<html>", None),
        ("[]", None),
        ("7", None),
        ('{"a":' * 5000, None),
        ("[" * 5000, None),
    ],
)
def test_what_cannot_be_read_lets_nobody_in_and_is_not_private_either(
    policy: str, public: int | None
) -> None:
    assert _public(policy) == public
