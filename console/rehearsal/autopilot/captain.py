"""A captain that drives a rehearsal by itself, through the same commands as a person.

Its attestations say that they are the rehearsal's. Where a fault keeps a gate from GO it requests that the lock be
opened, and the rehearsal's second person (``second.py``) grants it from another account, so that everything behind
the gate is judged too; the launch is no GO for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from console.client.engine_client import EngineClient
from console.exit_codes import ExitCode
from console.rehearsal.autopilot.awaited import (
    answered,
    behind,
    checks,
    ended_since,
    judged_since,
    over,
    tripped,
    waits,
)
from console.rehearsal.autopilot.follow_up import follow_up
from state.base.json import JsonObject, integer, texts
from state.commands import Confirmation, Reply
from state.runbook.environment import Tier
from state.runbook.models import OperationKind
from state.view.enums import (
    GateStatus,
    LaunchState,
    Look,
    Need,
    OperationState,
    Verdict,
)
from state.view.first_launch import comes_before
from state.view.launch import LaunchView, OperationSpecView, OperationView
from state.view.preview import Preview
from state.view.rollbacks import newest_release
from state.view.stages import stage_verdict

WORD = "attested by the rehearsal itself, not by a person"
OVERRIDE = "the rehearsal goes on, so that what comes after is judged too"
SLOW = "the rehearsal's machine is busy, and looked too seldom to see enough"
_PATIENT = 3


class Outcome(StrEnum):
    """How a rehearsed launch ended."""

    GO = "go"
    HOLD = "hold"
    NO_GO = "no-go"
    TRIPPED = "tripped"
    BLIND = "blind"
    ROLLED_BACK = "rolled-back"
    NOT_VERIFIED = "rolled-back-not-verified"
    STUCK = "stuck"

    @property
    def code(self) -> ExitCode:
        """The exit code of the headless run."""
        return ExitCode[self.name]


class Bakes(StrEnum):
    """How the watch after the release ended."""

    DONE = "done"
    TRIPPED = "tripped"
    UNFINISHED = "unfinished"
    """Its longest time is over, and what is left of its minimum isn't seen good."""


OF_THE_BAKE = ("launch.bake", "launch.rollback_ready")
"""Kinds of checks that judge the time after the release."""


class CannotDriveError(Exception):
    """The runbook lacks what the captain cannot do without."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the clock runs: while something is done, and while the bake only wants watching."""

    work: float = 40.0
    bake: float = 200.0


