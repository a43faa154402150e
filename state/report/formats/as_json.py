"""A report as JSON: its facts as they are, for whoever reads it by program."""

from __future__ import annotations

import json

from state.base.codec import WIRE
from state.report.facts import LaunchReport

FORMAT = "launch-console-report/1"
"""What the reader of a report may rely on: fields are added, and none changes its meaning, while this stays."""


def as_json(facts: LaunchReport) -> str:
    """Return a report's facts as one JSON object; times are microseconds since 1970, lengths ``_s`` seconds."""
    told = {"format": FORMAT, **WIRE.dump(facts)}
    return json.dumps(told, ensure_ascii=True, allow_nan=False, separators=(",", ":")) + "\n"
