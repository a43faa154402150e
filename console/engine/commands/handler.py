"""What an effect is: a plan that says what would happen, and its execution."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from console.engine.checks.runner import Runner
from console.engine.ports import ClientsPort, OperationsPort, Who
from console.engine.record.journal import Journal
from state.base.json import JsonObject
from state.base.text import line
from state.commands import CommandSpec, Confirmation, Reply
from state.log.trouble import StoreState
from state.runbook.models import Runbook
from state.view.enums import Role
from state.view.launch import GateView, ItemView, LaunchView, RequestView, StageView
from state.view.people import roles_of
from state.view.preview import Preview

if TYPE_CHECKING:
    from state.base.clock import Clock


_WHOLE = re.compile("[1-9][0-9]{0,8}")


class CommandRefusedError(Exception):
    """A command that can't be carried out as things are; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class CommandContext:
    """What effects work with."""

    journal: Journal
    runbook: Runbook
    runner: Runner
    operations: OperationsPort
    stop: Callable[[str, str], None]
    """Ends the engine: why, and who says so."""
    log_state: Callable[[], StoreState]
    """Whether the log is being written at the moment."""
    clients: ClientsPort | None = None
    """The outside world, for a command that looks at it itself."""

    @property
    def view(self) -> LaunchView:
        """The launch as it is now."""
        return self.journal.view

    @property
    def clock(self) -> Clock:
        """The engine's clock."""
        return self.journal.clock


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command that somebody gave, or asks about."""

    spec: CommandSpec
    args: JsonObject
    who: Who
    confirmation: Confirmation = field(default_factory=Confirmation)
    inputs_sha: str = ""
    """What its preview stands for, where an operation reads something; see ``Preview``."""
    asked: Preview | None = None
    """For a request: the preview of the command that it is about."""
    granted: RequestView | None = None
    """The granted request that is carried out with this, where it needs one."""

    @property
    def heading(self) -> str:
        """The command in words, with what it is about."""
        return self.spec.about(self.args)

    def text(self, name: str, limit: int = 1000) -> str:
        """Return an argument as clean text on one line; a number as its digits."""
        value = self.args.get(name)
        if isinstance(value, bool) or value is None:
            return ""
        return line(str(value), limit) if isinstance(value, str | int | float) else ""

    def need(self, name: str, what: str) -> str:
        """Return an argument.

        Raises RefusedError where it is missing.
        """
        value = self.text(name)
        if not value:
            raise CommandRefusedError(f"{self.spec.name} needs {what}")
        return value

    def whole(self, name: str, what: str, longest: int) -> int:
        """Return an argument that is a whole number from 1 to ``longest``: the very number that was checked.

        Raises RefusedError for anything else, also for digits of another script and zeros before a number.
        """
        given = self.need(name, f"a number of {what}")
        number = int(given) if _WHOLE.fullmatch(given) else 0
        if not 1 <= number <= longest:
            raise CommandRefusedError(f"{self.spec.name} takes 1 to {longest} {what}, not {given[:20]!r}")
        return number

    def item(self, view: LaunchView) -> ItemView:
        """Return the item that is meant.

        Raises RefusedError.
        """
        name = self.need("item", "an item such as 3.2")
        found = view.item(name)
        if found is None:
            raise CommandRefusedError(f"there is no item {name}")
        return found

    def gate(self, view: LaunchView) -> GateView:
        """Return the gate that is meant.

        Raises RefusedError.
        """
        name = self.need("gate", "a gate from 1 to 10")
        found = view.gate(int(name)) if _WHOLE.fullmatch(name) else None
        if found is None:
            raise CommandRefusedError(f"there is no gate {name}")
        return found

    def stage(self, view: LaunchView) -> StageView:
        """Return the stage of the pipeline that is meant.

        Raises RefusedError.
        """
        name = self.need("stage", "a stage of the pipeline")
        found = next((stage for stage in view.stages if stage.id == name), None)
        if found is None:
            raise CommandRefusedError(f"there is no stage {name}")
        return found


PreviewOf = Callable[[CommandContext, CommandRequest], Awaitable[Preview]]
Execute = Callable[[CommandContext, CommandRequest], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Effect:
    """How a command is previewed and carried out. Both raise RefusedError."""

    plan: PreviewOf
    execute: Execute


def plain_preview(request: CommandRequest, **details: str | bool | tuple[str, ...] | None) -> Preview:
    """Return a preview that is allowed, of a command as the registry describes it."""
    given = {"title": request.heading, "danger": request.spec.danger, "allowed": True, **details}
    return Preview(name=request.spec.name, **given)  # type: ignore[arg-type]  # fields of Preview


def gate_of(item_id: str) -> int:
    """Return the gate that an item belongs to."""
    return int(item_id.split(".", maxsplit=1)[0])


def is_captain(view: LaunchView, who: Who) -> bool:
    """Return whether an account is a captain's."""
    return Role.CAPTAIN in roles_of(view, who.account)
