"""Figures of delivery: what may become of a deploy, and counts both ways against the bytes of stored logs."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings

from state.events.bake import BakeFinished, BakeStarted, ConditionChanged
from state.events.event import Event
from state.events.launch import LaunchClosed
from state.figures.one_launch import Change, LaunchFigures, OverrideKind, figures_of
from state.figures.presentation import as_html, as_json, as_table, headlines
from state.figures.totals import total
from tests.screens import story
from tests.screens.story import SECOND_US, Story
from tests.state.events.test_stored_logs import NAMES, events_of, stored
from tests.state.made_events import event_lists

HOSTILE = "<script>alert(1)</script> \x1b[2J & \u202egnp"


def figures(events: list[Event]) -> LaunchFigures:
    return figures_of("a.lclog", events)


# -- what became of a deploy --------------------------------------------------------------------------------


def deployed(state: str = "succeeded") -> Story:
    told = story.ready()
    seq = told.intend("production.deploy", "deploy", "production")
    if state:
        told.finish(seq, "production.deploy", state, "as it is")
    return told


def baked(outcome: str = "done") -> Story:
    told = deployed()
    told.tell(BakeStarted.KIND, {"minimum_s": 600}, gate=9)
    told.tell(BakeFinished.KIND, {"good_s": 600, "outcome": outcome}, gate=9)
    return told


def closed() -> Story:
    told = deployed()
    told.tell(LaunchClosed.KIND, {})
    return told


def in_staging() -> Story:
    told = story.ready()
    told.finish(told.intend("staging.deploy", "deploy", "staging"), "staging.deploy", "failed", "no")
    return told


def never_started() -> Story:
    told = deployed()
    told.events = [e for e in told.events if e.kind != "operation.started"]
    return told


def taken_back() -> Story:
    told = baked()
    told.finish(told.intend("b", "rollback", "production"), "b", "succeeded", "back")
    return told


CHANGES: dict[Callable[[], Story], tuple[Change, ...]] = {
    story.ready: (),
    in_staging: (),
    never_started: (),
    story.deploying: (Change.UNKNOWN,),
    deployed: (Change.UNKNOWN,),
    lambda: deployed(""): (Change.UNKNOWN,),
    lambda: deployed("unknown"): (Change.UNKNOWN,),
    lambda: deployed("strange word"): (Change.UNKNOWN,),
    lambda: deployed("failed"): (Change.FAILED,),
    lambda: deployed("aborted"): (Change.FAILED,),
    baked: (Change.GOOD,),
    closed: (Change.GOOD,),
    lambda: baked("finished"): (Change.UNKNOWN,),
    taken_back: (Change.FAILED,),
    story.tripped: (Change.FAILED,),
    story.rolled_back: (Change.FAILED,),
}


@pytest.mark.parametrize(("told", "expected"), CHANGES.items())
def test_what_became_of_a_deploy_is_good_only_where_that_is_known(
    told: Callable[[], Story], expected: tuple[Change, ...]
) -> None:
    assert figures(told().events).changes == expected


def test_zero_launches_are_unknown_and_not_a_rate_of_zero() -> None:
    nothing = total([])
    assert nothing.changes.rate is None
    assert "Change failure rate: unknown" in as_table(nothing)
    assert "Time from trip to restored: unknown" in as_table(nothing)
    read = json.loads(as_json(nothing))
    assert read["change_failure"]["rate"] is None
    assert read["trip_to_restored"]["median_s"] is None
    undecided = total([figures(deployed().events)])
    assert undecided.changes.rate is None
    for told in (as_table(nothing), as_table(undecided), as_html(nothing)):
        assert " %" not in told
    assert not any(char.isdigit() for char in "".join(headlines(nothing)[1:]))


# -- time to restore ----------------------------------------------------------------------------------------


def test_a_trip_is_restored_by_a_rollback_that_was_verified() -> None:
    told = story.rolled_back()
    (incident,) = figures(told.events).incidents
    (end,) = [
        e for e in told.events if e.kind == "operation.finished" and e.body["id"] == "production.rollback"
    ]
    first = next(e for e in told.events if e.body.get("state") == "TRIPPED")
    assert (incident.tripped_us, incident.restored_us) == (first.wall_us, end.wall_us)
    assert incident.conditions == (told.view().conditions[0].title,)


def test_a_trip_without_a_verified_end_stays_unknown() -> None:
    told = story.tripped()
    assert [i.restored_us for i in figures(told.events).incidents] == [None]
    told.finish(told.intend("back", "rollback", "production"), "back", "failed", "not as it was")
    totals = total([figures(told.events)])
    assert (totals.restored.known, totals.restored.unknown, totals.restored.median_s) == (0, 1, None)
    assert "1 not restored in its log" in as_table(totals)


def test_a_trip_without_a_rollback_ends_when_all_that_tripped_is_ok_again() -> None:
    told = story.tripped()
    told.condition("latency-p95", "TRIPPED", value="1.3", elapsed=330)
    told.wait(60)
    told.condition("error-rate", "OK", value="0.001")
    assert [i.restored_us for i in figures(told.events).incidents] == [None]
    told.wait(30)
    told.condition("latency-p95", "OK", value="0.2")
    (incident,) = figures(told.events).incidents
    assert incident.restored_us == told.now_us
    assert len(incident.conditions) == 2


def test_the_spread_is_that_of_those_that_are_known() -> None:
    base = figures(story.rolled_back().events)
    made = [
        replace(
            base,
            log_id=str(n),
            incidents=tuple(replace(i, tripped_us=0, restored_us=s) for i in base.incidents),
        )
        for n, s in enumerate([10 * SECOND_US, 40 * SECOND_US, None, 20 * SECOND_US])
    ]
    restored = total(made).restored
    assert (restored.known, restored.unknown, restored.median_s, restored.p90_s) == (3, 1, 20.0, 40.0)


def test_copies_of_a_log_are_one_launch_and_the_longest_counts() -> None:
    whole = story.rolled_back().events
    part = replace(figures(whole[: len(whole) // 2]), log="part.lclog")
    for order in ([part, figures(whole)], [figures(whole), part]):
        totals = total(order)
        assert [one.log for one in totals.launches] == ["a.lclog"]
        assert [(one.log, one.why) for one in totals.unused] == [
            ("part.lclog", "the same launch as a.lclog, counted once")
        ]


# -- against the bytes --------------------------------------------------------------------------------------


def rows(path: Path) -> list[tuple[str, str | None, str, int, dict[str, object]]]:
    with closing(sqlite3.connect(path)) as con:
        found = con.execute("SELECT type, gate, actor, wall_us, body FROM event ORDER BY seq").fetchall()
    return [(t, g, a, w, json.loads(b) if b is not None else {}) for t, g, a, w, b in found]


@pytest.mark.parametrize("name", NAMES)
def test_gates_items_and_overrides_are_those_of_the_log_and_no_others(name: str, tmp_path: Path) -> None:
    told = rows(stored(name, tmp_path))
    found = figures(events_of(name, tmp_path))
    opened = next((w for t, _, _, w, _ in told if t == "launch.opened"), 0)
    first: dict[int, int] = {}
    lost: Counter[int] = Counter()
    for kind, gate, _, wall_us, body in told:
        if kind == "gate.changed" and gate is not None:
            if body["to"] == "GO":
                first.setdefault(int(gate[1:]), wall_us - opened)
            elif body["from"] == "GO":
                lost[int(gate[1:])] += 1
    assert {g.number: g.lead_us for g in found.gates if g.lead_us is not None} == first
    assert {g.number: g.lost for g in found.gates if g.lost} == lost
    assert {g.number for g in found.gates} == {b["number"] for t, _, _, _, b in told if t == "gate.declared"}

    newest: dict[object, object] = {}
    fails: Counter[object] = Counter()
    for kind, _, _, _, body in told:
        if kind == "check.finished":
            fails[body["item"]] += body["verdict"] == "fail" and newest.get(body["check"]) != "fail"
            newest[body["check"]] = body["verdict"]
        fails[body.get("item")] += kind == "attest.signed" and body.get("go") is False
    assert {n.item: n.times for n in found.no_go} == +fails

    made: Counter[str] = Counter()
    for kind, _, _, _, body in told:
        made["lock overridden"] += kind == "operation.intended" and bool(body.get("override"))
        made["item waived"] += kind == "item.waived" and bool(body.get("item"))
        made["condition muted"] += kind == "condition.muted"
        made["bake cut short"] += kind == "bake.finished" and body["outcome"] == "finished"
    counted: Counter[str] = Counter()
    for _, what, times in found.overrides:
        counted[what.value] += times
    del counted[OverrideKind.AGREED.value]
    assert counted == +made


@given(event_lists())
@settings(max_examples=40, deadline=None)
def test_any_events_have_figures_that_can_be_told(events: list[Event]) -> None:
    totals = total([figures(events)])
    assert json.loads(as_json(totals))["launches"][0]["events"] == len(events)
    as_table(totals)
    as_html(totals)


# -- how they are told --------------------------------------------------------------------------------------


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.text = ""
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.addresses += [name for name, _ in attrs if name in {"src", "href", "srcset", "action"}]

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"


def test_a_text_of_a_log_is_obeyed_by_no_terminal_and_no_browser() -> None:
    base = figures(story.rolled_back().events)
    odd = replace(
        base,
        version=HOSTILE,
        log=HOSTILE,
        gates=tuple(replace(g, title=HOSTILE) for g in base.gates),
        overrides=((HOSTILE, OverrideKind.WAIVER, 2),),
    )
    totals = total([odd])
    assert "\x1b" not in as_table(totals)
    assert "\u202e" not in as_table(totals)
    assert json.loads(as_json(totals))["overrides"][0]["person"] == HOSTILE
    read = Tags()
    read.feed(as_html(totals))
    assert read.tags["script"] == 0
    assert read.tags["table"] == 3
    assert read.addresses == []
    assert "<script>alert(1)</script>" in read.text


def test_all_three_formats_tell_the_same() -> None:
    totals = total([figures(story.rolled_back().events)])
    page = Tags()
    page.feed(as_html(totals))
    for told in (as_table(totals), page.text):
        assert "Change failure rate: 100 % (1 of 1 deploy of production)" in told
        assert "1 m" in told
        for gate in totals.gates:
            assert f"{gate.number} {gate.title}" in told
    read = json.loads(as_json(totals))
    assert read["change_failure"] == {"rate": 1.0, "good": 0, "failed": 1, "unknown": 0}
    assert [g["gate"] for g in read["gates"]] == [g.number for g in totals.gates]


def test_a_check_that_fails_each_minute_is_one_no_go_until_it_was_something_else() -> None:
    told = story.opened()
    for verdict in ("fail", "fail", "unknown", "fail", "fail", "pass", "fail"):
        told.check("3.2", verdict, "as it is")
    (item,) = figures(told.events).no_go
    assert (item.item, item.times) == ("3.2", 3)
    assert ConditionChanged.KIND not in {e.kind for e in told.events}
