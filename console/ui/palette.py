"""The command palette, made from the registry. It only asks: every guard is in the engine."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from screens.help import HelpEntry


class Runner(Protocol):
    """The app, as far as the palette needs it."""

    def help_entries(self) -> list[HelpEntry]:
        """Return everything that can be done."""
        ...

    def run_entry(self, name: str) -> None:
        """Do what an entry says."""
        ...


class CommandProvider(Provider):
    """Lists what the help lists."""

    def _commands(self) -> list[tuple[str, str, Callable[[], None]]]:
        app = cast("Runner", self.app)
        return [
            (e.title, f"{e.key} · {e.where}" if e.key else e.where, partial(app.run_entry, e.name))
            for e in app.help_entries()
            if e.name.startswith(("command:", "action:"))
        ]

    async def discover(self) -> Hits:
        """Yield everything, before anything is typed."""
        for title, note, run in self._commands():
            yield DiscoveryHit(title, run, help=note)

    async def search(self, query: str) -> Hits:
        """Yield what matches."""
        matcher = self.matcher(query)
        for title, note, run in self._commands():
            score = matcher.match(title)
            if score > 0:
                yield Hit(score, matcher.highlight(title), run, help=note)
