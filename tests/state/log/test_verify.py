from __future__ import annotations

import json
import os
import random
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.__main__ import main
from console.exit_codes import ExitCode
from state.base import canonical
from state.log import verify as subject
from state.log.chain import Chain, is_canonical
from state.log.errors import Damage
from state.log.rows import Cell, Cells, Row, Stamped
from state.log.verify import verify
from tests.drafts import draft
from tests.state.log.support import LOG_ID, chained, forge, new_store, restamped, stamped, tampered, written

FLIPS = int(os.environ.get("LOG_FLIPS", "500"))
NAMES = ("seq", "eid", "type", "gate", "ref", "actor", "session", "boot")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    written(tmp_path / "x.lclog", 20)
    return tmp_path / "x.lclog"


def anchor_at(path: Path, seq: int) -> str:
    with closing(sqlite3.connect(path)) as con:
        (digest,) = con.execute("SELECT hash FROM event WHERE seq=?", (seq,)).fetchone()
    return canonical.anchor(LOG_ID, seq, digest.hex())


def test_a_good_log_verifies(log: Path) -> None:
    report = verify(log)
    assert (report.ok, report.events, report.bad_seq, report.damage) == (True, 21, None, None)
    assert (report.head, report.log_id) == (anchor_at(log, 21), LOG_ID)
    assert (report.unanchored, report.anchors) == (21, 0)
    assert "no anchor was given" in report.message


@pytest.mark.parametrize(
    ("statement", "seq", "damage"),
    [
        ("UPDATE event SET actor='mallory' WHERE seq=4", 4, Damage.HASH),
        ("UPDATE event SET wall_us=wall_us+1 WHERE seq=4", 4, Damage.HASH),
        ("UPDATE event SET mono_us=mono_us-1 WHERE seq=4", 4, Damage.HASH),
        ("UPDATE event SET gate=NULL WHERE seq=4", 4, Damage.HASH),
        ("UPDATE event SET ref=NULL WHERE seq=4", 4, Damage.HASH),
        ("UPDATE event SET eid='00000000-0000-4000-8000-000000000000' WHERE seq=21", 21, Damage.HASH),
        ("UPDATE event SET type='gate.changed' WHERE seq=2", 2, Damage.HASH),
        ("UPDATE event SET session='s-9' WHERE seq=1", 1, Damage.HASH),
        ("UPDATE event SET boot='b' WHERE seq=1", 1, Damage.HASH),
        ("UPDATE event SET hash=zeroblob(32) WHERE seq=21", 21, Damage.HASH),
        ("UPDATE event SET prev=zeroblob(32) WHERE seq=7", 7, Damage.PREV),
        ("UPDATE event SET body_sha=zeroblob(32) WHERE seq=7", 7, Damage.BODY),
        ('UPDATE event SET body=\'{"text":"x"}\' WHERE seq=7', 7, Damage.BODY),
        ("UPDATE event SET salt=zeroblob(16) WHERE seq=7", 7, Damage.BODY),
        ("UPDATE event SET salt=NULL WHERE seq=7", 7, Damage.BODY),
        ("UPDATE event SET body=NULL, salt=NULL WHERE seq=7", 7, Damage.BODY),
        ("UPDATE event SET body=NULL, salt=NULL WHERE seq=1", 1, Damage.BODY),
        ("UPDATE event SET body='x' WHERE seq=1", 1, Damage.BODY),
        ("DELETE FROM event WHERE seq=9", 9, Damage.SEQ),
        ("DELETE FROM event WHERE seq=1", 1, Damage.TRUNCATED),
        ("DELETE FROM event", 1, Damage.TRUNCATED),
        ("UPDATE event SET seq=99 WHERE seq=9", 9, Damage.SEQ),
        ("CREATE INDEX extra ON event(hash)", None, Damage.SCHEMA),
    ],
)
def test_a_change_is_named(log: Path, statement: str, seq: int | None, damage: Damage) -> None:
    tampered(log, statement)
    report = verify(log)
    assert (report.ok, report.bad_seq, report.damage) == (False, seq, damage)
    assert report.events == (seq or 1) - 1
    assert "\n" not in report.message


