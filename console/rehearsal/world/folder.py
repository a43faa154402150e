"""The folder in which a world is kept: what is in it, and how a world that was killed is found again."""

from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from state.base.clock import SECOND_US, SharedClock, SystemClock, boot_digest
from state.base.json import Json, flag, integer, obj, text, texts

FORMAT = 1
_LONGEST_GAP_US = 2 * 3600 * SECOND_US


class WorldError(Exception):
    """A world cannot be made or opened: what, where, and what to do."""


@dataclass(slots=True)
class Kept:
    """What a world remembers of itself. Ports are by server's name."""

    seed: int
    faults: tuple[str, ...]
    ports: dict[str, int]
    boot: str
    opened_us: int
    """The clock when the world was made."""
    built: bool = False
    """Whether the first release stands: a world that was killed before is made anew."""
    first: bool = False
    """Whether production has nothing yet: its launch is the first."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The paths in a world's folder."""

    root: Path

    @property
    def kubeconfig(self) -> Path:
        """For kubectl, helm and the engine: contexts ``staging`` and ``production``."""
        return self.root / "kubeconfig"

    @property
    def clock(self) -> Path:
        """The shared clock's file."""
        return self.root / "clock"

    @property
    def journal(self) -> Path:
        """The cluster's objects."""
        return self.root / "cluster.jsonl"

    @property
    def timeline(self) -> Path:
        """What the traffic did when."""
        return self.root / "traffic.json"

    @property
    def secrets(self) -> Path:
        """Files that only the owner may read."""
        return self.root / "secrets"

    @property
    def runbook(self) -> Path:
        """The rehearsal's runbook."""
        return self.root / "runbook.yaml"

    @property
    def given(self) -> Path:
        """The runbook that the world was made for, where that is not a product's own."""
        return self.root / "given.yaml"

    @property
    def launches(self) -> Path:
        """The logs."""
        return self.root / "launches"

    @property
    def helm(self) -> Path:
        """The stand-in for helm."""
        return self.root / "helm"

    @property
    def tls(self) -> Path:
        """The certificate authority of the rehearsal's domains."""
        return self.root / "tls"

    @property
    def _state(self) -> Path:
        return self.root / "world.json"

    @property
    def _last_seen(self) -> Path:
        return self.root / "seen"

    def database(self, environment: str) -> Path:
        """Return an environment's database file."""
        return self.root / "databases" / f"{environment}.db"

    def values(self, environment: str, which: str = "") -> Path:
        """Return an environment's values file, or that of the release that was there before."""
        return self.root / "values" / (f"{which}-{environment}.yaml" if which else f"{environment}.yaml")

    def prepare(self) -> None:
        """Make the folders and the helm program. Raises WorldError where that is not possible."""
        try:
            for path in (self.root, self.launches, self.root / "databases", self.tls, self.secrets):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.helm.write_text(_helm_script(self.clock))
            self.helm.chmod(stat.S_IRWXU)
        except OSError as error:
            raise WorldError(f"the world's folder {self.root} cannot be used: {error.strerror}") from None

    def read(self) -> Kept | None:
        """Return what a world remembers, or None where the folder holds none.

        Raises WorldError where the folder belongs to something else.
        """
        try:
            body = obj(json.loads(self._state.read_text()))
        except FileNotFoundError:
            if self.root.is_dir() and any(self.root.iterdir()) and not self.clock.exists():
                raise WorldError(
                    f"{self.root} holds other files and no rehearsal: name an empty or a new folder"
                ) from None
            return None
        except (OSError, ValueError):
            raise WorldError(f"{self._state} cannot be read: name another folder") from None
        if integer(body, "format") != FORMAT:
            raise WorldError(f"{self.root} is of another version of the rehearsal: name another folder")
        ports = {name: port for name, port in obj(body.get("ports")).items() if isinstance(port, int)}
        return Kept(
            integer(body, "seed"),
            texts(body.get("faults")),
            ports,
            text(body, "boot"),
            integer(body, "opened_us"),
            flag(body, "built"),
            flag(body, "first"),
        )

    def write(self, kept: Kept) -> None:
        """Remember."""
        body: dict[str, Json] = {
            "format": FORMAT,
            "seed": kept.seed,
            "faults": list(kept.faults),
            "ports": dict(kept.ports),
            "boot": kept.boot,
            "opened_us": kept.opened_us,
            "built": kept.built,
            "first": kept.first,
        }
        fresh = self._state.with_suffix(".new")
        fresh.write_text(json.dumps(body, indent=1))
        fresh.replace(self._state)

    def beat(self, clock: SharedClock) -> None:
        """Note the clock's reading, so that a world that was killed can go on from there."""
        fresh = self._last_seen.with_suffix(".new")
        fresh.write_text(str(clock.wall_us()))
        fresh.replace(self._last_seen)

    def _last_beat(self) -> int | None:
        try:
            return int(self._last_seen.read_text())
        except (OSError, ValueError):
            return None

    def resume_clock(self, kept: Kept, rate: float) -> SharedClock:
        """Return the clock of a world that was there before, at ``rate``.

        It ran on while the world was away, as clocks do. After a long absence or a restart of the machine it
        goes on from its last beat instead, in a new file: nobody can hold the old one any more.
        """
        last = self._last_beat()
        if kept.boot == boot_digest() and self.clock.exists():
            clock = SharedClock(self.clock)
            if last is None or 0 <= clock.wall_us() - last < _LONGEST_GAP_US:
                clock.set_rate(rate)
                return clock
        fresh = self.clock.with_suffix(".new")
        SharedClock.create(fresh, wall_us=last or SystemClock().wall_us(), rate=rate)
        fresh.replace(self.clock)
        return SharedClock(self.clock)


def world_folder(log: Path) -> Path:
    """Return the folder of the world that a rehearsal's log belongs to: beside the log."""
    return log.with_name(f"{log.name}.world")


def write_secret(file: Path, value: str) -> None:
    """Write a file that only its owner can read, from its first moment."""
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(value)


def _helm_script(clock: Path) -> str:
    """Return the program that the runbook names as helm. It runs the stand-in on the world's clock."""
    return (
        "#!/bin/sh\n"
        f"export REHEARSAL_CLOCK={_quoted(clock)}\n"
        f'exec {_quoted(Path(sys.executable))} -P -m console.rehearsal.sim.helm "$@"\n'
    )


def _quoted(path: Path) -> str:
    return "'" + os.fspath(path).replace("'", "'\\''") + "'"
