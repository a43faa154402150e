"""What takes two people: requested by one, granted or refused by another from their own connection, carried out once.

A request is for exactly one command with its arguments, as it was shown; a grant covers what stood against it then
and nothing else, and ends with the request's time. Who requested it then carries it out, by preview and typed name.
"""

from __future__ import annotations

import hmac
from dataclasses import replace

from console.engine.commands.handler import (
    CommandContext,
    CommandRefusedError,
    CommandRequest,
    Effect,
    is_captain,
    plain_preview,
)
from console.engine.commands.signatures import asking_of, granting_of, key_of, proof_of
from state.attest.statement import Refusing
from state.base.json import obj
from state.base.text import line
from state.base.times import SECOND_US, clock
from state.commands import BY_NAME, NEEDS_TWO, Reply
from state.events.event import Draft
from state.events.requests import RequestGranted, RequestMade, RequestRefused, RequestWithdrawn
from state.view.enums import RequestState, tier_of
from state.view.launch import LaunchView, RequestView
from state.view.people import ALONE, fingerprints, grant_problem, granters_of
from state.view.preview import Preview
from state.view.requests import Args, newest_open, open_requests

LASTS_MIN = 15
"""For how long a request waits, and a grant is worth something."""


def args_of(request: CommandRequest) -> Args:
    """Return a command's arguments as a request keeps them: in the order of its parameters."""
    return tuple((p.name, text) for p in request.spec.parameters if (text := request.text(p.name)))


def asked_of(request: CommandRequest) -> CommandRequest:
    """Return the command that a ``request.make`` is about.

    Raises CommandRefusedError where it is none that takes two people.
    """
    name = request.need("command", "the command that is requested")
    if name not in NEEDS_TWO:
        raise CommandRefusedError(
            f"{name[:60]!r} takes no second person: {' or '.join(sorted(NEEDS_TWO))} do"
        )
    return CommandRequest(BY_NAME[name], obj(request.args.get("args")), request.who)


def with_request(view: LaunchView, planned: Preview, request: CommandRequest, now_us: int) -> Preview:
    """Return a preview of what takes two people with what became of its request, where there is one."""
    mine = newest_open(view.requests, now_us, request.who.account, request.spec.name, args_of(request))
    if mine is None:
        return planned
    until = clock(mine.until_us, seconds=False)
    if mine.state is RequestState.WAITING:
        return replace(planned, waits=f"request #{mine.seq} waits for a second person until {until}")
    if not mine.covers(planned.token, planned.against):
        more = [one for one in planned.against if one not in mine.over]
        why = (
            f"since then this stands against it too: {'; '.join(more)}"
            if more
            else "what is shown has changed"
        )
        return replace(planned, waits=f"request #{mine.seq} was granted for something else: {why}")
    return replace(
        planned, request=mine.seq, granted=f"request #{mine.seq} granted by {mine.granted_by}, until {until}"
    )


# make


def _asked(request: CommandRequest) -> Preview:
    """Return the preview of what is requested, which must be in need of it."""
    asked = request.asked
    if asked is None:
        raise CommandRefusedError("a request needs the command that it is about")
    if asked.allowed:
        raise CommandRefusedError("nothing stands against it: it needs no second person")
    if not asked.override_allowed:
        raise CommandRefusedError(asked.reason)
    if asked.request:
        raise CommandRefusedError(f"{asked.granted}: carry it out")
    return asked


async def _plan_make(context: CommandContext, request: CommandRequest) -> Preview:
    asked = _asked(request)
    if not granters_of(context.view, request.who.account, key_of(request)):
        unsigned = request.text("unsigned")
        raise CommandRefusedError(
            "the runbook names no other account that may grant a request. Where a team has one person only, it says "
            f"single_operator: true{f'. It came unsigned: {unsigned}' if unsigned else ''}"
        )
    return replace(asked, name=request.spec.name, title=f"Request: {asked.title}", allowed=True, phrase="")


async def _make(context: CommandContext, request: CommandRequest) -> Reply:
    asked, inner = _asked(request), asked_of(request)
    if not hmac.compare_digest(request.confirmation.token.encode(), asked.token.encode()):
        raise CommandRefusedError("what was shown has changed since: look again, then request it")
    reason = request.need("reason", "a reason")
    body = RequestMade(
        command=inner.spec.name,
        args=args_of(inner),
        title=asked.title,
        environment=asked.environment,
        from_=asked.from_what,
        to=asked.to_what,
        commands=asked.commands,
        over=asked.against,
        reason=reason,
        shown=asked.token,
        until_us=context.clock.wall_us() + LASTS_MIN * 60 * SECOND_US,
        how_known=request.who.how_known,
    )
    body = asking_of(context, request, body)
    event = await context.journal.record(Draft(body, actor=request.who.account))
    who = " or ".join(granters_of(context.view, request.who.account, body.key))
    message = f"request #{event.seq} waits: {who} grants it from a console of theirs (G)"
    return Reply(ok=True, message=message, result={"request": event.seq})


# grant, refuse, withdraw


