"""Every kind of event has its class, its step, its words and its place on the page; what is strange ends nothing."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from state.base import canonical
from state.base.codec import LOG, WIRE, Notes, read, zero_of
from state.base.json import FieldError, Json, JsonObject
from state.commands import Confirmation
from state.events.bake import ConditionChanged
from state.events.bodies import BODIES, body_of, decode
from state.events.event import Body, Event, Unlisted
from state.events.gates import CheckFinished, GateChanged
from state.events.operations import OperationIntended
from state.events.world import PodChanged
from state.fold.describe import WORDS
from state.fold.step import STEPS
from state.view.enums import Danger, GateStatus, Verdict
from state.view.preview import Preview
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "log-format.md").read_text(encoding="utf-8")


def event(kind: str, body: JsonObject) -> Event:
    return Event(1, "e", kind, None, None, "engine", "s", "b", 5, 5, body, "0" * 64)


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_a_kind_has_its_step_its_words_and_its_row_on_the_page(kind: str) -> None:
    body = BODIES[kind]
    assert kind == body.KIND
    assert body in STEPS, f"state/fold has no step for {body.__name__}, nor says that it has no effect"
    assert body in WORDS, f"state/fold/describe.py has no words for {body.__name__}"
    assert f"| `{kind}` |" in PAGE, f"docs/log-format.md has no row for {kind}"
    assert body.__doc__


def test_nothing_else_has_a_step_or_words_or_a_name_to_compare() -> None:
    assert set(STEPS) == set(WORDS) == set(BODIES.values())


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_an_empty_body_is_read_and_every_key_may_be_one_of_the_log(kind: str) -> None:
    body, notes = decode(event(kind, {}))
    assert isinstance(body, BODIES[kind])
    assert set(notes.fields) <= set(LOG.keys(BODIES[kind]))
    canonical.encode(LOG.dump(body))


def test_a_key_of_the_log_may_be_a_word_of_python() -> None:
    body = GateChanged(from_=GateStatus.OPEN, to=GateStatus.GO)
    assert LOG.dump(body) == {"from": "OPEN", "to": "GO"}
    assert body_of(event("gate.changed", {"from": "OPEN", "to": "GO"})) == body


def test_what_is_left_out_and_what_is_written_though_it_is_empty() -> None:
    body = LOG.load(OperationIntended, {}, Notes())
    written = LOG.dump(body)
    assert "override" not in written
    assert (written["good"], written["diff_sha"], written["before"]) == (None, "", 0)


@pytest.mark.parametrize(
    ("body", "words", "strange"),
    [
        ({"verdict": "splendid"}, ["verdict=splendid"], []),
        ({"verdict": 7}, [], ["verdict"]),
        ({"summary": ["no", "text"]}, [], ["summary"]),
        ({"ms": True}, [], ["ms"]),
        ({"evidence": "none"}, [], ["evidence"]),
        ({"mood": "fine"}, [], []),
    ],
)
def test_strange_words_and_fields_are_noted(body: JsonObject, words: list[str], strange: list[str]) -> None:
    whole: JsonObject = {
        "item": "1.1",
        "check": "1.1/0",
        "verdict": "pass",
        "summary": "",
        "evidence": {},
        "ms": 1,
    }
    made, notes = decode(event("check.finished", {**whole, **body}))
    assert (notes.words, notes.fields) == (words, strange)
    assert isinstance(made, CheckFinished)
    assert made.verdict is (Verdict.UNKNOWN if "verdict" in body else Verdict.PASS)


def test_a_member_of_a_list_that_is_strange_is_left_out_and_noted() -> None:
    body, notes = decode(event("candidate.seen", {"env": "staging", "parts": [["a", "b"], ["c"], 7]}))
    assert LOG.dump(body) == {"env": "staging", "parts": [["a", "b"]]}
    assert notes.fields == ["parts", "parts"]


def test_a_kind_that_is_not_known_stays_as_it_is() -> None:
    body = body_of(event("weather.changed", {"text": "rain"}))
    assert isinstance(body, Unlisted)
    assert body.fields == {"text": "rain"}


def test_a_redacted_body_is_not_strange() -> None:
    assert decode(event("note.added", {"redacted": True}))[1] == Notes()


def test_bodies_are_equal_by_kind_and_fields() -> None:
    pod = LOG.load(PodChanged, {"name": "a"}, Notes())
    assert pod == LOG.load(PodChanged, {"name": "a"}, Notes())
    assert pod != LOG.load(PodChanged, {"name": "b"}, Notes())
    assert len({pod, LOG.load(PodChanged, {"name": "a"}, Notes())}) == 1
    assert "name='a'" in repr(pod)


@settings(deadline=None)
@given(st.floats(allow_nan=False))
def test_a_number_is_read_as_it_was_written(value: float) -> None:
    given = LOG.load(ConditionChanged, {"value": f"{value:.9g}"}, Notes())
    assert LOG.dump(given)["value"] == f"{value:.9g}"


_json: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_body_of_any_shape_ends_the_reading(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(BODIES)))
    keys = st.sampled_from([*LOG.keys(BODIES[kind]), "else"])
    body, notes = decode(event(kind, data.draw(st.dictionaries(keys, _json, max_size=6))))
    assert isinstance(body, Body)
    assert set(notes.fields) | {word.partition("=")[0] for word in notes.words} is not None


def test_a_strict_reader_says_what_is_wrong() -> None:
    with pytest.raises(FieldError, match="PodChanged: name: is missing"):
        LOG.load(PodChanged, {"env": "staging"})
    with pytest.raises(FieldError, match="PodChanged: env: 7 was not expected"):
        LOG.load(PodChanged, {"env": 7})
    with pytest.raises(FieldError, match="an object was expected"):
        LOG.load(PodChanged, [])


def test_a_frame_of_another_process_is_read_whatever_it_holds() -> None:
    preview = Preview("x", "X", Danger.CAUTION, allowed=True, blast=("a",))
    assert read(Preview, WIRE.dump(preview)) == preview
    assert read(Confirmation, ["no", "object"]) == Confirmation()
    assert read(Preview, {"danger": "of another version"}).danger is Danger.DANGER


def test_every_field_of_a_body_has_something_to_stand_for_it() -> None:
    assert zero_of(str | None) is None
    assert all(field.name for body in BODIES.values() for field in fields(body))
