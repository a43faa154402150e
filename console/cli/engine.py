"""``launch-console engine list | stop``: the engines that run for this account."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from console.engine.process.running import EngineInfo, RuntimeDirectoryError, running_engines
from console.engine.process.spawn import EngineFailedError, stop
from state.base.codec import WIRE
from state.base.json import Json, JsonObject, flag, integer, objs, text
from state.base.numbers import plural
from state.base.text import line
from state.events.event import Kind
from state.fold import fold
from state.log.errors import LogError
from state.log.reader import LogReader

_KINDS = frozenset(
    {
        *(Kind.LOG_OPENED, Kind.LAUNCH_OPENED, Kind.LAUNCH_HELD, Kind.LAUNCH_RELEASED, Kind.LAUNCH_SCRUBBED),
        *(Kind.LAUNCH_CLOSED, Kind.ENGINE_STARTED, Kind.ENGINE_STOPPED, Kind.CONSOLE_OPENED),
        *(Kind.CONSOLE_CLOSED, Kind.CONSOLE_TOOK_OVER, Kind.OPERATION_INTENDED, Kind.OPERATION_FINISHED),
        Kind.OPERATION_UNKNOWN,
    }
)
"""What the launch's state and its consoles are folded from: few events of a long log."""


def run_list(as_json: bool = False) -> int:
    """Print the engines that run, one a line or as a JSON list; return the exit code."""
    try:
        engines = running_engines()
    except RuntimeDirectoryError as error:
        return _fail(str(error))
    if as_json:
        sys.stdout.write(json.dumps([{**WIRE.dump(one), **_told(one.log)} for one in engines]) + "\n")
        return 0
    for one in engines:
        sys.stdout.write(f"{one.pid:>8}  {_words(_told(one.log))}\n{'':8}  {one.log}\n")
    if not engines:
        sys.stdout.write("no engine runs\n")
    return 0


def _told(log: Path) -> dict[str, Json]:
    """Return what a log says of its launch and of its engine; ``trouble`` where it can't be read."""
    try:
        with LogReader(log) as reader:
            view = fold(reader.of_kinds(_KINDS))
            started = [event.wall_us for event in reader.of_kinds({Kind.ENGINE_STARTED})]
    except LogError as error:
        return {"trouble": line(str(error))}
    running = view.running()
    return {
        "title": view.scope.title,
        "launch_id": view.scope.launch_id,
        "state": view.state.value,
        "operation": running.id if running is not None else "",
        "since_us": started[-1] if started else 0,
        "consoles": [
            {"id": one.id, "account": one.account, "drives": one.drives, "since_us": one.since_us}
            for one in view.consoles
        ],
    }


def _words(told: JsonObject) -> str:
    """Return the same for a person, in one line."""
    if "trouble" in told:
        return f"its log can't be read: {text(told, 'trouble')}"
    since = datetime.fromtimestamp(integer(told, "since_us") / 1_000_000, UTC)
    consoles = objs(told.get("consoles"))
    driver = next((f", {text(one, 'account')} drives" for one in consoles if flag(one, "drives")), "")
    running = f", {text(told, 'operation')} is under way" if text(told, "operation") else ""
    return (
        f"{text(told, 'title')}: {text(told, 'state')}{running}; {plural(len(consoles), 'console')}{driver}; "
        f"since {since:%Y-%m-%d %H:%M}Z"
    )


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
