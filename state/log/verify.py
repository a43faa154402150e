"""Checking a whole log with the standard library alone: schema, sequence, bodies, links, hashes, anchors.

What a chain can't show is a tail that was cut off or forged anew. Only a head that was kept elsewhere shows
that, so the report says how many events no given anchor covers.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

from state.base import canonical
from state.events.launch import EngineStarted, EngineStopped
from state.events.log import LogClosed
from state.log.allowed_signers import Allowed
from state.log.chain import Chain, Fault, log_id_of
from state.log.errors import (
    Damage,
    LogDamagedError,
    LogError,
    LogMissingError,
    NewerFormatError,
    NotALogError,
)
from state.log.layout import SELECT_CHUNK, check_file, check_layout, is_broken_text, is_hot, open_read_only
from state.log.revoked_keys import RevokedKeys
from state.log.rows import Row
from state.log.signed import Signatures, check_signatures
from state.log.snapshot import Snapshot

# As every reader: a longer read would hold up a writer.
_CHUNK = 500
# Below this, one process is done (0.2 s) before others have started.
_WORTH_PROCESSES = 50_000
_AFTER_THE_END = 20
"""How many events may follow the end of a launch: consoles that leave, anchors, notes."""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a check of a log found."""

    ok: bool
    events: int
    """Events that were found good, from the first on."""
    head: str
    """The anchor of the newest good event, or an empty text."""
    bad_seq: int | None
    """The first bad event, or None."""
    damage: Damage | None
    message: str
    """One line for a person."""
    unanchored: int
    """Good events after the newest anchor or allowed signature: nothing but the file itself speaks for them."""
    anchors: int
    """Given anchors that the log agrees with."""
    log_id: str
    signatures: Signatures = field(default_factory=Signatures)
    closed: int | None = None
    """The event that says that the launch ended in good order; None: it goes on, or its end is missing."""
    stopped_us: int | None = None
    """When the engine ended in good order, where no later one went on; the launch need not be closed."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What the check of one run of rows found."""

    good: int
    """The last good sequence number."""
    hash: bytes
    fault: Fault | None
    bare: tuple[int, ...]
    redactions: frozenset[int]
    noted: tuple[int, ...] = ()
    """Events that may be signed, or name keys."""


def verify(
    path: Path,
    anchors: Sequence[str] = (),
    *,
    allowed: Sequence[Allowed] | None = None,
    revoked: RevokedKeys | None = None,
    processes: int | None = None,
) -> VerifyReport:
    """Check every event of a log against its chain, its signatures, and heads that were kept elsewhere.

    With ``allowed`` only these keys count, and what they sign is sealed as by an anchor; those of ``revoked``
    never do.
    Uses ``processes`` processes for a long log (by default one per core, at most 4). Raises ValueError for an
    anchor that is none, and LogError where the file can't be read at all.
    """
    expected = [canonical.parse_anchor(text) for text in anchors]
    try:
        check_file(path)
        with readable(path) as (con, opened):
            keys = allowed, revoked
            return _verify(con, opened, expected, keys, processes or min(4, os.cpu_count() or 1))
    except (LogMissingError, NotALogError, NewerFormatError) as error:
        return _refused(str(error))
    except LogDamagedError as error:
        return VerifyReport(False, 0, "", error.seq, error.damage, str(error), 0, 0, "")
    except sqlite3.OperationalError as error:
        raise LogError(f"{path} can't be read: {error}") from error
    except sqlite3.DatabaseError as error:
        return VerifyReport(False, 0, "", 1, Damage.FILE, f"{path} is damaged (file): {error}", 0, 0, "")


@contextmanager
def readable(path: Path) -> Iterator[tuple[sqlite3.Connection, Path]]:
    """Open the log, or a copy of it where its writer left a hot journal; yield connection and path.

    Raises NotALogError, NewerFormatError, LogDamagedError, sqlite3.Error.
    """
    try:
        con = open_read_only(path)
        try:
            check_layout(con, str(path))
        except BaseException:
            con.close()
            raise
    except sqlite3.OperationalError as error:
        if not is_hot(error):
            raise
        snapshot = Snapshot(path)
        try:
            with closing(snapshot.connect()) as copied:
                check_layout(copied, str(path))
                yield copied, snapshot.path
        finally:
            snapshot.close()
        return
    with closing(con):
        yield con, path


