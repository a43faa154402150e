"""What an operation tells the log: its steps, its output, its end. Everything passes the redactor."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checks.clients.redact import Redactor
from console.engine.operations.run.program import Running, tail
from console.engine.record.journal import Journal
from state.base.frozen import remake
from state.base.text import bare, line
from state.events.bodies import body_of
from state.events.event import Body, Draft, Event, gate_key
from state.events.operations import (
    OperationAborted,
    OperationFinished,
    OperationOutput,
    OperationStarted,
    OperationStep,
    OperationUnknown,
)
from state.view.enums import OperationState, StepState
from state.view.launch import OperationView

# At most 500 characters each, which keeps the body under 16 KiB.
_LINES = 20


@dataclass(frozen=True, slots=True)
class End:
    """How an operation ended, in words, and what may be done next."""

    state: OperationState
    verdict: str
    revision: int = 0
    offers: tuple[str, ...] = ()


class Report:
    """Records what happens to one run of an operation."""

    def __init__(self, journal: Journal, redactor: Redactor, ref: int, gate: int, operation_id: str) -> None:
        self.journal = journal
        self.ref = ref
        self.operation_id = operation_id
        self.last_error = ""
        """The last line of the program's standard error that tells an error, or the last of all: not to be told but
        ``quoted``."""
        self._redactor = redactor
        self._gate = gate_key(gate)

    @property
    def _kept_back(self) -> str:
        """What stands for a program's words while its secrets can't be known; nothing where they can."""
        unread = self._redactor.unread
        return f"kept back: the secrets of the {unread} cannot be read" if unread else ""

    def quoted(self, words: str) -> str:
        """Return a program's words as they may be told."""
        return self._kept_back or words

    def _clean(self, words: str) -> str:
        return line(self._redactor.clean(words))

    async def _record(self, body: Body, actor: str = "engine") -> Event:
        return await self.journal.record(Draft(body, self._gate, self.ref, actor))

    def run(self) -> OperationView | None:
        """Return the operation as the log knows it now."""
        return next((o for o in self.journal.view.operations if o.seq == self.ref), None)

    async def started(self, pid: int, start_time: str, folder: Path | None) -> None:
        """Record the process (0 where there is none), before it does anything."""
        name = folder.name if folder is not None else ""
        await self._record(OperationStarted(self.operation_id, pid, start_time, folder=name))

    async def step(self, name: str, state: str, detail: str = "") -> None:
        """Record a step, unless the log has it already like that."""
        detail = self._clean(detail)
        run = self.run()
        if run is not None and any((s.name, s.state, s.detail) == (name, state, detail) for s in run.steps):
            return
        await self._record(OperationStep(self.operation_id, line(name, 120), StepState(state), detail))

    async def output(self, stream: str, lines: Sequence[str]) -> None:
        """Record lines that a program printed.

        Not while the redactor can't know their secrets: a line for each says that there was one.
        """
        if self._kept_back:
            lines = [self._kept_back] * len(lines)
        for at in range(0, len(lines), _LINES):
            cleaned = tuple(self._clean(one) for one in lines[at : at + _LINES])
            await self._record(OperationOutput(self.operation_id, line(stream, 120), cleaned))

    async def aborted(self, actor: str, reason: str) -> None:
        """Record that a person asked it to end."""
        await self._record(OperationAborted(self.operation_id, self._clean(reason)), actor)

    async def finished(self, end: End) -> None:
        """Record the end; an end that nobody saw is an event of its own."""
        body = OperationFinished(
            id=self.operation_id,
            state=end.state,
            verdict=self._clean(end.verdict),
            revision=end.revision,
            offers=end.offers,
        )
        unseen = end.state is OperationState.UNKNOWN
        await self._record(remake(OperationUnknown, body) if unseen else body)

    async def follow(self, running: Running, ended: asyncio.Event) -> None:
        """Record what a program prints until it has ended.

        Lines that an engine before this one recorded are not recorded again.
        """
        known = self._recorded()

        async def one(stream: str, path: Path) -> None:
            skip = known.get(stream, 0)
            async for lines in tail(path, ended, self._redactor.clean):
                if stream == "stderr":
                    self.last_error = _error(self.last_error, lines)
                new = lines[skip:]
                skip = max(0, skip - len(lines))
                if new:
                    await self.output(stream, new)

        await asyncio.gather(one("stdout", running.out), one("stderr", running.err))

    def _recorded(self) -> dict[str, int]:
        """Return how many lines of each stream the log has."""
        found: dict[str, int] = {}
        after = self.ref
        while chunk := self.journal.store.read(after):
            for event in chunk:
                body = body_of(event)
                if isinstance(body, OperationOutput) and event.ref == self.ref:
                    found[body.stream] = found.get(body.stream, 0) + len(body.lines)
            after = chunk[-1].seq
        return found

    def _without_secrets(self, raw: str) -> str:
        """Return a program's output without secrets, also those that escapes and unseen marks took apart."""
        rows = self._redactor.clean(raw).split("\n")
        read = [bare(row) for row in rows]
        together = self._redactor.clean("\n".join(read)).split("\n")
        if len(together) == len(rows):  # escapes at the ends of lines hid where they were joined
            rows = [
                row if one == before else one for row, before, one in zip(rows, read, together, strict=True)
            ]
        return "\n".join(self._row(row) for row in rows)

    def _row(self, row: str) -> str:
        read = bare(row) if not row.isascii() or not row.isprintable() else row
        cleaned = self._redactor.clean(read) if read != row else read
        return cleaned if cleaned != read else row

    def redact_files(self, running: Running) -> None:
        """Write the output files of a program that has ended anew, without secret values."""
        for path in (running.out, running.err):
            with contextlib.suppress(OSError):
                raw = path.read_text(errors="replace")
                cleaned = f"{self._kept_back}\n" if self._kept_back and raw else self._without_secrets(raw)
                if cleaned != raw:
                    path.write_text(cleaned)


def _error(before: str, lines: Sequence[str]) -> str:
    """Return what stands for an error: traces and hints may follow the line that tells it."""
    messages = [one for one in (before, *lines) if one.startswith("Error:")]
    return messages[-1] if messages else lines[-1]
