"""The edges of a record: sealed logs, odd files beside them, one opening, and what is printed of a hostile one."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from console.__main__ import main
from console.cli.saved_log import sealed
from state.base.json import Json
from state.base.times import moment, stamp
from state.events.event import Draft
from state.events.launch import LaunchClosed, LaunchScrubbed
from state.events.operations import OperationIntended
from state.log.chain import log_id_of
from state.log.errors import LogHeldError, LogSealedError
from state.log.locks import sidecar
from state.log.reader import LogReader
from state.log.witness import Witness, witness_directory
from tests.console.engine.stand import stand
from tests.drafts import draft
from tests.state.log.support import written

READERS = ("verify", "report", "judge", "archive", "replay", "follow")


def _words(command: str, log: Path, folder: Path) -> list[str]:
    more = {"judge": ["--runbook", str(folder / "r.yaml")], "archive": [str(folder / "to.lclog")]}
    return [command, str(log), *more.get(command, [])]


@pytest.mark.parametrize("end", [LaunchClosed(), LaunchScrubbed("no")])
async def test_no_engine_begins_on_a_log_whose_launch_has_ended(
    end: LaunchClosed | LaunchScrubbed, tmp_path: Path
) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        await s.engine.journal.record(Draft(end, actor="ann"))
        await s.close()
        with LogReader(s.log) as reader:
            before = reader.head()
        assert sealed(s.log) in {"closed", "scrubbed"}
        with pytest.raises(LogSealedError, match="is sealed: the launch is"):
            await s.open(run=False)
        with LogReader(s.log) as reader:
            assert reader.head() == before


async def test_an_engine_whose_lock_was_taken_away_begins_nothing(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        body: dict[str, Json] = {
            "id": "staging.deploy", "kind": "deploy", "env": "staging", "title": "t", "commands": [],
            "from": "a", "to": "b", "timeout_s": 60, "good": None,
        }  # fmt: skip
        await s.engine.journal.record(draft(OperationIntended.KIND, body, "g01", actor="ann"))
        sidecar(s.log, "engine").unlink()
        with pytest.raises(LogHeldError, match="another engine may have this log"):
            await s.engine.journal.record(draft(OperationIntended.KIND, body, "g01", actor="ann"))


@pytest.mark.parametrize(
    ("command", "suffix"), [*((one, "-journal") for one in READERS), ("verify", "-wal"), ("verify", "-shm")]
)
def test_a_fifo_beside_a_log_is_named_and_not_waited_for(
    command: str, suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "a.lclog"
    written(log, 2)
    beside = Path(f"{log}{suffix}")
    beside.unlink(missing_ok=True)
    os.mkfifo(beside)
    (tmp_path / "r.yaml").write_text("")
    assert main(_words(command, log, tmp_path)) != 0
    if command != "judge":  # whose runbook is read first
        assert "is not a regular file" in capsys.readouterr().err


def test_a_runbook_that_is_a_fifo_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "r.yaml")
    assert main(["runbook", "check", str(tmp_path / "r.yaml")]) != 0
    assert "is not a regular file" in capsys.readouterr().err


@pytest.mark.parametrize("command", [c for c in READERS if c != "judge"])
def test_every_reader_asks_what_this_account_saw(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    log, other = tmp_path / "a.lclog", tmp_path / "b.lclog"
    written(log, 3)
    written(other, 5)
    with LogReader(other) as reader:
        seen = Witness(witness_directory(os.environ), reader.log_id)
        seen.record(reader.head())
    assert main(_words(command, log, tmp_path)) != 0
    told = "".join(capsys.readouterr())
    assert "missing" in told or "TRUNCATED" in told.upper() or "anchor" in told


@pytest.mark.parametrize("command", ["verify", "report", "archive"])
def test_a_file_name_reaches_no_terminal_raw(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "a\x1b]0;PWN\x07\u202eb.lclog"
    written(log, 2)
    words = [*_words(command, log, tmp_path)]
    if command == "report":
        words += [str(tmp_path / "c\x1b[2J.md")]
    main(words)
    shown = "".join(capsys.readouterr())
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf"} and c != "\n"]


@pytest.mark.parametrize("at_us", [253_402_300_800_000_000, 1 << 53, 1 << 62, -(1 << 62), 0, -1])
@pytest.mark.parametrize("told", [moment, stamp])
def test_every_moment_has_words(at_us: int, told: Callable[[int], object]) -> None:
    assert told(at_us)


def test_a_body_of_fifty_thousand_lists_names_no_log() -> None:
    assert log_id_of('{"log_id":' + "[" * 50_000 + "]" * 50_000 + "}") is None
