"""``launch-console engine list | stop``: the engines that run for this account."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from console.engine.process import EngineFailedError, stop
from console.engine.registry import EngineInfo, RuntimeDirectoryError, running_engines


def run_list(as_json: bool = False) -> int:
    """Print the engines that run, one a line or as a JSON list; return the exit code."""
    try:
        engines = running_engines()
    except RuntimeDirectoryError as error:
        return _fail(str(error))
    if as_json:
        sys.stdout.write(json.dumps([one.dump() for one in engines]) + "\n")
        return 0
    for one in engines:
        sys.stdout.write(f"{one.pid:>8}  {one.log}\n")
    if not engines:
        sys.stdout.write("no engine runs\n")
    return 0


def run_stop(target: str) -> int:
    """Stop the engine with a pid or of a log; return the exit code."""
    try:
        found = [one for one in running_engines() if _matches(one, target)]
        if not found:
            return _fail(f"no engine runs for {target}: launch-console engine list shows those that do")
        stop(found[0])
    except (EngineFailedError, RuntimeDirectoryError) as error:
        return _fail(str(error))
    sys.stdout.write(f"engine {found[0].pid} of {found[0].log} ended\n")
    return 0


def _matches(one: EngineInfo, target: str) -> bool:
    return str(one.pid) == target or one.log == Path(target).resolve()


def _fail(message: str) -> int:
    sys.stderr.write(f"launch-console: {message}\n")
    return 1