class Captain:
    """Drives one launch from wherever it stands to its end."""

    def __init__(self, client: EngineClient, pace: Pace) -> None:
        self._client = client
        self._pace = pace

    @property
    def view(self) -> LaunchView:
        """The launch as it is known now."""
        return self._client.view

    async def drive(self) -> Outcome:
        """Drive the launch to its end and return how it ended."""
        await self._recover()
        if self.view.state is LaunchState.CLOSED:
            return Outcome.GO
        await self._client.until(lambda view: Tier.PRODUCTION in view.releases)
        await self._rate(self._pace.work)
        release = operation_of(self.view, OperationKind.DEPLOY)
        if release is None:
            raise CannotDriveError("the runbook has no deploy of production: there is no launch to drive")
        if not self._released(release):
            await self._prepare(release)
            await self._operate(release.id)
        if not self._released(release):
            waits = self.view.hold is not None and self.view.last_operation(release.id) is None
            return Outcome.HOLD if waits else Outcome.STUCK
        if self._last_back(self.view) is not None:
            return await self._roll_back()  # an earlier run's: it isn't promoted again by itself
        await self._settled()
        for item in self._before_the_bake(release.gate):
            await self._item(item)
        ended = await self._bake()
        if ended is Bakes.TRIPPED:
            return await self._roll_back()
        await self._gates(*(gate.number for gate in self.view.gates if gate.number >= release.gate))
        await self._settled()
        if ended is Bakes.UNFINISHED:
            return Outcome.BLIND
        for item in self._not_seen_well():
            await self._item(item)
        await self._freshen()
        return self._outcome()

    async def close(self) -> Reply:
        """Close a launch whose gates are all GO, as a person does at its end."""
        await follow_up(self.view, self._command)
        return await self._command("launch.close", {})

    async def _prepare(self, release: OperationSpecView) -> None:
        """Run what comes before the release: the candidate goes to staging first, where the gates judge it.

        Before that, in a first launch, what is prepared: gates judge its secrets. Then, in the runbook's order, each
        gate when its own operations have run.
        """
        for stage in self.view.stages:
            if stage.checks:
                await self._judged("stage.run", {"stage": stage.id}, [stage.id])
        others = [o for o in self.view.operation_specs if comes_before(self.view, o, release)]
        early = [o for o in others if o.env != Tier.PRODUCTION or o.kind == OperationKind.PREPARE]
        for operation in early:
            for item in operation.items:
                await self._item(item)
            await self._operate(operation.id)
        await self._settled()
        before = [o for o in others if o not in early]
        pending, done = [o.id for o in before], set[int]()
        for operation in [*before, release]:
            held = {o.gate for o in before if o.id in pending}
            ready = [g.number for g in self.view.gates if g.number < release.gate and g.number not in held]
            await self._gates(*(number for number in ready if number not in done))
            done.update(ready)
            for item in operation.items:
                await self._item(item)
            if operation is not release:
                await self._operate(operation.id)
                pending.remove(operation.id)

    def _not_seen_well(self) -> list[str]:
        """Return the items whose live look found something: a captain looks again before believing it."""
        now, bad = self.view.wall_us, {Verdict.FAIL, Verdict.UNKNOWN}
        return [i.id for g in self.view.gates for i in g.items if i.look(Look.LIVE, now) in bad]

    def _before_the_bake(self, number: int) -> list[str]:
        """Return the items of the release's gate that don't wait for its bake."""
        gate = self.view.gate(number)
        items = gate.items if gate is not None else ()
        return [i.id for i in items if not any(c.kind in OF_THE_BAKE for c in i.checks)]

    def _outcome(self) -> Outcome:
        now = self.view.wall_us
        statuses = [gate.status(now) for gate in self.view.gates]
        stages = {stage_verdict(self.view, stage, now) for stage in self.view.stages}
        if GateStatus.NO_GO in statuses or Verdict.FAIL in stages:
            return Outcome.NO_GO
        unseen = Verdict.UNKNOWN in stages
        return Outcome.GO if statuses and set(statuses) == {GateStatus.GO} and not unseen else Outcome.BLIND

    def _released(self, release: OperationSpecView) -> bool:
        last = self.view.last_operation(release.id)
        return last is not None and last.state is OperationState.SUCCEEDED

    # gates and items

    async def _gates(self, *numbers: int) -> None:
        for number in numbers:
            gate = self.view.gate(number)
            if gate is None:
                continue
            now = self.view.wall_us
            if any(i.checks and i.checks_verdict(now) is not Verdict.PASS for i in gate.items):
                await self._judged("gate.run", {"gate": number}, [i.id for i in gate.items])
            for item in gate.items:
                await self._attest(item.id)

    async def _item(self, item_id: str) -> None:
        item = self.view.item(item_id)
        if item is None:
            return
        if item.checks:
            await self._judged("check.run", {"item": item_id}, [item_id])
        await self._attest(item_id)

    async def _attest(self, item_id: str) -> None:
        item = self.view.item(item_id)
        if item is None or item.question is None or item.not_applicable:
            return
        if any(not word.stale for word in item.words):
            return
        link = {"link": WORD} if Need.LINK in item.rule.needs else {}
        await self._command("attest.sign", {"item": item_id, "verdict": "GO", "comment": WORD, **link})

    async def _judged(self, name: str, args: JsonObject, item_ids: Sequence[str]) -> None:
        """Give a command that runs checks, and return when each of them has a new result.

        What deviated until then is seen to first: 10.3 asks for that, whatever else it is run with.
        """
        await follow_up(self.view, self._command)
        before = self.view.seq
        reply = await self._command(name, args)
        if reply.ok:
            started = texts(reply.result.get("checks"))
            await self._client.until(lambda view: judged_since(view, item_ids, started, before))

    async def _settled(self) -> None:
        """Wait for the checks that the operations before made run."""
        await self._client.until(lambda view: not any(map(waits, checks(view))))

    async def _freshen(self) -> None:
        """Run again what became stale while the launch went on."""
        for _ in range(_PATIENT):
            now = self.view.wall_us
            stale = [i.id for g in self.view.gates for i in g.items if i.verdict(now) is Verdict.STALE]
            if not stale:
                return
            for item_id in stale:
                await self._item(item_id)

    # operations

    async def _operate(self, operation_id: str) -> OperationView | None:
        last = self.view.last_operation(operation_id)
        if last is not None and last.state is OperationState.SUCCEEDED:
            return last
        return await self._run(operation_id)

    async def _run(self, operation_id: str) -> OperationView | None:
        """Run an operation, whatever its last run was; return it when it has ended, None where it was refused."""
        last = self.view.last_operation(operation_id)
        reply = await self._danger("operation.run", {"operation": operation_id})
        if not reply.ok:
            return None
        before = last.seq if last is not None else 0
        view = await self._client.until(lambda v: ended_since(v, operation_id, before))
        return view.last_operation(operation_id)

    async def _recover(self) -> None:
        """Bring an operation that an engine before this one left to its end."""
        await self._client.until(lambda view: view.running() is None)
        for _ in range(_PATIENT):
            last = self.view.operations[-1] if self.view.operations else None
            if last is None or last.state is OperationState.SUCCEEDED or not last.offers:
                return
            choice = "rollback" if last.state is OperationState.UNKNOWN and "rollback" in last.offers else ""
            if not choice:
                return
            count = len(self.view.operations)
            reply = await self._danger("operation.recover", {"choice": choice})
            if not reply.ok:
                return
            await self._client.until(lambda v, n=count: len(v.operations) > n and v.running() is None)  # type: ignore[misc]  # bound now

    async def _bake(self) -> Bakes:
        """Watch the bake to its end, which comes: it is done, a stop condition tripped, or it can't be finished.

        Where little of the time is seen good, the clock is slowed down: a machine that is busy looks too seldom at
        one that runs 200 times as fast, and its bake would never have seen enough. Once its longest time is over it
        is extended for as long as that helps; one that sees nothing good any more can't be finished.
        """
        mark = await self._client.until(lambda view: view.bake is not None)
        rate, extended, good_s = self._pace.bake, 0, 0
        await self._rate(rate)
        while not over(view := await self._client.until(lambda v, m=mark: over(v) or behind(m, v))):  # type: ignore[misc]  # bound now
            if view.bake is not None and view.bake.overdue(view.wall_us):
                if extended >= _PATIENT or view.bake.good_s <= good_s:
                    await self._rate(self._pace.work)
                    return Bakes.UNFINISHED
                await self._danger("bake.extend", {"minutes": "30", "reason": SLOW})
                extended, good_s = extended + 1, view.bake.good_s
            rate, mark = max(self._pace.work, rate / 2), view
            await self._rate(rate)
        await self._rate(self._pace.work)
        return Bakes.TRIPPED if tripped(view) else Bakes.DONE

    async def _roll_back(self) -> Outcome:
        if self.view.hold is not None:
            await self._command("launch.release", {"reason": "to roll back"})
        back = operation_of(self.view, OperationKind.ROLLBACK)
        if back is None:
            return Outcome.TRIPPED
        view = await self._client.until(lambda v: v.running() is None)
        if self._last_back(view) is None:
            await self._run(back.id)  # also where an earlier release was rolled back in good order
        view = await self._client.until(lambda v: v.running() is None)
        of_the_bake = [
            i.id for g in view.gates for i in g.items if any(c.kind in OF_THE_BAKE for c in i.checks)
        ]
        for _ in range(_PATIENT):  # what judged the bake while it was being ended is judged once more
            for item in of_the_bake:
                await self._item(item)
            if not any(c.since for c in checks(self.view) if c.kind in OF_THE_BAKE):
                break
        await self._settled()
        last = self._last_back(self.view)
        if last is None:
            return Outcome.TRIPPED
        return Outcome.ROLLED_BACK if last.state is OperationState.SUCCEEDED else Outcome.NOT_VERIFIED

    def _last_back(self, view: LaunchView) -> OperationView | None:
        """Return the rollback of the release that stands, whoever gave it, or None: one before it was another's."""
        newest = newest_release(view)
        return newest if newest is not None and newest.kind == OperationKind.ROLLBACK else None

    # commands

    async def _rate(self, rate: float) -> None:
        if self._client.welcome.adjustable:
            await self._command("clock.rate", {"rate": f"{rate:g}"})

    async def _command(self, name: str, args: JsonObject) -> Reply:
        preview = await self._client.preview(name, args)
        return await self._client.command(name, args, Confirmation(preview.phrase, preview.token))

    async def _danger(self, name: str, args: JsonObject) -> Reply:
        """Give a command that may take a second person, who is asked first.

        What stands against it may change while it is requested, and until it is given: then it is requested anew.
        """
        for attempt in range(_PATIENT):
            preview = await self._client.preview(name, args)
            if _closed(preview):
                await self._request(name, args, preview.token)
                preview = await self._client.preview(name, args)
            reply = await self._client.command(name, args, Confirmation(preview.phrase, preview.token))
            if reply.ok or attempt + 1 == _PATIENT or not _closed(await self._client.preview(name, args)):
                break
            await self._settled()  # else it changes again
        return reply

    async def _request(self, name: str, args: JsonObject, token: str) -> None:
        """Request a second person, and return when there is an answer."""
        wanted: JsonObject = {"command": name, "args": args, "reason": OVERRIDE}
        reply = await self._client.command("request.make", wanted, Confirmation(token=token))
        seq = integer(reply.result, "request")
        if reply.ok and seq:
            await self._client.until(lambda v: answered(v, seq))


def _closed(preview: Preview) -> bool:
    """Return whether a command takes a second person who hasn't granted it."""
    return not preview.allowed and not preview.request and preview.override_allowed


def operation_of(view: LaunchView, kind: OperationKind) -> OperationSpecView | None:
    """Return production's operation of a kind; the last where there are several."""
    specs = [o for o in view.operation_specs if o.env == Tier.PRODUCTION and o.kind == kind]
    return specs[-1] if specs else None
