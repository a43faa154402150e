"""The one way in which anything is done: preview, guard, confirm, execute; a refusal is an event too."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256

from checks.base import CouldNotLookError
from console.engine.commands import (
    attestations,
    bake,
    checks,
    launch,
    operations,
    pod_description,
    polls,
    requests,
)
from console.engine.commands.authorize import refusal
from console.engine.commands.handler import CommandContext, CommandRefusedError, CommandRequest, Effect
from console.engine.commands.requests import asked_of, with_request
from console.engine.ports import ENGINE, Who
from state.base.canonical import CanonicalError
from state.base.canonical import encode as canonical
from state.base.json import JsonObject
from state.base.text import line
from state.commands import BY_NAME, Confirmation, Field, Reply
from state.events.event import Draft
from state.events.launch import CommandRefused
from state.log.errors import LogError, LogFrozenError
from state.view.enums import Danger, RequestState, tier_of
from state.view.people import SINGLE_OPERATOR
from state.view.preview import Preview

EFFECTS: Mapping[str, Effect] = {
    **checks.EFFECTS,
    **attestations.EFFECTS,
    **launch.EFFECTS,
    **operations.EFFECTS,
    **bake.EFFECTS,
    **requests.EFFECTS,
    **polls.EFFECTS,
    **pod_description.EFFECTS,
}
_SELECTING = frozenset(
    {
        *(Field.ITEM, Field.GATE, Field.STAGE, Field.OPERATION, Field.CONDITION),
        *(Field.WATCHING, Field.CHOICE, Field.DEVIATION, Field.REQUEST, Field.POLL),
    }
)
_WHILE_FROZEN = frozenset({"operation.abort", "engine.stop"})
"""What may not wait for a log that can't be written: it ends things and starts none."""


