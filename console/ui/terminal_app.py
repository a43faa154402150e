"""An app in a terminal: its keys in order, its end by a signal, its crash as a file and one line."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal

from rich.text import Text
from textual import events
from textual._time import get_time
from textual.app import App
from textual.driver import Driver
from textual.message_pump import MessagePump

from console.exit_codes import ExitCode, signalled
from console.ui import crash
from console.ui.keys.type_ahead import TypeAhead
from screens.kit.guarded import Guarded
from state.base.text import line

MOST_CRASHES = 20
"""Files that one console writes of its own errors."""


class TerminalApp(Guarded, App[int]):
    """What the console is in any terminal, whatever it shows."""

    def __init__(self, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver_class, watch_css=False)
        self._opening = False
        """Whether a dialog is about to open: keys meant for it must not reach the screen below."""
        self._giving = False
        """Whether a command was just given: keys wait for what the engine makes of it."""
        self._ahead = TypeAhead(super().on_event, self._pumps, lambda: self._opening, lambda: self._giving)
        self._in_use = False
        """Whether somebody can see and press something: an error after that doesn't end the console."""
        self._broken: dict[str, str] = {}
        """Each error of ours with what is told of it: one that comes back every second is written once."""

    def take_keys(self) -> None:
        """Take keys from now on."""
        self._in_use = True
        self._ahead.begin(get_time())

    def action_help_quit(self) -> None:
        """Say how to leave, where the key that ends other programs is pressed."""
        self.tell("q: quit (the engine keeps running)")

    def tell(self, message: str, *, bad: bool = False) -> None:
        """Tell a person something, where they look."""
        raise NotImplementedError

    async def on_event(self, event: events.Event) -> None:
        """Give keys and pasted text in their order, everything else at once."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self._ahead.give(event)
        else:
            await super().on_event(event)

    def _pumps(self) -> list[MessagePump]:
        return [one for one in (self.focused, self.screen, self) if one is not None]

    def _handle_signals(self) -> None:
        """Let the terminal be restored on SIGTERM and SIGHUP: Textual alone leaves it broken."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread, as in some tests
                loop.add_signal_handler(number, self._ended_by, number)

    def _ended_by(self, number: int) -> None:
        self.exit(return_code=signalled(number))

    def _handle_exception(self, error: Exception) -> None:
        """Write the crash to a file without local variables (they may hold secrets) and say where it is.

        Once the console is in use it goes on: whoever holds a launch needs its keys more than a clean end. Before
        the first frame there is nothing to hold on to.
        """
        if self._in_use and crash.place(error) in self._broken:
            return
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        if self._in_use:
            self._tell_broken(error)
            return
        self._return_code = ExitCode.INTERNAL
        self._exit_renderables.append(Text(crash.words(error)))
        self._close_messages_no_wait()

    def _tell_broken(self, error: Exception) -> None:
        """Remember an error of ours, for all to see until the console ends."""
        at = crash.place(error)
        if at in self._broken:
            return
        path = crash.write(error) if len(self._broken) < MOST_CRASHES else None
        what = f"{type(error).__name__}: {line(str(error), 120)}"
        self._broken[at] = f"{what} ({path or 'not written: there were many'})"
        self.call_later(self.changed)

    @property
    def broken(self) -> str:
        """What went wrong in this console, the newest first, and how often something else did; or nothing."""
        told = list(self._broken.values())
        more = f" · and {len(told) - 1} more" if len(told) > 1 else ""
        return f"{told[-1]}{more}" if told else ""

    def changed(self) -> None:
        """Show what is new, soon."""
        raise NotImplementedError


def settle() -> None:
    """Keep the garbage collector from pausing over what lives as long as the program."""
    # Full collections paused the console for 33 ms; frozen, p99 from key to paint fell from 38 to 12 ms.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
