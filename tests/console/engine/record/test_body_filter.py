"""What passes into the log: listed fields, clean words, bodies that fit."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml

from console.engine.record.body_filter import Door, UnlistedFieldError
from state.base.json import obj, text
from state.events.event import Draft, Kind
from tests.console.engine.stand import stand

LONG = ["a line of helm, " * 60 + str(n) for n in range(60)]


def test_a_field_that_no_kind_lists_is_a_mistake_in_tests_and_left_out_in_a_launch(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    draft = Draft(Kind.POD_GONE, {"env": "production", "name": "x", "token": "hunter2"})
    with pytest.raises(UnlistedFieldError, match=r"pod\.gone: token"):
        Door().admit([draft])
    monkeypatch.setattr(Door, "strict", False)
    door = Door()
    note, kept = door.admit([draft])
    assert kept.body == {"env": "production", "name": "x"}
    assert note.kind == Kind.NOTE_ADDED
    assert "pod.gone: token" in text(note.body, "text")
    assert "hunter2" not in caplog.text + text(note.body, "text")
    assert door.admit([draft]) == [kept]  # said once


def test_words_are_cleaned_and_names_are_not() -> None:
    door = Door(lambda words: words.replace("beef", "[redacted]"))
    (kept,) = door.admit([Draft(Kind.CONSOLE_CLOSED, {"id": "beef", "reason": "beef"})])
    assert kept.body == {"id": "beef", "reason": "[redacted]"}


@pytest.mark.parametrize("asked", [True, False])
async def test_what_is_too_long_is_kept_whole_where_the_runbook_says_so(asked: bool, tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        data = yaml.safe_load(s.runbook.read_text())
        data["attachments"] = asked
        s.runbook.write_text(yaml.safe_dump(data))
        await s.open(run=False)
        body = {"id": "x", "stream": "stdout", "lines": LONG}
        event = await s.engine.journal.record(Draft(Kind.OPERATION_OUTPUT, body, "g09"))
        cut = obj(event.body["cut"])
        folder = tmp_path / "a.lclog.attachments"
        assert folder.exists() is asked
        if asked:
            (path,) = folder.iterdir()
            raw = path.read_bytes()
            assert (path.name, path.stat().st_mode & 0o777) == (text(cut, "sha256"), 0o600)
            assert (hashlib.sha256(raw).hexdigest(), len(raw)) == (path.name, cut["length"])
            assert all(one.encode() in raw for one in LONG)
