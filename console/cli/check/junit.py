"""The results of ``launch-console check`` as JUnit XML, which every CI shows.

A suite for each gate, and for each stage of the pipeline. A fail is a ``failure``, what could not be judged is an
``error``, and what was not looked at (a skipped probe, an item that only people judge) is ``skipped``: none of these
is a pass.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from console.cli.check.tally import HUMAN, SKIPPED, Row, Swept, by_place

_TAG = {"fail": "failure", "unknown": "error", SKIPPED: "skipped", HUMAN: "skipped"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(target: Path, swept: Swept) -> None:
    """Write the results to a file.

    Raises OSError.
    """
    root = Element("testsuites", {"name": _text(swept.loaded.runbook.scope.title), **_totals(swept.rows)})
    for place, rows in by_place(swept):
        title = _text(place)
        suite = SubElement(root, "testsuite", {"name": title, **_totals(rows)})
        for row in rows:
            _case(suite, title, row)
    indent(root)
    with target.open("wb") as file:
        ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


def _case(suite: Element, title: str, row: Row) -> None:
    name = f"{row.name} {row.kind} ({row.env})" if row.kind else row.item
    case = SubElement(suite, "testcase", {"classname": title, "name": _text(name), "time": _seconds([row])})
    tag = _TAG.get(row.outcome)
    if tag is None:
        return
    told = SubElement(case, tag, {"message": _text(row.summary)})
    if tag != "skipped":
        told.set("type", row.outcome)
        evidence = row.result.evidence if row.result is not None else {}
        ways = [f"→ {way}" for way in row.result.ways] if row.result is not None else []
        told.text = _text("\n".join([*ways, json.dumps(evidence, ensure_ascii=False, indent=1)]))


def _totals(rows: Sequence[Row]) -> dict[str, str]:
    counts = Counter(_TAG.get(row.outcome, "pass") for row in rows)
    return {
        "tests": str(len(rows)),
        "failures": str(counts["failure"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
        "time": _seconds(rows),
    }


def _seconds(rows: Sequence[Row]) -> str:
    return f"{sum(row.result.ms for row in rows if row.result is not None) / 1000:.3f}"


def _text(value: str) -> str:
    """Return a text with nothing in it that XML can't hold."""
    return _NOT_XML.sub("\ufffd", value)
