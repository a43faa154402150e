"""The registry of commands: every way to act goes through it.

A command is named here with its danger, its parameters and its keys; guards and effects run in the engine
(``console/engine/commands``), for every client alike. This module is what a console needs to offer them, so it
loads nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from state.base.json import EMPTY, JsonObject
from state.base.text import line
from state.view.enums import Danger


class Field(StrEnum):
    """What a parameter of a command is."""

    ITEM = "item"
    GATE = "gate"
    STAGE = "stage"
    """A stage of the pipeline."""
    OPERATION = "operation"
    CONDITION = "condition"
    WATCHING = "watching"
    """A condition that is not tripped."""
    DEVIATION = "deviation"
    """A deviation, by the number of its event."""
    TEXT = "text"
    VERDICT = "verdict"
    MINUTES = "minutes"
    RATE = "rate"
    CHOICE = "choice"
    REQUEST = "request"
    """A request that waits for an answer, or for being carried out."""
    POLL = "poll"
    """The go/no-go poll that is open."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its name in ``args``, what it is, what is asked for, and whether it may be left out."""

    name: str
    field: Field
    label: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command as a console offers it."""

    name: str
    title: str
    """``area: Verb``, as the palette lists it."""
    heading: str
    """What a dialog calls it; ``{name}`` stands for a parameter's value."""
    danger: Danger
    parameters: tuple[Parameter, ...] = ()
    key: str = ""
    """The key that offers it on a screen; no letter starts a change without a dialog."""
    notes: tuple[str, ...] = ()
    """What it does and what it leaves, told where its parameters are asked for."""
    listed: bool = True
    """Whether help and palette offer it: a request is made in the dialog of what it is for."""

    def about(self, args: Mapping[str, object]) -> str:
        """Return the command in words, as ``Waive item 2.3``; what isn't chosen yet is left out."""
        asked = self.heading.partition("{")[2].partition("}")[0]
        value = args.get(asked)
        message = line(str(value), 60) if isinstance(value, str | int) else ""
        return self.heading.replace(f"{{{asked}}}", message).strip() if asked else self.heading


_ITEM = Parameter("item", Field.ITEM, "item")
_REASON = Parameter("reason", Field.TEXT, "reason")
_COMMENT = Parameter("comment", Field.TEXT, "comment", optional=True)

