"""What passes into the log: listed fields, clean words, bodies that fit."""

from __future__ import annotations

import hashlib
import string
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from console.engine.record.body_filter import BodyFilter, fit
from state.base import canonical
from state.base.json import Json, JsonObject, obj, text
from state.events.event import Draft
from state.events.launch import ConsoleClosed
from state.events.operations import OperationOutput
from tests.console.engine.stand import stand
from tests.drafts import draft

LONG = ["a line of helm, " * 60 + str(n) for n in range(60)]


def test_words_are_cleaned_and_names_are_not() -> None:
    door = BodyFilter(lambda words: words.replace("beef", "[redacted]"))
    (kept,) = door.admit([Draft(ConsoleClosed("beef", "beef"))])
    assert kept.body == ConsoleClosed("beef", "[redacted]")


@pytest.mark.parametrize("asked", [True, False])
async def test_what_is_too_long_is_kept_whole_where_the_runbook_says_so(asked: bool, tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        data = yaml.safe_load(s.runbook.read_text())
        data["attachments"] = asked
        s.runbook.write_text(yaml.safe_dump(data))
        await s.open(run=False)
        body = {"id": "x", "stream": "stdout", "lines": LONG}
        event = await s.engine.journal.record(draft(OperationOutput.KIND, body, "g09"))
        cut = obj(event.body["cut"])
        folder = tmp_path / "a.lclog.attachments"
        assert folder.exists() is asked
        if asked:
            (path,) = folder.iterdir()
            raw = path.read_bytes()
            assert (path.name, path.stat().st_mode & 0o777) == (text(cut, "sha256"), 0o600)
            assert (hashlib.sha256(raw).hexdigest(), len(raw)) == (path.name, cut["length"])
            assert all(one.encode() in raw for one in LONG)


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