class Commands:
    """Previews and carries out commands."""

    def __init__(self, context: CommandContext) -> None:
        self._context = context
        self._granted = asyncio.Lock()
        """A grant is worth one run, also where two are asked for at once."""
        self.asked = 0
        """How many operations are previewed or started just now."""

    @contextmanager
    def _asking(self, name: str) -> Iterator[None]:
        count = int(name.startswith("operation."))
        self.asked += count
        try:
            yield
        finally:
            self.asked -= count

    async def preview(self, name: str, args: JsonObject, who: Who) -> Preview:
        """Return what a command would do, or why it may not; nothing is recorded."""
        with self._asking(name):
            return (await self._prepared(name, args, who))[1]

    async def _prepared(self, name: str, args: JsonObject, who: Who) -> tuple[CommandRequest | None, Preview]:
        """Return a command with everything that it is about, and its preview; None: there is no such command."""
        spec = BY_NAME.get(name)
        if spec is None:
            reason = f"there is no command {line(name, 60)!r}"
            return None, Preview(line(name, 60), "", Danger.DANGER, allowed=False, reason=reason)
        request = CommandRequest(spec, args, who)
        refused = refusal(self._context.view, name, who)
        if refused:
            return request, self._refused(request, refused)
        try:
            if name == "request.make":
                inner = asked_of(request)
                request = replace(request, asked=await self.preview(inner.spec.name, inner.args, who))
            planned = await EFFECTS[name].plan(self._context, request)
        except (CommandRefusedError, CouldNotLookError) as error:
            return request, self._refused(request, str(error))
        if self._context.view.scope.single_operator and request.spec.danger is Danger.DANGER:
            planned = replace(planned, blast=(*planned.blast, SINGLE_OPERATOR))
        if planned.phrase or planned.cautions:
            planned = replace(planned, token=self._token(request, planned))
        if planned.override_allowed and not planned.allowed:
            planned = with_request(self._context.view, planned, request, self._context.clock.wall_us())
        return request, planned

    def _refused(self, request: CommandRequest, reason: str) -> Preview:
        """Return the preview of what may not run: what was meant, where, and why not."""
        view, operation = self._context.view, request.text("operation")
        meant = next((spec for spec in view.operation_specs if spec.id == operation), None)
        env = view.environment(operation.partition(".")[0] if meant is None else meant.env)
        return Preview(
            request.spec.name,
            request.heading if meant is None else meant.title,
            request.spec.danger,
            allowed=False,
            reason=line(reason),
            environment=env.title if env is not None else "",
            tier=tier_of(env.tier) if env is not None else None,
        )

    async def run(self, name: str, args: JsonObject, confirmation: Confirmation, who: Who) -> Reply:
        """Carry out a command and return when it is recorded; what it started may still run."""
        try:
            with self._asking(name):
                reply = await self._carry_out(name, args, confirmation, who)
        except (CommandRefusedError, CouldNotLookError, CanonicalError) as error:
            reply = Reply(ok=False, message=str(error))
        except LogError as error:
            return Reply(ok=False, message=f"nothing was done, the log can't be written: {error}")
        if not reply.ok:
            await self._record_refusal(line(name, 60), reply.message, who)
        return reply

    async def _carry_out(self, name: str, args: JsonObject, confirmation: Confirmation, who: Who) -> Reply:
        request, preview = await self._prepared(name, args, who)
        if request is None:
            raise CommandRefusedError(preview.reason)
        log = self._context.log_state()
        if log.frozen and name not in _WHILE_FROZEN:
            raise LogFrozenError(log.reason)
        request = replace(request, confirmation=confirmation, inputs_sha=preview.inputs_sha)
        self._confirmed(request, preview)
        if not preview.request:
            return await EFFECTS[name].execute(self._context, request)
        async with self._granted:
            granted = self._context.view.request(preview.request)
            if granted is None or granted.at(self._context.clock.wall_us()) is not RequestState.GRANTED:
                raise CommandRefusedError(f"request #{preview.request} was carried out already, or is over")
            return await EFFECTS[name].execute(self._context, replace(request, granted=granted))

    def _confirmed(self, request: CommandRequest, preview: Preview) -> None:
        """Check that a request was confirmed as its preview asks.

        Raises RefusedError.
        """
        given = request.confirmation
        if not preview.allowed and not preview.request:
            raise CommandRefusedError(_why_not(preview))
        if not (preview.phrase or preview.cautions) or request.who == ENGINE:
            return
        if not given.token:
            against = f" ({'; '.join(preview.cautions)})" if preview.cautions else ""
            raise CommandRefusedError(f"this needs a preview first{against}: nothing was done")
        if not hmac.compare_digest(given.token.encode(), preview.token.encode()):
            if preview.inputs and given.token.partition("-")[2] not in {"", _inputs(preview)}:
                raise CommandRefusedError(f"{preview.inputs} changed since the preview: look again")
            raise CommandRefusedError(
                "what was shown has changed since (candidate, commands or target): look again"
                if preview.phrase
                else f"look again: {'; '.join(preview.cautions)}"
            )
        if preview.phrase and given.phrase.strip() != preview.phrase:
            raise CommandRefusedError(f"what was typed is not {preview.phrase}: nothing was done")

    def _token(self, request: CommandRequest, preview: Preview) -> str:
        """Bind a confirmation to what was shown. ``preview.token`` stands for the values files."""
        view = self._context.view
        chosen = [[p.name, request.text(p.name)] for p in request.spec.parameters if p.field in _SELECTING]
        shown: JsonObject = {
            "name": request.spec.name,
            "chosen": chosen,
            "environment": preview.environment,
            "from": preview.from_what,
            "to": preview.to_what,
            "commands": list(preview.commands),
            "candidate": [view.candidate.version, *(list(pair) for pair in view.candidate.images)],
            "runbook": view.scope.runbook_digest,
            "token": preview.token,
            "cautions": list(preview.cautions),
        }
        token = sha256(canonical(shown).encode()).hexdigest()[:32]
        # Apart, so that a change of just this can be told as what it is.
        return f"{token}-{_inputs(preview)}" if preview.inputs_sha else token

    async def _record_refusal(self, name: str, reason: str, who: Who) -> None:
        try:
            await self._context.journal.record(Draft(CommandRefused(name, line(reason)), actor=who.account))
        except LogError:
            return  # the reply still says that it was refused


def _inputs(preview: Preview) -> str:
    """Return what stands in a token for what an operation reads."""
    return preview.inputs_sha[:12]


def _why_not(preview: Preview) -> str:
    """Return why something may not run, and how it may where a second person can open it."""
    if not preview.override_allowed:
        return preview.reason
    return f"{preview.reason}: {preview.waits or 'a second person can open it, request it first'}"
