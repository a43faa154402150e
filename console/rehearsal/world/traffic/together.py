"""Several sources of samples as one, for a Prometheus that scrapes them all."""

from __future__ import annotations

from collections.abc import Sequence

from console.rehearsal.sim.prometheus.series import Matcher, Series, Target
from console.rehearsal.world.traffic.source import Traffic


class Together:
    """The samples and targets of all of these; each has label sets of its own."""

    def __init__(self, *sources: Traffic) -> None:
        self._sources = sources

    def series(
        self, name: str | None, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> list[Series]:
        """Return matching series; see ``SampleSource``."""
        return [one for source in self._sources for one in source.series(name, matchers, start_ms, end_ms)]

    def targets(self, now_ms: int) -> list[Target]:
        """Return the targets that are scraped now."""
        return [target for source in self._sources for target in source.targets(now_ms)]

    def metadata(self) -> dict[str, tuple[str, str]]:
        """Return type and help text by metric name."""
        return {name: told for source in self._sources for name, told in source.metadata().items()}