def test_swapped_events_are_named(log: Path) -> None:
    tampered(
        log,
        "UPDATE event SET seq=100 WHERE seq=5",
        "UPDATE event SET seq=5, ref=NULL WHERE seq=6",
        "UPDATE event SET seq=6 WHERE seq=100",
    )
    assert (verify(log).bad_seq, verify(log).damage) == (5, Damage.PREV)


def rows_with(body: str) -> list[Cells]:
    return chained([stamped(1), stamped(2), restamped(stamped(3), body=body), stamped(4)])


@pytest.mark.parametrize(
    "body",
    [
        '{"a": 1}',
        '{"b":1,"a":2}',
        '{"a":1.0}',
        '{"a":NaN}',
        '{"a":[1e2]}',
        '{"a":9007199254740992}',
        '{"A":1}',
        '{"a":{"":1}}',
        '{"a":' + "[" * 16 + "1" + "]" * 16 + "}",
        '{"a":1,"a":1}',
        "[1]",
        "1",
        "",
        '{"a":"\\u00fc"}',
        "{",
    ],
)
def test_a_body_in_another_spelling_is_named(tmp_path: Path, body: str) -> None:
    forge(tmp_path / "x.lclog", rows_with(body))
    report = verify(tmp_path / "x.lclog")
    assert (report.bad_seq, report.damage) == (3, Damage.CANONICAL)


def test_a_file_of_another_log_is_named(tmp_path: Path) -> None:
    other = canonical.encode({"log_id": LOG_ID.replace("0193", "0194")})
    forge(tmp_path / "x.lclog", chained([restamped(stamped(1), body=other), stamped(2)]))
    report = verify(tmp_path / "x.lclog")
    assert (report.bad_seq, report.damage) == (1, Damage.PREV)


def redacted(tmp_path: Path, events: Sequence[Stamped], seq: int) -> Path:
    path = tmp_path / "x.lclog"
    forge(path, chained(events))
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute("UPDATE event SET body=NULL, salt=NULL WHERE seq=?", (seq,))
    return path


def test_a_redacted_log_verifies(tmp_path: Path) -> None:
    events = [stamped(1), stamped(2), stamped(3), stamped(4, kind="log.redacted", ref=2)]
    path = redacted(tmp_path, events, 2)
    assert verify(path).ok
    tampered(path, "UPDATE event SET body=NULL, salt=NULL WHERE seq=3")
    assert (verify(path).bad_seq, verify(path).damage) == (3, Damage.BODY)


def test_the_first_event_can_not_be_redacted_away(tmp_path: Path) -> None:
    path = redacted(tmp_path, [stamped(1), stamped(2, kind="log.redacted", ref=1)], 1)
    assert (verify(path).bad_seq, verify(path).damage) == (1, Damage.BODY)


def test_a_cut_tail_shows_only_beside_an_anchor(log: Path) -> None:
    anchors = [anchor_at(log, 5), anchor_at(log, 21)]
    tampered(log, "DELETE FROM event WHERE seq>17")
    assert verify(log).ok
    assert verify(log).unanchored == 17
    covered = verify(log, anchors[:1])
    assert (covered.ok, covered.unanchored, covered.anchors) == (True, 12, 1)
    assert "12 newest of 17 events not anchored yet" in covered.message
    report = verify(log, anchors)
    assert (report.ok, report.bad_seq, report.damage, report.events) == (False, 18, Damage.TRUNCATED, 17)


def test_a_forged_tail_shows_only_beside_an_anchor(tmp_path: Path) -> None:
    truth = [stamped(seq) for seq in range(1, 9)]
    forge(tmp_path / "x.lclog", chained(truth))
    early, late = anchor_at(tmp_path / "x.lclog", 3), anchor_at(tmp_path / "x.lclog", 8)
    forge(tmp_path / "forged", chained([*truth[:5], restamped(truth[5], actor="mallory"), *truth[6:]]))
    assert verify(tmp_path / "forged", [early]).unanchored == 5
    report = verify(tmp_path / "forged", [late, early])
    assert (report.ok, report.bad_seq, report.damage, report.anchors) == (False, 8, Damage.ANCHOR, 1)
    assert (
        verify(tmp_path / "x.lclog", [late, early]).message == "8 events verify; an anchor covers all of them"
    )