def _verify(
    con: sqlite3.Connection,
    path: Path,
    anchors: Sequence[canonical.Anchor],
    keys: tuple[Sequence[Allowed] | None, RevokedKeys | None],
    processes: int,
) -> VerifyReport:
    _tolerate_broken_text(con)
    first = con.execute("SELECT body FROM event WHERE seq=1").fetchone()
    log_id = log_id_of(first[0]) if first is not None and isinstance(first[0], str) else None
    if log_id is None:
        damage = Damage.BODY if first is not None else Damage.TRUNCATED
        return VerifyReport(False, 0, "", 1, damage, f"event 1: {damage.value}: it names no log", 0, 0, "")
    # Asked for together they would be looked for in every page, and one torn page would hide all that is before it.
    (lowest,) = con.execute("SELECT min(seq) FROM event").fetchone()
    (highest,) = con.execute("SELECT max(seq) FROM event").fetchone()
    parts = _checked(path, log_id, max(highest, 0), processes)
    claimed = _claimed(con) if any(one.fault is not None for one in parts) else frozenset()
    part = _joined(log_id, parts, claimed)
    if part.fault is None and lowest < 1:
        stray = Fault(part.good + 1, Damage.SEQ, f"an event with the number {lowest} stands in the log")
        part = _Part(part.good, part.hash, stray, (), frozenset())
    good = [seq for seq in part.noted if seq <= part.good]
    return _report(log_id, part, anchors, con, check_signatures(con, log_id, good, *keys))


def _checked(path: Path, log_id: str, highest: int, processes: int) -> list[_Part]:
    ranges = _ranges(highest, processes)
    if len(ranges) > 1:
        try:
            # spawn, not fork: this process may have threads, whose locks a fork would copy as they are.
            with ProcessPoolExecutor(len(ranges) - 1, mp_context=get_context("spawn")) as pool:
                jobs = [pool.submit(_check, path, log_id, *one) for one in ranges[1:]]
                return [_check(path, log_id, *ranges[0]), *(job.result() for job in jobs)]
        except (BrokenProcessPool, OSError):  # no process can be started here: it only takes longer
            pass
    return [_check(path, log_id, 0, highest)]


