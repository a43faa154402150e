"""``verify`` and stock tools (the page's script, SQLite's own check) say the same of every log of the tests.

Of the stored logs of all versions, of each kind of damage, and of single bits that are flipped anywhere in the file.
Signatures are compared with ssh-keygen in test_allowed_signers.py and tests/console/client/test_signing.py.
"""

from __future__ import annotations

import gzip
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from state.log.verify import verify
from tests.paths import ROOT
from tests.state.log.agreement import agree
from tests.state.log.support import tampered, written

STORED = sorted((ROOT / "tests" / "logs").glob("*.lclog.gz"))
DAMAGED = [
    *("UPDATE event SET actor='mallory' WHERE seq={n}", "UPDATE event SET wall_us=wall_us+1 WHERE seq={n}"),
    *("UPDATE event SET body='{{}}' WHERE seq={n}", "UPDATE event SET salt=zeroblob(16) WHERE seq={n}"),
    *("UPDATE event SET body=NULL, salt=NULL WHERE seq={n}", "DELETE FROM event WHERE seq={n}"),
    *("UPDATE event SET prev=zeroblob(32) WHERE seq={n}", "UPDATE event SET hash=zeroblob(32) WHERE seq={n}"),
    *("UPDATE event SET body_sha=zeroblob(32) WHERE seq={n}", "DELETE FROM event WHERE seq>={n}"),
    *("UPDATE event SET gate='g10' WHERE seq={n}", "UPDATE event SET type='note.changed' WHERE seq={n}"),
    *("UPDATE event SET seq=seq+1000000 WHERE seq={n}", "UPDATE event SET eid='x' WHERE seq={n}"),
]


@pytest.mark.parametrize("stored", STORED, ids=lambda path: path.name.partition(".")[0])
def test_they_agree_on_a_stored_log_and_on_it_damaged(tmp_path: Path, stored: Path) -> None:
    whole, hurt = tmp_path / "x.lclog", tmp_path / "hurt.lclog"
    whole.write_bytes(gzip.decompress(stored.read_bytes()))
    head = verify(whole, processes=1).head
    assert agree(whole, head) == (True, True)
    with closing(sqlite3.connect(whole)) as con:
        assert con.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (count,) = con.execute("SELECT count(*) FROM event WHERE body IS NOT NULL").fetchone()
    chance = random.Random(stored.name)
    for statement in chance.sample(DAMAGED, 2):
        shutil.copyfile(whole, hurt)
        tampered(hurt, statement.format(n=chance.randrange(2, max(3, count))))
        agree(hurt, head)


@pytest.mark.parametrize("statement", DAMAGED)
def test_they_name_the_same_event(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "x.lclog"
    written(path, 20)
    head = verify(path, processes=1).head
    tampered(path, statement.format(n=9))
    assert agree(path, head) == (False, False)


def test_they_agree_on_flipped_bits(tmp_path: Path) -> None:
    path, hurt = tmp_path / "x.lclog", tmp_path / "hurt.lclog"
    written(path, 12)
    head, whole, chance = verify(path, processes=1).head, path.read_bytes(), random.Random(20)
    passed = set()
    for _ in range(120):
        raw = bytearray(whole)
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        hurt.write_bytes(raw)
        passed.add(agree(hurt, head))
    assert (False, False) in passed
    assert (True, False) not in passed