def test_an_anchor_of_another_log_does_not_agree(log: Path) -> None:
    report = verify(log, [anchor_at(log, 5).replace("lc1:0193b0c4", "lc1:0193b0c5")])
    assert (report.ok, report.damage) == (False, Damage.ANCHOR)
    assert "belongs to another log" in report.message


def test_a_long_log_is_checked_by_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "_WORTH_PROCESSES", 1)
    path = tmp_path / "x.lclog"
    forge(path, chained([stamped(seq) for seq in range(1, 1200)]))
    anchor = anchor_at(path, 1199)
    assert verify(path, [anchor], processes=2).ok
    tampered(path, "UPDATE event SET actor='mallory' WHERE seq IN (600, 700)")
    assert (verify(path, processes=2).bad_seq, verify(path, processes=2).events) == (600, 599)
    tampered(path, "UPDATE event SET actor='ann' WHERE seq IN (600, 700)", "DELETE FROM event WHERE seq=1198")
    report = verify(path, [anchor], processes=2)
    assert (report.bad_seq, report.damage) == (1198, Damage.SEQ)


def content_of(path: Path) -> list[tuple[object, ...]] | None:
    """Return everything a log stores, or None where it can't be read at all."""
    try:
        with closing(sqlite3.connect(path)) as con:
            con.text_factory = bytes
            types = ",".join(f"typeof({name})" for name in NAMES)
            return [
                *con.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"),
                *con.execute("PRAGMA application_id"),
                *con.execute("PRAGMA user_version"),
                *con.execute(
                    f"SELECT *,{types},typeof(salt),typeof(body),typeof(hash) FROM event ORDER BY seq"
                ),
            ]
    except (sqlite3.Error, UnicodeDecodeError):
        return None


def first_difference(good: list[tuple[object, ...]], bad: list[tuple[object, ...]]) -> int | None:
    """Return the number of the first event that differs, or None where it is the schema."""
    events = good.index(next(row for row in good if len(row) > 4))
    if good[:events] != bad[:events]:
        return None
    pairs = zip(good[events:], bad[events:], strict=False)
    return next((n for n, (pair, other) in enumerate(pairs, 1) if pair != other), len(bad) - events + 1)


