"""The login limiter: a bucket per route and client, with a window on the injected clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from state.base.clock import SECOND_US, Clock


@dataclass(frozen=True, slots=True)
class Draw:
    """What one call did to its bucket."""

    allowed: bool
    limit: int
    remaining: int
    retry_after_s: int


@dataclass(slots=True)
class Limiter:
    """Counts calls; a window starts with a bucket's first call and is over ``window_s`` later."""

    clock: Clock
    _buckets: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    _served: dict[str, int] = field(default_factory=dict)

    def draw(self, route: str, client: str, *, limit: int, window_s: int, leaks: bool) -> Draw:
        """Count one call of ``client`` at ``route`` and say whether it is within ``limit`` per window.

        With ``leaks`` a route that has served more calls than its limit refuses everyone, for ever.
        """
        now = self.clock.mono_us()
        served = self._served[route] = self._served.get(route, 0) + 1
        opened, count = self._buckets.get((route, client), (now, 0))
        if now - opened >= window_s * SECOND_US:
            opened, count = now, 0
        count += 1
        self._buckets[route, client] = opened, count
        self._forget(now - window_s * SECOND_US)
        allowed = count <= limit and not (leaks and served > limit)
        left_s = max(1, window_s - (now - opened) // SECOND_US)
        return Draw(allowed, limit, max(0, limit - count), left_s)

    def _forget(self, before: int) -> None:
        if len(self._buckets) > 1000:
            self._buckets = {name: bucket for name, bucket in self._buckets.items() if bucket[0] > before}
