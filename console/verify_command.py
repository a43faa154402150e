"""``launch-console verify LOG``: the check of a log, for a person or as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from state.log.errors import Damage, LogError
from state.log.verify import VerifyReport, verify

VERIFIES, DAMAGED, UNUSABLE = 0, 1, 2


def run(log: Path, anchors: list[str], as_json: bool) -> int:
    """Check a log, print what was found, and return 0 when it verifies, 1 when damaged, 2 when it is no log.

    A wrong anchor text, and a file that can't be read, go to standard error and give 2 as well.
    """
    try:
        report = verify(log, anchors)
    except (ValueError, LogError) as error:
        sys.stderr.write(f"launch-console verify: {error}\n")
        return UNUSABLE
    if report.damage is Damage.NOT_A_LOG:
        sys.stderr.write(f"launch-console verify: {report.message}\n")
        return UNUSABLE
    told = json.dumps(_as_json(log, report), ensure_ascii=False) if as_json else _as_text(log, report)
    sys.stdout.write(f"{told}\n")
    return VERIFIES if report.ok else DAMAGED


def _as_json(log: Path, report: VerifyReport) -> dict[str, object]:
    return {
        "ok": report.ok,
        "log": str(log),
        "log_id": report.log_id,
        "events": report.events,
        "head": report.head,
        "bad_seq": report.bad_seq,
        "damage": report.damage.value if report.damage is not None else None,
        "message": report.message,
        "anchors": report.anchors,
        "unanchored": report.unanchored,
    }


def _as_text(log: Path, report: VerifyReport) -> str:
    lines = [f"{'VERIFIES' if report.ok else 'DAMAGED'}  {log}", f"  {report.message}"]
    if not report.ok and report.events:
        lines.append(f"  the {report.events} events before it verify")
    if report.head:
        lines.append(f"  head     {report.head}")
    if report.events:
        lines.append(f"  anchors  {report.anchors} agree; {report.unanchored} events are after the newest")
    return "\n".join(lines)
