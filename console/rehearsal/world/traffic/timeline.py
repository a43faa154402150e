"""A product's traffic and the file in which it is kept."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

from console.rehearsal.world.traffic.behaviour import Behaviour
from console.rehearsal.world.traffic.exported import Program
from console.rehearsal.world.traffic.source import Traffic
from state.base.clock import Clock
from state.base.json import obj


class Timeline:
    """Traffic that is kept, so that a world that was killed has the same past."""

    def __init__(self, file: Path, clock: Clock, program: Program, fresh: Callable[[], Traffic]) -> None:
        self._file = file
        self._shown: dict[str, Behaviour] = {}
        with contextlib.suppress(FileNotFoundError):
            self.traffic = Traffic.from_json(obj(json.loads(file.read_text())), clock, program)
            return
        self.traffic = fresh()

    def show(self, environment: str, behaviour: Behaviour) -> bool:
        """Let an environment behave so from now on; return whether it did not before."""
        if self._shown.get(environment) == behaviour:
            return False
        self._shown[environment] = behaviour
        self.traffic.set(environment, behaviour)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(self.traffic.to_json()))
        fresh.replace(self._file)
        return True
