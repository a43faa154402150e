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
from codecs import getincrementaldecoder

from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

_OLD_MOUSE = re.compile(rb"\x1b\[M[\x20-\xff]{3}", re.DOTALL)
_TICK_S = 0.1


class SafeDriver(LinuxDriver):
    """Textual's driver, with an input thread that survives any byte."""

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
        selector = selectors.SelectSelector()
        selector.register(self.fileno, selectors.EVENT_READ)
        try:
            while not self.exit_event.is_set():
                if selector.select(_TICK_S):
                    data = _read(self.fileno)
                    if not data:
                        break
                    typed = decode(_OLD_MOUSE.sub(b"", data))
                    for event in parser.feed(typed) if typed else ():  # nothing means the end to the parser
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
        finally:
            selector.close()
            with contextlib.suppress(EOFError, ParseError):
                for _ in parser.feed(""):
                    pass
        if not self.exit_event.is_set():
            self._app.call_later(self._app.exit, return_code=129)


def _read(fileno: int) -> bytes:
    """Return what was typed; nothing where the terminal is gone."""
    try:
        return os.read(fileno, 4096)
    except OSError:
        return b""
