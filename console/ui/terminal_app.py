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
from console.ui.type_ahead import TypeAhead


class TerminalApp(App[int]):
    """What the console is in any terminal, whatever it shows."""

    def __init__(self, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver_class, watch_css=False)
        self._opening = False
        """Whether a dialog is about to open: keys meant for it must not reach the screen below."""
        self._ahead = TypeAhead(super().on_event, self._pumps, lambda: self._opening)

    def take_keys(self) -> None:
        """Take keys from now on."""
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
        """Write the crash to a file without local variables (they may hold secrets) and say where it is."""
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._return_code = ExitCode.INTERNAL
        self._exit_renderables.append(Text(crash.words(error)))
        self._close_messages_no_wait()


def settle() -> None:
    """Keep the garbage collector from pausing over what lives as long as the program."""
    # Full collections paused the console for 33 ms; frozen, p99 from key to paint fell from 38 to 12 ms.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
