"""From a wish to a command: what is missing is asked for, the engine's preview is shown, then it is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol, TypeVar

from textual.screen import Screen

from console.client.destinations import PLACES
from console.client.engine_client import AttachError
from console.client.sources import EventSource
from screens.dialogs.forms import AttestDialog, FormDialog, FormField, PickDialog
from screens.dialogs.question import Answer, AskDialog
from screens.gate import item_lines
from screens.kit.plain import Line, cut
from screens.kit.screen_state import ScreenState
from screens.sections.banner import request_words
from screens.sections.item_words import caution_lines
from state.base.json import JsonObject
from state.commands import BY_NAME, CommandSpec, Confirmation, Field, Parameter, Reply
from state.view.attestations import go_problem
from state.view.ending import ending
from state.view.enums import ConditionState, Danger, GateStatus, RequestState
from state.view.launch import LaunchView, OperationView, RequestView
from state.view.people import grant_problem
from state.view.preview import Preview
from state.view.requests import open_requests
from state.view.rollbacks import is_way_back
from state.view.seats import open_poll, poll_words
from state.view.stages import stage_verdict

T = TypeVar("T")
RATES = ("1", "10", "60", "300")
DEFAULT_MINUTES = {"item.waive": "240", "condition.mute": "15"}
PICKED = "(an answer to a request)"
"""Stands for the command that a person picks for an open request."""


class DialogHost(Protocol):
    """The app, as far as asking needs it."""

    source: EventSource

    async def show_dialog(self, dialog: Screen[T]) -> T | None:
        """Show a dialog and return how it ended."""
        ...

    def moment(self) -> ScreenState:
        """Return what is shown now."""
        ...

    def giving(self) -> None:
        """Hear that no dialog follows: the command is given."""
        ...


async def carry_out(context: DialogHost, name: str, given: Mapping[str, str]) -> Reply | None:
    """Ask for what a command lacks, preview it, ask for it, give it; None where the person said no."""
    spec = BY_NAME[name]
    if name == "operation.abort" and context.moment().view.running() is None:
        return Reply(ok=False, message="no operation is under way")
    args = dict(given)
    asked = await _complete(context, spec, args)
    if asked is None:
        return None
    try:
        preview = await context.source.preview(name, args)
        answer = await _answer(
            context, preview, formed=asked, told=name == "attest.sign", reason=args.get("reason", "")
        )
        if answer is None:
            return None
        context.giving()
        if answer.request:
            wanted: JsonObject = {"command": name, "args": args, "reason": answer.reason}
            return await context.source.command("request.make", wanted, Confirmation(token=preview.token))
        return await context.source.command(name, args, Confirmation(answer.phrase, preview.token))
    except AttachError as error:
        return Reply(ok=False, message=f"{name}: {error}")


async def _answer(
    context: DialogHost, preview: Preview, *, formed: bool, told: bool, reason: str
) -> Answer | None:
    """Return what the person says to it; a caution that was just filled in and given isn't asked twice.

    ``told`` is for a form that showed already what the preview says.
    """
    plain = not (preview.phrase or preview.commands or preview.cautions) and (told or not preview.blast)
    quick = preview.danger is Danger.SAFE or (preview.danger is Danger.CAUTION and formed)
    if preview.allowed and plain and quick:
        return Answer()
    return await context.show_dialog(AskDialog(preview, reason=reason))


def urgent(view: LaunchView, name: str, args: Mapping[str, str]) -> bool:
    """Return whether a command stops something, or takes it back: it waits behind no other."""
    back = name == "operation.run" and is_way_back(view, args.get("operation", ""))
    return back or name in {"launch.hold", "operation.abort"}


async def pick_request(context: DialogHost) -> tuple[str, dict[str, str]] | None:
    """Return the command that answers an open request or carries it out, with its arguments; None: none chosen."""
    shown = context.moment()
    found = _requests(shown)
    chosen: str | None = found[0][0]
    if len(found) > 1:
        chosen = await context.show_dialog(PickDialog("Requests", found))
    one = shown.view.request(int(chosen)) if chosen else None
    if one is None:
        return None
    words = f"#{one.seq} {request_words(one, shown.now_us)}"
    options = _answers(one, shown)
    what = await context.show_dialog(PickDialog(words, options, danger=Danger.CAUTION))
    if what is None or what == _LEAVE:
        return None
    return (one.command, dict(one.args)) if what == one.command else (what, {"request": str(one.seq)})


_WHOLE = re.compile("[1-9][0-9]{0,8}")
_LEAVE = "leave"


def _answers(one: RequestView, shown: ScreenState) -> list[tuple[str, str]]:
    """Return what the person at this console may do about a request: theirs to carry out, another's to answer."""
    granted = one.state is RequestState.GRANTED
    if one.by == shown.account:
        run = [(one.command, "Carry it out: the preview comes first")] if granted else []
        return [*run, ("request.withdraw", "Withdraw it"), (_LEAVE, "Leave it as it is")]
    problem = grant_problem(shown.view, one.by, shown.account)
    if problem:
        return [(_LEAVE, f"Leave it: {problem}")]
    grant = [] if granted else [("request.grant", "Grant it: everything is shown first")]
    return [*grant, ("request.refuse", "Refuse it"), (_LEAVE, "Leave it as it is")]


def _requests(shown: ScreenState) -> list[tuple[str, str]]:
    found = open_requests(shown.view.requests, shown.now_us)
    return [(str(one.seq), f"#{one.seq} {request_words(one, shown.now_us)}") for one in reversed(found)]


def leaving(running: OperationView) -> PickDialog:
    """Return the question that quitting asks while an operation is under way."""
    options = [
        ("stay", "Stay here"),
        ("leave", f"Leave: {running.id} goes on in the engine, and any console can watch it"),
        ("abort", f"Abort {running.id}, and stay"),
    ]
    return PickDialog(f"{running.id} is under way. Leave?", options)


