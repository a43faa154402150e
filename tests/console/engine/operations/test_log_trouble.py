"""A log that can't be written keeps helm from starting, and nobody from stopping it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from console.engine.record.journal import Store
from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.kubernetes import PodPlan
from state.events.event import Draft, Event
from state.events.operations import OperationAborted, OperationIntended, OperationStarted
from state.log.errors import LogError
from state.view.enums import OperationState as State
from tests.console.engine.operations.stand import ANN, TWO, launch, revisions


class Refusing:
    """A store that can't write some kinds of event."""

    def __init__(self, store: Store, *kinds: str) -> None:
        self._store = store
        self._kinds = kinds

    async def write(self, draft: Draft) -> Event:
        """Write an event, unless it is of those kinds."""
        if draft.kind in self._kinds:
            raise LogError("the disk is full")
        return await self._store.write(draft)

    async def write_many(self, drafts: Sequence[Draft]) -> list[Event]:
        """Write events one by one."""
        return [await self.write(draft) for draft in drafts]

    def read(self, after: int, limit: int = 500) -> list[Event]:
        """Read as the store does."""
        return self._store.read(after, limit)


async def test_without_an_intent_or_a_pid_nothing_runs(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        stand.journal.store = Refusing(stand.store, OperationIntended.KIND)
        with pytest.raises(LogError, match="the disk is full"):
            await stand.operations.start("staging.deploy", ANN, TWO)
        stand.journal.store = Refusing(stand.store, OperationStarted.KIND)
        ended = await stand.run("staging.deploy")
        assert ended.state is State.FAILED
        assert ended.verdict == "helm was not started: the disk is full"
        assert revisions(stand, Env.STAGING) == ["1 deployed"]


async def test_an_abort_needs_no_log(tmp_path: Path) -> None:
    async with launch(tmp_path) as stand:
        stand.bad_pods(Env.STAGING, PodPlan(ready=False))
        await stand.start("staging.deploy")
        await stand.until(lambda: stand.release(Env.STAGING, 2) is not None)
        stand.journal.store = Refusing(stand.store, OperationAborted.KIND)
        reply = await stand.operations.abort(ANN, "now")
        assert reply.ok
        assert "was asked to end" in reply.message
        assert "the disk is full" in reply.message
        assert (await stand.ended()).state is State.ABORTED
        assert revisions(stand, Env.STAGING) == ["1 deployed", "2 failed"]
