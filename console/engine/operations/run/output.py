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
from state.base.json import text, texts
from state.base.text import line
from state.events.event import Draft, Event, Kind, gate_key
from state.view.enums import OperationState
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
        """The last line of the program's standard error that tells an error, or the last of all."""
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
        await self._record(Kind.OPERATION_STEP, {"name": line(name, 120), "state": state, "detail": detail})

    async def output(self, stream: str, lines: Sequence[str]) -> None:
        """Record lines that a program printed."""
        for at in range(0, len(lines), _LINES):
            cleaned = [self._clean(one) for one in lines[at : at + _LINES]]
            await self._record(Kind.OPERATION_OUTPUT, {"stream": line(stream, 120), "lines": cleaned})

    async def aborted(self, actor: str, reason: str) -> None:
        """Record that a person asked it to end."""
        await self._record(Kind.OPERATION_ABORTED, {"reason": self._clean(reason)}, actor)

    async def finished(self, end: End) -> None:
        """Record the end; an end that nobody saw is an event of its own."""
        verdict = self._clean(end.verdict)
        offers = list(end.offers)
        if end.state is OperationState.UNKNOWN:
            body: dict[str, object] = {"verdict": verdict, "revision": end.revision, "offers": offers}
            await self._record(Kind.OPERATION_UNKNOWN, body)
            return
        await self._record(
            Kind.OPERATION_FINISHED,
            {"state": end.state.value, "verdict": verdict, "revision": end.revision, "offers": offers},
        )

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
                if event.kind == Kind.OPERATION_OUTPUT and event.ref == self.ref:
                    stream = text(event.body, "stream")
                    found[stream] = found.get(stream, 0) + len(texts(event.body.get("lines")))
            after = chunk[-1].seq
        return found

    def redact_files(self, running: Running) -> None:
        """Write the output files of a program that has ended anew, without secret values."""
        for path in (running.out, running.err):
            with contextlib.suppress(OSError):
                raw = path.read_text(errors="replace")
                cleaned = self._redactor.clean(raw)
                if cleaned != raw:
                    path.write_text(cleaned)


def _error(before: str, lines: Sequence[str]) -> str:
    """Return what stands for an error: traces and hints may follow the line that tells it."""
    told = [one for one in (before, *lines) if one.startswith("Error:")]
    return told[-1] if told else lines[-1]
