"""Webhooks: trips, holds and what became of operations, told to a chat. A channel that fails never blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from checks.clients.user_agent import USER_AGENT
from console.engine.record.journal import Journal
from state.events.bake import BakeFinished, BakeStarted, ConditionChanged, ConditionCountdown
from state.events.bodies import body_of
from state.events.event import Draft, Event
from state.events.launch import LaunchHeld, LaunchReleased, LaunchScrubbed
from state.events.operations import OperationFinished, OperationUnknown
from state.events.world import WebhookSent
from state.fold.describe import words
from state.log.errors import LogError
from state.runbook.models import Runbook
from state.runbook.units import MissingSecretError, SecretRef
from state.view.enums import ConditionState
from state.view.launch import LaunchView

if TYPE_CHECKING:
    import httpx

PAUSES_S: Final = (1.0, 5.0, 20.0)
"""Real seconds between attempts."""
_TIMEOUT_S = 10.0
# Bounds memory while a chat is down; what is dropped here is still in the log.
_WAITING = 100
_TOLD = frozenset(
    {
        LaunchHeld.KIND,
        LaunchReleased.KIND,
        LaunchScrubbed.KIND,
        ConditionCountdown.KIND,
        OperationFinished.KIND,
        OperationUnknown.KIND,
        BakeStarted.KIND,
        BakeFinished.KIND,
    }
)


class Webhooks:
    """Posts ``{"text": ...}``, as Slack and those like it take it, to every webhook of the runbook."""

    def __init__(
        self, journal: Journal, runbook: Runbook, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._journal = journal
        self._hooks = runbook.webhooks
        self._pause = pause
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue(_WAITING)
        self._tripped: set[str] = set()

    async def run(self) -> None:
        """Tell what happens from now on, for ever."""
        if not self._hooks:
            await asyncio.Event().wait()
        import httpx

        end = self._journal.listen(self._heard)
        try:
            named = {"User-Agent": USER_AGENT}
            async with httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False, headers=named) as client:
                while True:
                    occasion, told = await self._waiting.get()
                    await asyncio.gather(*(self._send(client, hook, occasion, told) for hook in self._hooks))
        finally:
            end()

    def _heard(self, event: Event, view: LaunchView) -> None:
        if event.kind not in _TOLD and not self._trips(event, view):
            return
        where = view.production.title if view.production is not None else view.scope.title
        message = f"{view.scope.title} ({where}): {words(event, view)}"
        if not self._waiting.full():
            self._waiting.put_nowait((str(event.kind), message))

    def _trips(self, event: Event, view: LaunchView) -> bool:
        body = body_of(event)
        if not isinstance(body, ConditionChanged):
            return False
        new = body.state is ConditionState.TRIPPED and body.id not in self._tripped
        self._tripped = {c.id for c in view.conditions if c.state is ConditionState.TRIPPED}
        return new

    async def _send(
        self, client: httpx.AsyncClient, hook: str | SecretRef, occasion: str, message: str
    ) -> None:
        host, attempts, problem = "webhook", 0, ""
        try:
            url = hook if isinstance(hook, str) else hook.read().strip()
            host = urlsplit(url).hostname or host
            attempts, problem = await self._attempts(client, url, message)
        except MissingSecretError as error:
            problem = str(error)
        except ValueError:
            problem = "its address is no URL"
        body = WebhookSent(occasion=occasion, host=host, ok=not problem, attempts=attempts, reason=problem)
        try:
            await self._journal.record(Draft(body))
        except LogError:
            return  # the log can't be written now; what was told was told

    async def _attempts(self, client: httpx.AsyncClient, url: str, message: str) -> tuple[int, str]:
        """Return how often it was tried, and why the last attempt failed; the reason never holds the URL."""
        import httpx

        problem = ""
        for attempt, pause in enumerate((*PAUSES_S, None), 1):
            try:
                reply = await client.post(url, json={"text": message})
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                problem = f"not reachable ({type(error).__name__})"
            else:
                if reply.is_success:
                    return attempt, ""
                problem = f"answered {reply.status_code}"
                # Our mistake, not an outage: the same request would get the same answer.
                if reply.status_code < 500 and reply.status_code != 429:
                    return attempt, problem
            if pause is not None:
                await self._pause(pause)
        return len(PAUSES_S) + 1, problem
