"""A whole launch in one process, without a screen: world, engine and a captain that drives itself.

The log and the world lie side by side, so that a run that was killed goes on where it was.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from console.cli.say import say
from console.client.engine_client import AttachError, EngineClient, NullListener
from console.engine.engine import Engine
from console.exit_codes import ExitCode
from console.rehearsal.autopilot.captain import CannotDriveError, Captain, Outcome, Pace
from console.rehearsal.autopilot.second import Second
from console.rehearsal.products import products_of
from console.rehearsal.world.folder import world_folder
from console.rehearsal.world.runbook import account
from console.rehearsal.world.world import Choose, World
from state.base.codec import WIRE
from state.base.json import Json
from state.commands import Reply
from state.events.event import Event
from state.fold import apply, line_of
from state.log.reader import LogReader
from state.view.enums import LaunchState
from state.view.launch import LaunchView

_FEW = 500


@dataclass(frozen=True, slots=True)
class HeadlessRequest:
    """What a headless run was asked for."""

    log: Path
    faults: Sequence[str]
    seed: int
    rate: float
    as_json: bool
    runbook: Path | None = None
    """What is launched; None: the SOP's."""
    first: bool = False
    """Whether production has nothing yet."""


class _Printer(NullListener):
    """Prints each event once, in the order of the log, whatever was written before the captain attached."""

    def __init__(self, read: Callable[[int, int], Sequence[Event]], *, as_json: bool) -> None:
        self._read = read
        self._as_json = as_json
        self._last = 0
        self._view = LaunchView()

    def on_view(self, view: LaunchView) -> None:
        self._view = view
        self.catch_up(view.seq)

    def on_event(self, event: Event, view: LaunchView) -> None:
        self._view = view
        self.catch_up(event.seq - 1)
        self.print(event)

    def catch_up(self, seq: int) -> None:
        """Print what is missing up to an event."""
        while self._last < seq and (page := self._read(self._last, min(_FEW, seq - self._last))):
            for event in page:
                self.print(event)

    def print(self, event: Event) -> None:
        """Print an event that was not printed yet."""
        if event.seq <= self._last:
            return
        self._last = event.seq
        if self._as_json:
            sys.stdout.write(json.dumps(WIRE.dump(event), ensure_ascii=False) + "\n")
        else:
            row = line_of(event, self._view)
            sys.stdout.write(f"{row.seq:6} {row.kind:22} {row.words}\n")
        sys.stdout.flush()


async def run(request: HeadlessRequest, choose: Choose = products_of) -> ExitCode:
    """Drive the launch of ``request`` to its end and return the outcome's exit code; ``choose``: see ``World.open``.

    Raises UnknownFaultError and WorldError for the world, RunbookError and LogError for the engine.
    """
    pace = Pace(request.rate, request.rate) if request.rate else Pace()
    world = World.open(
        world_folder(request.log),
        choose,
        seed=request.seed,
        faults=request.faults,
        rate=pace.work,
        runbook=request.runbook,
        first=request.first,
    )
    engine: Engine | None = None
    driving: asyncio.Task[Outcome] | None = None
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        await world.start()
        engine = await Engine.open(world.runbook_path, request.log, world.clock, account=account())
        running = asyncio.create_task(engine.run())
        printer = _Printer(engine.store.read, as_json=request.as_json)
        client = EngineClient(engine.connect(account(), "rehearsal"), printer, patience_s=None)
        await client.open()
        seconding = asyncio.create_task(Second(engine).run())
        driving = asyncio.create_task(_drive(client, pace))
        stopping = asyncio.create_task(stopped.wait())
        await asyncio.wait({driving, running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        outcome = driving.result() if driving.done() else Outcome.STUCK
        for task in (driving, stopping, seconding):
            task.cancel()
        if outcome is Outcome.GO:
            await _close(client, pace)
        await client.close()
        engine.stop(f"the rehearsal ended: {outcome}", account())
        await running
    finally:
        if engine is not None:
            await engine.close()
        await world.stop()
    _summarise(engine.journal.view, request, outcome, printer)
    return outcome.code


async def _drive(client: EngineClient, pace: Pace) -> Outcome:
    try:
        return await Captain(client, pace).drive()
    except (AttachError, CannotDriveError) as error:
        say(str(error))
        return Outcome.STUCK


async def _close(client: EngineClient, pace: Pace) -> None:
    """Close a launch that is GO; where it can't be, its log stays open and it is said why."""
    if client.view.state is LaunchState.CLOSED:
        return
    try:
        reply = await Captain(client, pace).close()
    except AttachError as error:
        reply = Reply(ok=False, message=str(error))
    if not reply.ok:
        say(reply.message)


def _summarise(view: LaunchView, request: HeadlessRequest, outcome: Outcome, printer: _Printer) -> None:
    """Print what the engine wrote last, and the summary of the whole log."""
    reader = LogReader(request.log)
    for event in reader.every():
        printer.print(event)
        view = view if event.seq <= view.seq else apply(view, event)
    reader.close()
    now = view.wall_us
    items: dict[str, Json] = {i.id: i.verdict(now).value for g in view.gates for i in g.items}
    summary: dict[str, Json] = {
        "outcome": outcome.value,
        "state": view.state.value,
        "gates": {str(g.number): g.status(now).value for g in view.gates},
        "items": items,
        "events": view.seq,
        "head": view.head,
        "log": str(request.log),
    }
    if request.as_json:
        sys.stdout.write(json.dumps({"summary": summary}) + "\n")
    else:
        gates = "  ".join(f"{g.number} {g.status(now)}" for g in view.gates)
        sys.stdout.write(f"\n{outcome.value}\n{gates}\n{view.seq} events, head {view.head}\n{request.log}\n")
    sys.stdout.flush()
