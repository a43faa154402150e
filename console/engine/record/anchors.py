"""The log's head, kept in other places than the log: what shows a tail that was cut off or forged anew.

The witness file of the engine's account follows quietly; at gate passes, releases and the end an event says where
the head was kept. ``helm upgrade --description`` holds it too (``console.engine.operations``), and every screen.
"""

from __future__ import annotations

import asyncio
import logging

from checks.base import CouldNotLookError
from checks.clients.errors import NotFoundError
from console.engine.ports import ClientsPort
from console.engine.record.journal import Journal
from state.base.canonical import parse_anchor
from state.base.json import JsonObject
from state.events.bodies import body_of
from state.events.event import Draft, Event, gate_number
from state.events.gates import GateChanged
from state.events.launch import LaunchScrubbed
from state.events.log import LogAnchored, LogDoubted, LogRedacted
from state.events.operations import OperationFinished, OperationUnknown
from state.log.errors import LogError
from state.log.witness import Witness
from state.runbook.models import Runbook
from state.view.enums import GateStatus, Tier
from state.view.launch import LaunchView

EVERY_S = 60.0
EVERY_EVENTS = 256
"""How far the witness may lag behind, in real seconds and in events."""
# The precision of EVERY_S; anything urgent wakes the loop by itself.
_POLL_S = 5.0
CONFIGMAP = "launch-console-anchors"
_logger = logging.getLogger(__name__)


class Anchors:
    """Keeps the head of one log in other places."""

    def __init__(self, journal: Journal, runbook: Runbook, clients: ClientsPort, witness: Witness) -> None:
        self._journal = journal
        self._runbook = runbook
        self._clients = clients
        self._witness: Witness | None = witness
        self._news = asyncio.Event()
        self._occasions: list[str] = []
        self._told_trouble = False
        self._seen = 0

    async def compare(self) -> None:
        """Compare the log with what this account saw of it; a contradiction is an event, and stays one.

        The witness is left as it is then: the next engine finds the contradiction again.
        """
        if self._witness is None:
            return
        try:
            answer = await asyncio.to_thread(self._witness.contradiction, self._hash_at)
            anchor = str(self._witness.seen() or "")
        except LogError as error:
            self._note(error)
            return
        if answer is not None:
            self._witness = None
            await self._journal.record(Draft(LogDoubted(answer, anchor)))

    def _hash_at(self, seq: int) -> str | None:
        found = self._journal.store.read(seq - 1, 1)
        return found[0].hash if found and found[0].seq == seq else None

    async def run(self) -> None:
        """Keep the head at every occasion, and quietly in between, for ever."""
        end = self._journal.listen(self._told)
        loop = asyncio.get_running_loop()
        kept = loop.time()
        try:
            while True:
                try:
                    async with asyncio.timeout(_POLL_S):
                        await self._news.wait()
                except TimeoutError:
                    pass
                self._news.clear()
                if self._occasions:
                    # Occasions that arrive while this runs are kept for the next round.
                    pending = len(self._occasions)
                    await self.keep(", ".join(dict.fromkeys(self._occasions))[:300])
                    del self._occasions[:pending]
                    kept = loop.time()
                lag = self._journal.view.seq - self._seen
                if lag >= EVERY_EVENTS or (lag and loop.time() - kept >= EVERY_S):
                    await self.witness()
                    kept = loop.time()
        finally:
            end()

    def _told(self, event: Event, _view: LaunchView) -> None:
        occasion = _occasion(event)
        if occasion:
            self._occasions.append(occasion)
        if occasion or event.seq - self._seen >= EVERY_EVENTS:
            self._news.set()

    async def keep(self, occasion: str) -> None:
        """Keep the head wherever it may be kept, and record where that was."""
        head = self._journal.view.head
        sinks: list[str] = []
        failed: list[str] = []
        if await self.witness():
            sinks.append("witness")
        if self._runbook.anchors.configmap:
            problem = await self._in_cluster(head)
            if problem:
                failed.append(f"configmap: {problem}")
            else:
                sinks.append(f"configmap {CONFIGMAP}")
        await self._journal.record(Draft(LogAnchored(head, tuple(sinks), occasion, tuple(failed))))

    async def witness(self) -> bool:
        """Let this account's witness file have the head; return whether it has."""
        head = self._journal.view.head
        if self._witness is None or not head:
            return False
        try:
            await asyncio.to_thread(self._witness.record, head)
        except LogError as error:
            self._note(error)
            return False
        self._seen = parse_anchor(head).seq
        return True

    async def _in_cluster(self, head: str) -> str:
        """Put the head into the ConfigMap of the launched namespace; return why that failed, or nothing."""
        environment = self._runbook.environments[Tier.PRODUCTION]
        collection = f"/api/v1/namespaces/{environment.kube.namespace}/configmaps"
        data: JsonObject = {"data": {self._journal.view.log_id: head}}
        try:
            kube = self._clients.kube(Tier.PRODUCTION)
            try:
                # Patch first: it is missing only once.
                await kube.patch(f"{collection}/{CONFIGMAP}", data)
            except NotFoundError:
                made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CONFIGMAP}, **data}
                await kube.create(collection, made)
        except CouldNotLookError as error:
            return str(error)[:300]
        return ""

    def _note(self, error: LogError) -> None:
        if not self._told_trouble:
            self._told_trouble = True
            _logger.warning("the witness can't be used: %s", error)


def _occasion(event: Event) -> str:
    """Return why the head is kept after an event, or nothing."""
    match body_of(event):
        case GateChanged(to=GateStatus.GO):
            return f"gate {gate_number(event.gate)} GO"
        case OperationFinished(id=name) | OperationUnknown(id=name):
            return f"{name} ended"
        case LaunchScrubbed():
            return "the launch was scrubbed"
        case LogRedacted():
            return "a redaction"
        case _:
            return ""