COMMANDS: tuple[CommandSpec, ...] = (
    CommandSpec(
        "check.run", "item: Run its checks", "Run the checks of item {item}", Danger.SAFE, (_ITEM,), "r"
    ),
    CommandSpec(
        "gate.run",
        "gate: Run all checks",
        "Run all checks of gate {gate}",
        Danger.SAFE,
        (Parameter("gate", Field.GATE, "gate"),),
        "R",
    ),
    CommandSpec(
        "stage.run",
        "pipeline: Run a stage's checks",
        "Run the checks of stage {stage}",
        Danger.SAFE,
        (Parameter("stage", Field.STAGE, "stage"),),
    ),
    CommandSpec("launch.run", "launch: Run every check", "Run every check", Danger.SAFE),
    CommandSpec(
        "attest.sign",
        "item: Attest GO or NO-GO",
        "Attest item {item}",
        Danger.CAUTION,
        (
            _ITEM,
            Parameter("verdict", Field.VERDICT, "GO or NO-GO"),
            _COMMENT,
            Parameter("link", Field.TEXT, "link", optional=True),
        ),
        "a",
    ),
    CommandSpec(
        "attest.withdraw",
        "item: Withdraw an attestation",
        "Withdraw the attestation of item {item}",
        Danger.CAUTION,
        (_ITEM, _REASON),
    ),
    CommandSpec(
        "item.waive",
        "item: Waive",
        "Waive item {item}",
        Danger.DANGER,
        (_ITEM, _REASON, Parameter("minutes", Field.MINUTES, "expires after (minutes)")),
        "w",
    ),
    CommandSpec(
        "deviation.follow_up",
        "deviation: Name an owner and a follow-up",
        "Follow up deviation #{deviation}",
        Danger.SAFE,
        (
            Parameter("deviation", Field.DEVIATION, "deviation"),
            Parameter("owner", Field.TEXT, "owner"),
            Parameter("text", Field.TEXT, "follow-up"),
            Parameter("link", Field.TEXT, "link", optional=True),
        ),
        "u",
    ),
    CommandSpec(
        "gate.recycle",
        "gate: Reopen (evidence becomes stale)",
        "Reopen gate {gate}",
        Danger.CAUTION,
        (Parameter("gate", Field.GATE, "gate"), _REASON),
    ),
    CommandSpec(
        "launch.hold",
        "launch: Hold",
        "Hold the launch",
        Danger.SAFE,
        (_REASON,),
        "h",
        notes=(
            "stops: deploy, migrate and promote; the bake's clock; a rollback that counts down by itself",
            "goes on: checks, stop conditions, what runs already (x: abort), the way back (B)",
        ),
    ),
    CommandSpec("launch.release", "launch: Release the hold", "Release the hold", Danger.CAUTION, (_REASON,)),
    CommandSpec("launch.scrub", "launch: Scrub", "Scrub the launch", Danger.DANGER, (_REASON,)),
    CommandSpec("launch.close", "launch: Close", "Close the launch", Danger.CAUTION),
    CommandSpec(
        "operation.run",
        "operation: Run",
        "Run {operation}",
        Danger.DANGER,
        (Parameter("operation", Field.OPERATION, "operation"),),
        "d",
    ),
    CommandSpec(
        "operation.abort", "operation: Abort", "Abort the operation", Danger.CAUTION, (_REASON,), "x"
    ),
    CommandSpec(
        "operation.recover",
        "operation: Resolve one with an unknown outcome",
        "Resolve the operation with an unknown outcome",
        Danger.DANGER,
        (Parameter("choice", Field.CHOICE, "what to do"),),
    ),
    CommandSpec(
        "request.make",
        "request: Make",
        "Request {command}",
        Danger.CAUTION,
        (Parameter("command", Field.TEXT, "command"), _REASON),
        listed=False,
    ),
    CommandSpec(
        "request.grant",
        "request: Grant what somebody else wants",
        "Grant request {request}",
        Danger.DANGER,
        (Parameter("request", Field.REQUEST, "request"), _COMMENT),
        "G",
    ),
    CommandSpec(
        "request.refuse",
        "request: Refuse what somebody else wants",
        "Refuse request {request}",
        Danger.CAUTION,
        (Parameter("request", Field.REQUEST, "request"), _REASON),
    ),
    CommandSpec(
        "request.withdraw",
        "request: Withdraw your own",
        "Withdraw request {request}",
        Danger.CAUTION,
        (
            Parameter("request", Field.REQUEST, "request"),
            Parameter("reason", Field.TEXT, "reason", optional=True),
        ),
    ),
    CommandSpec(
        "poll.open",
        "poll: Ask everybody for GO or NO-GO",
        "Open a go/no-go poll",
        Danger.CAUTION,
        (Parameter("about", Field.TEXT, "what is asked"),),
        notes=(
            "everybody answers from where they sit, in the runbook's order, captains last",
            "any NO-GO holds",
        ),
    ),
    CommandSpec(
        "poll.answer",
        "poll: Answer GO or NO-GO",
        "Answer poll {poll}",
        Danger.CAUTION,
        (Parameter("poll", Field.POLL, "poll"), Parameter("verdict", Field.VERDICT, "GO or NO-GO"), _COMMENT),
        "v",
    ),
    CommandSpec(
        "condition.acknowledge",
        "condition: Acknowledge a trip",
        "Acknowledge the trip of {condition}",
        Danger.CAUTION,
        (Parameter("condition", Field.CONDITION, "condition"), _COMMENT),
        "A",
    ),
    CommandSpec(
        "condition.mute",
        "condition: Mute for at most 30 minutes",
        "Mute {condition}",
        Danger.DANGER,
        (
            Parameter("condition", Field.WATCHING, "condition"),
            _REASON,
            Parameter("minutes", Field.MINUTES, "expires after (minutes)"),
        ),
    ),
    CommandSpec(
        "bake.extend",
        "bake: Extend its longest time",
        "Extend the bake",
        Danger.CAUTION,
        (Parameter("minutes", Field.MINUTES, "longer by (minutes)"), _REASON),
    ),
    CommandSpec(
        "bake.finish",
        "bake: End it early",
        "End the bake early",
        Danger.DANGER,
        (_REASON,),
    ),
    CommandSpec(
        "clock.rate",
        "clock: Run faster",
        "Change the clock's rate",
        Danger.SAFE,
        (Parameter("rate", Field.RATE, "rate"),),
        "f",
    ),
    CommandSpec(
        "note.add",
        "launch: Add a note",
        "Add a note",
        Danger.SAFE,
        (Parameter("text", Field.TEXT, "note"),),
        "c",
    ),
    CommandSpec(
        "pod.describe",
        "pod: Describe",
        "Describe pod {pod}",
        Danger.SAFE,
        (Parameter("env", Field.TEXT, "environment"), Parameter("pod", Field.TEXT, "pod")),
        listed=False,
    ),
    CommandSpec("engine.stop", "engine: Stop", "Stop the engine", Danger.CAUTION, (_REASON,)),
    CommandSpec("console.take_over", "console: Take over", "Take over", Danger.CAUTION, (_REASON,), "t"),
)

BY_NAME = {command.name: command for command in COMMANDS}

NEEDS_TWO = frozenset({"operation.run", "item.waive", "condition.mute"})
"""What may take a second person: an operation over its locks, a waiver and a mute always."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a person gave to a preview: the typed phrase, and its token."""

    phrase: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The engine's answer to a command: done or refused, in one line."""

    ok: bool
    message: str
    result: JsonObject = field(default_factory=lambda: EMPTY)
