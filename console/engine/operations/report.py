"""What an operation tells the log: its steps, its output, its end. Everything passes the redactor."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checks.clients.redact import Redactor
from console.engine.journal import Journal
from console.engine.operations.program import tail
from state.events import Draft, Event, Kind, gate_key
from state.text import line
from state.verdict import OperationState
from state.view import OperationView

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
        self._redactor = redactor
        self._gate = gate_key(gate)

    def _clean(self, words: str) -> str:
        return line(self._redactor.clean(words))

    async def _record(self, kind: Kind, body: dict[str, object], actor: str = "engine") -> Event:
        draft = Draft(kind, {"id": self.operation_id, **body}, self._gate, self.ref, actor)  # type: ignore[dict-item]  # the callers here give JSON
        return await self.journal.record(draft)

    def run(self) -> OperationView | None:
        """Return the operation as the log knows it now."""
        return next((o for o in self.journal.view.operations if o.seq == self.ref), None)

    async def started(self, pid: int, start_time: str, folder: Path | None) -> None:
        """Record the process (0 where there is none), before it does anything."""
        body: dict[str, object] = {"pid": pid, "start_time": start_time}
        if folder is not None:
            body["folder"] = folder.name
        await self._record(Kind.OPERATION_STARTED, body)

    async def step(self, name: str, state: str, detail: str = "") -> None:
        """Record a step, unless the log has it already like that."""
        detail = self._clean(detail)
        run = self.run()
        if run is not None and any((s.name, s.state, s.detail) == (name, state, detail) for s in run.steps):
            return
        await self._record(Kind.OPERATION_STEP, {"name": name, "state": state, "detail": detail})

    async def output(self, stream: str, lines: Sequence[str]) -> None:
        """Record lines that the program printed."""
        for at in range(0, len(lines), _LINES):
            cleaned = [self._clean(one) for one in lines[at : at + _LINES]]
            await self._record(Kind.OPERATION_OUTPUT, {"stream": stream, "lines": cleaned})

    async def aborted(self, actor: str, reason: str) -> None:
        """Record that a person asked it to end."""
        await self._record(Kind.OPERATION_ABORTED, {"reason": self._clean(reason)}, actor)

    async def finished(self, end: End) -> None:
        """Record the end; an end that nobody saw is an event of its own."""
        verdict = self._clean(end.verdict)
        offers = list(end.offers)
        if end.state is OperationState.UNKNOWN:
            await self._record(Kind.OPERATION_UNKNOWN, {"verdict": verdict, "offers": offers})
            return
        await self._record(
            Kind.OPERATION_FINISHED,
            {"state": end.state.value, "verdict": verdict, "revision": end.revision, "offers": offers},
        )

    async def follow(self, out: Path, err: Path, ended: asyncio.Event) -> list[str]:
        """Record what a program prints until it has ended; return the lines of its standard error."""
        errors: list[str] = []

        async def one(stream: str, path: Path) -> None:
            async for lines in tail(path, ended):
                if stream == "stderr":
                    errors.extend(lines)
                await self.output(stream, lines)

        await asyncio.gather(one("stdout", out), one("stderr", err))
        return errors
