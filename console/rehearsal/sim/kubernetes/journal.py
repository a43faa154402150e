"""The store's journal: a line of JSON for each write, so that a killed process finds its objects again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from console.rehearsal.sim.kubernetes.objects import name_of, namespace_of
from state.base.json import Json, JsonObject, obj

_HEADER: JsonObject = {"journal": "rehearsal cluster", "format": 1}


class Journal:
    """An append-only file, mode 0600 since it holds Secrets. A line cut off by a kill is left out."""

    def __init__(self, file: Path) -> None:
        self._path = file
        self._out: IO[str] | None = None

    def read(self) -> Iterator[JsonObject]:
        """Yield the lines: ``rv``, ``resource``, and ``object`` or (gone) ``namespace`` and ``name``.

        Raises ValueError where the file is something else.
        """
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8") as lines:
            if _line(next(lines, "{}")) != _HEADER:
                raise ValueError(f"{self._path}: not a journal of the rehearsal's cluster; name another file")
            for written in lines:
                yield _line(written)

    def rewrite(self, version: int, objects: Iterable[tuple[str, JsonObject]]) -> None:
        """Replace the file by one with these objects, and append from now on."""
        fresh = self._path.with_name(f"{self._path.name}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._out = os.fdopen(descriptor, "w", encoding="utf-8")
        self._write(_HEADER)
        self._write({"rv": version})
        for plural, body in objects:
            self._write({"rv": version, "resource": plural, "object": body})
        self._out.flush()
        fresh.replace(self._path)

    def add(self, version: int, resource: str, new: JsonObject | None, gone: JsonObject | None) -> None:
        """Append one write: the new object, or the one that is gone. It survives a kill of the process."""
        line: dict[str, Json] = {"rv": version, "resource": resource}
        if new is not None:
            line["object"] = new
        elif gone is not None:
            line |= {"namespace": namespace_of(gone), "name": name_of(gone)}
        self._write(line)
        if self._out is not None:
            self._out.flush()

    def close(self) -> None:
        """Close the file."""
        if self._out is not None:
            self._out.close()
            self._out = None

    def _write(self, line: JsonObject) -> None:
        if self._out is not None:
            self._out.write(json.dumps(line, separators=(",", ":")) + "\n")


def _line(written: str) -> JsonObject:
    try:
        return obj(json.loads(written))
    except ValueError:
        return {}
