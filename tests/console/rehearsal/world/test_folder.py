from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.rehearsal.products import open_world
from console.rehearsal.world.folder import Folder, Kept, WorldError
from state.base.clock import SECOND_US, SharedClock, boot_digest

NOW = 1_795_000_000_000_000
HOUR = 3600 * SECOND_US


def _kept(folder: Folder, *, boot: str = "") -> Kept:
    return Kept(1, (), {}, boot or boot_digest(), NOW, built=True)


def _folder(tmp_path: Path, clock_us: int) -> Folder:
    folder = Folder(tmp_path)
    folder.beat(SharedClock.create(folder.clock, wall_us=NOW))
    SharedClock(folder.clock).set_line(clock_us, 1.0)
    return folder


def test_a_clock_that_was_left_alone_ran_on(tmp_path: Path) -> None:
    folder = _folder(tmp_path, NOW + HOUR)
    clock = folder.resume_clock(_kept(folder), 7.0)
    assert clock.wall_us() >= NOW + HOUR
    assert clock.rate() == 7.0


def test_after_a_night_it_goes_on_where_it_was_seen_last(tmp_path: Path) -> None:
    folder = _folder(tmp_path, NOW + 12 * HOUR)
    clock = folder.resume_clock(_kept(folder), 2.0)
    assert 0 <= clock.wall_us() - NOW < HOUR
    assert clock.mono_us() >= NOW


def test_after_a_restart_of_the_machine_too(tmp_path: Path) -> None:
    folder = _folder(tmp_path, NOW)
    clock = folder.resume_clock(_kept(folder, boot="f" * 16), 1.0)
    assert 0 <= clock.wall_us() - NOW < HOUR


def test_what_a_world_remembers_is_read_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    kept = Kept(5, ("csp-weak",), {"kube": 1234}, "b", NOW, built=True)
    folder.write(kept)
    assert folder.read() == kept


@pytest.mark.parametrize("content", ["{", '{"format": 99}', "[]"])
def test_a_damaged_or_foreign_world_is_said_to_be_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "world.json").write_text(content)
    with pytest.raises(WorldError, match="name another folder"):
        Folder(tmp_path).read()


def test_a_journal_of_something_else_is_said_to_be_one(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(_kept(folder))
    folder.journal.write_text(json.dumps({"a": 1}) + "\n")
    with pytest.raises(WorldError, match="cluster cannot be read"):
        open_world(tmp_path)


def test_a_rate_that_no_clock_has(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match=r"between 0\.01 and 1000"):
        open_world(tmp_path, rate=0)