def _meant(context: CommandContext, request: CommandRequest) -> RequestView:
    name = request.need("request", "a request")
    found = context.view.request(int(name)) if name.isdecimal() and len(name) < 16 else None
    if found is None:
        raise CommandRefusedError(f"there is no request {line(name, 20)}")
    state = found.at(context.clock.wall_us())
    if not state.open:
        raise CommandRefusedError(f"request #{found.seq} is {state}: it takes no answer any more")
    return found


def _shown(context: CommandContext, request: CommandRequest, one: RequestView, to: str) -> Preview:
    left_s = max(0, one.until_us - context.clock.wall_us()) // SECOND_US
    said = f"{one.by} ({one.how_known}) requests it: {one.reason}"
    ends = f"it ends in {left_s // 60} min, at {clock(one.until_us, seconds=False)}"
    env = next((e for e in context.view.environments if e.title == one.environment), None)
    return plain_preview(
        request,
        title=f"{request.spec.about({'request': f'#{one.seq}'})}: {one.title}",
        environment=one.environment,
        tier=tier_of(env.tier) if env is not None else None,
        from_what=one.from_what,
        to_what=one.to_what,
        commands=one.commands,
        blast=(said, *(f"✖ {words}" for words in one.over), f"{to}; {ends}"),
    )


def _grant_problem(context: CommandContext, request: CommandRequest, one: RequestView) -> str:
    """Return why this can't be granted; before it is signed, only where no key of the runbook could grant it."""
    view, account, key = context.view, request.who.account, key_of(request)
    problem = grant_problem(view, one.by, account, one.key, key)
    if problem and not key and request.text("sign"):
        keys = {name for person in view.people for name in fingerprints(person.signing_keys)}
        return problem if all(grant_problem(view, one.by, account, one.key, name) for name in keys) else ""
    return problem


async def _plan_grant(context: CommandContext, request: CommandRequest) -> Preview:
    one = _meant(context, request)
    problem = _grant_problem(context, request, one)
    if problem:
        raise CommandRefusedError(problem)
    if one.state is RequestState.GRANTED:
        raise CommandRefusedError(f"request #{one.seq} was granted by {one.answered_by} already")
    shown = _shown(context, request, one, f"granted, {one.by} may carry it out once")
    return replace(shown, phrase=f"grant {one.seq}", token=one.shown)


async def _grant(context: CommandContext, request: CommandRequest) -> Reply:
    one = _meant(context, request)
    alone = f", {ALONE}" if one.by == request.who.account else ""
    body = RequestGranted(f"{request.who.how_known}{alone}", request.text("comment"))
    body = granting_of(context, request, one, body)
    if problem := grant_problem(context.view, one.by, request.who.account, one.key, body.key):
        raise CommandRefusedError(problem)
    await context.journal.record(Draft(body, ref=one.seq, actor=request.who.account))
    return Reply(ok=True, message=f"request #{one.seq} is granted: {one.by} may carry it out once")


async def _plan_refuse(context: CommandContext, request: CommandRequest) -> Preview:
    one = _meant(context, request)
    if one.by == request.who.account and not one.key:
        raise CommandRefusedError("it is your own request: withdraw it")
    return _shown(context, request, one, "refused, it is not carried out")


async def _refuse(context: CommandContext, request: CommandRequest) -> Reply:
    one = _meant(context, request)
    reason = request.need("reason", "a reason")
    body = RequestRefused(request.who.how_known, reason)
    proof = proof_of(
        context, request, Refusing, lambda said: (said.request, said.reason) == (one.seq, reason), own=False
    )
    if proof is not None:
        body = RequestRefused(
            proof.how_known,
            reason,
            statement=proof.statement,
            signature=proof.signature,
            key=proof.key,
        )
    await context.journal.record(Draft(body, ref=one.seq, actor=request.who.account))
    return Reply(ok=True, message=f"request #{one.seq} is refused")


async def _plan_withdraw(context: CommandContext, request: CommandRequest) -> Preview:
    one = _meant(context, request)
    if one.by != request.who.account and not is_captain(context.view, request.who):
        raise CommandRefusedError(f"only {one.by} or the captain may withdraw request #{one.seq}")
    return plain_preview(request, from_what=f"request #{one.seq}: {one.title}", to_what="withdrawn")


async def _withdraw(context: CommandContext, request: CommandRequest) -> Reply:
    one = _meant(context, request)
    body = RequestWithdrawn(request.text("reason"))
    await context.journal.record(Draft(body, ref=one.seq, actor=request.who.account))
    return Reply(ok=True, message=f"request #{one.seq} is withdrawn")


def others(view: LaunchView, account: str, now_us: int) -> list[RequestView]:
    """Return the requests that wait for an account's answer."""
    waiting = (one for one in open_requests(view.requests, now_us) if one.state is RequestState.WAITING)
    return [one for one in waiting if not grant_problem(view, one.by, account)]


EFFECTS = {
    "request.make": Effect(_plan_make, _make),
    "request.grant": Effect(_plan_grant, _grant),
    "request.refuse": Effect(_plan_refuse, _refuse),
    "request.withdraw": Effect(_plan_withdraw, _withdraw),
}
