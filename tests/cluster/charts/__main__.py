"""Proves every chart with both helms, a line each, and a sum: ``make cluster-charts``.

    python -m tests.cluster.charts [--seed TEXT] [--helm 3|4] [--cluster FOLDER] [CHART ...]

``--cluster`` names the folder of a control plane that serves already, as ``make cluster`` starts one.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from tests import programs
from tests.cluster.charts.making import Chart, charts
from tests.cluster.charts.proving import prove
from tests.cluster.shared import Cluster, shared
from tests.console.engine.operations.stand import launch

_AT_ONCE = 4


async def every(
    chosen: Sequence[Chart], majors: Sequence[int], seed: str, folder: Path, there: Path | None
) -> int:
    """Prove charts, some at once; return how many failed."""
    failed: list[str] = []
    limit = asyncio.Semaphore(_AT_ONCE)
    with nullcontext(Cluster(there)) if there is not None else shared(folder / "cluster") as cluster:
        async with launch(folder, rate=1.0) as base, cluster.api() as api:

            async def one(chart: Chart, major: int) -> None:
                async with limit:
                    name, began = f"{chart.name} helm {major}", time.monotonic()
                    try:
                        hidden = await prove(
                            cluster, api, base, chart, folder / f"{chart.name}-{major}", major, seed
                        )
                    except (AssertionError, Exception) as error:
                        failed.append(name)
                        words = f"FAILED {type(error).__name__} {error}"
                    else:
                        words = f"ok; found by hand: {hidden}"
                    parts = ", ".join((chart.main, *chart.shapes))
                    sys.stdout.write(f"{name} [{parts}] {words} ({time.monotonic() - began:.0f} s)\n")
                    sys.stdout.flush()

            await asyncio.gather(*(one(chart, major) for chart in chosen for major in majors))
    sys.stdout.write(f"{len(chosen)} charts, helm {' and '.join(map(str, majors))}: {len(failed)} failed\n")
    return len(failed)


def main() -> int:
    """Prove what the command line names; everything where it names nothing."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.charts")
    parser.add_argument("charts", nargs="*")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--helm", type=int, choices=(3, 4), action="append")
    parser.add_argument("--cluster", type=Path)
    given = parser.parse_args()
    programs.declare("control-plane", "helm3", "helm4")
    chosen = [one for one in charts() if not given.charts or one.name in given.charts]
    with tempfile.TemporaryDirectory(prefix="charts-") as folder:
        return min(
            1, asyncio.run(every(chosen, given.helm or (3, 4), given.seed, Path(folder), given.cluster))
        )


if __name__ == "__main__":
    sys.exit(main())
