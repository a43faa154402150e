"""``launch-console scan LOG``: whether what a launch left behind holds a secret that its runbook knows.

Looked over are every event of the log, the file's own bytes (what was freed in it too), and what lies beside it by
its name: journal, programs' output, attachments, the engine's output, report, archive. What is found is told by its
place and by where the value stands, never by the value.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from console.cli.say import out
from console.cli.scan.known import Known, add_cluster, known
from console.exit_codes import ExitCode
from state.base.json import Json
from state.base.numbers import plural
from state.log.errors import LogError
from state.log.layout import check_file
from state.log.reader import LogReader
from state.runbook.load import load_runbook

_SQLITE = b"SQLite format 3\0"
_TOLD = 200
"""Places that are told one by one."""
_BLOCK, _OVERLAP = 4 * 1024 * 1024, 64 * 1024


@dataclass(frozen=True, slots=True)
class Hit:
    """A place that holds a value."""

    file: str
    place: str
    source: str


def run(log: Path, runbook: Path, also: list[Path], cluster: bool, as_json: bool) -> ExitCode:
    """Look a log and what lies beside it over; ``also`` names more files or folders.

    ``cluster``: ask the clusters for the Secrets that releases mount, too. Raises RunbookError and LogError.
    """
    check_file(log)
    loaded = load_runbook(runbook)
    found = known(loaded.runbook)
    if cluster:
        asyncio.run(add_cluster(found, loaded.runbook))
    files = list(_files(log, also))
    hits = sorted({hit for file in files for hit in _looked(file, found)}, key=lambda h: (h.file, h.place))
    out(_as_json(files, found, hits) if as_json else _as_text(log, files, found, hits))
    if hits:
        return ExitCode.NO_GO
    return ExitCode.BLIND if found.unread or not found.count() else ExitCode.GO


def _files(log: Path, also: list[Path]) -> Iterator[Path]:
    """Yield the log, what has its name in its own, its report and archive, and what was named; each once."""
    stem = log.name.removesuffix(".lclog")
    beside = [one for one in log.parent.iterdir() if one.name.startswith((f"{log.name}", f"{stem}."))]
    seen: set[Path] = set()
    for top in [log, *sorted(beside), *also]:
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and not path.is_symlink() and path not in seen:
                seen.add(path)
                yield path


def _looked(path: Path, found: Known) -> Iterator[Hit]:
    try:
        with path.open("rb") as file:
            is_log = file.read(len(_SQLITE)) == _SQLITE
        if is_log:
            yield from _events(path, found)
        yield from _raw(path, found, is_log)
    except OSError as error:
        found.unread.append(f"{path}: {error.strerror}")


def _events(path: Path, found: Known) -> Iterator[Hit]:
    try:
        with LogReader(path) as reader:
            for event in reader.every():
                told = "\n".join(_texts(event.body))
                for source in found.which(told):
                    yield Hit(str(path), f"event {event.seq} ({event.kind})", source)
    except LogError as error:
        found.unread.append(str(error))


def _raw(path: Path, found: Known, is_log: bool) -> Iterator[Hit]:
    """Yield what the bytes of a file hold; of a text, by its line."""
    with path.open("rb") as file:
        before, lines = b"", 1
        while block := file.read(_BLOCK):
            text = (before + block).decode("utf-8", "replace")
            for source in found.which(text):
                where = "its bytes" if is_log or "\0" in text else f"line {lines} or after it"
                yield Hit(str(path), where, source)
            lines += block.count(b"\n")
            before = block[-_OVERLAP:]


def _texts(value: Json) -> Iterator[str]:
    """Yield every text in a body, keys too."""
    waiting = [value]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            yield from one
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting = [*one, *waiting]
        elif one is not None:
            yield str(one)


def _as_json(files: list[Path], found: Known, hits: list[Hit]) -> str:
    told = [{"file": h.file, "place": h.place, "value_of": h.source} for h in hits]
    # A row for each value: an answer's row has a limit.
    return json.dumps(
        {"found": told, "files": [str(f) for f in files], "sources": found.count(), "unread": found.unread},
        indent=1,
    )


def _as_text(log: Path, files: list[Path], found: Known, hits: list[Hit]) -> str:
    looked = f"{plural(len(files), 'file')} looked over for the values of {plural(found.count(), 'source')}"
    rows = [f"{'FOUND' if hits else 'CLEAN'}  {log}" if hits or not found.unread else f"UNKNOWN  {log}"]
    rows += [f"  {looked}"]
    rows += [f"  {hit.file}: {hit.place} holds a value of {hit.source}" for hit in hits[:_TOLD]]
    if len(hits) > _TOLD:
        rows.append(f"  and {len(hits) - _TOLD} more places")
    rows += [f"  not looked for: {one}" for one in found.unread]
    if hits:
        rows.append(
            "  replace each of these secrets; `launch-console redact LOG SEQ` takes it out of an event"
        )
    return "\n".join(rows)
