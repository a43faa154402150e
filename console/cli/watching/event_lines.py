"""A launch without a screen: one line an event, for a pipe, a dumb terminal, or a reader that speaks."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

from console.cli.saved_log import sealed, words_of_leaving
from console.cli.say import tell
from console.engine.process.running import find
from console.exit_codes import ExitCode
from state.base.text import line
from state.base.times import stamp
from state.events.event import Event
from state.events.launch import LaunchClosed, LaunchScrubbed
from state.fold import apply, line_of
from state.log.errors import LogError
from state.log.reader import LogReader
from state.view.launch import LaunchView

_LOOK_S = 0.5
_CHUNK = 500
_ENDS = {LaunchClosed.KIND, LaunchScrubbed.KIND}
_MOST_MISSED = 20


def print_events(
    log: Path,
    *,
    on: bool,
    at: int = 0,
    wait: Callable[[], bool] | None = None,
) -> ExitCode:
    """Print every event of a log from number ``at`` on; with ``on`` also those that come, until the launch has ended.

    ``wait`` is called while nothing comes, and says whether to look again; left out, half a second passes, and it
    goes on until somebody interrupts it. Raises LogError where the log can't be read.
    """
    wait = wait or _half_a_second
    view, missed = LaunchView(), 0
    with LogReader(log) as reader:
        while True:
            try:
                events, missed = reader.events(view.seq, _CHUNK), 0
            except LogError:  # a writer in the middle of its transaction passes, a damage doesn't
                missed += 1
                if not on or missed > _MOST_MISSED:
                    raise
                events = []
            for event in events:
                view = apply(view, event)
                if event.seq >= at:
                    sys.stdout.write(_row(event, view) + "\n")
            sys.stdout.flush()
            if any(event.kind in _ENDS for event in events) or (not events and not (on and wait())):
                break
    sys.stdout.write(f"-- {view.seq} events; the launch is {sealed(log) or view.state}\n")
    return ExitCode.GO


def watch(log: Path, back: str) -> ExitCode:
    """Print a launch that an engine runs until it has ended, or its engine has (NO_ENGINE), and say how to go on.

    ``back`` is the command that opens a console on it. Raises LogError.
    """
    lost = 0

    def wait() -> bool:
        nonlocal lost
        _half_a_second()
        lost += find(log) is None
        return lost < 2  # one more look: what an engine wrote last is there once it is gone

    tell(
        f"One line an event; Ctrl-C leaves. A screen:  {back}\nFrom here:  launch-console attest | grant | poll"
    )
    try:
        print_events(log, on=True, wait=wait)
    except KeyboardInterrupt:
        tell(words_of_leaving(log, back, running=find(log) is not None))
        raise
    tell(words_of_leaving(log, back, running=find(log) is not None))
    return ExitCode.GO if sealed(log) else ExitCode.NO_ENGINE


def _half_a_second() -> bool:
    threading.Event().wait(_LOOK_S)  # real time: another process writes
    return True


def _row(event: Event, view: LaunchView) -> str:
    row = line_of(event, view)
    return line(f"{row.seq:6} {stamp(event.wall_us)} {row.kind:22} {row.words}", 400)
