"""What the parts of the engine need of each other, so that each can be read and tested by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from state.commands import Reply
from state.view.preview import Preview

if TYPE_CHECKING:
    from checks.clients.alertmanager import AlertmanagerClient
    from checks.clients.kube import KubeClient
    from checks.clients.prometheus import PrometheusClient
    from checks.clients.redact import Redactor
    from state.view.enums import Tier


@dataclass(frozen=True, slots=True)
class Who:
    """Who gives a command: an account, how it is known, and the console that it came from."""

    account: str
    how_known: str
    """``socket peer uid 1000 (ann)``; written into every attestation."""
    console: str = ""
    """The id of the attached console, or nothing."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A granted request, as an operation takes it."""

    request: int
    reason: str
    second: str
    """Who granted it, and how they are known."""
    over: tuple[str, ...]
    """What stood against the operation when it was requested."""

    def covers(self, against: Iterable[str]) -> bool:
        """Return whether nothing stands against the operation that wasn't told when it was granted."""
        return set(against) <= set(self.over)


ENGINE = Who("engine", "the engine itself")
"""The actor of what a tripped condition starts by itself."""


class OperationsPort(Protocol):
    """Runs operations: deploy, migrate, rollback. Guards have been asked before ``start``."""

    async def preview(self, operation_id: str, who: Who) -> Preview:
        """Return what would run: environment, from and to, exact command lines, blast radius, preflight."""
        ...

    async def start(
        self, operation_id: str, who: Who, granted: Granted | None, inputs_sha: str = ""
    ) -> Reply:
        """Record the intent, start the operation, and return without waiting for its end.

        ``inputs_sha`` is that of the preview that was confirmed: only that is run. Empty: what is there now.
        """
        ...

    async def abort(self, who: Who, reason: str) -> Reply:
        """Ask the operation that is under way to end."""
        ...

    async def recover(self, choice: str, who: Who, inputs_sha: str = "") -> Reply:
        """Carry out one of the offers of an operation whose end nobody saw."""
        ...

    async def resume(self) -> None:
        """Look at operations that the log left without an end, and say what was found; repair nothing."""
        ...

    async def rendered(self, tier: Tier) -> str:
        """Return the manifest that a deploy of the candidate to an environment would install.

        Raises CouldNotLookError where helm can't render it.
        """
        ...

    async def aclose(self) -> None:
        """Let go of what is watched; programs that run go on."""
        ...


class ClientsPort(Protocol):
    """What watches and samplers use of the outside world's clients."""

    @property
    def redactor(self) -> Redactor:
        """What removes secret values from text."""
        ...

    def kube(self, tier: Tier) -> KubeClient:
        """Return an environment's cluster."""
        ...

    def prometheus(self, tier: Tier) -> PrometheusClient:
        """Return an environment's Prometheus."""
        ...

    def alertmanager(self, tier: Tier) -> AlertmanagerClient:
        """Return an environment's Alertmanager."""
        ...

    async def aclose(self) -> None:
        """Close every client."""
        ...
