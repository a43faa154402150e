from __future__ import annotations

import json
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from state.base.codec import WIRE
from state.base.json import JsonObject
from state.events.declared import EnvironmentDeclared, GateDeclared, GraphDeclared
from state.events.event import Event
from state.events.gates import AttestSigned, CheckFinished, GateRecycled, ItemWaived
from state.events.log import NoteAdded
from state.events.operations import OperationIntended, OperationOutput, OperationStarted, OperationStep
from state.events.world import MetricBatch, MetricGap
from state.fold import fold
from state.view.enums import GateStatus, Verdict
from state.view.launch import LaunchView
from tests.state.made_events import event_lists

T0 = 1_795_000_000_000_000
MINUTE = 60_000_000
Row: TypeAlias = tuple[str, JsonObject]


def events(*rows: Row | tuple[str, JsonObject, int], start: int = 1) -> list[Event]:
    made = []
    for seq, row in enumerate(rows, start):
        ref = row[2] if len(row) == 3 else None
        made.append(
            Event(seq, f"e{seq}", row[0], "g03", ref, "ann", "s", "b", T0 + seq, seq, row[1], f"{seq:064x}")
        )
    return made


GATE: Row = (
    GateDeclared.KIND,
    {
        "number": 3,
        "title": "Security",
        "items": [
            {
                "id": "3.2",
                "text": "CSP",
                "question": "ok?",
                "checks": [{"id": "3.2/0", "kind": "web.csp", "env": "production", "ttl_s": 600}],
            }
        ],
    },
)
PASS: Row = (CheckFinished.KIND, {"item": "3.2", "check": "3.2/0", "verdict": "pass", "summary": "strong"})
GO: Row = (AttestSigned.KIND, {"item": "3.2", "go": True, "comment": "read it"})


@given(event_lists(), st.integers(0, 40))
def test_one_go_equals_any_two_parts(made: list[Event], cut: int) -> None:
    whole = fold(made)
    assert fold(made[cut:], fold(made[:cut])) == whole
    if made:
        assert whole.seq == len(made)


@given(event_lists())
def test_a_keyframe_changes_nothing_of_what_follows(made: list[Event]) -> None:
    half = fold(made[: len(made) // 2])
    carried = WIRE.load(LaunchView, json.loads(json.dumps(WIRE.dump(half))))
    assert fold(made[len(made) // 2 :], carried) == fold(made)


def status(view: LaunchView, after_us: int = 0) -> GateStatus:
    gate = view.gate(3)
    assert gate is not None
    return gate.status(T0 + after_us)


def test_a_gate_is_go_only_when_everything_is_judged_attested_and_fresh() -> None:
    assert status(fold(events(GATE))) is GateStatus.OPEN
    assert status(fold(events(GATE, PASS))) is GateStatus.OPEN
    view = fold(events(GATE, PASS, GO))
    assert status(view) is GateStatus.GO
    assert status(view, 11 * MINUTE) is GateStatus.OPEN
    item = view.item("3.2")
    assert item is not None
    assert item.verdict(T0 + 11 * MINUTE) is Verdict.STALE


def test_unknown_is_not_pass_and_a_persons_no_go_is_a_fail() -> None:
    blind: Row = (
        CheckFinished.KIND,
        {"item": "3.2", "check": "3.2/0", "verdict": "unknown", "summary": "refused"},
    )
    assert status(fold(events(GATE, blind, GO))) is GateStatus.BLIND
    no: Row = (AttestSigned.KIND, {"item": "3.2", "go": False, "comment": "no"})
    view = fold(events(GATE, PASS, no))
    assert status(view) is GateStatus.NO_GO
    assert [d.what for d in view.deviations] == ["3.2 attested NO-GO: no"]


def test_a_waiver_ends() -> None:
    waiver: Row = (ItemWaived.KIND, {"item": "3.2", "reason": "later", "until_us": T0 + 5 * MINUTE})
    view = fold(events(GATE, waiver))
    assert status(view) is GateStatus.GO
    assert status(view, 6 * MINUTE) is GateStatus.OPEN


def test_recycling_makes_evidence_stale() -> None:
    view = fold(events(GATE, PASS, GO, (GateRecycled.KIND, {"reason": "new candidate"})))
    assert status(view) is GateStatus.OPEN
    item = view.item("3.2")
    assert item is not None
    assert item.attestation is None
    assert item.checks[0].verdict is Verdict.STALE


def test_a_gap_stays_a_gap() -> None:
    graph: Row = (
        GraphDeclared.KIND,
        {"id": "e", "title": "e", "unit": "ratio", "series": [{"id": "x", "label": "x"}]},
    )
    one: Row = (MetricBatch.KIND, {"at_us": 1, "values": [["e", "x", "0.5"]]})
    none: Row = (MetricBatch.KIND, {"at_us": 2, "values": [["e", "x", None]]})
    view = fold(events(graph, one, none, (MetricGap.KIND, {"from_us": 3})))
    assert view.graphs[0].series[0].points == ((1, 0.5), (2, None), (3, None))


def test_an_operation_is_followed_by_the_number_of_its_intent() -> None:
    view = fold(
        events(
            (OperationIntended.KIND, {"id": "production.deploy", "kind": "deploy", "env": "production"}),
            (OperationStarted.KIND, {"pid": 7}, 1),
            (OperationStep.KIND, {"name": "helm", "state": "running"}, 1),
            (OperationStep.KIND, {"name": "helm", "state": "done"}, 1),
            (OperationOutput.KIND, {"lines": ["a", "b"]}, 1),
        )
    )
    running = view.running()
    assert running is not None
    assert (running.pid, [s.state for s in running.steps], running.output) == (7, ["done"], ("a", "b"))


def test_a_kind_of_a_newer_version_is_counted_and_shown() -> None:
    view = fold(events(("weather.changed", {"title": "rain"})))
    assert view.unknown_kinds == 1
    assert view.tail[-1].words == "rain"


def test_hostile_words_are_cleaned() -> None:
    view = fold(events((NoteAdded.KIND, {"text": "\x1b]52;c;aGk=\x07red \x1b[31malert\x9b2J"})))
    assert view.tail[-1].words == "red alert"


def test_the_domains_of_an_environment_are_read_in_both_forms() -> None:
    common: JsonObject = {"title": "t", "namespace": "n", "release": "r", "context": "c"}
    two: JsonObject = {"tier": "staging", "api": "api.test", "admin": "admin.test", **common}
    any_number: JsonObject = {"tier": "production", "hosts": [["shop", "shop.test"]], **common}
    view = fold(events((EnvironmentDeclared.KIND, two), (EnvironmentDeclared.KIND, any_number)))
    assert [environment.hosts for environment in view.environments] == [
        (("api", "api.test"), ("admin", "admin.test")),
        (("shop", "shop.test"),),
    ]
    assert WIRE.load(LaunchView, WIRE.dump(view)) == view
