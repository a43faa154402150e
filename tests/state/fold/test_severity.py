"""How bad an event is, by what it says; words for people decide nothing."""

from __future__ import annotations

import pytest

from screens.kit.plain import Role
from screens.kit.table import Table
from state.base.json import JsonObject
from state.events.bake import ConditionChanged
from state.events.bodies import body_of
from state.events.event import Event
from state.events.gates import AttestSigned, CheckFinished, GateChanged
from state.events.launch import CommandRefused
from state.events.log import LogWriteFailed, NoteAdded
from state.events.operations import OperationFinished, OperationUnknown
from state.events.world import SourceChanged
from state.fold import fold, line_of
from state.fold.severity import milestone, severity
from state.view.enums import ConditionState, GateStatus, OperationState, Severity, Verdict
from tests.screens import story
from tests.screens.stage import app_of

PLAIN, BLIND, BAD = Severity.PLAIN, Severity.BLIND, Severity.BAD
ALARMING = "a fail of the login, NO-GO, TRIPPED, aborted, unknown, BLIND, ERROR, NO_DATA, lost"
"""What a summary, a comment or a reason may say without being a verdict."""


def event(kind: str, body: JsonObject, actor: str = "engine") -> Event:
    return Event(1, "e", kind, None, None, actor, "s", "b", 1, 0, body, "0" * 64)


VERDICTS = {Verdict.FAIL: BAD, Verdict.UNKNOWN: BLIND}
STATUSES = {GateStatus.NO_GO: BAD, GateStatus.BLIND: BLIND, GateStatus.UNKNOWN: BLIND}
ENDS = {OperationState.FAILED: BAD, OperationState.ABORTED: BAD, OperationState.UNKNOWN: BLIND}
STATES = {
    ConditionState.TRIPPED: BAD,
    **dict.fromkeys((s for s in ConditionState if s.blind), BLIND),
    ConditionState.BREACHING: BLIND,
}
CASES: list[tuple[str, JsonObject, Severity]] = [
    *((CheckFinished.KIND, {"verdict": v, "summary": ALARMING}, VERDICTS.get(v, PLAIN)) for v in Verdict),
    *((GateChanged.KIND, {"from": "NO-GO", "to": s}, STATUSES.get(s, PLAIN)) for s in GateStatus),
    *((OperationFinished.KIND, {"state": s, "verdict": ALARMING}, ENDS.get(s, PLAIN)) for s in OperationState),
    *((ConditionChanged.KIND, {"state": s, "reason": ALARMING}, STATES.get(s, PLAIN)) for s in ConditionState),
    (AttestSigned.KIND, {"go": True, "comment": ALARMING}, PLAIN),
    (AttestSigned.KIND, {"go": False, "comment": "well"}, BAD),
    (SourceChanged.KIND, {"ok": True, "name": "lost", "reason": ALARMING}, PLAIN),
    (SourceChanged.KIND, {"ok": False, "reason": "x"}, BLIND),
    (LogWriteFailed.KIND, {}, BAD),
    (CommandRefused.KIND, {}, BAD),
    (OperationUnknown.KIND, {}, BAD),
    (NoteAdded.KIND, {"text": ALARMING}, PLAIN),
    (CheckFinished.KIND, {"verdict": "perhaps", "summary": ALARMING}, BLIND),
    ("weather.changed", {"verdict": "fail"}, PLAIN),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "body", "wanted"), CASES)
def test_the_severity_of_an_event(kind: str, body: JsonObject, wanted: Severity) -> None:
    assert severity(body_of(event(kind, body))) is wanted
    assert line_of(event(kind, body)).severity is wanted


def test_the_fold_gives_it_to_the_tail() -> None:
    told = event(CheckFinished.KIND, {"item": "2.1", "verdict": "fail", "summary": "x"})
    assert [line.severity for line in fold([told]).tail] == [BAD]


@pytest.mark.parametrize(
    ("kind", "body", "actor", "is_one"),
    [
        (ConditionChanged.KIND, {"state": "TRIPPED"}, "engine", True),
        (ConditionChanged.KIND, {"state": "OK", "reason": "TRIPPED"}, "engine", False),
        (GateChanged.KIND, {"to": "GO"}, "engine", True),
        (NoteAdded.KIND, {}, "ann", True),
        (NoteAdded.KIND, {}, "engine", False),
        (CheckFinished.KIND, {"verdict": "fail"}, "ann", False),
    ],
)
def test_what_a_review_reads_first(kind: str, body: JsonObject, actor: str, is_one: bool) -> None:
    assert milestone(event(kind, body, actor)) is is_one


async def test_a_passing_check_about_a_failed_login_is_not_red() -> None:
    told = story.opened()
    told.check("2.1", "pass", "a failed login fails as it should, with NO-GO")
    told.check("3.2", "fail", "no header")
    app, _ = app_of(told)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("l", "m")  # every event, not milestones alone
        await pilot.pause(0.2)
        rows = {r.key: r.cells[-1] for r in app.screen.query_one("#events", Table).rows}
        roles = [getattr(rows[str(n)], "role", None) for n in (len(told.events) - 2, len(told.events))]
        assert roles == [Role.PLAIN, Role.BAD]
