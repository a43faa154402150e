"""helm, asked: versions, history, the stored manifest; and the command lines that change something.

Every call names the kubeconfig and the context, because helm with a missing kubeconfig silently talks to
localhost. What ``helm upgrade -o json`` prints holds secrets, so it is never asked for.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from checks.base import CouldNotLookError
from state.fields import integer, objs, text
from state.runbook.environment import Environment
from state.runbook.models import Candidate
from state.text import line

_TIMEOUT_S = 30.0
_BROKEN = {(4, 2, 1): "it never creates hook jobs (helm #32224) and hangs on fast deletes (#32214)"}
HISTORY_MAX = 20


class HelmError(CouldNotLookError):
    """helm could not be asked, or it answered with an error. One line, no secrets."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A line of ``helm history``."""

    number: int
    status: str
    chart: str
    description: str

    @property
    def pending(self) -> bool:
        """Whether an operation on it never ended, as far as helm knows."""
        return self.status.startswith("pending-")

    @property
    def good(self) -> bool:
        """Whether it was installed completely once."""
        return self.status in {"deployed", "superseded"}


@dataclass(frozen=True, slots=True)
class Version:
    """helm's version."""

    major: int
    minor: int
    patch: int
    text: str

    def problem(self) -> str:
        """Return why this version must not be used, or nothing."""
        reason = _BROKEN.get((self.major, self.minor, self.patch))
        return f"helm {self.text} must not be used: {reason}" if reason else ""


class Helm:
    """The helm program, for one environment."""

    def __init__(self, program: str, environment: Environment, kubeconfig: Path) -> None:
        self.program = program
        self.environment = environment
        self.kubeconfig = kubeconfig

    def environ(self) -> dict[str, str]:
        """Return the environment that helm runs in: ours, without what would change its target."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HELM_", "KUBE"))}
        return {**kept, "HELM_MAX_HISTORY": str(HISTORY_MAX), "LC_ALL": "C.UTF-8"}

    def _target(self) -> list[str]:
        kube = self.environment.kube
        return [
            "--namespace", kube.namespace,
            "--kubeconfig", str(self.kubeconfig),
            "--kube-context", kube.context,
        ]  # fmt: skip

    def upgrade(self, candidate: Candidate, version: Version, timeout_s: int, words: str) -> list[str]:
        """Return the command line that installs or upgrades the release with the candidate's images."""
        chart = self.environment.chart
        images = [f"image.{name}={ref}" for name, ref in candidate.images.named().items()]
        return [
            self.program, "upgrade", "--install", self.environment.release, chart.path,
            *self._target(),
            *(part for path in chart.values for part in ("-f", str(path))),
            *(part for image in images for part in ("--set-string", image)),
            "--version", chart.version,
            "--wait=legacy" if version.major >= 4 else "--wait",
            "--timeout", f"{timeout_s}s",
            "--history-max", str(HISTORY_MAX),
            "--description", words[:256],
        ]  # fmt: skip

    def rollback(self, number: int, version: Version, timeout_s: int) -> list[str]:
        """Return the command line that goes back to one explicit revision."""
        return [
            self.program, "rollback", self.environment.release, str(number),
            *self._target(),
            "--wait=legacy" if version.major >= 4 else "--wait",
            "--timeout", f"{timeout_s}s",
        ]  # fmt: skip

    async def version(self) -> Version:
        """Return helm's version.

        Raises HelmError where there is no helm, or its answer is none.
        """
        if shutil.which(self.program) is None:
            raise HelmError(
                f"helm: no program {self.program!r} was found: install helm or set helm: in the runbook"
            )
        told = (await self._ask(["version", "--short"])).strip()
        match = re.match(r"v(\d+)\.(\d+)\.(\d+)", told)
        if match is None:
            raise HelmError(f"helm: a version such as v3.17.2 was expected, not {line(told, 60)!r}")
        return Version(int(match[1]), int(match[2]), int(match[3]), line(told, 40))

    async def history(self) -> list[Revision]:
        """Return the release's revisions, oldest first; none where there is no release."""
        try:
            told = await self._ask(
                ["history", self.environment.release, *self._target(), "-o", "json", "--max", "256"]
            )
        except HelmError as error:
            if "release: not found" in str(error):
                return []
            raise
        try:
            rows = objs(json.loads(told))
        except ValueError as error:
            raise HelmError("helm history: JSON was expected") from error
        found = [
            Revision(
                integer(r, "revision"), text(r, "status"), text(r, "chart"), line(text(r, "description"))
            )
            for r in rows
        ]
        return sorted(found, key=lambda r: r.number)

    async def manifest_sha(self, number: int) -> str:
        """Return sha256 of a revision's stored manifest, 64 hexadecimal digits."""
        told = await self._ask(
            ["get", "manifest", self.environment.release, "--revision", str(number), *self._target()]
        )
        return sha256(told.encode()).hexdigest()

    async def _ask(self, args: Sequence[str]) -> str:
        process = await asyncio.create_subprocess_exec(
            self.program,
            *args,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            env=self.environ(),
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), _TIMEOUT_S)
        except TimeoutError as error:
            process.kill()
            await process.wait()
            raise HelmError(f"helm {args[0]}: no answer within {_TIMEOUT_S:g} s") from error
        if process.returncode:
            told = line(err.decode(errors="replace").strip() or f"exit code {process.returncode}")
            raise HelmError(f"helm {args[0]}: {told}")
        return out.decode(errors="replace")


def shown(argv: Sequence[str]) -> str:
    """Return a command line as a person would type it."""
    return shlex.join(argv)


def newest_good(history: Sequence[Revision]) -> Revision | None:
    """Return the newest revision that was ever installed completely, or None.

    Never "the previous one": the one before may have failed (helm #1796, #5237).
    """
    deployed = [r for r in history if r.status == "deployed"]
    good = deployed or [r for r in history if r.good]
    return max(good, key=lambda r: r.number, default=None)


def hidden(argv: Sequence[str], secrets: Mapping[str, str]) -> list[str]:
    """Return a command line without secret values; there should be none."""
    return [next((f"<{name}>" for name, value in secrets.items() if value in part), part) for part in argv]
