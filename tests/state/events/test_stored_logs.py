"""Logs that earlier versions wrote: every body encodes to the same bytes, and the fold gives the same view."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.base import canonical
from state.base.codec import LOG, WIRE
from state.events.bodies import BODIES, decode
from state.events.event import REDACTED_BODY, Event
from state.events.launch import DeviationFollowedUp
from state.events.world import ClusterIdentified, ReleaseSeen
from state.fold import fold
from state.log.reader import LogReader

LOGS = Path(__file__).parents[2] / "logs"
NAMES = sorted(path.name.removesuffix(".lclog.gz") for path in LOGS.glob("*.lclog.gz"))
UNKNOWN = {"unknown_words", "strange_fields"}
"""Fields of the view that the stored ones lack: empty for every log that is wholly known."""

NOT_YET: frozenset[str] = frozenset(
    {
        *("condition.answered", "request.granted", "request.made", "request.refused", "request.withdrawn"),
        *("poll.opened", "poll.answered", "poll.ended"),
        *(DeviationFollowedUp.KIND, ReleaseSeen.KIND, ClusterIdentified.KIND),
    }
)
"""Kinds that no version before this one wrote: a log with them is stored when this one is released."""


def stored(name: str, folder: Path) -> Path:
    """Return a stored log as a file of its own."""
    path = folder / f"{name}.lclog"
    path.write_bytes(gzip.decompress((LOGS / f"{name}.lclog.gz").read_bytes()))
    return path


def events_of(name: str, folder: Path) -> list[Event]:
    with LogReader(stored(name, folder)) as reader:
        return list(reader.every())


@pytest.mark.parametrize("name", NAMES)
def test_every_body_encodes_to_the_same_bytes(name: str, tmp_path: Path) -> None:
    with sqlite3.connect(stored(name, tmp_path)) as connection:
        texts = dict(connection.execute("SELECT seq, body FROM event").fetchall())
    for event in events_of(name, tmp_path):
        body, notes = decode(event)
        assert not notes.words, event
        if event.body != REDACTED_BODY:
            assert not notes.fields, event
            assert canonical.encode(LOG.dump(body)) == texts[event.seq], event


@pytest.mark.parametrize("name", NAMES)
def test_it_folds_to_the_view_of_the_version_that_wrote_it(name: str, tmp_path: Path) -> None:
    view = json.loads(json.dumps(WIRE.dump(fold(events_of(name, tmp_path)))))
    assert [view.pop(field) for field in sorted(UNKNOWN)] == [[], []]
    # What the version that wrote it didn't fold yet; tests/state/fold and test_report hold what is in them.
    del view["decided_us"], view["recycled_us"], view["trips"], view["requests"]
    for condition in view["conditions"]:
        del condition["release"], condition["answered"]
    for operation in view["operations"]:
        del operation["images"]
    for line in view["tail"]:
        del line["severity"]
    for item in (item for gate in view["gates"] for item in gate["items"]):
        del item["used_us"]
        assert all(_judged_once(check) for check in item["checks"])
        if item["attestation"] is not None:
            # What the word was about: in none of these logs it changed afterwards.
            item["attestation"].pop("seen", None)
            assert "changed" not in item["attestation"]
    view.pop("parts", None)
    assert view == _full(json.loads(gzip.decompress((LOGS / f"{name}.view.json.gz").read_bytes())), view)


def _judged_once(check: dict[str, object]) -> bool:
    """Take out of a check what no log of then says: it looks once, and nothing makes it out of date."""
    return [check.pop(field) for field in ("since", "since_seq", "due")] == ["", 0, False]


def _full(then: object, now: object) -> object:
    """Return the stored view, without what a keyframe of today leaves out because it is its default."""
    if isinstance(then, dict) and isinstance(now, dict):
        left = {key for key, value in then.items() if key not in now and not value}
        return {key: _full(value, now.get(key)) for key, value in then.items() if key not in left}
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        return [_full(old, new) for old, new in zip(then, now, strict=True)]
    return then


def test_between_them_they_hold_every_kind(tmp_path: Path) -> None:
    assert {event.kind for event in _all(tmp_path)} == set(BODIES) - NOT_YET


def _all(folder: Path) -> Iterator[Event]:
    for name in NAMES:
        yield from events_of(name, folder)