def _ranges(highest: int, processes: int) -> list[tuple[int, int]]:
    """Split 1…highest into runs of (after, last)."""
    count = processes if highest >= _WORTH_PROCESSES else 1
    edges = [highest * index // count for index in range(count + 1)]
    return list(pairwise(edges))


def _check(path: Path, log_id: str, after: int, last: int) -> _Part:
    """Check the events over ``after`` up to ``last``; the first must follow the stored hash before it."""
    with closing(open_read_only(path)) as con:
        before = con.execute("SELECT hash FROM event WHERE seq=?", (after,)).fetchone() if after else None
        chain = Chain(log_id, after=after, prev=before[0] if before is not None else None)
        fault = None
        while fault is None and chain.seq < last:
            rows, error = read_chunk(con, chain.seq, min(_CHUNK, last - chain.seq))
            fault = chain.feed(rows)
            if fault is None and error is not None:
                fault = Fault(chain.seq + 1, Damage.FILE, f"SQLite can't read it: {error}")
            elif fault is None and not rows:
                fault = Fault(chain.seq + 1, Damage.SEQ, "it is missing")
        found = frozenset(chain.redactions), tuple(chain.noted)
        return _Part(chain.seq, chain.prev or b"", fault, tuple(chain.bare), *found)


def read_chunk(con: sqlite3.Connection, after: int, limit: int) -> tuple[list[Row], str | None]:
    """Return the next rows, and why there are no more of them where the file can't be read on."""
    rows: list[Row] = []
    try:
        rows.extend(con.execute(SELECT_CHUNK, (after, limit)))  # what was read before a bad page is kept
    except sqlite3.DatabaseError as error:
        if not is_broken_text(error) or con.text_factory is _text:
            return rows, str(error)
        _tolerate_broken_text(con)
        return read_chunk(con, after, limit)
    return rows, None


def _claimed(con: sqlite3.Connection) -> frozenset[int]:
    """Return what redactions name that may stand behind the first fault: it is the fault that is sure."""
    query = "SELECT ref FROM event WHERE type='log.redacted' AND typeof(ref)='integer'"
    try:
        return frozenset(ref for (ref,) in con.execute(query))
    except sqlite3.DatabaseError:
        return frozenset()


def _joined(log_id: str, parts: Sequence[_Part], claimed: frozenset[int]) -> _Part:
    """Put the parts together: the earliest fault counts, and a body may be redacted in a later part."""
    redactions = claimed.union(*(part.redactions for part in parts))
    broken = next((part for part in parts if part.fault is not None), parts[-1])
    chain = Chain(log_id)
    chain.bare = [seq for part in parts for seq in part.bare]
    noted = tuple(seq for part in parts for seq in part.noted)
    bare = chain.bare_fault(set(redactions))
    if bare is not None and (broken.fault is None or bare.seq < broken.fault.seq):
        return _Part(bare.seq - 1, b"", bare, (), redactions, noted)
    return _Part(broken.good, broken.hash, broken.fault, (), redactions, noted)


def _report(
    log_id: str,
    part: _Part,
    anchors: Sequence[canonical.Anchor],
    con: sqlite3.Connection,
    signatures: Signatures,
) -> VerifyReport:
    good, fault = part.good, part.fault or signatures.fault
    held: list[int] = []
    for anchor in sorted(anchors, key=lambda one: one.seq):
        if anchor.log != log_id[:8]:
            fault = fault or Fault(1, Damage.ANCHOR, f"the anchor {anchor} belongs to another log")
        elif anchor.seq > good:
            sentence = f"it ends at event {good}, but the anchor {anchor} proves {anchor.seq} events"
            fault = fault or Fault(good + 1, Damage.TRUNCATED, sentence)
        elif _hash_at(con, anchor.seq)[:32] != anchor.hash:
            fault = fault or Fault(anchor.seq, Damage.ANCHOR, f"its hash is not that of the anchor {anchor}")
        else:
            held.append(anchor.seq)
    head = canonical.anchor(log_id, good, _hash_at(con, good)) if good else ""
    unanchored = good - max(*held, signatures.sealed, 0)
    checked = unanchored, len(held), log_id, signatures
    if fault is None:
        closed, stopped_us = _end(con, good)
        end = f"; the launch was closed by event {closed}" if closed else ""
        covered = _coverage(unanchored, good, len(held) + bool(signatures.sealed))
        message = f"{good} events verify; {covered}{end}"
        return VerifyReport(True, good, head, None, None, message, *checked, closed, stopped_us)
    message = f"event {fault.seq}: {fault.damage.value}: {fault.message}"
    return VerifyReport(False, good, head, fault.seq, fault.damage, message, *checked)


def _end(con: sqlite3.Connection, good: int) -> tuple[int | None, int | None]:
    """Return the number of the ``log.closed`` near the end, and when the engine stopped.

    Neither counts where a later engine went on.
    """
    newest = "SELECT seq, type, wall_us FROM event WHERE seq<=? ORDER BY seq DESC LIMIT ?"
    closed = stopped_us = None
    for seq, kind, wall_us in con.execute(newest, (good, _AFTER_THE_END)):
        if kind == EngineStarted.KIND:
            break
        if kind == LogClosed.KIND and closed is None:
            closed = int(seq)
        if kind == EngineStopped.KIND and stopped_us is None:
            stopped_us = int(wall_us)
    return closed, stopped_us


def _coverage(unanchored: int, good: int, held: int) -> str:
    if not held:
        return "no anchor was given, so a tail that was cut off or forged anew would not show"
    if not unanchored:
        return "an anchor covers all of them"
    return f"{unanchored} newest of {good} events not anchored yet"


def _hash_at(con: sqlite3.Connection, seq: int) -> str:
    found = con.execute("SELECT hash FROM event WHERE seq=?", (seq,)).fetchone()
    return found[0].hex() if found is not None and isinstance(found[0], bytes) else ""


def _tolerate_broken_text(con: sqlite3.Connection) -> None:
    """Let a text that is not UTF-8 through to the hashes instead of ending the scan."""
    con.text_factory = _text


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _refused(message: str) -> VerifyReport:
    return VerifyReport(False, 0, "", None, Damage.NOT_A_LOG, message, 0, 0, "")
