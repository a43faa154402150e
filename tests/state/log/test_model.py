from __future__ import annotations

import os
import shutil
import signal
import time
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from state.base.canonical import parse_anchor
from state.events.event import REDACTED_BODY, Draft, Event
from state.events.log import NoteAdded
from state.log.errors import Damage
from state.log.reader import LogReader
from state.log.store import LogStore
from state.log.verify import verify
from tests.clocks import ManualClock
from tests.state.log.support import new_store, tampered
from tests.state.log.test_trouble import Disk, DiskStore
from tests.torture.kills import read_acks, write_for_ever

OF_THE_STORE = {"log.write_failed", "log.recovered", "clock.jumped", "metric.gap", "log.redacted"}
PROCESSES = get_context("forkserver")
"""Writers that are killed have none of this process's threads and locks."""
PROCESSES.set_forkserver_preload(["tests.torture.kills"])
_PATIENCE_S = 20.0

words = st.text(st.characters(codec="utf-8"), max_size=12)
places = st.integers(min_value=0, max_value=999)
changes = st.sampled_from(
    [
        ("UPDATE event SET actor='mallory' WHERE seq={}", Damage.HASH),
        ("UPDATE event SET wall_us=wall_us+1 WHERE seq={}", Damage.HASH),
        ("UPDATE event SET body='x', salt=x'00' WHERE seq={}", Damage.BODY),
        ("UPDATE event SET prev=zeroblob(32) WHERE seq={}", Damage.PREV),
        ("UPDATE event SET hash=zeroblob(32) WHERE seq={}", Damage.HASH),
        ("DELETE FROM event WHERE seq={}", Damage.SEQ),
    ]
)


