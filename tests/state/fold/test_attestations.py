"""What a person's word stands on: it is asked for again when what it was about has changed, and only then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.base.json import JsonObject
from state.events.bake import BakeFinished, BakeStarted
from state.events.declared import EnvironmentDeclared, GateDeclared, OperationDeclared
from state.events.event import Event
from state.events.gates import AttestSigned, AttestWithdrawn, CheckFinished, CheckStarted, GateRecycled
from state.events.launch import LaunchOpened, RunbookChanged
from state.events.operations import CandidateSeen, OperationFinished, OperationIntended
from state.fold import fold
from state.view.enums import GateStatus, Verdict
from state.view.gates import AttestationView, ItemView
from state.view.launch import LaunchView

T0 = 1_795_000_000_000_000
Body: TypeAlias = Mapping[str, object]
Row: TypeAlias = tuple[str, Body] | tuple[str, Body, str] | tuple[str, Body, str, int]


def check(env: str, after: list[str], look: str = "once", name: str = "7.3/0") -> Body:
    return {
        "id": name,
        "kind": "data.smoke",
        "env": env,
        "ttl_s": 600,
        "writes": False,
        "look": look,
        "after": list(after),
    }


def gate(number: int, *checks: Body, **rule: object) -> Row:
    item = {"id": f"{number}.3", "text": "t", "question": "ok?", "checks": list(checks), **rule}
    return GateDeclared.KIND, {"number": number, "title": "t", "items": [item]}


GATE = gate(7, check("production", ["migrate"]))
PEOPLE: Row = (
    LaunchOpened.KIND,
    {
        "launch_id": "l",
        "people": [
            {"id": "a", "name": "A", "roles": ["captain"], "accounts": ["ann", "annie"]},
            {"id": "b", "name": "B", "roles": ["approver"], "accounts": ["bob"]},
            {"id": "x", "name": "X", "roles": ["operator"], "accounts": ["*"]},
        ],
    },
)
DEPLOY: Row = (
    OperationDeclared.KIND,
    {"id": "production.deploy", "kind": "deploy", "env": "production", "gate": 9, "gates": [7], "items": []},
)
FAILED = "data.smoke was pass when ann said GO; it's fail now"
BLIND = "data.smoke could not be judged when ann said GO; it's pass now"
MIGRATED = "production.migrate ran since"
STARTED: Row = (CheckStarted.KIND, {"item": "7.3", "check": "7.3/0"})
GO: Row = (AttestSigned.KIND, {"item": "7.3", "go": True, "comment": ""})


def says(verdict: str, name: str = "7.3/0") -> Row:
    return CheckFinished.KIND, {
        "item": name.partition("/")[0],
        "check": name,
        "verdict": verdict,
        "summary": "s",
    }


def word(*, go: bool = True, by: str = "ann", item: str = "7.3") -> Row:
    return AttestSigned.KIND, {"item": item, "go": go, "comment": "c"}, by


def folded(*rows: Row) -> LaunchView:
    events = []
    for seq, row in enumerate(rows, 1):
        actor = row[2] if len(row) > 2 else "ann"
        # A check whose end stands without its beginning began just before.
        ref = row[3] if len(row) > 3 else seq - 1 if row[0] == CheckFinished.KIND else None
        body = cast("JsonObject", row[1])
        events.append(
            Event(seq, f"e{seq}", row[0], "g07", ref, actor, "s", "b", T0 + seq, seq, body, f"{seq:064x}")
        )
    return fold(events)


def ran(operation: str, at: int, state: str = "succeeded") -> tuple[Row, Row]:
    """Return an operation that began as event ``at`` and ended."""
    env, _, kind = operation.partition(".")
    body: Body = {"id": operation, "kind": kind, "env": env, "override": None}
    return (
        (OperationIntended.KIND, body, "op"),
        (OperationFinished.KIND, {"id": operation, "state": state, "verdict": "v"}, "engine", at),
    )


def item(view: LaunchView, name: str = "7.3") -> ItemView:
    found = view.item(name)
    assert found is not None
    return found


def newest(view: LaunchView, name: str = "7.3") -> AttestationView:
    found = item(view, name).attestation
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("before", "after", "stale", "verdict"),
    [
        ([says("pass")], [says("pass")], "", Verdict.PASS),
        ([says("pass")], [STARTED, says("pass")], "", Verdict.PASS),
        ([says("pass")], [STARTED], "", Verdict.RUNNING),
        ([says("fail")], [says("pass")], "data.smoke was fail when ann said GO; it's pass now", Verdict.STALE),
        ([says("pass")], [says("fail")], FAILED, Verdict.FAIL),
        ([says("pass")], [says("fail"), says("pass")], FAILED, Verdict.STALE),
        ([says("unknown")], [says("pass")], BLIND, Verdict.STALE),
        ([STARTED], [says("pass")], "data.smoke was running when ann said GO; it's pass now", Verdict.STALE),
        ([], [says("pass")], "data.smoke had not run when ann said GO; it's pass now", Verdict.STALE),
        # What can't be judged takes the word away for as long as it can't.
        ([says("pass")], [says("unknown")], "7.3/0 can't be judged any more", Verdict.UNKNOWN),
        ([says("pass")], [says("unknown"), says("pass")], "", Verdict.PASS),
        ([says("pass")], [says("unknown"), says("fail"), says("pass")], FAILED, Verdict.STALE),
        ([says("pass")], [*ran("production.migrate", 4)], MIGRATED, Verdict.STALE),
        ([says("pass")], [*ran("production.migrate", 4), says("pass")], MIGRATED, Verdict.STALE),
        ([says("pass")], [*ran("production.migrate", 4, "failed")], MIGRATED, Verdict.STALE),
        ([says("pass")], [*ran("staging.migrate", 4)], "", Verdict.PASS),
        ([says("pass")], [*ran("production.rollback", 4)], "", Verdict.PASS),
    ],
)  # fmt: skip
def test_a_word_is_about_what_the_checks_said(
    before: list[Row], after: list[Row], stale: str, verdict: Verdict
) -> None:
    view = folded(GATE, *before, GO, *after)
    assert newest(view).stale == stale
    assert item(view).verdict(T0 + 100) is verdict
    if stale:  # asked again, and answered
        again = folded(GATE, *before, GO, *after, says("pass"), GO)
        assert newest(again).stale == ""
        assert item(again).verdict(T0 + 100) is Verdict.PASS


@given(st.lists(st.sampled_from(["pass", "fail", "unknown", "start", "GO"]), max_size=12))
def test_a_go_counts_only_over_evidence_that_says_what_it_said_then(told: list[str]) -> None:
    rows: dict[str, Row] = {"start": STARTED, "GO": GO}
    view = folded(GATE, *(rows.get(one) or says(one) for one in told))
    signed = len(told) - 1 - told[::-1].index("GO") if "GO" in told else None
    # The slow and plain rule: what it saw is all that came after it, and it can be judged.
    seen = next((one for one in reversed(told[:signed]) if one != "GO"), "nothing")
    after = [one for one in told[(signed or 0) + 1 :] if one != "start"]
    judged = [one for one in after if one != "unknown" or seen == "unknown"]
    unjudged = seen in {"start", "nothing", "unknown"}
    stands = signed is not None and (
        not [one for one in after if one != "unknown"]
        if unjudged
        else all(one == seen for one in judged) and after[-1:] != ["unknown"]
    )
    assert item(view).signed == int(stands)
    if item(view).verdict(T0 + 100) is Verdict.PASS:
        assert stands
        assert seen == "pass"


def test_what_a_promotion_used_stays_as_it_was_unless_something_fails() -> None:
    promoted = (*ran("production.deploy", 5),)
    start = (GATE, DEPLOY, says("pass"), GO, *promoted)
    for later in ((*ran("production.migrate", 7),), (says("unknown"), says("pass"))):
        view = folded(*start, *later)
        assert item(view).used_us
        assert newest(view).stale == ""
    failed = folded(*start, says("fail"))
    assert newest(failed).stale == FAILED
    assert failed.gate(7).status(T0 + 100) is GateStatus.NO_GO  # type: ignore[union-attr]  # it is there
    back = folded(*start, says("fail"), says("pass"))
    assert item(back).attested() is Verdict.STALE


def test_a_second_look_was_not_there_to_be_seen() -> None:
    looks = gate(
        7,
        check("staging", ["deploy", "rollback"], "candidate"),
        check("production", ["deploy", "rollback"], "live", "7.3/0/live"),
    )
    start = (looks, DEPLOY, says("pass"), GO, *ran("production.deploy", 5))
    fine = folded(*start, says("pass", "7.3/0/live"))
    assert (newest(fine).stale, item(fine).verdict(T0 + 100)) == ("", Verdict.PASS)
    bad = folded(*start, says("fail", "7.3/0/live"))
    assert newest(bad).stale == "data.smoke had not been judged when ann said GO; it's fail now"
    # Another candidate in staging is another thing than the one that was looked at.
    again = folded(looks, DEPLOY, says("pass"), GO, *ran("staging.deploy", 5))
    assert newest(again).stale == "staging.deploy ran since"


SEEN: Row = (
    CandidateSeen.KIND,
    {"env": "production", "parts": [["images", "1"], ["values file p.yaml", "1"]]},
    "engine",
)
OTHER: Body = {"env": "production", "parts": [["images", "1"], ["values file p.yaml", "2"]]}


def test_other_values_are_another_thing_than_what_was_approved() -> None:
    view = folded(SEEN, GATE, DEPLOY, says("pass"), GO, (CandidateSeen.KIND, OTHER, "engine"))
    assert newest(view).stale == "production: values file p.yaml changed"
    # Words from the one on with which they were found are about the new ones.
    more = folded(SEEN, GATE, DEPLOY, says("pass"), GO, word(), (CandidateSeen.KIND, OTHER, "engine", 6))
    assert newest(more).stale == ""
    # A gate that locks no deploy of theirs, and values of somewhere else.
    nothing = folded(SEEN, GATE, says("pass"), GO, (CandidateSeen.KIND, OTHER, "engine"))
    assert newest(nothing).stale == ""
    staging = folded(
        SEEN, GATE, DEPLOY, says("pass"), GO, (CandidateSeen.KIND, {**OTHER, "env": "staging"}, "engine")
    )
    assert newest(staging).stale == ""
    used = folded(
        SEEN,
        GATE,
        DEPLOY,
        says("pass"),
        GO,
        *ran("production.deploy", 6),
        (CandidateSeen.KIND, OTHER, "engine"),
    )
    assert newest(used).stale == ""


def place(**changes: str) -> Row:
    body = {
        "tier": "production",
        "title": "PRODUCTION",
        "namespace": "n",
        "release": "r",
        "context": "c",
        "hosts": [],
    }
    return EnvironmentDeclared.KIND, {**body, **changes}


def test_another_cluster_is_another_place() -> None:
    assert newest(folded(place(), GATE, says("pass"), GO, place(title="prod"))).stale == ""
    moved = folded(place(), GATE, says("pass"), GO, place(context="other"))
    assert newest(moved).stale == "production is another place than before"
    elsewhere = folded(place(tier="staging"), GATE, says("pass"), GO, place(tier="staging", context="other"))
    assert newest(elsewhere).stale == ""


@pytest.mark.parametrize(
    ("line", "stale"),
    [
        ("scope: window_end_us: 1 → 2", True),
        ('condition error-rate: threshold: "0.01" → "0.02"', True),
        ('gate 2: items 2.1 text: "a" → "b"', False),
    ],
)
def test_another_window_is_another_question(line: str, stale: bool) -> None:
    scope = gate(1, {**check("production", [], name="1.3/0"), "kind": "scope.window"})
    changed: Row = (RunbookChanged.KIND, {"digest": "d", "before": "b", "diff": [line], "gone": []})
    view = folded(scope, says("pass", "1.3/0"), word(item="1.3"), GATE, says("pass"), GO, changed)
    assert bool(newest(view, "1.3").stale) is stale
    assert newest(view).stale == ""


def test_the_end_of_the_bake_is_news_for_what_was_said_of_it() -> None:
    watched = gate(9, check("production", ["bake"], name="9.3/0"))
    started: Row = (BakeStarted.KIND, {"minimum_s": 1, "maximum_s": 2})
    finished: Row = (BakeFinished.KIND, {"outcome": "done", "good_s": 1, "why": ""})
    view = folded(watched, started, says("pass", "9.3/0"), word(item="9.3"), finished)
    assert newest(view, "9.3").stale == "the bake ended since"


def test_an_objection_stands_until_it_is_answered() -> None:
    view = folded(GATE, says("fail"), word(go=False), says("pass"))
    assert item(view).verdict(T0 + 100) is Verdict.FAIL
    assert newest(view).stale == "data.smoke was fail when ann said NO-GO; it's pass now"
    assert (
        item(folded(GATE, says("fail"), word(go=False), says("pass"), GO)).verdict(T0 + 100) is Verdict.PASS
    )


def two(**rule: object) -> Row:
    return gate(7, check("production", ["migrate"]), rule={"people": 2, **rule})


@pytest.mark.parametrize(
    ("rows", "signed", "verdict"),
    [
        ([word()], 1, Verdict.PENDING),
        ([word(), word()], 1, Verdict.PENDING),
        ([word(), word(by="annie")], 1, Verdict.PENDING),  # another account of the same person
        ([word(), word(by="bob")], 2, Verdict.PASS),
        ([word(by="tom"), word(by="tim")], 2, Verdict.PASS),  # both are "everybody else", and two people
        ([word(), word(by="bob", go=False)], 1, Verdict.FAIL),
        ([word(by="bob", go=False), word()], 1, Verdict.FAIL),
        ([word(by="bob", go=False), word(), word(by="bob")], 2, Verdict.PASS),
        ([word(), says("fail"), says("pass"), word(by="bob")], 1, Verdict.STALE),
        ([word(), word(by="bob"), says("fail"), says("pass")], 0, Verdict.STALE),
        ([word(), word(by="bob"), (AttestWithdrawn.KIND, {"item": "7.3", "reason": "r"})], 1, Verdict.PENDING),
        ([word(), word(by="bob"), (GateRecycled.KIND, {"reason": "r"})], 0, Verdict.STALE),
    ],
)  # fmt: skip
def test_two_people_are_two_people(rows: list[Row], signed: int, verdict: Verdict) -> None:
    view = folded(PEOPLE, two(), says("pass"), *rows)
    assert item(view).signed == signed
    assert item(view).verdict(T0 + 100) is verdict


def test_who_does_what_excludes_them_takes_their_word_with_it() -> None:
    rule: Body = {"excluded": ["ran production.deploy", "signed 2.3"]}
    other = gate(2)
    start = (PEOPLE, gate(7, rule=rule), other)
    view = folded(*start, word(by="op"), *ran("production.deploy", 5))
    assert newest(view).stale == "op ran production.deploy since, and may not sign this"
    assert newest(folded(*start, word(by="ann"), *ran("production.deploy", 5))).stale == ""
    view = folded(*start, word(by="ann"), word(by="annie", item="2.3"))
    assert newest(view).stale == "ann signed 2.3 since, and may not sign this"
    assert newest(folded(*start, word(by="ann"), word(by="bob", item="2.3"))).stale == ""


def test_what_does_not_apply_passes_without_a_waiver_and_an_objection_still_counts() -> None:
    away = gate(7, not_applicable="nothing is migrated")
    view = folded(away)
    assert view.gate(7).status(T0) is GateStatus.GO  # type: ignore[union-attr]  # it is there
    assert view.deviations == ()
    assert item(folded(away, word(go=False))).verdict(T0) is Verdict.FAIL


@pytest.mark.parametrize(
    ("due_s", "now_s", "done", "overdue"),
    [
        (0, 0, False, False),
        (7200, -7201, False, False),
        (7200, -7200, False, True),
        (7200, 3600, False, True),
        (7200, 3600, True, False),
    ],
)
def test_an_item_is_overdue_while_it_is_open_after_its_time(
    due_s: int, now_s: int, done: bool, overdue: bool
) -> None:
    timed = gate(7, check("production", []), due_s=due_s)
    view = folded(timed, *((says("pass"), GO) if done else ()))
    start_us = T0 + 10_000 * 1_000_000 if not done else T0 - 3_600 * 1_000_000
    assert item(view).overdue(start_us, start_us + now_s * 1_000_000) is overdue
    assert not item(view).overdue(0, T0)


def test_a_go_against_the_evidence_is_a_deviation() -> None:
    body: Body = {
        "item": "7.3",
        "go": True,
        "comment": "",
        "cautions": ["data.smoke (production) failed"],
    }
    view = folded(GATE, says("fail"), (AttestSigned.KIND, body))
    assert [one.what for one in view.deviations] == ["7.3 attested GO, though data.smoke (production) failed"]
    assert view.tail[-1].words == "7.3 attested GO, though data.smoke (production) failed"
    assert view.tail[-1].severity == "blind"
