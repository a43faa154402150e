"""A whole launch by itself, as ``rehearse --headless --json`` prints it: good, and with faults."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from console.rehearsal.captain import Outcome
from console.rehearsal.fault import Fault
from console.rehearsal.faults import FAULTS, named
from state.fields import JsonObject, obj, text
from tests.rehearsal.table import OF_THE_LAUNCH

GOOD = {"pass", "pending"}
"""What an item may be that has no part in a fault; pending where the launch ended before it."""
OUTCOMES = {"csp-weak": Outcome.NO_GO, "jaeger-down": Outcome.BLIND}
LAUNCHED = [
    *(named(name) for name in OUTCOMES),
    *(fault for fault in FAULTS if fault.item in OF_THE_LAUNCH),
]
"""One fault that fails its item, one that blinds it, and all that show only in a launch."""


async def _rehearse(folder: Path, *words: str) -> tuple[int, list[JsonObject]]:
    """Return the exit code and what was printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console", "rehearse", "--headless", "--json"),
        *("--log", str(folder / "launch.lclog"), *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, [obj(json.loads(row)) for row in out.splitlines()]


def _summary(printed: list[JsonObject]) -> JsonObject:
    return obj(printed[-1]["summary"])


async def test_without_a_fault_forty_two_items_pass(tmp_path: Path) -> None:
    code, printed = await _rehearse(tmp_path)
    items = obj(_summary(printed)["items"])
    assert (code, _summary(printed)["outcome"]) == (0, "go")
    assert len(items) == 42
    assert set(items.values()) == {"pass"}
    assert set(obj(_summary(printed)["gates"]).values()) == {"GO"}


@pytest.mark.parametrize("fault", LAUNCHED, ids=lambda fault: str(fault.name))
async def test_a_fault_turns_its_item_and_no_other(fault: Fault, tmp_path: Path) -> None:
    outcome = OUTCOMES.get(fault.name, Outcome.ROLLED_BACK)
    code, printed = await _rehearse(tmp_path, "--fault", fault.name)
    items = obj(_summary(printed)["items"])
    assert (code, _summary(printed)["outcome"]) == (outcome.code, outcome.value)
    assert items[fault.item] == fault.expect.value
    assert {item: state for item, state in items.items() if state not in GOOD and item != fault.item} == {}
    words = [
        text(body, "summary")
        for body in (obj(event.get("body")) for event in printed)
        if text(body, "item") == fault.item and text(body, "verdict") == fault.expect.value
    ]
    assert all(15 < len(one) < 400 and "\n" not in one for one in words)
    assert words
