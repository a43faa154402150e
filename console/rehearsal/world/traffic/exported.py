"""What the simulated programs export: label sets, and how each value follows from the sums of requests."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from console.rehearsal.sim.prometheus.series import NAME, Labels, labels_of
from console.rehearsal.world.traffic.behaviour import BOUNDS_S, Flow

INGRESS_REQUESTS = "nginx_ingress_controller_requests"
INGRESS_DURATION = "nginx_ingress_controller_request_duration_seconds"
RESTARTS = "kube_pod_container_status_restarts_total"
NOTIFIED = "alertmanager_notifications_total"
NOTIFIED_FAILED = "alertmanager_notifications_failed_total"
STARTED = "process_start_time_seconds"

METADATA: Mapping[str, tuple[str, str]] = {
    INGRESS_REQUESTS: ("counter", "The total number of client requests"),
    INGRESS_DURATION: ("histogram", "The request processing time in seconds"),
    RESTARTS: ("counter", "The number of container restarts per container."),
    NOTIFIED: ("counter", "The total number of attempted notifications."),
    NOTIFIED_FAILED: ("counter", "The total number of failed notifications."),
    STARTED: ("gauge", "Start time of the process since unix epoch in seconds."),
    "prometheus_build_info": ("gauge", "A metric with a constant '1' value."),
    "up": ("gauge", ""),
}

_INTEGRATIONS = ("email", "pagerduty", "slack", "webhook")


@dataclass(frozen=True, slots=True, eq=False)
class Exported:
    """One series. Its values follow from times and, where ``flows`` are given, from sums of requests.

    ``weight`` times the growth of ``flows`` since the program's start; counted in whole requests unless
    ``whole`` is false. ``steady`` adds so much a second. A series that is ``gated`` is exported once it
    has counted something, and one with ``born_with`` once that other series has: client libraries make a
    label set at its first use.
    """

    labels: Labels
    flows: tuple[int, ...] = ()
    weight: float = 1.0
    start: float = 0.0
    phase: float = 0.0
    whole: bool = True
    steady: float = 0.0
    constant: float = 0.0
    since_ms: int = 0
    events_ms: Sequence[int] | None = None
    gated: bool = False
    born_with: Exported | None = None

    def values(self, times: Sequence[int], sums: Sequence[Sequence[float]]) -> list[float]:
        """Return the value at each time; ``sums`` holds the sums of requests at these times."""
        if self.events_ms is not None:
            return [float(bisect_right(self.events_ms, at)) for at in times]
        if self.steady:
            return [float(math.floor((at - self.since_ms) / 1000 * self.steady)) for at in times]
        if not self.flows:
            return [self.constant] * len(times)
        weight, start, phase = self.weight, self.start, self.phase
        if len(self.flows) == 1:
            only = self.flows[0]
            grown = [weight * (one[only] - start) + phase for one in sums]
        else:
            grown = [weight * (sum(one[index] for index in self.flows) - start) + phase for one in sums]
        if self.whole:
            return [float(math.floor(value)) for value in grown]
        return [round(value, 6) for value in grown]


@dataclass(frozen=True, slots=True)
class Birth:
    """What a program starts with: its target's labels, its time, and the sums of requests at that time."""

    labels: tuple[tuple[str, str], ...]
    start_ms: int
    sums: Sequence[float]

    def named(self, name: str, *pairs: tuple[str, str]) -> Labels:
        """Return the labels of one of its series."""
        return labels_of([(NAME, name), *self.labels, *pairs])

    def counter(self, labels: Labels, flows: tuple[int, ...], weight: float) -> Exported:
        """Return a counter of requests, exported from its first on."""
        phase = random.Random(repr(labels)).random()
        start = sum(self.sums[index] for index in flows)
        return Exported(labels, flows, weight, start, phase, gated=True)

    def histogram(
        self, name: str, pairs: tuple[tuple[str, str], ...], extra: tuple[int, ...], weight: float
    ) -> list[Exported]:
        """Return the series of a histogram of latencies; ``extra`` flows count as the slowest known."""
        phase = random.Random(repr((self.labels, name, pairs))).random()
        out: list[Exported] = []
        last = Flow.BUCKETS + len(BOUNDS_S) - 1
        total = sum(self.sums[index] for index in (last, *extra))
        labels = self.named(f"{name}_count", *pairs)
        count = Exported(labels, (last, *extra), weight, total, phase, gated=True)
        out.append(count)
        for index, bound in enumerate(BOUNDS_S):
            flows = (Flow.BUCKETS + index, *extra)
            start = sum(self.sums[flow] for flow in flows)
            labels = self.named(f"{name}_bucket", *pairs, ("le", le_of(bound)))
            out.append(Exported(labels, flows, weight, start, phase, born_with=count))
        spent = self.named(f"{name}_sum", *pairs)
        seconds = self.sums[Flow.SECONDS]
        out.append(Exported(spent, (Flow.SECONDS,), weight, seconds, whole=False, born_with=count))
        return out


def le_of(bound: float) -> str:
    """Return the label of a bucket as client libraries write it."""
    return "+Inf" if bound == math.inf else f"{bound:g}" if bound % 1 else f"{bound:.1f}"


@dataclass(frozen=True, slots=True)
class Program:
    """What is scraped of every pod: its job and port, its container's name, and what it exports."""

    job: str
    port: int
    container: str
    of_pod: Callable[[Birth], list[Exported]]
    metadata: Mapping[str, tuple[str, str]]
    beside: Exporter | None = None
    """What is scraped beside the pods, once in each environment."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """A program that tells of another: its job and port, and what it exports."""

    job: str
    port: int
    of_environment: Callable[[Birth], list[Exported]]


def of_ingress(birth: Birth, ingress: str) -> list[Exported]:
    """Return what the ingress controller exports for an environment: it sees what the API does not."""
    statuses = {
        "200": (Flow.OK, Flow.AUTH_OK),
        "401": (Flow.AUTH_REFUSED,),
        "404": (Flow.NOT_FOUND,),
        "429": (Flow.TOO_MANY, Flow.AUTH_TOO_MANY),
        "500": (Flow.ERROR, Flow.AUTH_ERROR),
        "503": (Flow.UNSERVED,),
    }
    out = [
        birth.counter(birth.named(INGRESS_REQUESTS, ("ingress", ingress), ("status", status)), flows, 1.0)
        for status, flows in statuses.items()
    ]
    out.extend(birth.histogram(INGRESS_DURATION, (("ingress", ingress),), (Flow.UNSERVED,), 1.0))
    return out


def of_alertmanager(birth: Birth, notified: Sequence[tuple[int, str, bool]]) -> list[Exported]:
    """Return Alertmanager's counters of what it sent: (time, integration, whether it failed)."""
    out: list[Exported] = []
    for integration in sorted({*_INTEGRATIONS, *(one[1] for one in notified)}):
        pair = ("integration", integration)
        mine = [(at, failed) for at, name, failed in notified if name == integration]
        tried, failed = [at for at, _ in mine], [at for at, bad in mine if bad]
        out.append(Exported(birth.named(NOTIFIED, pair), events_ms=tried))
        out.append(Exported(birth.named(NOTIFIED_FAILED, pair), events_ms=failed))
    return out
