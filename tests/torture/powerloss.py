"""Power loss, simulated from the system calls of a real writer: what of a log is left at any moment.

    python -m tests.torture.powerloss DIRECTORY --events 400

``strace`` records a writer. After every acknowledgement, sync, truncation, rename and unlink the disk is rebuilt as
a power loss could leave it: policy A drops every write and directory change that was not synced, policy B
keeps a random half of the unsynced 512-byte sectors and tears some of those, so that their beginning alone is
new. Every such disk must verify and hold every acknowledged event; then the program's own writer opens it,
without its sidecars now and then, and appends. The writer also redacts, archives, keeps attachments and notes
heads as a witness: what was acknowledged of those must hold too. Prints one JSON object; exits 1 where one
doesn't. Drives that lie about syncs, and what file systems reorder beyond that, are not simulated.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path

from console.engine.record.attachments import Attachments
from state.base.clock import SystemClock
from state.events.event import Draft, Event
from state.events.log import NoteAdded
from state.log.archive import archive
from state.log.errors import LogError
from state.log.store import LogStore
from state.log.verify import verify
from state.log.witness import Witness
from tests.paths import ROOT

SECTOR = 512
_TORN = 0.1
_AFTERWARDS = 3
"""Every how many of the disks the program's own writer opens, too."""
_NAME = "lost.lclog"
_CALLS = "openat,close,pwrite64,write,ftruncate,fsync,fdatasync,unlink,rename"
_LINE = re.compile(r"(\d+) +(?:<\.\.\. \w+ resumed>)?(.*)", re.DOTALL)
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)", re.DOTALL)
_LOG_ID = re.compile(r"[0-9a-f-]{36}")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(slots=True)
class Outcome:
    """What all simulated disks together showed."""

    acknowledged: int = 0
    states_a: int = 0
    states_b: int = 0
    states_that_lost: int = 0
    broken: int = 0
    opened: int = 0
    """Disks that the program's own writer went on with."""
    beside: int = 0
    """Redactions, attachments, archives and witnessed heads that were acknowledged at the end."""
    first_failure: str = ""


