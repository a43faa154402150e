"""Steps of a flow and queries of a schema: an answer that holds nothing proves nothing, and only what ran is told."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from checks.base import CheckContext
from checks.clients.clients import Clients
from checks.clients.errors import Where
from checks.clients.wire import Reply
from checks.flows import Step, content, walk
from checks.judging import Findings
from checks.registry import kind
from state.base.clock import SystemClock
from state.runbook.environment import Tier
from state.runbook.load import load_runbook
from state.view.enums import Verdict
from state.view.launch import LaunchView
from tests.paths import SOP_RUNBOOK

JSON, HTML = "application/json", "text/html; charset=utf-8"
PAGE = b"<!doctype html><title>Shop</title><div id=root></div>"
NO = Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("step", "kind_", "body", "verdict"),
    [
        ({}, JSON, b'{"total": 3}', Verdict.PASS),
        ({}, JSON, b"[]", Verdict.PASS),  # nobody said that there are any
        ({}, JSON, b"0", Verdict.PASS),
        ({}, JSON, b"{}", NO),
        ({}, JSON, b"null", NO),
        ({}, JSON, b"", NO),
        ({}, JSON, b'{"total": 3', NO),
        ({}, HTML, PAGE, NO),
        ({}, JSON, PAGE, NO),  # a page that calls itself JSON
        ({"role": None, "path": "/cart"}, HTML, PAGE, Verdict.PASS),  # a shop's own page
        ({"role": None, "path": "/cart"}, HTML, b"", NO),
        ({"role": None, "path": "/apis-explained"}, HTML, PAGE, Verdict.PASS),
        ({"role": None, "path": "/api/v1/plans"}, HTML, PAGE, NO),
        ({"role": None, "path": "/api"}, HTML, PAGE, NO),
        ({"page": True}, HTML, PAGE, Verdict.PASS),
        ({"page": True}, JSON, b'{"error": 1}', NO),
        ({"page": True}, HTML, b" \n", NO),
        ({"surface": "admin"}, HTML, PAGE, Verdict.PASS),
        ({"surface": "admin"}, HTML, b"", NO),
        ({"surface": "admin", "page": False}, HTML, PAGE, NO),
        ({"surface": "admin", "has": ["total"]}, HTML, PAGE, NO),
        ({"has": ["total"]}, JSON, b'{"total": null}', Verdict.PASS),
        ({"has": ["total"]}, JSON, b'{"sum": 1}', Verdict.FAIL),
        ({"has": ["total"]}, JSON, b"[]", Verdict.FAIL),
        ({"has": ["total"]}, JSON, b"{}", Verdict.FAIL),
        ({"has": ["total"]}, JSON, b"null", Verdict.FAIL),
        ({"has": ["ok"]}, JSON, b'{"ok": false}', Verdict.FAIL),
    ],
)
def test_a_step_is_right_by_what_its_answer_holds(
    step: dict[str, object], kind_: str, body: bytes, verdict: Verdict
) -> None:
    findings = Findings()
    one = Step.model_validate({"flow": "a", "path": "/x", "role": "ann", **step})
    content(
        one, Reply(Where("w", "t"), 200, (("Content-Type", kind_),), body, 1), "a: /x", " as ann", findings
    )
    outcome = findings.outcome("fine")
    assert outcome.verdict is verdict, outcome.summary


class Answering:
    """A platform that answers everything alike."""

    def __init__(self, status: int, body: bytes) -> None:
        self.reply = Reply(Where("w", "t"), status, (("Content-Type", JSON),), body, 1)

    async def get_as(self, role: str | None, path: str, *, surface: str = "") -> Reply:
        return self.reply


@pytest.mark.parametrize(
    ("status", "has", "body", "verdict"),
    [
        (403, ["detail"], b'{"detail": "no"}', Verdict.PASS),
        (403, ["detail"], b'{"error": "no"}', Verdict.FAIL),  # whatever the status, its fields are due
        (403, [], b"", Verdict.PASS),
        (204, [], b"", Verdict.PASS),
        (204, ["id"], b"", NO),
        (200, [], b"", NO),
        (404, ["detail"], b'{"detail": "no"}', Verdict.FAIL),
    ],
)
async def test_the_fields_of_a_step_are_due_at_every_status_that_is_right(
    status: int, has: list[str], body: bytes, verdict: Verdict
) -> None:
    step = {"flow": "a", "path": "/x", "role": "ann", "expect": [200, 204, 403], "has": has}
    findings = Findings()
    await walk(Step.model_validate(step), Answering(status, body), findings)  # type: ignore[arg-type]  # all it asks
    outcome = findings.outcome("fine")
    assert outcome.verdict is verdict, outcome.summary


ONE = {"id": "one", "sql": "SELECT 1", "equals": 1}
TWO = {"id": "two", "sql": "SELECT 2", "at_least": 1}
ELSEWHERE = {"id": "types", "sql": "SELECT x FROM pg_type", "equals": 0, "dialect": "postgresql"}


@pytest.mark.parametrize(
    ("settings", "verdict", "words"),
    [
        ({"tables": ["a", "b"], "columns": ["a.id"], "queries": [ONE]}, Verdict.PASS,
         "2 tables and 1 column found, 1 query gave what is expected"),
        ({"tables": ["a"], "queries": [ELSEWHERE]}, Verdict.PASS, "1 table found"),
        ({"queries": [ONE, ELSEWHERE, TWO]}, Verdict.PASS, "2 queries gave what is expected"),
        ({"queries": [ELSEWHERE]}, NO, "nothing was looked at"),
        ({}, NO, "nothing was looked at"),
        ({"tables": ["c"]}, Verdict.FAIL, "table c is missing"),
    ],
)  # fmt: skip
async def test_a_schema_is_said_to_have_what_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, object], verdict: Verdict, words: str
) -> None:
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as base:
        base.executescript("CREATE TABLE a (id INTEGER); CREATE TABLE b (id INTEGER)")
    book = load_runbook(SOP_RUNBOOK).runbook
    database = book.environments[Tier.PRODUCTION].database
    assert database is not None
    assert database.url.env is not None
    monkeypatch.setenv(database.url.env, f"sqlite:///{file}")
    clients = Clients(book)
    smoke = kind("data.smoke")
    assert smoke is not None
    try:
        context = CheckContext(Tier.PRODUCTION, book, clients, SystemClock(), LaunchView())
        outcome = await smoke.run(settings, context)
    finally:
        await clients.aclose()
    assert (outcome.verdict, words in outcome.summary) == (verdict, True), outcome.summary
