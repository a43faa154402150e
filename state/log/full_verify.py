"""The check of a whole log while it is being written: a thread that takes short steps and long rests."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from state.log.chain import Chain, Fault
from state.log.errors import Damage
from state.log.layout import open_read_only
from state.log.verify import read_chunk

_STEP = 50
"""Events between two rests: some tenths of a millisecond, which no other thread of the process feels."""
_REST_S = 0.002


class WholeCheck:
    """Checks the events 1 to ``last`` of a log, beside its writer."""

    def __init__(self, path: Path, log_id: str, last: int, tell: Callable[[Fault | None], None]) -> None:
        """``tell`` is called once, in the thread, with the first fault or None; never after ``stop``."""
        self._path = path
        self._log_id = log_id
        self._last = last
        self._tell = tell
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-check", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, finished or not."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            fault = self._fault()
        except sqlite3.Error as error:
            fault = Fault(1, Damage.FILE, f"SQLite can't read it: {error}")
        if not self._stopped.is_set():
            self._tell(fault)

    def _fault(self) -> Fault | None:
        chain = Chain(self._log_id)
        with closing(open_read_only(self._path)) as con:
            while chain.seq < self._last and not self._stopped.wait(_REST_S):
                rows, error = read_chunk(con, chain.seq, min(_STEP, self._last - chain.seq))
                fault = chain.feed(rows)
                if fault is not None:
                    return fault
                if error is not None:
                    return Fault(chain.seq + 1, Damage.FILE, f"SQLite can't read it: {error}")
                if not rows:
                    return Fault(chain.seq + 1, Damage.SEQ, "it is missing")
        return None if self._stopped.is_set() else chain.bare_fault(chain.redactions)