@dataclass(slots=True)
class Acknowledged:
    """What the writer was told is done."""

    events: dict[int, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    """Texts that were redacted."""
    files: dict[str, str] = field(default_factory=dict)
    """Name to SHA-256 of attachments."""
    archives: set[str] = field(default_factory=set)
    witnessed: int = 0

    @property
    def beside(self) -> int:
        """How much of what isn't an event was acknowledged."""
        return len(self.gone) + len(self.files) + len(self.archives) + bool(self.witnessed)

    def heard(self, row: str) -> None:
        """Take one line of the writer's answers."""
        kind, *rest = row.split()
        match kind:
            case "gone":
                self.gone.add(rest[0])
            case "file":
                self.files[rest[0]] = rest[0]
            case "archive":
                self.archives.add(rest[0])
            case "witness":
                self.witnessed = int(rest[0])
            case seq:
                self.events[int(seq)] = rest[0]


@dataclass(slots=True)
class Node:
    """A file: what is on the disk for sure, and what was written since its last sync."""

    durable: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """(offset, bytes), or (size, None) for a truncation."""

    def synced(self) -> None:
        self.durable = self.content(None)
        self.pending = []

    def content(self, chance: random.Random | None) -> bytes:
        """Return the content with all of the pending writes, or with a random half of their sectors."""
        data = bytearray(self.durable)
        for offset, written in self.pending:
            if written is None:
                if chance is None or chance.random() < 0.5:
                    del data[offset:]
                continue
            for at in range(0, len(written), SECTOR):
                if chance is None or chance.random() < 0.5:
                    part = written[at : at + SECTOR]
                    if chance is not None and chance.random() < _TORN:
                        part = part[: chance.randrange(len(part) + 1)]
                    start = offset + at
                    data.extend(b"\0" * (start - len(data)))
                    data[start : start + len(part)] = part
        return bytes(data)


@dataclass(slots=True)
class Disk:
    """The directory of a log, as names and files, each with what is durable and what is not yet."""

    durable: dict[str, Node] = field(default_factory=dict)
    names: dict[str, Node] = field(default_factory=dict)

    def synced(self) -> None:
        self.durable = dict(self.names)

    def left(self, chance: random.Random | None) -> dict[str, bytes]:
        """Return the files that are left: policy A without, policy B with a source of chance."""
        if chance is None:
            return {name: node.durable for name, node in self.durable.items()}
        names = self.names if chance.random() < 0.5 else self.durable
        return {name: node.content(chance) for name, node in names.items()}


def main(arguments: list[str]) -> int:
    """Record a writer and lose power at every moment of it; or, as ``--write``, be that writer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--events", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1, help="random disks at each moment")
    parser.add_argument(
        "--weak", action="store_true", help="write in SQLAlchemy's default mode, as a control"
    )
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args(arguments)
    if asked.write:
        _write(asked.directory, asked.events, WeakStore if asked.weak else LogStore)
        return 0
    outcome = torture(asked.directory, asked.events, random.Random(asked.seed), asked.rounds, weak=asked.weak)
    sys.stdout.write(f"{json.dumps(asdict(outcome))}\n")
    return 1 if outcome.states_that_lost or outcome.broken else 0


def torture(directory: Path, events: int, chance: random.Random, rounds: int, *, weak: bool) -> Outcome:
    """Record a writer of ``events`` events and check every disk that a power loss could leave."""
    written = directory / "written"
    written.mkdir()
    trace = directory / "trace"
    program = [sys.executable, "-m", "tests.torture.powerloss", str(written), "--write", f"--events={events}"]
    program += ["--weak"] if weak else []
    strace = ["strace", "-f", "-xx", "-s", "100000", "-e", f"trace={_CALLS}", "-o", str(trace), *program]
    subprocess.run(strace, check=True, cwd=ROOT)
    outcome = Outcome()
    left = directory / "left"
    for acknowledged, disk in _moments(trace, written):
        outcome.acknowledged = len(acknowledged.events)
        outcome.beside = acknowledged.beside
        for number in range(rounds + 1):
            files = disk.left(chance if number else None)
            outcome.states_b += number > 0
            outcome.states_a += number == 0
            _check(left, files, acknowledged, outcome)
            if (outcome.states_a + outcome.states_b) % _AFTERWARDS == 0:
                _go_on(left, acknowledged, chance, outcome)
    return outcome


class WeakConnection(sqlite3.Connection):
    """A connection that falls back to the mode that SQLAlchemy gives every file."""

    def set_authorizer(self, *fence: object) -> None:
        self.execute("PRAGMA journal_mode=DELETE")
        self.execute("PRAGMA synchronous=FULL")
        super().set_authorizer(*fence)  # type: ignore[arg-type]  # handed on as it came


class WeakStore(LogStore):
    """The store without its journal mode: what the check must catch."""

    connection_class = WeakConnection


def _write(directory: Path, events: int, store_class: type[LogStore]) -> None:
    """Append events one by one and in groups; write each answer down the moment it comes."""
    acks = os.open(directory.with_name("acks"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def told(row: str) -> None:
        os.write(acks, f"{row}\n".encode())

    kept = Attachments(directory / _NAME)
    kept.folder = directory
    with store_class.create(directory / _NAME, clock=SystemClock(), session="s-1") as store:
        witness = Witness(directory, store.log_id)
        for number in range(events):
            drafts = [Draft(NoteAdded(f"{_mark(number)} note {number} " + "x" * (number * 37 % 900)))]
            for event in store.append_many(drafts * (1 + (number % 5 == 0 and number % 4 != 2))).result():
                told(f"{event.seq} {event.hash}")
            if number % 4 == 2:
                said = store.redact(event.seq, reason="a test", actor="ann")
                told(f"gone {_mark(number)}\n{said.seq} {said.hash}")
            if number % 4 == 3:
                whole = f"attached {number}".encode() * 200
                kept.keep(name := sha256(whole).hexdigest(), whole)
                witness.record(store.head.anchor)
                told(f"file {name}\nwitness {store.head.seq}")
            if number % 8 == 5:
                archive(directory / _NAME, directory / f"{number}.lclog")
                told(f"archive {number}.lclog")


def _mark(number: int) -> str:
    return f"mark-{number:05d}-of-a-secret"


def _calls(trace: Path) -> Iterator[tuple[str, str, int]]:
    """Yield (name, arguments, result) of every finished call, in the order in which they finished."""
    begun: dict[str, str] = {}
    with trace.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            found = _LINE.fullmatch(line.rstrip("\n"))
            if found is None:
                continue
            thread, text = found[1], found[2]
            if text.endswith("<unfinished ...>"):
                begun[thread] = text.removesuffix("<unfinished ...>")
                continue
            if "resumed>" in line[:60]:
                text = begun.pop(thread, "") + text
            call = _CALL.match(text)
            if call is not None:
                yield call[1], call[2], int(call[3])


def _texts(arguments: str) -> list[bytes]:
    return [bytes.fromhex(found.replace("\\x", "")) for found in _TEXT.findall(arguments)]


def _moments(trace: Path, directory: Path) -> Iterator[tuple[Acknowledged, Disk]]:
    """Yield what was acknowledged, and the disk, at every moment that matters."""
    acknowledged = Acknowledged()
    disk = Disk()
    open_files: dict[int, Node | None] = {}
    acks = os.fsencode(directory.with_name("acks"))
    ack_fd = -1
    for name, arguments, result in _calls(trace):
        if result < 0:
            continue
        fd = int(arguments.partition(",")[0]) if arguments[:1].isdigit() else -1
        if name == "openat":
            path = _texts(arguments)[0]
            ack_fd = result if path == acks else ack_fd
            _open(disk, open_files, Path(os.fsdecode(path)), directory, result, arguments)
        elif name == "close":
            open_files.pop(fd, None)
        elif name == "write" and fd == ack_fd:
            for line in _texts(arguments)[0].decode().splitlines():
                acknowledged.heard(line)
            yield acknowledged, disk
        elif name in {"unlink", "rename"}:
            if _renamed(disk, [Path(os.fsdecode(text)) for text in _texts(arguments)], directory):
                yield acknowledged, disk
        elif fd in open_files and _changed(disk, open_files[fd], name, arguments, result):
            yield acknowledged, disk


def _open(
    disk: Disk, open_files: dict[int, Node | None], path: Path, directory: Path, fd: int, arguments: str
) -> None:
    if path == directory:
        open_files[fd] = None
    elif path.parent == directory:
        if path.name not in disk.names:
            disk.names[path.name] = Node()
        node = disk.names[path.name]
        if "O_TRUNC" in arguments:
            node.pending.append((0, None))
        open_files[fd] = node


def _renamed(disk: Disk, paths: list[Path], directory: Path) -> bool:
    if paths[0].parent != directory:
        return False
    node = disk.names.pop(paths[0].name, None)
    if node is not None and len(paths) == 2:
        disk.names[paths[1].name] = node
    return True


def _changed(disk: Disk, node: Node | None, name: str, arguments: str, result: int) -> bool:
    """Apply a call to an open file; return whether a moment ends with it."""
    if name in {"fsync", "fdatasync"}:
        if node is None:
            disk.synced()
        else:
            node.synced()
        return True
    if node is None:
        return False
    if name == "ftruncate":
        node.pending.append((int(arguments.rpartition(",")[2]), None))
        return True
    offset = int(arguments.rpartition(",")[2]) if name == "pwrite64" else len(node.content(None))
    node.pending.append((offset, _texts(arguments)[0][:result]))
    return False


def _check(left: Path, files: dict[str, bytes], acknowledged: Acknowledged, outcome: Outcome) -> None:
    """Put a disk together, and look for what was acknowledged."""
    shutil.rmtree(left, ignore_errors=True)
    left.mkdir()
    for name, content in files.items():
        (left / name).write_bytes(content)
    path = left / _NAME
    if not path.exists():
        outcome.states_that_lost += bool(acknowledged.events)
        return
    found: dict[int, str] = {}
    try:
        with closing(sqlite3.connect(path)) as con:
            intact = con.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            found = {seq: digest.hex() for seq, digest in con.execute("SELECT seq, hash FROM event")}
        report = verify(path, processes=1)
        failure = "" if intact and report.ok else f"integrity {intact}, {report.message}"
    except sqlite3.Error as error:
        failure = str(error)
    missing: list[object] = [seq for seq, digest in acknowledged.events.items() if found.get(seq) != digest]
    missing += _missing_beside(left, files, found, acknowledged)
    outcome.broken += bool(failure)
    outcome.states_that_lost += bool(missing)
    if (failure or missing) and not outcome.first_failure:
        outcome.first_failure = f"{failure}; missing {missing[:5]} of {len(acknowledged.events)}"


def _missing_beside(
    left: Path, files: dict[str, bytes], found: dict[int, str], acknowledged: Acknowledged
) -> list[object]:
    """Return what of attachments, archives, redactions and the witness isn't as it was acknowledged."""
    wrong: list[object] = [
        f"attachment {name[:8]}"
        for name, digest in acknowledged.files.items()
        if sha256(files.get(name, b"")).hexdigest() != digest
    ]
    wrong += [
        f"archive {name}"
        for name in acknowledged.archives
        if name not in files or not verify(left / name, processes=1).ok
    ]
    raw = (left / _NAME).read_bytes()  # sqlite has rolled its journal back
    wrong += [f"{text} is there again" for text in acknowledged.gone if text.encode() in raw]
    first = next((name for name in files if _LOG_ID.fullmatch(name)), "")
    seen = Witness(left, first).seen() if first else None
    if acknowledged.witnessed > (seen.seq if seen is not None else 0):
        wrong.append("the witness")
    if seen is not None and not found.get(seen.seq, "").startswith(seen.hash):
        wrong.append("the witness is ahead of the log")
    return wrong


def _go_on(left: Path, acknowledged: Acknowledged, chance: random.Random, outcome: Outcome) -> None:
    """Open what is left with the program's own writer, append, and look that nothing is lost by that."""
    path = left / _NAME
    if not path.exists() or not acknowledged.events:
        return
    if chance.random() < 0.5:
        (left / f"{_NAME}.lock").unlink(missing_ok=True)
    try:
        with LogStore.open(path, clock=SystemClock(), session="s-2") as store:
            added = store.append(Draft(NoteAdded("after the power came back"))).result()
            kept = {event.seq: event.hash for event in _every(store)}
        report = verify(path, processes=1)
    except LogError as error:
        failure = str(error)
    else:
        kept = {seq: digest for seq, digest in kept.items() if seq in acknowledged.events}
        failure = "" if report.ok and report.events == added.seq else f"after it was opened: {report.message}"
        failure = failure if kept == acknowledged.events else f"{failure}; events are other than before"
    outcome.opened += 1
    outcome.broken += bool(failure)
    outcome.first_failure = outcome.first_failure or failure


def _every(store: LogStore) -> Iterator[Event]:
    after = 0
    while chunk := store.read(after):
        yield from chunk
        after = chunk[-1].seq


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
