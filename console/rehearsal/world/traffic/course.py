"""The course of one environment: rates that change over time, and their exact sums."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from dataclasses import dataclass

from console.rehearsal.world.traffic.behaviour import Behaviour, Flow, rates

RAMP_S = 30.0
_WAVES_S = (86_400.0, 613.0, 97.0)
_HEIGHTS = (0.15, 0.05, 0.06)


class Waves:
    """A restless factor round 1 that all rates share: a sum of sines, so that it can be summed exactly."""

    def __init__(self, seed: str) -> None:
        phases = random.Random(seed)
        self._parts = [
            (height, math.tau / period, phases.uniform(0, math.tau))
            for height, period in zip(_HEIGHTS, _WAVES_S, strict=True)
        ]

    def sums(self, start_s: float, end_s: float) -> tuple[float, float]:
        """Return the integrals of the factor, and of the factor times the time since ``start_s``."""
        length = end_s - start_s
        flat, sloped = length, length * length / 2
        for height, omega, phase in self._parts:
            first, last = omega * start_s + phase, omega * end_s + phase
            cosine = math.cos(last)
            flat += height * (math.cos(first) - cosine) / omega
            sloped += height * ((math.sin(last) - math.sin(first)) / omega - length * cosine) / omega
        return flat, sloped


@dataclass(slots=True)
class Knot:
    """Where a straight piece begins: rates, their slopes, and what has come together until here.

    ``pod_part`` is the share of the environment's requests that one pod gets.
    """

    at_s: float
    rates: list[float]
    slopes: list[float]
    pod_part: float
    total: list[float]
    pod_total: list[float]


@dataclass(frozen=True, slots=True)
class Life:
    """A container's life: from its start until its pod went or it was started again; milliseconds."""

    pod: str
    start_ms: int
    end_ms: int | None


class Course:
    """Behaviours of one environment in order of time; the first holds from the beginning of history."""

    def __init__(self, seed: str, origin_ms: int) -> None:
        self._waves = Waves(seed)
        self._origin_ms = origin_ms
        self.changes: list[tuple[int, Behaviour]] = []
        self.restarts: list[tuple[int, str]] = []
        self._knots: list[Knot] = []
        self._knot_times: list[float] = []

    def change(self, at_ms: int, behaviour: Behaviour) -> None:
        """Behave differently from ``at_ms`` on, until a later change."""
        self.changes = [one for one in self.changes if one[0] != at_ms]
        self.changes.append((at_ms, behaviour))
        self.changes.sort(key=lambda one: one[0])
        if self.changes[-1][0] == at_ms and len(self.changes) > 1 and self._knots:
            self._bend(*self.changes[-1])
        else:
            self._knots, self._knot_times = [], []
            for one in self.changes:
                self._bend(*one)

    def current(self) -> Behaviour | None:
        """Return the newest behaviour."""
        return self.changes[-1][1] if self.changes else None

    def _seconds(self, at_ms: int) -> float:
        return (at_ms - self._origin_ms) / 1000

    def _bend(self, at_ms: int, behaviour: Behaviour) -> None:
        target = rates(behaviour)
        pod_part = 1 / max(1, len(behaviour.pods))
        flat = [0.0] * Flow.LENGTH
        if not self._knots:
            self._add(Knot(0.0, target, flat, pod_part, list(flat), list(flat)))
            return
        at_s = self._seconds(at_ms)
        while self._knots[-1].at_s > at_s:
            self._knots.pop()
            self._knot_times.pop()
        last = self._knots[-1]
        total, pod_total = self._totals(at_s, last)
        now = [rate + slope * (at_s - last.at_s) for rate, slope in zip(last.rates, last.slopes, strict=True)]
        slopes = [(goal - rate) / RAMP_S for goal, rate in zip(target, now, strict=True)]
        first = Knot(at_s, now, slopes, pod_part, total, pod_total)
        self._add(first)
        total, pod_total = self._totals(at_s + RAMP_S, first)
        self._add(Knot(at_s + RAMP_S, target, flat, pod_part, total, pod_total))

    def _add(self, knot: Knot) -> None:
        self._knots.append(knot)
        self._knot_times.append(knot.at_s)

    def _totals(self, at_s: float, knot: Knot) -> tuple[list[float], list[float]]:
        flat, sloped = self._waves.sums(knot.at_s, at_s)
        total: list[float] = []
        pod_total: list[float] = []
        part = knot.pod_part
        for one, pod_one, rate, slope in zip(
            knot.total, knot.pod_total, knot.rates, knot.slopes, strict=True
        ):
            grown = rate * flat + slope * sloped
            total.append(one + grown)
            pod_total.append(pod_one + grown * part)
        return total, pod_total

    def totals(self, at_ms: int) -> tuple[list[float], list[float]]:
        """Return what has come together since the origin, by ``Flow``: all requests, and one pod's share."""
        at_s = max(0.0, self._seconds(at_ms))
        return self._totals(at_s, self._knots[bisect_right(self._knot_times, at_s) - 1])

    def behaviour(self, at_ms: int) -> Behaviour:
        """Return the behaviour that holds at a time."""
        index = bisect_right(self.changes, at_ms, key=lambda change: change[0]) - 1
        return self.changes[max(0, index)][1]

    def lives(self) -> list[Life]:
        """Return the life of every container that there was."""
        out: list[Life] = []
        running: dict[str, int] = {}
        events = [(at, None, one.pods) for at, one in self.changes]
        events[:1] = [(self._origin_ms, None, one.pods) for _, one in self.changes[:1]]
        restarts = [(at, pod, ()) for at, pod in self.restarts]
        for at, restarted, pods in sorted([*events, *restarts], key=lambda one: one[0]):
            if restarted is not None:
                if restarted in running:
                    out.append(Life(restarted, running[restarted], at))
                    running[restarted] = at
                continue
            out.extend(Life(pod, running.pop(pod), at) for pod in list(running) if pod not in pods)
            for pod in pods:
                running.setdefault(pod, at)
        out.extend(Life(pod, start, None) for pod, start in running.items())
        return out

    def stays(self) -> list[Life]:
        """Return how long every pod was there, however often its container was started again."""
        out: list[Life] = []
        for life in sorted(self.lives(), key=lambda live: (live.pod, live.start_ms)):
            last = out[-1] if out else None
            if last is not None and last.pod == life.pod and last.end_ms == life.start_ms:
                out[-1] = Life(last.pod, last.start_ms, life.end_ms)
            else:
                out.append(life)
        return out
