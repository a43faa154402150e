"""The rehearsal's second person: simulated, on an account of its own, and agreeing with everything after a moment.

One who rehearses alone has nobody to grant a request. What the log keeps of this one says that it is a rehearsal's.
"""

from __future__ import annotations

import asyncio
import contextlib

from console.client.engine_client import AttachError, EngineClient
from console.engine.engine import Engine
from console.rehearsal.world.runbook import SECOND
from state.commands import Confirmation
from state.view.enums import RequestState
from state.view.launch import LaunchView, RequestView
from state.view.people import grant_problem
from state.view.requests import open_requests

HOW_KNOWN = "rehearsal: a simulated person"
WORD = "granted by the rehearsal's simulated second person, who agrees with everything"
THINKS_S = 4.0
"""Real seconds after which it answers somebody who rehearses at a screen, and can watch it happen."""


class Second:
    """Grants what is requested; from a console that is attached while there is something to grant."""

    def __init__(self, engine: Engine, thinks_s: float = 0.0) -> None:
        self._engine = engine
        self._thinks_s = thinks_s
        self._seen: set[int] = set()
        """Requests that it was asked about: an answer that was refused isn't given again."""

    async def run(self) -> None:
        """Answer for ever."""
        while True:
            view = await self._engine.journal.until(lambda known: bool(self._waiting(known)))
            for one in self._waiting(view):
                self._seen.add(one.seq)
                await asyncio.sleep(self._thinks_s)
                with contextlib.suppress(AttachError):  # the engine ends: nothing waits any more
                    await self._grant(one)

    def _waiting(self, view: LaunchView) -> list[RequestView]:
        found = open_requests(view.requests, self._engine.journal.clock.wall_us())
        new = [one for one in found if one.state is RequestState.WAITING and one.seq not in self._seen]
        return [one for one in new if not grant_problem(view, one.by, SECOND)]

    async def _grant(self, one: RequestView) -> None:
        client = EngineClient(self._engine.connect(SECOND, HOW_KNOWN), patience_s=None)
        await client.open()
        try:
            args = {"request": str(one.seq), "comment": WORD}
            preview = await client.preview("request.grant", args)
            await client.command("request.grant", args, Confirmation(preview.phrase, preview.token))
        finally:
            await client.close()
