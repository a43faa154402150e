"""A headless rehearsal that is killed goes on where it was, and nothing that it printed is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from state.base.json import JsonObject, obj
from tests.console.rehearsal.autopilot.headless import body, hashes, kept, killed, kind, rehearse, verifies

pytestmark = pytest.mark.timeout(500)


def in_staging(event: JsonObject) -> bool:
    return (
        kind(event) == "operation.step"
        and body(event, "id") == "staging.deploy"
        and body(event, "name") == "pods"
    )


def in_the_bake(event: JsonObject) -> bool:
    good = body(event, "good_s")
    return kind(event) == "bake.progress" and isinstance(good, int) and good > 60


@pytest.mark.parametrize("now", [in_staging, in_the_bake])
def test_a_killed_rehearsal_goes_on_to_go(now: Callable[[JsonObject], bool], tmp_path: Path) -> None:
    log = tmp_path / "launch.lclog"
    before = killed(log, now)
    assert hashes(before) == kept(log)[: len(before)]
    run = rehearse(log)
    assert run.code == 0, (run.summary, run.stderr)
    assert hashes(run.events)[: len(before)] == hashes(before)
    assert hashes(run.events) == kept(log)
    assert set(obj(run.summary["gates"]).values()) == {"GO"}
    assert verifies(log)
