from __future__ import annotations

import json

import pytest

from state.base.codec import WIRE
from state.base.json import FieldError
from state.base.maps import with_item
from state.view.enums import ConditionState, GateStatus, OperationState, Verdict
from state.view.launch import (
    BakeView,
    CheckView,
    ConditionView,
    GateView,
    GoodRevision,
    GraphView,
    ItemView,
    LaunchView,
    OperationView,
    PodView,
    SeriesView,
)


def a_view() -> LaunchView:
    check = CheckView("3.2/0", "web.csp", "production", 60, writes=False, verdict=Verdict.FAIL)
    item = ItemView("3.2", "CSP", "ok?", (check,))
    line = SeriesView("x", "x", ((1, 0.5), (2, None)))
    view = LaunchView()
    return LaunchView(
        seq=7,
        gates=(GateView(3, "Security", (item,)),),
        statuses=with_item(view.statuses, 3, GateStatus.NO_GO),
        pods=with_item(
            view.pods, "production/a", PodView("production", "a", "b", "Running", 1, 1, 0, "i", "d", "n", 5)
        ),
        graphs=(GraphView("e", "errors", "production", "ratio", None, (line,)),),
        conditions=(
            ConditionView(
                "c", "c", "production", "ratio", 0.01, 300, "ask", "q", state=ConditionState.OK, value=0.0
            ),
        ),
        operations=(
            OperationView(
                3,
                "production.deploy",
                "deploy",
                "production",
                "t",
                "ann",
                OperationState.RUNNING,
                ("helm",),
                "a",
                "b",
                1,
                600,
                GoodRevision(1, "deployed", "ff", (("backend", "sha256:1"),)),
            ),
        ),
        bake=BakeView(1, 1800),
    )


def test_a_keyframe_gives_the_same_view() -> None:
    view = a_view()
    assert WIRE.load(LaunchView, json.loads(json.dumps(WIRE.dump(view)))) == view
    assert WIRE.load(LaunchView, json.loads(json.dumps(WIRE.dump(LaunchView())))) == LaunchView()


def test_another_shape_is_said() -> None:
    with pytest.raises(FieldError, match="seven"):
        WIRE.load(LaunchView, {"seq": "seven"})


def test_a_field_of_a_newer_version_is_left_out() -> None:
    assert WIRE.load(LaunchView, {"seq": 3, "weather": "fine"}).seq == 3
