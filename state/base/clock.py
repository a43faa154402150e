"""Time, injected: nothing else in the program reads a clock or sleeps.

``SharedClock`` is one clock for several processes, kept in a small mapped file, which can run faster than
time. An engine that is given such a file follows it as it would follow the machine's own clock.
"""

from __future__ import annotations

import asyncio
import mmap
import struct
import time
from collections.abc import Coroutine
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from state.base.times import SECOND_US as SECOND_US  # noqa: PLC0414  who reads a clock needs its unit

_LONGEST_REAL_WAIT_S = 0.1
_STEADY_READING_NS = 50_000_000
_LAYOUT = struct.Struct("<Qqqqd")  # version, real monotonic ns at the anchor, wall us, mono us, rate


class Clock(Protocol):
    """What tells the time. Wall time is UTC; monotonic time goes on during suspend."""

    def wall_us(self) -> int:
        """Return microseconds since 1970, UTC."""
        ...

    def mono_us(self) -> int:
        """Return microseconds of a clock that never jumps, from an arbitrary start."""
        ...

    def asleep_us(self) -> int:
        """Return for how many microseconds the machine was suspended since it booted."""
        ...

    def boot(self) -> str:
        """Return 16 hexadecimal digits that change with every boot: the scope of ``mono_us``."""
        ...

    def rate(self) -> float:
        """Return how many of this clock's seconds pass in a second."""
        ...

    def adjustable(self) -> bool:
        """Return whether ``set_rate`` may be called."""
        ...

    def set_rate(self, rate: float) -> None:
        """Let the clock run ``rate`` times as fast.

        Raises ValueError where it is not adjustable or the rate is outside 0.01 to 1000.
        """
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait until this clock has moved on by ``seconds``."""
        ...


async def first_of(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait until one of them is over; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def boot_digest() -> str:
    """Return the machine's boot id as 16 hexadecimal digits (never the id itself)."""
    try:
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot_id = "no boot id"
    return sha256(boot_id.encode()).hexdigest()[:16]


def clock_of(file: Path | None) -> Clock:
    """Return the shared clock that a file holds, or the machine's where none is named.

    Raises OSError, ValueError.
    """
    return SystemClock() if file is None else SharedClock(file)


class SystemClock:
    """The machine's clock."""

    def wall_us(self) -> int:
        return time.time_ns() // 1000

    def mono_us(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000

    def asleep_us(self) -> int:
        for _ in range(3):
            before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            awake = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
            if time.clock_gettime_ns(time.CLOCK_BOOTTIME) - before < _STEADY_READING_NS:
                break  # else this thread was put to sleep between the readings
        return max(0, before - awake) // 1000

    def boot(self) -> str:
        return boot_digest()

    def rate(self) -> float:
        return 1.0

    def adjustable(self) -> bool:
        return False

    def set_rate(self, rate: float) -> None:
        raise ValueError(f"the machine's clock cannot run {rate:g} times as fast")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class SharedClock:
    """A clock that several processes read from one mapped file and that can run faster than time.

    Between two changes of rate it is a straight line through an anchor, so a reading costs no system call.
    """

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _LAYOUT.size)
        self.path = path

    @classmethod
    def create(cls, path: Path, *, wall_us: int, rate: float = 1.0) -> SharedClock:
        """Make the file, with the clock at ``wall_us``, and return the clock."""
        path.write_bytes(_LAYOUT.pack(2, time.monotonic_ns(), wall_us, wall_us, rate))
        path.chmod(0o600)
        return cls(path)

    def _anchor(self) -> tuple[int, int, int, float]:
        for _ in range(1000):
            version, real_ns, wall_us, mono_us, rate = _LAYOUT.unpack(self._map[: _LAYOUT.size])
            if version % 2 == 0 and self._map[:8] == version.to_bytes(8, "little"):
                return real_ns, wall_us, mono_us, rate
        raise RuntimeError(f"the clock file {self.path} is being written and never finished")

    def _elapsed_us(self, real_ns: int, rate: float) -> int:
        return int((time.monotonic_ns() - real_ns) / 1000 * rate)

    def wall_us(self) -> int:
        real_ns, wall_us, _, rate = self._anchor()
        return wall_us + self._elapsed_us(real_ns, rate)

    def mono_us(self) -> int:
        real_ns, _, mono_us, rate = self._anchor()
        return mono_us + self._elapsed_us(real_ns, rate)

    def asleep_us(self) -> int:
        return 0  # it stands still while the machine sleeps

    def boot(self) -> str:
        return boot_digest()

    def rate(self) -> float:
        return self._anchor()[3]

    def adjustable(self) -> bool:
        return True

    def set_rate(self, rate: float) -> None:
        if not 0.01 <= rate <= 1000:
            raise ValueError(f"a clock's rate is between 0.01 and 1000, not {rate:g}")
        self.set_line(self.wall_us(), rate)

    def set_line(self, wall_us: int, rate: float) -> None:
        """Put the clock at ``wall_us`` from now on, at ``rate``; monotonic time moves along, never back."""
        mono_us = max(self.mono_us(), self.mono_us() + wall_us - self.wall_us())
        version = int.from_bytes(self._map[:8], "little")
        self._map[:8] = (version + 1).to_bytes(8, "little")
        self._map[: _LAYOUT.size] = _LAYOUT.pack(version + 1, time.monotonic_ns(), wall_us, mono_us, rate)
        self._map[:8] = (version + 2).to_bytes(8, "little")

    async def sleep(self, seconds: float) -> None:
        until = self.mono_us() + int(seconds * SECOND_US)
        while (left := until - self.mono_us()) > 0:  # noqa: ASYNC110  another process may change the rate
            await asyncio.sleep(min(left / SECOND_US / self.rate(), _LONGEST_REAL_WAIT_S))
