from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from state.clock import ManualClock
from state.events import Draft, Event
from state.log.reader import LogReader
from state.log.verify import verify
from tests.state.log.support import new_store
from tests.state.log.test_trouble import Disk, DiskStore

OF_THE_STORE = {"log.opened", "log.write_failed", "log.recovered", "clock.jumped", "metric.gap"}
words = st.text(st.characters(codec="utf-8"), max_size=12)


class LogModel(RuleBasedStateMachine):
    """A log beside a list: whatever was acknowledged is in both, once, in the same order."""

    @initialize()
    def create(self) -> None:
        self.directory = Path(mkdtemp(prefix="log-model-"))
        self.path = self.directory / "x.lclog"
        self.clock = ManualClock()
        self.sessions = 0
        self.acknowledged: list[Event] = []
        self.anchors: list[str] = []
        Disk.commits.clear()
        new_store(self.path).close()
        self.open()

    def open(self) -> None:
        self.sessions += 1
        self.store = DiskStore.open(
            self.path, clock=self.clock, session=f"s-{self.sessions}", probe_every_s=0.001
        )

    @rule(text=words, answers=st.booleans())
    def append(self, text: str, answers: bool) -> None:
        ref = self.acknowledged[-1].seq if answers and self.acknowledged else None
        event = self.store.append(Draft("note.added", {"text": text}, ref=ref, actor="ann")).result(20)
        assert (event.body, event.ref) == ({"text": text}, ref)
        self.acknowledged.append(event)

    @rule(texts=st.lists(words, min_size=1, max_size=5))
    def append_together(self, texts: list[str]) -> None:
        events = self.store.append_many([Draft("note.added", {"text": text}) for text in texts]).result(20)
        assert [event.body["text"] for event in events] == texts
        self.acknowledged += events

    @rule(faults=st.lists(st.sampled_from(["lost", "ghost"]), min_size=1, max_size=5), text=words)
    def append_on_a_failing_disk(self, faults: list[str], text: str) -> None:
        Disk.commits.extend(faults)
        self.append(text, answers=False)

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

    @invariant()
    def the_log_is_the_list(self) -> None:
        if not hasattr(self, "store"):
            return
        events = self.store.read(0)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert [event for event in events if event.kind not in OF_THE_STORE] == self.acknowledged
        with LogReader(self.path) as reader:
            assert list(reader.every()) == events

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            report = verify(self.path, self.anchors)
            assert report.ok, report.message
            assert report.anchors == len(self.anchors)
            shutil.rmtree(self.directory)


LogModel.TestCase.settings = settings(max_examples=10, stateful_step_count=12, deadline=None)
TestLogModel = LogModel.TestCase