class LogModel(RuleBasedStateMachine):
    """A log beside a list: whatever was acknowledged or read once is in both, once, in the same order."""

    @initialize()
    def create(self) -> None:
        self.directory = Path(mkdtemp(prefix="log-model-"))
        self.path = self.directory / "x.lclog"
        self.clock = ManualClock()
        self.sessions = 0
        self.anchors: list[str] = []
        Disk.commits.clear()
        with new_store(self.path) as store:
            self.known = store.read(0)
        self.open()

    def open(self) -> None:
        self.store = DiskStore.open(self.path, clock=self.clock, session=self.session(), probe_every_s=0.001)

    def session(self) -> str:
        self.sessions += 1
        return f"s-{self.sessions}"

    def learn(self, lines: list[Event]) -> None:
        """Take over what the file holds beyond the model, which must be what was told and the store's own."""
        with LogReader(self.path) as reader:
            new = list(reader.events(self.known[-1].seq))
        assert [event for event in new if event.kind not in OF_THE_STORE] == lines
        self.known += new

    @rule(text=words, answers=st.booleans())
    def append(self, text: str, answers: bool) -> None:
        ref = self.known[-1].seq if answers else None
        event = self.store.append(Draft(NoteAdded(text), ref=ref, actor="ann")).result(20)
        assert (event.body, event.ref) == ({"text": text}, ref)
        self.learn([event])

    @rule(texts=st.lists(words, min_size=1, max_size=5))
    def append_together(self, texts: list[str]) -> None:
        events = self.store.append_many([Draft(NoteAdded(text)) for text in texts]).result(20)
        assert [event.body["text"] for event in events] == texts
        self.learn(events)

    @rule(faults=st.lists(st.sampled_from(["lost", "ghost"]), min_size=1, max_size=5), text=words)
    def append_on_a_failing_disk(self, faults: list[str], text: str) -> None:
        Disk.commits.extend(faults)
        self.append(text, answers=False)

    @rule(texts=st.lists(words, min_size=1, max_size=3), last=words)
    def two_writers(self, texts: list[str], last: str) -> None:
        """Another writer on the file, in turns with ours; each sees what the other wrote."""
        lines = []
        with LogStore.open(self.path, clock=self.clock, session=self.session(), alone=False) as other:
            for text in texts:
                lines.append(other.append(Draft(NoteAdded(text))).result(20))
                lines.append(self.store.append(Draft(NoteAdded(text))).result(20))
        lines.append(self.store.append(Draft(NoteAdded(last))).result(20))
        self.learn(lines)

    @rule(acks=st.integers(min_value=1, max_value=6), beside=st.booleans())
    def kill_a_writer(self, acks: int, beside: bool) -> None:
        """SIGKILL a process that writes, with the engine's lock or beside our own store."""
        if not beside:
            self.store.close()
        session = self.session()
        side = self.directory / f"acks-{session}"
        side.touch()
        writer = PROCESSES.Process(target=write_for_ever, args=(self.path, side, session, not beside))
        writer.start()
        until = time.monotonic() + _PATIENCE_S
        while len(lines := list(read_acks(side))) < acks:
            assert time.monotonic() < until, "the writer that is to be killed acknowledged nothing"
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        lines = list(read_acks(side))
        if not beside:
            self.open()  # rolls back what the kill left half done
        event = self.store.append(Draft(NoteAdded("after"))).result(20)
        with LogReader(self.path) as reader:
            new = list(reader.events(self.known[-1].seq))
        found = {event.seq: event.hash for event in new}
        assert all(found.get(seq) == digest for seq, digest in lines)
        theirs = [event for event in new if event.session == session]
        assert [event.body["text"] for event in theirs] == [f"{session} {n}" for n in range(len(theirs))]
        self.learn([*theirs, event])

    @rule(seconds=st.sampled_from([-3600, -2, 2, 86400]))
    def set_the_wall_clock(self, seconds: int) -> None:
        self.clock.jump(seconds)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.open()

    @rule()
    def anchor(self) -> None:
        self.anchors.append(self.store.head.anchor)

    @precondition(lambda self: any(event.kind == "note.added" for event in self.known))
    @rule(place=places)
    def redact(self, place: int) -> None:
        notes = [event for event in self.known if event.kind == "note.added" and event.body != REDACTED_BODY]
        if not notes:
            return
        event = notes[place % len(notes)]
        self.store.redact(event.seq, reason="a secret", actor="ann")
        self.known[event.seq - 1] = replace(event, body=REDACTED_BODY)
        self.learn([])

    @rule(change=changes, place=places)
    def damage_is_named(self, change: tuple[str, Damage], place: int) -> None:
        statement, damage = change
        seq = 2 + place % len(self.known)
        target = self.known[seq - 1] if seq <= len(self.known) else self.known[0]
        if target.kind in {"log.opened", "log.redacted"} or target.body == REDACTED_BODY:
            return
        if damage is Damage.SEQ and seq == len(self.known):
            return  # a cut tail, see below
        copy = self.copied()
        tampered(copy, statement.format(seq))
        report = verify(copy, processes=1)
        assert (report.ok, report.bad_seq, report.damage) == (False, seq, damage), report.message

    @rule(place=places)
    def a_cut_tail_shows_where_an_anchor_covers_it(self, place: int) -> None:
        kept = 1 + place % len(self.known)
        copy = self.copied()
        tampered(copy, f"DELETE FROM event WHERE seq>{kept}")
        report = verify(copy, self.anchors, processes=1)
        beyond = [anchor for anchor in self.anchors if parse_anchor(anchor).seq > kept]
        lacks_reason = any(
            event.body == REDACTED_BODY and event.seq <= kept < self.redaction_of(event)
            for event in self.known
        )
        assert report.ok == (not beyond and not lacks_reason), report.message
        if beyond and not lacks_reason:
            assert (report.bad_seq, report.damage) == (kept + 1, Damage.TRUNCATED)
        if report.ok:
            covered = max((parse_anchor(anchor).seq for anchor in self.anchors), default=0)
            assert (report.events, report.unanchored) == (kept, kept - covered)

    def redaction_of(self, target: Event) -> int:
        return next(e.seq for e in self.known if e.kind == "log.redacted" and e.ref == target.seq)

    def copied(self) -> Path:
        """Return a copy of the log, made while no store of ours has it open."""
        self.store.close()
        copy = self.directory / "copy.lclog"
        shutil.copyfile(self.path, copy)
        self.open()
        return copy

    @invariant()
    def the_log_is_the_list(self) -> None:
        if not hasattr(self, "store"):
            return
        assert [event.seq for event in self.known] == list(range(1, len(self.known) + 1))
        assert len({event.eid for event in self.known}) == len(self.known)
        with LogReader(self.path) as reader:
            assert list(reader.every()) == self.known
        assert self.store.read(0) == self.known[:500]

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            report = verify(self.path, self.anchors, processes=1)
            assert report.ok, report.message
            assert (report.events, report.anchors) == (len(self.known), len(self.anchors))
            shutil.rmtree(self.directory)


LogModel.TestCase.settings = settings(max_examples=10, stateful_step_count=14)
TestLogModel = LogModel.TestCase
