"""What ``launch-console check`` found: lines as results come, a closing line, or one JSON document."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.looks import CheckRef
from console.engine.checks.without_launch import Result
from console.exit_codes import ExitCode
from state.view.enums import Look, Verdict

if TYPE_CHECKING:
    from state.base.json import Json
    from state.runbook.load import LoadedRunbook
    from state.runbook.models import Gate, Stage

_CANDIDATE = "candidate in staging"
SKIPPED, HUMAN = "skipped", "attest"
_SIGN = {
    "pass": "pass",
    "fail": "FAIL",
    "unknown": "UNKNOWN",
    SKIPPED: "SKIPPED",
    HUMAN: "attest",
}


@dataclass(frozen=True, slots=True)
class Unasked:
    """Something that was not looked at: a check that is skipped, or an item that has none."""

    gate: int
    item: str
    why: str
    check: CheckRef | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is checked, and what is left out, of which gates."""

    checks: tuple[CheckRef, ...]
    left: tuple[Unasked, ...]
    gates: tuple[Gate, ...]
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One check, or one item without any."""

    gate: int
    """0: of none, but of a stage of the pipeline."""
    item: str
    """The item, or the stage."""
    name: str
    """Of the check: ``3.2/0``; the item's number where it has none."""
    kind: str
    env: str
    outcome: str
    """``pass``, ``fail``, ``unknown``, ``skipped`` or ``attest``."""
    summary: str
    result: Result | None = None
    look: Look = Look.ONCE


@dataclass(frozen=True, slots=True)
class Swept:
    """Everything that was found, in the order of the runbook."""

    loaded: LoadedRunbook
    rows: tuple[Row, ...]

    @property
    def counts(self) -> Counter[str]:
        """How many rows have each outcome."""
        return Counter(row.outcome for row in self.rows)

    @property
    def code(self) -> ExitCode:
        """The exit code: a fail outweighs unknown; what was skipped, and no check at all, is not a pass."""
        counts = self.counts
        if counts["fail"]:
            return ExitCode.NO_GO
        return ExitCode.BLIND if counts["unknown"] or counts[SKIPPED] or not counts["pass"] else ExitCode.GO


class Lines:
    """Takes results as they come and prints each as soon as every one before it is there."""

    def __init__(self, asked: Asked, out: Callable[[str], None]) -> None:
        self._out = out
        self._rows: dict[str, Row] = {}
        names = [(check.item, check.id) for check in asked.checks]
        names += [(one.item, one.check.id if one.check else one.item) for one in asked.left]
        places = [*(item.id for gate in asked.gates for item in gate.items), *(s.id for s in asked.stages)]
        self._order = tuple(
            name for place in places for name in sorted((n for i, n in names if i == place), key=_rank)
        )
        self._items = max((len(item) for item, _ in names), default=0)
        self._waiting = list(self._order)
        self._kinds = max((len(check.spec.kind) for check in asked.checks), default=0)
        looks = {check.look for check in asked.checks}
        self._places = len(_CANDIDATE) if Look.CANDIDATE in looks else 10
        for one in asked.left:
            row = _left(one)
            self._rows[row.name] = row
        self._flush()

    def take(self, result: Result) -> None:
        """Take a result."""
        check = result.check
        self._rows[check.id] = Row(
            *(check.gate, check.item, check.id, check.spec.kind, check.spec.env.value),
            *(result.verdict.value, result.summary, result, check.look),
        )
        self._flush()

    def swept(self, loaded: LoadedRunbook) -> Swept:
        """Return everything, once every result is there."""
        return Swept(loaded, tuple(self._rows[name] for name in self._order))

    def _flush(self) -> None:
        while self._waiting and self._waiting[0] in self._rows:
            row = self._rows[self._waiting.pop(0)]
            env = f"{_where(row):<{self._places}}"
            item, kind = row.item.ljust(self._items), row.kind.ljust(self._kinds)
            self._out(f"{_SIGN[row.outcome]:<8} {item} {kind} {env} {row.summary}")
            for way in row.result.ways if row.result is not None else ():
                self._out(f"{'':<8} → {way}")


def _rank(name: str) -> tuple[int, str]:
    """Return where a check stands among those of its item, by its id: ``3.2/0``, its second look ``3.2/0/live``."""
    number, _, look = name.partition("/")[2].partition("/")
    return int(number) if number.isdigit() else 0, look


def _where(row: Row) -> str:
    return _CANDIDATE if row.look is Look.CANDIDATE else row.env


def _left(one: Unasked) -> Row:
    if one.check is None:
        return Row(one.gate, one.item, one.item, "", "", HUMAN, one.why)
    spec = one.check.spec
    return Row(
        one.gate, one.item, one.check.id, spec.kind, spec.env.value, SKIPPED, one.why, None, one.check.look
    )


def closing(swept: Swept) -> str:
    """Return the last line: how many of each, and what that means."""
    counts = swept.counts
    words = {
        "pass": "pass",
        "fail": "fail",
        "unknown": "unknown",
        SKIPPED: "skipped",
        HUMAN: "to be attested",
    }
    message = ", ".join(f"{counts[outcome]} {word}" for outcome, word in words.items() if counts[outcome])
    verdict = _verdict(swept)
    if verdict is Verdict.UNKNOWN and not counts["unknown"]:
        why = "what was skipped is not a pass" if counts[SKIPPED] else "no check was run, which is not a pass"
        return f"\n{message or 'nothing'}: UNKNOWN ({why})"
    return f"\n{message}: {_SIGN[verdict.value].upper()}"


def as_json(swept: Swept) -> str:
    """Return one JSON document: the outcome, counts, and every check with its evidence."""
    document: dict[str, Json] = {
        "runbook": str(swept.loaded.path),
        "digest": swept.loaded.digest,
        "outcome": _verdict(swept).value,
        "exit": swept.code,
        "counts": {name: swept.counts[name] for name in _SIGN},
        "checks": [_row(row) for row in swept.rows if row.outcome != HUMAN],
        "attest": [row.item for row in swept.rows if row.outcome == HUMAN],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _row(row: Row) -> Json:
    seen = row.result
    return {
        "check": row.name,
        "gate": row.gate,
        "item": row.item,
        "kind": row.kind,
        "env": row.env,
        "look": row.look.value,
        "verdict": row.outcome,
        "summary": row.summary,
        "ways": list(seen.ways) if seen is not None else [],
        "evidence": seen.evidence if seen is not None else {},
        "ms": seen.ms if seen is not None else 0,
    }


def _verdict(swept: Swept) -> Verdict:
    return {ExitCode.NO_GO: Verdict.FAIL, ExitCode.BLIND: Verdict.UNKNOWN, ExitCode.GO: Verdict.PASS}[
        swept.code
    ]


def by_place(swept: Swept) -> list[tuple[str, Sequence[Row]]]:
    """Return the rows of each gate and each stage of the pipeline that has any, by its title."""
    book = swept.loaded.runbook
    found = [
        (f"gate {g.number}: {g.title}", [r for r in swept.rows if r.gate == g.number]) for g in book.gates
    ]
    found += [
        (f"stage {s.id}: {s.title}", [r for r in swept.rows if not r.gate and r.item == s.id])
        for s in book.stages
    ]
    return [(title, rows) for title, rows in found if rows]
