"""The checks of a launch as JUnit XML: a suite a gate or stage, a case a check with what it said last.

A fail is a ``failure``; what could not be judged is an ``error``; what never ended, or waits for a first deploy, is
``skipped``: none of these is a pass.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from state.base.times import iso
from state.exports.judged import Judged, Outcome
from state.view.enums import Verdict

_FAILURE, _ERROR, _SKIPPED, _PASS = "failure", "error", "skipped", ""
TAGS = {
    Verdict.PASS: _PASS,
    Verdict.FAIL: _FAILURE,
    Verdict.PENDING: _SKIPPED,
    Verdict.DEFERRED: _SKIPPED,
    Verdict.RUNNING: _SKIPPED,
}
"""Every other verdict is an error."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(outcome: Outcome) -> str:
    """Return the document."""
    title = _text(outcome.view.scope.title or "Launch")
    root = Element("testsuites", {"name": title, **_totals(outcome.checks)})
    for place, grouped in groupby(outcome.checks, lambda one: one.place):
        cases = list(grouped)
        suite = SubElement(root, "testsuite", {"name": _text(place), **_totals(cases)})
        for one in cases:
            _case(suite, one)
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _case(suite: Element, one: Judged) -> None:
    name = f"{one.check.id} {one.check.kind} ({one.check.env})"
    case = SubElement(
        suite, "testcase", {"classname": _text(one.place), "name": _text(name), "time": _seconds([one])}
    )
    if one.at_us:
        case.set("timestamp", iso(one.at_us).removesuffix("Z"))
    tag = TAGS.get(one.verdict, _ERROR)
    if tag == _PASS:
        return
    summary = one.result.summary if one.result is not None else "it never ended in this launch"
    told = SubElement(case, tag, {"message": _text(summary)})
    if tag != _SKIPPED and one.result is not None:
        told.set("type", one.verdict.value)
        ways = [f"→ {way}" for way in one.result.ways]
        evidence = json.dumps(one.result.evidence, ensure_ascii=False, indent=1, default=dict)
        told.text = _text("\n".join([*ways, evidence]))


def _totals(cases: Sequence[Judged]) -> dict[str, str]:
    counts = Counter(TAGS.get(one.verdict, _ERROR) for one in cases)
    return {
        "tests": str(len(cases)),
        "failures": str(counts[_FAILURE]),
        "errors": str(counts[_ERROR]),
        "skipped": str(counts[_SKIPPED]),
        "time": _seconds(cases),
    }


def _seconds(cases: Sequence[Judged]) -> str:
    return f"{sum(one.result.ms for one in cases if one.result is not None) / 1000:.3f}"


def _text(value: str) -> str:
    """Return a text with nothing in it that XML can't hold."""
    return _NOT_XML.sub("\ufffd", value)
