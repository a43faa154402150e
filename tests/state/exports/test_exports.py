"""Exports, each read by a parser that isn't ours and counted both ways against the bytes of logs."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections import Counter
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

from state.base.json import JsonObject
from state.events.declared import GateDeclared, GraphDeclared
from state.events.event import Event
from state.events.gates import CheckFinished
from state.events.launch import LaunchOpened
from state.events.world import MetricBatch
from state.exports.icalendar import icalendar
from state.exports.in_toto import RELEASE, STATEMENT, SVR, TEST_RESULT, NoSubjectError, statements
from state.exports.json_lines import json_lines
from state.exports.judged import outcome_of
from state.exports.junit_xml import junit_xml
from state.exports.series_csv import HEADS, series_csv
from state.log.reader import LogReader
from tests.screens import story
from tests.screens.story import START_US, Story
from tests.state.events.test_stored_logs import NAMES, events_of, stored

ODD = "a\x00b\x1b[2J \ud83d\ufffe ]]> <x>&\"' \r\nEND:VCALENDAR\nX-EVIL:1, two; three\\ ümlaut"


def stored_rows(path: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as con:
        con.row_factory = sqlite3.Row
        return [dict(row) for row in con.execute("SELECT * FROM event ORDER BY seq")]


# -- JSON lines ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_json_lines_hold_every_column_and_their_chain_can_be_checked_alone(name: str, tmp_path: Path) -> None:
    path = stored(name, tmp_path)
    with LogReader(path) as reader:
        lines = [json.loads(line) for line in json_lines(reader.rows())]
    for line, row in zip(lines, stored_rows(path), strict=True):
        expected = {k: v.hex() if isinstance(v, bytes) else v for k, v in row.items()}
        expected["body"] = json.loads(row["body"]) if row["body"] is not None else None
        assert line == expected
    log = lines[0]["body"]["log_id"]
    prev = sha256(f"launch-console/genesis/v1\n{log}".encode()).hexdigest()
    for line in lines:
        if line["body"] is not None:
            text = json.dumps(line["body"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            salted = b"launch-console/body/v1\n" + bytes.fromhex(line["salt"]) + text.encode()
            assert sha256(salted).hexdigest() == line["body_sha"]
        kept = ("actor", "boot", "eid", "gate", "mono_us", "ref", "seq", "session", "type", "wall_us")
        header = {key: line[key] for key in kept} | {
            "body": line["body_sha"],
            "log": log,
            "prev": prev,
            "v": 1,
        }
        told = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        prev = sha256(b"\x00" + told.encode()).hexdigest()
        assert prev == line["hash"]


# -- CSV ----------------------------------------------------------------------------------------------------


def read_csv(events: list[Event]) -> list[dict[str, str]]:
    text = "".join(series_csv(events))
    assert text.count("\r\n") >= 1
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("name", NAMES)
def test_csv_has_every_sample_of_the_log_and_no_other(name: str, tmp_path: Path) -> None:
    told = stored_rows(stored(name, tmp_path))
    expected: Counter[tuple[str, str, str, str]] = Counter()
    for row in told:
        if row["type"] == "metric.batch":
            body = json.loads(row["body"])
            for part in filter(None, body["values"].split(";")):
                graph, _, values = part.partition("=")
                for value in values.split(","):
                    spelt = "" if value == "-" else value
                    expected[
                        str(row["seq"]), str(body["at_us"] or row["wall_us"]), unquote(graph), spelt
                    ] += 1
    rows = read_csv(events_of(name, tmp_path))
    assert Counter((r["seq"], r["time_us"], r["graph"], r["value"]) for r in rows) == expected
    assert not any(row["series"].startswith("#") for row in rows)


def test_csv_names_series_and_units_keeps_gaps_and_obeys_no_formula() -> None:
    told = Story()
    bad = '=HYPERLINK("http://x")'
    series: list[JsonObject] = [{"id": bad, "label": "l"}, {"id": "+1", "label": "l"}]
    graph: JsonObject = {"id": "@g", "title": "t", "env": "production", "unit": "ratio", "condition": None}
    told.tell(GraphDeclared.KIND, {**graph, "series": series})
    told.tell(MetricBatch.KIND, {"at_us": START_US, "values": "%40g=0.25,-;gone=-1.5,=2"})
    told.tell(MetricBatch.KIND, {"at_us": START_US, "values": [["@g", "+1", "7"]]})
    rows = read_csv(told.events)
    assert list(rows[0]) == list(HEADS)
    assert [(r["graph"], r["series"], r["value"]) for r in rows] == [
        ("'@g", f"'{bad}", "0.25"),
        ("'@g", "'+1", ""),
        ("gone", "#1", "-1.5"),
        ("gone", "#2", "'=2"),
        ("'@g", "'+1", "7"),
    ]
    assert rows[0]["time"] == "2026-12-01T20:00:00+00:00"
    assert rows[0]["unit"] == "ratio"


# -- JUnit --------------------------------------------------------------------------------------------------

TAGS = {"pass": "", "fail": "failure", "unknown": "error", "pending": "skipped", "deferred": "skipped"}


def newest(told: list[dict[str, Any]]) -> dict[str, str]:
    bodies = [(row["type"], json.loads(row["body"])) for row in told if row["body"] is not None]
    gates = {b["number"]: b for t, b in bodies if t == "gate.declared"}
    stages = {b["id"]: b for t, b in bodies if t == "stage.declared"}
    checks = [c["id"] for g in gates.values() for i in g["items"] for c in i["checks"]]
    checks += [c["id"] for s in stages.values() for c in s.get("checks", [])]
    results = {b["check"]: b["verdict"] for t, b in bodies if t == "check.finished"}
    return {check: results.get(check, "pending") for check in checks}


@pytest.mark.parametrize("name", NAMES)
def test_junit_has_every_check_with_what_it_said_last(name: str, tmp_path: Path) -> None:
    expected = {k: TAGS[v] for k, v in newest(stored_rows(stored(name, tmp_path))).items()}
    root = ET.fromstring(junit_xml(outcome_of(events_of(name, tmp_path))))
    cases = root.findall("testsuite/testcase")
    found = {case.attrib["name"].partition(" ")[0]: case[0].tag if len(case) else "" for case in cases}
    assert found == expected
    assert len(cases) == len(expected)
    counts = Counter(expected.values())
    for tag, key in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert root.attrib[key] == str(counts[tag])
        assert sum(int(suite.attrib[key]) for suite in root) == counts[tag]
    assert root.attrib["tests"] == str(len(expected))


@pytest.mark.parametrize("verdict", ["fail", "unknown", "deferred", "splendid"])
def test_what_a_check_says_is_obeyed_by_no_reader_of_xml_and_only_pass_is_a_pass(verdict: str) -> None:
    told = story.opened()
    told.check("3.2", verdict, ODD, evidence={"seen": ODD, "deep": {"a": [ODD]}})
    root = ET.fromstring(junit_xml(outcome_of(told.events)))
    (case,) = [c for c in root.iter("testcase") if c.attrib["name"].startswith("3.2/0 ")]
    assert case[0].tag == TAGS.get(verdict, "error")
    assert "<x>&\"'" in case[0].attrib["message"]


# -- in-toto ------------------------------------------------------------------------------------------------


def told_of(events: list[Event]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in statements(outcome_of(events))]


def images(told: list[dict[str, Any]]) -> set[str]:
    opened = [json.loads(row["body"]) for row in told if row["type"] == "launch.opened"]
    return {
        i.rpartition("sha256:")[2] for b in opened[-1:] for _, i in b["candidate"]["images"] if "sha256:" in i
    }


@pytest.mark.parametrize("name", NAMES)
def test_statements_are_of_what_is_known_and_of_the_candidate_s_digests(name: str, tmp_path: Path) -> None:
    rows = stored_rows(stored(name, tmp_path))
    events = events_of(name, tmp_path)
    digests = {one for one in images(rows) if len(one) == 64}
    if not digests:
        with pytest.raises(NoSubjectError):
            told_of(events)
        return
    found = told_of(events)
    for one in found:
        assert one["_type"] == STATEMENT
        assert set(one) == {"_type", "subject", "predicateType", "predicate"}
        subjects = {s["digest"]["sha256"] for s in one["subject"]}
        assert subjects == digests if one["predicateType"] != RELEASE else subjects <= digests
    results = [o["predicate"] for o in found if o["predicateType"] == TEST_RESULT]
    for one in results:
        assert all("uri" in c or "digest" in c or "content" in c for c in one["configuration"])
    of_gates = [one for one in results if len(one["configuration"]) == 2]
    of_checks = [one for one in results if len(one["configuration"]) == 1]
    said = {
        test.partition(" ")[0]: one["result"]
        for one in of_checks
        for test in one["passedTests"] + one["failedTests"]
    }
    known = {"pass": "PASSED", "fail": "FAILED"}
    assert said == {c: known[v] for c, v in newest(rows).items() if v in known}
    status: dict[int, str] = {}
    for row in rows:
        if row["type"] == "gate.changed":
            status[int(row["gate"][1:])] = json.loads(row["body"])["to"]
    assert Counter(one["result"] == "FAILED" for one in of_gates) == Counter(
        s == "NO-GO" for s in status.values() if s in {"GO", "NO-GO"}
    )
    (svr,) = [o["predicate"] for o in found if o["predicateType"] == SVR] or [{"properties": []}]
    gates = [p for p in svr["properties"] if p.startswith("LC_GATE_")]
    assert gates == [f"LC_GATE_{n:02d}_GO" for n in sorted(status) if status[n] == "GO"]


@pytest.mark.parametrize(
    ("name", "released"), [("sop-go", True), ("sop-bad-candidate", False), ("web-go", True)]
)
def test_a_release_is_stated_only_of_a_launch_that_was_good(
    name: str, released: bool, tmp_path: Path
) -> None:
    found = [o for o in told_of(events_of(name, tmp_path)) if o["predicateType"] == RELEASE]
    assert bool(found) is released
    for one in found:
        (subject,) = one["subject"]
        assert f"@sha256%3A{subject['digest']['sha256']}" in one["predicate"]["purl"]


# -- iCalendar ----------------------------------------------------------------------------------------------


def read_calendar(text: str) -> list[list[tuple[str, str]]]:
    assert text.endswith("END:VCALENDAR\r\n")
    lines = text.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    assert not any("\n" in line or "\r" in line for line in lines)
    unfolded = text.replace("\r\n ", "").split("\r\n")
    events: list[list[tuple[str, str]]] = []
    for line in unfolded[:-1]:
        name, colon, value = line.partition(":")
        assert colon
        if line == "BEGIN:VEVENT":
            events.append([])
        elif events and name != "END":
            events[-1].append((name, value))
    return events


def with_dues(title: str, text: str) -> list[Event]:
    told = story.opened()
    (opened,) = [e for e in told.events if e.kind == LaunchOpened.KIND]
    items: list[JsonObject] = [
        {"id": "1.1", "text": text, "question": "q", "checks": [], "due_s": 86_400, "owner": "Ann; Example"},
        {"id": "1.2", "text": "no time", "question": "q", "checks": []},
    ]
    events = [
        Event(**{**{f: getattr(e, f) for f in e.__slots__}, "body": {**e.body, "title": title}})
        if e is opened
        else e
        for e in told.events
        if e.kind != GateDeclared.KIND or e.body["number"] != 1
    ]
    again = Story(events=events, now_us=told.now_us)
    again.tell(GateDeclared.KIND, {"number": 1, "title": "Scope", "items": items})
    return again.events


def test_the_calendar_has_the_window_and_what_is_due_and_nothing_else() -> None:
    view = outcome_of(with_dues("Launch", "x" * 300 + "ü" * 80)).view
    window, due = read_calendar(icalendar(view))
    assert dict(window)["DTSTART"] == f"{_utc(view.scope.window_start_us)}"
    assert dict(window)["DTEND"] == f"{_utc(view.scope.window_end_us)}"
    assert dict(due)["DTSTART"] == _utc(view.scope.window_start_us - 86_400_000_000)
    assert "x" * 300 + "ü" * 80 in dict(due)["SUMMARY"]
    assert "owner: Ann\\; Example\\n" in dict(due)["DESCRIPTION"]
    assert len({dict(one)["UID"] for one in (window, due)}) == 2
    assert icalendar(view) == icalendar(view)


def test_a_text_of_the_log_begins_no_line_of_a_calendar() -> None:
    events = read_calendar(icalendar(outcome_of(with_dues(ODD, ODD)).view))
    names = {name for one in events for name, _ in one}
    assert names == {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "TRANSP"}
    assert len(events) == 2
    assert "\\nEND:VCALENDAR\\nX-EVIL:1\\, two\\; three\\\\ ümlaut" in dict(events[1])["SUMMARY"]


def _utc(at_us: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y%m%dT%H%M%SZ")


def test_the_stories_of_these_tests_have_checks_that_ended() -> None:
    assert CheckFinished.KIND in {event.kind for event in story.ready().events}
