"""Reading keys without being ended by a byte that is not UTF-8, or spinning on a terminal that is gone.

A terminal that is rebuilt under the program (tmux detach and attach) may send old mouse reports with bytes
above 127, which end Textual 8.2.8's input thread (its issue 6668, open); at the end of a lost terminal's
input that thread would spin. Pinned to the textual version that pyproject names.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
from codecs import getincrementaldecoder
from typing import TextIO

from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from console.exit_codes import signalled
from console.ui.keys.paste import PasteGate

_OLD_MOUSE = re.compile(rb"\x1b\[M[\x20-\xff]{3}", re.DOTALL)
# Escape alone is told from the start of a sequence by time only: the parser needs a tick.
_TICK_S = 0.1
_PASTE_ENDS_TICKS = 50
"""After so many ticks without a byte a paste is over, also where its end was lost."""


class _Lasting:
    """The terminal as a file that swallows what can't be written any more.

    An error would end Textual's output thread, and with nobody to empty its short queue the next frames would
    stop the whole console: it could not even leave a terminal that is gone.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()


class SafeDriver(LinuxDriver):
    """Textual's driver, with an input thread that survives any byte, and an output thread any loss."""

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if self._file is not None:
            self._file = _Lasting(self._file)  # type: ignore[assignment]  # all of it that the driver uses

    def _run_input_thread(self) -> None:
        """Read keys; a mistake ends the console as every other one does, not with a traceback on the screen."""
        try:
            self.run_input_thread()
        except Exception as error:
            self._app.call_later(self._app._handle_exception, error)  # noqa: SLF001  where Textual itself sends errors

    def run_input_thread(self) -> None:
        """Read keys until the app ends or the terminal is gone."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        gate, quiet = PasteGate(), 0
        selector = selectors.SelectSelector()
        selector.register(self.fileno, selectors.EVENT_READ)
        try:
            while not self.exit_event.is_set():
                if selector.select(_TICK_S):
                    data = _read(self.fileno)
                    if not data:
                        break
                    quiet, typed = 0, gate.feed(decode(_OLD_MOUSE.sub(b"", data)))
                else:
                    quiet, typed = quiet + 1, gate.give_up() if quiet > _PASTE_ENDS_TICKS else ""
                if not self._take(parser, typed):
                    parser = XTermParser(self._debug)
        finally:
            selector.close()
            with contextlib.suppress(EOFError, ParseError):
                for _ in parser.feed(""):
                    pass
        if not self.exit_event.is_set():
            self._app.call_later(self._app.exit, return_code=signalled(signal.SIGHUP))

    def _take(self, parser: XTermParser, typed: str) -> bool:
        """Handle what was typed; return whether the parser could read it: a broken report of a key is ignored."""
        try:
            for event in parser.feed(typed) if typed else ():  # nothing means the end to the parser
                self.process_message(event)
            for event in parser.tick():
                self.process_message(event)
        except (ValueError, OverflowError):
            return False
        return True


def _read(fileno: int) -> bytes:
    """Return what was typed; nothing where the terminal is gone."""
    try:
        return os.read(fileno, 4096)
    except OSError:
        return b""
