"""How long all checks of gates 1 to 8 take together, beside the slowest of them.

python -m tests.bench.sweep [--rate RATE] [--times TIMES]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from console.engine.engine import Engine
from console.rehearsal.dotmac.names import Env
from state.base.json import Json, integer, text
from state.events.gates import CheckFinished
from state.events.operations import OperationFinished, OperationIntended
from tests.console.rehearsal.dotmac.faults.table import release
from tests.console.rehearsal.worlds import running
from tests.drafts import draft

GATES = range(1, 9)
FACTOR, MORE_S = 1.3, 0.5


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one sweep took, in seconds; ``checks`` is by check, slowest first."""

    whole: float
    checks: tuple[tuple[float, str, str], ...]

    @property
    def goal(self) -> float:
        return FACTOR * self.checks[0][0] + MORE_S


def main(arguments: Sequence[str]) -> int:
    """Sweep a staged world some times; print each, and return 1 where the last missed the goal."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=1.0, help="of the clock")
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="lc-sweep-") as folder:
        asyncio.run(release(Path(folder) / "world", production=False))
        sweeps = asyncio.run(_measure(Path(folder), asked.rate, asked.times))
    for sweep in sweeps:
        slowest = ", ".join(f"{check} {took:.2f} s" for took, check, _ in sweep.checks[:3])
        verdicts = [verdict for _, _, verdict in sweep.checks]
        sys.stdout.write(
            f"{len(sweep.checks)} checks ({verdicts.count('pass')} pass) {sweep.whole:.2f} s, "
            f"{sweep.whole / sweep.checks[0][0]:.2f} × the slowest; "
            f"goal ≤ {sweep.goal:.2f} s ({FACTOR} × the slowest + {MORE_S} s); slowest: {slowest}\n"
        )
    return 0 if sweeps[-1].whole <= sweeps[-1].goal else 1


async def _measure(folder: Path, rate: float, times: int) -> list[Sweep]:
    async with running(folder / "world", rate=rate) as world:
        engine = await Engine.open(world.runbook_path, folder / "a.lclog", world.clock, account="ann")
        try:
            await _released(engine)
            return [await _sweep(engine) for _ in range(times)]
        finally:
            await engine.close()


async def _released(engine: Engine) -> None:
    """Record the operations that a launch would have seen by now."""
    for identity, env in (("staging.deploy", Env.STAGING), *((f"{env}.migrate", env) for env in Env)):
        intended: dict[str, Json] = {
            "id": identity,
            "kind": identity.partition(".")[2],
            "env": env.value,
            "title": identity,
            "commands": [],
            "from": "",
            "to": "",
            "timeout_s": 600,
            "good": None,
        }
        begun = await engine.journal.record(draft(OperationIntended.KIND, intended, "g08", actor="ann"))
        done: dict[str, Json] = {
            "id": identity,
            "state": "succeeded",
            "verdict": "",
            "revision": 1,
            "offers": [],
        }
        await engine.journal.record(draft(OperationFinished.KIND, done, "g08", begun.seq))


async def _sweep(engine: Engine) -> Sweep:
    after = engine.journal.view.seq
    gates = [gate for gate in engine.journal.view.gates if gate.number in GATES]
    checks = engine.runner.checks([item.id for gate in gates for item in gate.items])
    started = time.perf_counter()
    engine.runner.start(checks, "ann")
    await engine.runner.idle()
    whole = time.perf_counter() - started
    kinds = {check.id: check.spec.kind for check in checks}
    found = []
    while page := engine.store.read(after):
        after = page[-1].seq
        found += [
            (
                integer(event.body, "ms") / 1000,
                f"{text(event.body, 'check')} {kinds[text(event.body, 'check')]}",
                text(event.body, "verdict"),
            )
            for event in page
            if event.kind == CheckFinished.KIND
        ]
    return Sweep(whole, tuple(sorted(found, reverse=True)))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
