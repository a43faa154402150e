"""Bodies that were too long for an event, whole, each in a file named by its SHA-256, beside the log."""

from __future__ import annotations

import os
from pathlib import Path

from state.log.locks import make_directory, make_durable


class Attachments:
    """The folder ``<log>.attachments``. What is in it was cleaned of secrets before."""

    def __init__(self, log: Path) -> None:
        self.folder = log.with_name(f"{log.name}.attachments")

    def keep(self, digest: str, whole: bytes) -> None:
        """Write a text durably under its name, unless it is there already.

        Raises LogError where the folder can't be made, and OSError where the file can't be written.
        """
        path = self.folder / digest
        if path.exists():
            return
        make_directory(self.folder)
        unfinished = path.with_suffix(".new")
        fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(whole)
            file.flush()
            os.fsync(fd)
        unfinished.rename(path)
        make_durable(self.folder)
