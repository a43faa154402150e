"""``launch-console engine list | stop``: the engines that run for this account."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from console.engine.process.running import running_engines
from console.engine.process.spawn import stop
from console.exit_codes import ExitCode, FailedError
from state.base.codec import WIRE
from state.base.json import Json, JsonObject, flag, integer, objs, text
from state.base.numbers import plural
from state.base.text import line
from state.base.times import stamp
from state.events.launch import (
    ConsoleClosed,
    ConsoleOpened,
    ConsoleTookOver,
    EngineStarted,
    EngineStopped,
    LaunchClosed,
    LaunchHeld,
    LaunchOpened,
    LaunchReleased,
    LaunchScrubbed,
)
from state.events.log import LogOpened
from state.events.operations import OperationFinished, OperationIntended, OperationUnknown
from state.fold import fold
from state.log.errors import LogError
from state.log.reader import LogReader

_KINDS = frozenset(
    {
        *(LogOpened.KIND, LaunchOpened.KIND, LaunchHeld.KIND, LaunchReleased.KIND, LaunchScrubbed.KIND),
        *(LaunchClosed.KIND, EngineStarted.KIND, EngineStopped.KIND, ConsoleOpened.KIND),
        *(ConsoleClosed.KIND, ConsoleTookOver.KIND, OperationIntended.KIND, OperationFinished.KIND),
        OperationUnknown.KIND,
    }
)
"""What the launch's state and its consoles are folded from: few events of a long log."""


def run_list(as_json: bool = False) -> ExitCode:
    """Print the engines that run, one a line or as a JSON list."""
    engines = running_engines()
    if as_json:
        sys.stdout.write(
            json.dumps([{**WIRE.dump(engine), **_told(engine.log)} for engine in engines]) + "\n"
        )
        return ExitCode.GO
    for engine in engines:
        sys.stdout.write(f"{engine.pid:>8}  {_words(_told(engine.log))}\n{'':8}  {engine.log}\n")
    if not engines:
        sys.stdout.write("no engine runs\n")
    return ExitCode.GO


def _told(log: Path) -> dict[str, Json]:
    """Return what a log says of its launch and of its engine; ``trouble`` where it can't be read."""
    try:
        with LogReader(log) as reader:
            view = fold(reader.of_kinds(_KINDS))
            started = [event.wall_us for event in reader.of_kinds({EngineStarted.KIND})]
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
            {
                "id": console.id,
                "account": console.account,
                "drives": console.drives,
                "since_us": console.since_us,
            }
            for console in view.consoles
        ],
    }


def _words(answer: JsonObject) -> str:
    """Return the same for a person, in one line."""
    if "trouble" in answer:
        return f"its log can't be read: {text(answer, 'trouble')}"
    consoles = objs(answer.get("consoles"))
    driver = next(
        (f", {text(console, 'account')} drives" for console in consoles if flag(console, "drives")), ""
    )
    running = f", {text(answer, 'operation')} is under way" if text(answer, "operation") else ""
    return (
        f"{text(answer, 'title')}: {text(answer, 'state')}{running}; {plural(len(consoles), 'console')}{driver}; "
        f"since {stamp(integer(answer, 'since_us'), seconds=False)}"
    )


def run_stop(target: str) -> ExitCode:
    """Stop the engine with a pid or of a log.

    Raises FailedError where none runs for it, or it doesn't end.
    """
    log = Path(target).resolve()
    found = next((one for one in running_engines() if str(one.pid) == target or one.log == log), None)
    if found is None:
        message = f"no engine runs for {target}: launch-console engine list shows those that do"
        raise FailedError(message, ExitCode.NO_ENGINE)
    stop(found)
    sys.stdout.write(f"engine {found.pid} of {found.log} ended\n")
    return ExitCode.GO
