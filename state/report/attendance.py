"""Who was there and what they did to the clock: accounts, consoles, holds, take-overs, notes."""

from __future__ import annotations

from dataclasses import dataclass, field

from state.base.frozen import remake, replace
from state.base.text import line
from state.base.times import SECOND_US
from state.events.event import Body, Event
from state.events.launch import (
    ConsoleClosed,
    ConsoleOpened,
    ConsoleTookOver,
    EngineStarted,
    EngineStopped,
    LaunchClosed,
    LaunchHeld,
    LaunchReleased,
    LaunchScrubbed,
    RunbookChanged,
)
from state.events.log import LogAnchored, NoteAdded
from state.report.document import LONGEST
from state.report.facts import (
    Account,
    Anchored,
    ConsoleFacts,
    EngineFacts,
    Hold,
    Note,
    RunbookChange,
    TakeOver,
)
from state.view.launch import LaunchView
from state.view.people import people_of
from state.view.rollbacks import ENGINE

_ENDS: dict[type[Body], str] = {
    LaunchReleased: "released",
    LaunchScrubbed: "scrubbed",
    LaunchClosed: "closed",
}


@dataclass(slots=True)
class _Met:
    """What was met of one account."""

    known: dict[str, None] = field(default_factory=dict)
    events: int = 0
    first_us: int = 0
    last_us: int = 0


@dataclass(slots=True)
class Attendance:
    """Gathers who was there."""

    holds: list[Hold] = field(default_factory=list)
    take_overs: list[TakeOver] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    consoles: list[ConsoleFacts] = field(default_factory=list)
    engines: list[EngineFacts] = field(default_factory=list)
    anchored: list[Anchored] = field(default_factory=list)
    runbook_changes: list[RunbookChange] = field(default_factory=list)
    ended_us: int = 0
    """When the launch was closed or scrubbed; 0: it wasn't."""
    _met: dict[str, _Met] = field(default_factory=dict)
    _open: dict[str, int] = field(default_factory=dict)
    """By a console's name, its place in ``consoles``."""

    def take(self, before: LaunchView, event: Event, body: Body) -> None:
        """Take in one more event."""
        self._meet(event, body)
        told = {"seq": event.seq, "at_us": event.wall_us}
        match body:
            case LaunchHeld():
                hold = Hold(**told, by=event.actor, reason=body.reason, ended_us=0, ended="", length_s=0)
                self.holds.append(hold)
            case LaunchReleased() | LaunchScrubbed() | LaunchClosed():
                why = body.reason if not isinstance(body, LaunchClosed) else ""
                how = f"{_ENDS[type(body)]} by {line(event.actor)}{': ' + line(why, LONGEST) if why else ''}"
                self._end_holds(event.wall_us, how)
                if not isinstance(body, LaunchReleased):
                    self.ended_us = event.wall_us
            case NoteAdded():
                self.notes.append(Note(**told, by=event.actor, text=body.text))
            case LogAnchored():
                self.anchored.append(remake(Anchored, body, **told))
            case RunbookChanged():
                self.runbook_changes.append(remake(RunbookChange, body, **told, by=event.actor))
            case _:
                self._consoles(before, event, body)

    def _meet(self, event: Event, body: Body) -> None:
        if event.actor == ENGINE:
            return
        met = self._met.setdefault(event.actor, _Met(first_us=event.wall_us))
        met.events, met.last_us = met.events + 1, event.wall_us
        known = getattr(body, "how_known", "")
        if isinstance(known, str) and known:
            met.known[known] = None

    def _end_holds(self, at_us: int, how: str) -> None:
        self.holds = [one if one.ended_us else _ended(one, at_us, how) for one in self.holds]

    def _consoles(self, before: LaunchView, event: Event, body: Body) -> None:
        match body:
            case ConsoleOpened():
                self._open[body.id] = len(self.consoles)
                console = remake(
                    ConsoleFacts,
                    body,
                    seq=event.seq,
                    account=event.actor,
                    drove=body.drives,
                    opened_us=event.wall_us,
                    closed_us=0,
                    left="",
                )
                self.consoles.append(console)
            case ConsoleClosed():
                self._change(body.id, closed_us=event.wall_us, left=body.reason or "left")
                self._open.pop(body.id, None)
            case ConsoleTookOver():
                driver = next((c.account for c in before.consoles if c.drives), "")
                over = TakeOver(
                    seq=event.seq,
                    at_us=event.wall_us,
                    by=event.actor,
                    console=body.id,
                    before=driver,
                    reason=body.reason,
                )
                self.take_overs.append(over)
                self._change(body.id, drove=True)
            case EngineStarted():
                engine = remake(
                    EngineFacts, body, seq=event.seq, started_us=event.wall_us, stopped_us=0, left=""
                )
                self.engines.append(engine)
            case EngineStopped() if self.engines:
                ended = replace(self.engines[-1], stopped_us=event.wall_us, left=body.reason)
                self.engines[-1] = ended
            case _:
                pass

    def _change(self, name: str, **changes: object) -> None:
        place = self._open.get(name)
        if place is not None:
            self.consoles[place] = replace(self.consoles[place], **changes)  # type: ignore[arg-type]  # fields of ConsoleFacts, named by the three callers above

    def end(self, end_us: int) -> None:
        """Say when the log ends: holds that nobody ended last until then."""
        lasting = (
            replace(one, ended="not ended in this log", length_s=max(0, end_us - one.at_us) // SECOND_US)
            for one in self.holds
            if not one.ended_us
        )
        self.holds = [*(one for one in self.holds if one.ended_us), *lasting]

    def held_s(self) -> int:
        """Return for how many seconds the clock was stopped; holds over each other count once."""
        total = until = 0
        for hold in sorted(self.holds, key=lambda one: one.at_us):
            end = hold.at_us + hold.length_s * SECOND_US
            total += max(0, end - max(hold.at_us, until))
            until = max(until, end)
        return total // SECOND_US

    def accounts(self, view: LaunchView) -> tuple[Account, ...]:
        """Return who acted, by the order in which they came."""
        return tuple(self._account(view, name, met) for name, met in self._met.items())

    def _account(self, view: LaunchView, name: str, met: _Met) -> Account:
        people = people_of(view, name)
        return Account(
            account=name,
            people=tuple(person.name for person in people),
            roles=tuple(sorted({role for person in people for role in person.roles})),
            how_known=tuple(met.known),
            events=met.events,
            first_us=met.first_us,
            last_us=met.last_us,
        )


def _ended(hold: Hold, at_us: int, how: str) -> Hold:
    return replace(hold, ended_us=at_us, ended=how, length_s=max(0, at_us - hold.at_us) // SECOND_US)
