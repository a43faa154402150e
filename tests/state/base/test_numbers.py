"""Numbers as people read them."""

from __future__ import annotations

import pytest

from state.base.json import JsonObject
from state.base.numbers import number, pace, plural
from state.events.bake import ConditionChanged
from state.fold import line_of
from state.view.launch import ConditionView, LaunchView
from tests.state.fold.test_fold import events


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (plural(1, "pod"), "1 pod"),
        (plural(0, "pod"), "0 pods"),
        (plural(2, "subject has", "subjects have"), "2 subjects have"),
        (pace(1.0), "in real time"),
        (pace(60.0), "60 times as fast as real time"),
        (number(None, "ratio"), "no data"),
        (number(0.0134, "ratio"), "1.34 %"),
        (number(0.25, "seconds"), "250 ms"),
        (number(2, "seconds"), "2.00 s"),
        (number(1234.5, ""), "1234"),
    ],
)
def test_numbers_in_words(message: str, shown: str) -> None:
    assert message == shown


def test_a_condition_is_told_in_its_unit() -> None:
    body: JsonObject = {"id": "errors", "state": "OK", "value": "0.0132", "elapsed_s": 0, "reason": ""}
    (event,) = events((ConditionChanged.KIND, body))
    known = ConditionView("errors", "Errors", "production", "ratio", 0.01, 300, "ask", "q")
    assert line_of(event, LaunchView(conditions=(known,))).words == "errors is OK at 1.32 %"
    assert line_of(event).words == "errors is OK at 0.0132"
