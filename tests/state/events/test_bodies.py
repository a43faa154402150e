from __future__ import annotations

import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.base import canonical
from state.base.json import Json, JsonObject
from state.events.bodies import FIELDS, allowed, fit
from state.events.event import Kind
from tests.state.made_events import BODIES


def test_every_kind_has_its_fields() -> None:
    assert set(FIELDS) == set(Kind)


@pytest.mark.parametrize("kind", sorted(set(BODIES) & set(Kind)))
@given(data=st.data())
def test_the_bodies_that_folds_are_tested_with_could_be_written(kind: str, data: st.DataObject) -> None:
    assert allowed(kind, data.draw(BODIES[kind]))[1] == ()


@pytest.mark.parametrize(
    ("kind", "body", "wrong"),
    [
        (Kind.NOTE_ADDED, {"text": "x"}, ()),
        (Kind.NOTE_ADDED, {"text": "x", "password": "hunter2"}, ("password",)),
        (Kind.NOTE_ADDED, {"text": 7}, ("text",)),
        (Kind.POD_CHANGED, {"ready": True}, ("ready",)),
        (Kind.CONDITION_CHANGED, {"value": None, "elapsed_s": 3}, ()),
        (Kind.CONDITION_CHANGED, {"value": "0.5e-7"}, ()),
        (Kind.CONDITION_CHANGED, {"value": "a lot"}, ("value",)),
        (Kind.CHECK_FINISHED, {"evidence": {"anything": [1]}}, ()),
        (Kind.OPERATION_INTENDED, {"parts": [["a", "b"], ["c"]]}, ("parts",)),
        (Kind.OPERATION_INTENDED, {"good": {"number": 3, "token": "x"}}, ("good",)),
        (Kind.ITEM_WAIVED, {"cut": {"sha256": "x", "length": 3}}, ()),
        ("weather.changed", {"text": "rain"}, ("text",)),
    ],
)
def test_only_listed_fields_of_the_right_type_are_let_in(
    kind: str, body: JsonObject, wrong: tuple[str, ...]
) -> None:
    kept, left_out = allowed(kind, body)
    assert left_out == wrong
    assert set(kept) == set(body) - set(wrong)


def test_what_fits_stays_as_it_is() -> None:
    body: JsonObject = {"text": "x" * 16_000}
    assert fit(body) is body


def test_longer_output_is_kept_as_hash_length_and_tail() -> None:
    lines = [f"{n} " + "ü" * 900 for n in range(40)]
    body: JsonObject = {"id": "production.deploy", "lines": lines}
    shorter = fit(body)
    whole = canonical._dump(body).encode()
    assert shorter["cut"] == {"sha256": hashlib.sha256(whole).hexdigest(), "length": len(whole)}
    assert shorter["id"] == "production.deploy"
    kept = shorter["lines"]
    assert isinstance(kept, list)
    assert str(kept[-1]).endswith("ü")
    assert len(canonical.encode(shorter).encode()) <= canonical.LARGEST_BODY_BYTES


_json: st.SearchStrategy[Json] = st.recursive(
    st.text(string.printable, max_size=4000) | st.integers(-5, 5) | st.booleans(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(("text", "lines", "id")), _json, max_size=3))
def test_every_body_fits_or_is_refused_in_words(body: dict[str, Json]) -> None:
    try:
        shorter = fit(body)
    except canonical.CanonicalError as error:
        assert "bytes" in str(error)  # noqa: PT017  either outcome is right
    else:
        canonical.encode(shorter)
