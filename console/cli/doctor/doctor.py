"""``launch-console doctor``: everything a launch needs, looked at before anybody depends on it.

It changes nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from checks.clients.clients import Clients
from console.cli.doctor.diagnosed import Diagnosis, exit_code, rows
from console.cli.doctor.environment_diagnosis import look_at
from console.cli.doctor.machine import machine
from console.cli.say import out
from console.engine.checks.validate import load_judgeable
from console.exit_codes import ExitCode, FailedError
from state.base.clock import Clock, clock_of
from state.runbook.load import LoadedRunbook


def run(runbook: Path, env: str | None, as_json: bool, clock: Path | None) -> ExitCode:
    """Look at this machine and at each environment, or ``env`` alone, and print a line for each thing.

    Raises RunbookError, and FailedError where the clock's file can't be used.
    """
    loaded = load_judgeable(runbook)
    try:
        ticking = clock_of(clock)
    except (OSError, ValueError) as error:
        raise FailedError(f"the clock file {clock} can't be used: {error}", ExitCode.BAD_CONFIG) from None
    found = asyncio.run(examine(loaded, ticking, env))
    if as_json:
        sys.stdout.write(
            json.dumps([asdict(one) for one in found]) + "\n"
        )  # what a terminal obeys is escaped in it
    else:
        out("\n".join(rows(found)))
    return exit_code(found)


async def examine(loaded: LoadedRunbook, clock: Clock, env: str | None = None) -> Sequence[Diagnosis]:
    """Return everything that was looked at, this machine first. No secret is in it."""
    runbook = loaded.runbook
    clients = Clients(runbook, clock)
    try:
        here = await machine(loaded, clock, clients.redactor)
        there = await asyncio.gather(
            *(
                look_at(runbook, loaded.path, environment, clients, clock)
                for tier, environment in runbook.environments.items()
                if env in {None, tier.value}
            )
        )
    finally:
        await clients.aclose()
    found = [*here, *(one for several in there for one in several)]
    clean = clients.redactor.clean
    return [replace(one, said=clean(one.said), fix=clean(one.fix)) for one in found]
