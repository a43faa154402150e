"""The one way in which anything is done: preview, guard, confirm, execute; a refusal is an event too."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from checks.base import CouldNotLookError
from console.engine.commands import attestations, bake, checks, launch, operations
from console.engine.commands.authorize import refusal
from console.engine.commands.handler import CommandContext, CommandRefusedError, CommandRequest, Effect
from console.engine.commands.operations import override_of
from console.engine.ports import ENGINE, Who
from state.base.canonical import CanonicalError
from state.base.canonical import encode as canonical
from state.base.json import JsonObject
from state.base.text import line
from state.commands import BY_NAME, Confirmation, Field, Reply
from state.events.event import Draft
from state.events.launch import CommandRefused
from state.log.errors import LogError, LogFrozenError
from state.view.enums import Danger, tier_of
from state.view.people import seconds_of
from state.view.preview import Preview

EFFECTS: Mapping[str, Effect] = {
    **checks.EFFECTS,
    **attestations.EFFECTS,
    **launch.EFFECTS,
    **operations.EFFECTS,
    **bake.EFFECTS,
}
_SELECTING = frozenset(
    {
        *(Field.ITEM, Field.GATE, Field.STAGE, Field.OPERATION, Field.CONDITION),
        *(Field.WATCHING, Field.CHOICE, Field.DEVIATION),
    }
)
_WHILE_FROZEN = frozenset({"operation.abort", "engine.stop"})
"""What may not wait for a log that can't be written: it ends things and starts none."""

_SECONDED = frozenset({"item.waive"})
"""What may name a second person without being an override."""


class Commands:
    """Previews and carries out commands."""

    def __init__(self, context: CommandContext) -> None:
        self._context = context

    async def preview(self, name: str, args: JsonObject, who: Who) -> Preview:
        """Return what a command would do, or why it may not; nothing is recorded."""
        spec = BY_NAME.get(name)
        if spec is None:
            reason = f"there is no command {line(name, 60)!r}"
            return Preview(line(name, 60), "", Danger.DANGER, allowed=False, reason=reason)
        request = CommandRequest(spec, args, who)
        refused = refusal(self._context.view, name, who)
        if refused:
            return self._refused(request, refused)
        try:
            planned = await EFFECTS[name].plan(self._context, request)
        except (CommandRefusedError, CouldNotLookError) as error:
            return self._refused(request, str(error))
        if planned.override_allowed or name in _SECONDED:
            planned = replace(planned, seconds=seconds_of(self._context.view, who.account))
        asks = planned.phrase or planned.cautions
        return replace(planned, token=self._token(request, planned)) if asks else planned

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
            reply = await self._carry_out(name, args, confirmation, who)
        except (CommandRefusedError, CouldNotLookError, CanonicalError) as error:
            reply = Reply(ok=False, message=str(error))
        except LogError as error:
            return Reply(ok=False, message=f"nothing was done, the log can't be written: {error}")
        if not reply.ok:
            await self._record_refusal(line(name, 60), reply.message, who)
        return reply

    async def _carry_out(self, name: str, args: JsonObject, confirmation: Confirmation, who: Who) -> Reply:
        preview = await self.preview(name, args, who)
        if name not in BY_NAME:
            raise CommandRefusedError(preview.reason)
        log = self._context.log_state()
        if log.frozen and name not in _WHILE_FROZEN:
            raise LogFrozenError(log.reason)
        request = CommandRequest(BY_NAME[name], args, who, confirmation, preview.inputs_sha)
        self._confirmed(request, preview)
        return await EFFECTS[name].execute(self._context, request)

    def _confirmed(self, request: CommandRequest, preview: Preview) -> None:
        """Check that a request was confirmed as its preview asks.

        Raises RefusedError.
        """
        given = request.confirmation
        overridden = preview.override_allowed and override_of(self._context.view, request) is not None
        if not preview.allowed and not overridden:
            raise CommandRefusedError(preview.reason)
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
            raise CommandRefusedError(f"the typed name is not {preview.phrase}: nothing was done")

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
