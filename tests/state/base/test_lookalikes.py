"""Names that look alike are told apart: by a mark in each text from outside, and beside each account."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.base.lookalikes import latin, marked, resembling, skeleton
from state.base.text import line
from tests.console.engine.stand import stand


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("b\u0430ckend", "b<U+0430>ckend"),  # a Cyrillic a
        ("api-g\u0430teway", "api-g<U+0430>teway"),
        ("\uff42ackend", "<U+FF42>ackend"),
        ("\U0001d41aPI", "<U+1D41A>PI"),
        ("p\u03bfd", "p<U+03BF>d"),
        ("привет, мир", "привет, мир"),
        ("Übergabe ✓ m² 5 µs Δt naïve", "Übergabe ✓ m² 5 µs Δt naïve"),
        ("Ωmega and backend", "Ωmega and backend"),
    ],
)
def test_a_letter_that_passes_for_another_is_named(name: str, shown: str) -> None:
    assert marked(name) == shown
    assert line(name) == shown


@pytest.mark.parametrize(
    "pair",
    [
        *(("ann", "\u0430nn"), ("ann", "Ann"), ("bob", "b0b"), ("ali", "all"), ("carmen", "carrnen")),
        *(("ops-1", "ops_l"), ("andre", "andr\u00e9"), ("wvw", "vvvw")),
    ],
)
def test_two_accounts_that_may_be_taken_for_each_other(pair: tuple[str, str]) -> None:
    one, other = pair
    assert resembling(one, [other, "somebody"]) == other
    assert resembling(one, [one, "somebody"]) == ""


@given(st.text(max_size=40))
def test_a_mark_is_made_once_and_a_text_without_such_letters_stays(text: str) -> None:
    assert marked(marked(text)) == marked(text)
    if not any(latin(sign) for sign in text):
        assert marked(text) == text
    assert skeleton(text) == skeleton(text.casefold()) or not text.isascii()


async def test_who_comes_with_a_name_like_anothers_is_marked_wherever_it_is_told(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        for account in ("ann", "\u0430nn", "bob"):
            client = await s.attach(account)
            await client.close()
        known = {e.actor: e.body["how_known"] for e in s.events("console.opened")}
        assert str(known["\u0430nn"]).endswith(", looks like ann")
        assert "looks like" not in str(known["ann"]) + str(known["bob"])
