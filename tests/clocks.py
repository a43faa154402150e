"""A clock for tests."""

from __future__ import annotations

import asyncio

from state.base.clock import SECOND_US


class ManualClock:
    """A clock that stands still until a test moves it; sleepers wake in the order of their times."""

    def __init__(self, wall_us: int = 1_795_000_000_000_000) -> None:
        self._wall_us = wall_us
        self._mono_us = SECOND_US
        self._asleep_us = 0
        self._sleepers: list[tuple[int, asyncio.Event]] = []

    def wall_us(self) -> int:
        return self._wall_us

    def mono_us(self) -> int:
        return self._mono_us

    def asleep_us(self) -> int:
        return self._asleep_us

    def boot(self) -> str:
        return "0" * 16

    def rate(self) -> float:
        return 1.0

    def adjustable(self) -> bool:
        return False

    def set_rate(self, rate: float) -> None:
        raise ValueError(f"a clock moved by hand has no rate, so not {rate:g}")

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        self._sleepers.append((self._mono_us + int(seconds * SECOND_US), woken))
        await woken.wait()

    async def advance(self, seconds: float) -> None:
        """Move the clock on, waking each sleeper at its own time and letting it run before the next."""
        target = self._mono_us + int(seconds * SECOND_US)
        while due := sorted((s for s in self._sleepers if s[0] <= target), key=lambda s: s[0]):
            at, woken = due[0]
            self._sleepers.remove(due[0])
            self._wall_us += max(0, at - self._mono_us)
            self._mono_us = max(self._mono_us, at)
            woken.set()
            for _ in range(20):
                await asyncio.sleep(0)
        self._wall_us += target - self._mono_us
        self._mono_us = target

    def jump(self, seconds: float) -> None:
        """Step the wall clock alone, as an administrator or NTP would."""
        self._wall_us += int(seconds * SECOND_US)

    def suspend(self, seconds: float) -> None:
        """Let the machine sleep: time goes on, and whoever waits goes on waiting afterwards."""
        slept_us = int(seconds * SECOND_US)
        self._wall_us += slept_us
        self._mono_us += slept_us
        self._asleep_us += slept_us
        self._sleepers = [(at + slept_us, woken) for at, woken in self._sleepers]