@pytest.mark.timeout(1800)
def test_every_flipped_bit_of_content_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.lclog"
    written(path, 60)
    head = anchor_at(path, 61)
    good = content_of(path)
    assert good is not None
    raw = path.read_bytes()
    flipped = tmp_path / "flipped.lclog"
    chance = random.Random(20)
    content = named = 0
    for bit in chance.sample(range(len(raw) * 8), FLIPS):
        broken = bytearray(raw)
        broken[bit // 8] ^= 1 << bit % 8
        flipped.write_bytes(broken)
        report = verify(flipped, [head])
        bad = content_of(flipped)
        if bad == good:
            continue
        content += 1
        assert not report.ok, f"bit {bit} went unseen"
        if bad is not None and report.bad_seq is not None:
            assert report.bad_seq == first_difference(good, bad), f"bit {bit}: {report.message}"
            named += 1
    assert content > FLIPS // 3
    assert named > content // 2


@pytest.mark.parametrize("keep", [0, 50, 100, 4096, 5000, 12288])
def test_a_file_that_was_cut_is_never_good(log: Path, keep: int) -> None:
    log.write_bytes(log.read_bytes()[:keep])
    report = verify(log)
    assert not report.ok
    assert report.events == 0 or report.damage in {Damage.FILE, Damage.SEQ, Damage.TRUNCATED}


def test_verifying_changes_nothing(log: Path) -> None:
    before = (log.read_bytes(), log.stat().st_mtime_ns, sorted(log.parent.iterdir()))
    verify(log)
    assert (log.read_bytes(), log.stat().st_mtime_ns, sorted(log.parent.iterdir())) == before


def test_the_command_tells_a_person(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(log), "--anchor", anchor_at(log, 20)]) == 0
    told = capsys.readouterr().out
    assert told.startswith("VERIFIES")
    assert "1 agree; 1 events are after the newest" in told
    tampered(log, "UPDATE event SET actor='mallory' WHERE seq=4")
    assert main(["verify", str(log)]) == ExitCode.DAMAGED_LOG
    told = capsys.readouterr().out
    assert told.startswith("DAMAGED")
    assert "event 4: hash" in told


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        (["note.added"], "the launch goes on, its engine was killed, or its end was cut off"),
        (["engine.stopped"], "its engine was stopped in good order at 20"),
        (["engine.stopped", "engine.started"], "the launch goes on, its engine was killed"),
    ],
)
def test_an_engine_that_was_stopped_was_not_killed(
    kinds: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with new_store(tmp_path / "x.lclog") as store:
        store.append_many([draft(kind, {}) for kind in kinds]).result(10)
    assert main(["verify", str(tmp_path / "x.lclog"), "--no-witness"]) == 0
    assert message in capsys.readouterr().out


@pytest.mark.parametrize("name", ["/dev/urandom", "huge", "."])
def test_signers_that_are_no_small_file_are_refused(
    log: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(log.parent)
    with Path("huge").open("wb") as huge:
        huge.truncate(1 << 21)
    assert main(["verify", str(log), "--allowed-signers", name]) == ExitCode.BAD_CONFIG
    told = capsys.readouterr().err
    assert "is not a regular file" in told or "at most 1 MiB" in told


def test_the_command_tells_a_program(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(log), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["events"], report["damage"], report["head"]) == (
        True,
        21,
        None,
        anchor_at(log, 21),
    )


def test_the_command_refuses_what_it_can_not_check(
    tmp_path: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text").write_text("hello " * 1000)
    assert main(["verify", str(tmp_path / "text")]) == ExitCode.BAD_LOG
    assert main(["verify", str(tmp_path / "missing"), "--json"]) == ExitCode.BAD_LOG
    assert main(["verify", str(tmp_path), "--json"]) == ExitCode.BAD_LOG
    assert main(["verify", str(log), "--anchor", "lc1:nonsense"]) == ExitCode.BAD_CONFIG
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 4


@given(
    st.dictionaries(
        st.sampled_from(("at_us", "values", "a")), st.integers(-3, 10**17) | st.text(max_size=9), max_size=3
    ),
    st.text('{}":,\\ \n\tat_usvle0123', max_size=30),
)
def test_the_quick_look_at_samples_lets_nothing_else_through(body: dict[str, int | str], noise: str) -> None:
    for text in (
        canonical._dump(body),
        noise,
        '{"at_us":' + noise + "}",
        '{"at_us":1,"values":"' + noise + '"}',
    ):
        try:
            parsed = json.loads(text)
            wanted = isinstance(parsed, dict) and canonical.encode(parsed) == text
        except ValueError:
            wanted = False
        assert is_canonical(text) == wanted


@pytest.mark.parametrize("column", range(15))
@pytest.mark.parametrize("change", [str, float, lambda cell: str(cell).encode(), lambda _cell: None])
def test_a_column_of_another_type_is_named(column: int, change: Callable[[object], Cell]) -> None:
    """STRICT keeps SQLite from writing such a row; somebody with an editor for pages isn't kept from it."""
    events = [stamped(n, ref=2 if n == 4 else None) for n in range(1, 7)]
    rows = [tuple(row.values()) for row in chained(events)]
    whole = cast("list[Row]", rows)
    assert Chain(LOG_ID).feed(whole) is None
    old = whole[3][column]
    try:
        new = change(old)
    except (TypeError, ValueError):
        return
    if new == old and type(new) is type(old):
        return
    fault = Chain(LOG_ID).feed([*whole[:3], (*whole[3][:column], new, *whole[3][column + 1 :]), *whole[4:]])
    assert fault is not None
    assert fault.seq == 4