def over(view: LaunchView) -> PickDialog:
    """Return what can be done once a launch has ended."""
    options = [
        ("report", "Write the report"),
        ("verify", "Verify the log"),
        ("stay", "Look around (read-only)"),
        ("quit", "Quit"),
    ]
    return PickDialog(ending(view), options)


def going() -> FormDialog:
    """Return the question of where a replay shall go; its field is ``where``."""
    field = FormField("where", PLACES)
    return FormDialog("Go to", [field], yes="Go")


async def _complete(context: DialogHost, spec: CommandSpec, args: dict[str, str]) -> bool | None:
    """Fill in what is missing; return whether a form was given, or None where the person said no."""
    formed = False
    for parameter in spec.parameters:
        options = _options(context.moment(), parameter)
        form = parameter.field is Field.VERDICT and spec.name == "attest.sign"
        if parameter.name in args or options is None or form:
            continue
        if not options:
            await context.show_dialog(AskDialog(_nothing_to_choose(spec, parameter)))
            return None
        if len(options) == 1 and parameter.field in {Field.CONDITION, Field.POLL}:
            args[parameter.name] = options[0][0]
            continue
        chosen = await context.show_dialog(PickDialog(spec.about(args), options))
        if chosen is None:
            return None
        args[parameter.name] = chosen
        formed = parameter.field is Field.RATE
    if spec.name == "attest.sign" and "verdict" not in args:
        return await _attest(context, args)
    fields = _fields(spec, args)
    if not fields:
        return formed
    yes = "Preview" if spec.danger is Danger.DANGER else cut(spec.about(args), 40)
    values = await context.show_dialog(
        FormDialog(spec.about(args), fields, danger=_form_danger(spec), yes=yes, notes=spec.notes)
    )
    if values is None:
        return None
    args.update(values)
    return True


def _form_danger(spec: CommandSpec) -> Danger:
    """Return the danger of filling in: where the command asks again, the form itself is harmless."""
    return Danger.SAFE if spec.danger is Danger.DANGER else spec.danger


def _nothing_to_choose(spec: CommandSpec, parameter: Parameter) -> Preview:
    reason = f"there is no {parameter.label} to choose"
    return Preview(spec.name, spec.about({}), Danger.SAFE, allowed=False, reason=reason)


async def _attest(context: DialogHost, args: dict[str, str]) -> bool | None:
    shown = context.moment()
    item = shown.view.item(args.get("item", ""))
    if item is None:
        return False
    start_us = shown.view.scope.window_start_us

    def lines(width: int) -> list[Line]:
        return [*caution_lines(item, width), *item_lines(item, shown.now_us, width, start_us, dialog=True)]

    only = go_problem(shown.view, item, shown.account)
    values = await context.show_dialog(AttestDialog(f"Attest item {item.id}", lines, item, no_go_only=only))
    if values is None:
        return None
    args.update(values)
    return True


def _fields(spec: CommandSpec, args: Mapping[str, str]) -> list[FormField]:
    fields = []
    for parameter in spec.parameters:
        if parameter.name in args or parameter.field not in {Field.TEXT, Field.MINUTES}:
            continue
        minutes = parameter.field is Field.MINUTES
        fields.append(
            FormField(
                parameter.name,
                parameter.label,
                parameter.optional,
                default=DEFAULT_MINUTES.get(spec.name, "") if minutes else "",
                check=_whole if minutes else None,
            )
        )
    return fields


def _whole(value: str) -> str:
    return "" if _WHOLE.fullmatch(value.strip()) else "whole minutes, such as 240"


def _options(shown: ScreenState, parameter: Parameter) -> list[tuple[str, str]] | None:
    """Return what can be chosen for a parameter (value and words), or None where it is free text."""
    view, now = shown.view, shown.now_us
    match parameter.field:
        case Field.ITEM:
            return [
                (i.id, f"{i.id:<5} {i.verdict(now).value:<8} {i.text}") for g in view.gates for i in g.items
            ]
        case Field.DEVIATION:
            waiting = sorted(view.deviations, key=lambda d: d.followed)
            return [(str(d.seq), f"{'✔' if d.followed else '·'} #{d.seq} {d.what}") for d in waiting]
        case Field.GATE:
            return [(str(g.number), f"{g.status(now).value:<6} {g.title}") for g in view.gates]
        case Field.STAGE:
            return [
                (s.id, f"{stage_verdict(view, s, now).value:<8} {s.title}") for s in view.stages if s.checks
            ]
        case Field.OPERATION:
            return [(o.id, f"{o.id}: {o.title}") for o in view.operation_specs]
        case Field.CONDITION:
            tripped = [c for c in view.conditions if c.state is ConditionState.TRIPPED]
            return [(c.id, f"{c.state.value:<10} {c.title}") for c in tripped]
        case Field.WATCHING:
            watching = [c for c in view.conditions if c.state is not ConditionState.TRIPPED]
            return [(c.id, f"{c.state.value:<10} {c.title}") for c in watching]
        case Field.REQUEST:
            return _requests(shown)
        case Field.POLL:
            poll = open_poll(view)
            return [(str(poll.seq), poll_words(poll))] if poll is not None else []
        case Field.VERDICT:
            return [(one.value, one.value) for one in (GateStatus.GO, GateStatus.NO_GO)]
        case Field.RATE:
            return [(r, f"×{r}{'  as time goes' if r == '1' else ''}") for r in RATES]
        case Field.CHOICE:
            last = view.offering()
            return [(offer, offer) for offer in last.offers] if last is not None else []
        case _:
            return None
