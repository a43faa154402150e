"""The source of all samples of the rehearsal."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from console.rehearsal.sim.prometheus.series import NAME, Matcher, Series, Target, label, labels_of, selected
from console.rehearsal.world.traffic.behaviour import Behaviour, Flow, need_number
from console.rehearsal.world.traffic.course import Course, Life
from console.rehearsal.world.traffic.exported import (
    METADATA,
    RESTARTS,
    Birth,
    Exported,
    Program,
    of_alertmanager,
    of_ingress,
)
from console.rehearsal.world.traffic.targets import ScrapeTarget, Sums, merged
from state.base.clock import Clock
from state.base.codec import WIRE
from state.base.json import Json, JsonObject, flag, integer, need_text, obj, objs, text

_HISTORY_MS = 2 * 86_400_000
_BEFORE_HISTORY_MS = 3 * 86_400_000
_SHARED = ""
_PROMETHEUS, _ALERTMANAGER, _INGRESS, _KUBERNETES = (
    "prometheus",
    "alertmanager",
    "ingress-nginx",
    "kube-state-metrics",
)
_NO_SUMS = (0.0,) * Flow.LENGTH


class Traffic:
    """Counters and histograms of every environment, as a function of seed, time and what happened.

    History reaches two days back from the clock's time at the start. Samples come at ``interval_s``, each
    target at its own offset, and never from the future of the clock. Not thread-safe.
    """

    def __init__(
        self,
        seed: int | str,
        clock: Clock,
        program: Program,
        *,
        namespaces: Mapping[str, str],
        ingress: str,
        interval_s: float = 15.0,
        start_s: float | None = None,
    ) -> None:
        self._program = program
        self._seed = str(seed)
        self._clock = clock
        self._interval_ms = round(interval_s * 1000)
        self._start_ms = self._now() if start_s is None else round(start_s * 1000)
        self._namespaces = dict(namespaces)
        self._ingress = ingress
        self._courses: dict[str, Course] = {}
        self._notified: list[tuple[int, str, bool]] = []
        self._targets: dict[_Key, ScrapeTarget] = {}
        self._found: dict[tuple[str | None, tuple[Matcher, ...]], list[_Match]] = {}
        self._newest_ms = 0
        self._divided = False
        self._monitors = False
        self._arrange()

    def with_monitors(self) -> Traffic:
        """Bring the samples of Prometheus and Alertmanager themselves too: one traffic of a world does that."""
        self._monitors = True
        self._arrange()
        return self

    def _now(self) -> int:
        return self._clock.wall_us() // 1000

    @property
    def _origin_ms(self) -> int:
        return self._start_ms - _HISTORY_MS - _BEFORE_HISTORY_MS

    def set(self, environment: str, behaviour: Behaviour, at_s: float | None = None) -> None:
        """Let an environment behave so from ``at_s`` (Unix seconds) on; rates change over 30 seconds.

        Without ``at_s`` from now on, and an environment's first behaviour from the beginning of history.
        """
        course = self._courses.get(environment)
        if course is None:
            course = self._courses[environment] = Course(f"{self._seed}/{environment}", self._origin_ms)
            at_ms = self._start_ms - _HISTORY_MS if at_s is None else round(at_s * 1000)
        else:
            at_ms = self._now() if at_s is None else round(at_s * 1000)
        if course.changes and course.behaviour(at_ms) == behaviour and at_ms >= course.changes[-1][0]:
            return
        course.change(at_ms, behaviour)
        self._changed(at_ms)

    def behaviour(self, environment: str) -> Behaviour | None:
        """Return the newest behaviour of an environment, or None where it has none."""
        course = self._courses.get(environment)
        return course.current() if course else None

    def restarted(self, environment: str, pod: str, at_s: float | None = None) -> None:
        """Note that a container was started again: its counters begin anew."""
        at_ms = self._now() if at_s is None else round(at_s * 1000)
        self._courses[environment].restarts.append((at_ms, pod))
        self._courses[environment].restarts.sort()
        self._targets = {
            key: target for key, target in self._targets.items() if key[:2] != (environment, pod)
        }
        self._changed(at_ms)

    def notified(self, integration: str, *, failed: bool = False, at_s: float | None = None) -> None:
        """Count a notification that Alertmanager tried to send."""
        at_ms = self._now() if at_s is None else round(at_s * 1000)
        self._notified.append((at_ms, integration, failed))
        self._notified.sort()
        self._targets.pop((_SHARED, _ALERTMANAGER, 0), None)
        self._arrange()

    def _changed(self, at_ms: int) -> None:
        """Take up a change; where samples may have been made of a past that it changes, make all anew."""
        if at_ms <= self._newest_ms:
            self._targets = {}
        self._newest_ms = max(self._newest_ms, at_ms)
        self._arrange()

    def _arrange(self) -> None:
        """Make the targets that there are now; those known keep the samples they made."""
        self._found.clear()
        known, there = self._targets, dict[_Key, ScrapeTarget]()
        for kind in (_PROMETHEUS, _ALERTMANAGER) if self._monitors else ():
            key = (_SHARED, kind, 0)
            there[key] = known.get(key) or self._shared(kind)
        for environment, course in self._courses.items():
            beside = (self._program.beside.job,) if self._program.beside else ()
            for kind in (_INGRESS, _KUBERNETES, *beside):
                key = (environment, kind, 0)
                there[key] = known.get(key) or self._of_environment(environment, course, kind)
            lives = course.lives()
            begun = {(life.pod, life.start_ms) for life in lives}
            self._divided = self._divided or len({life.pod for life in lives}) < len(lives)
            for life in lives:
                key = (environment, f"pod/{life.pod}", life.start_ms)
                target = known.get(key) or self._pod(environment, course, life)
                target.end_ms = life.end_ms
                target.followed = (life.pod, life.end_ms) in begun
                there[key] = target
            for stay in course.stays():
                key = (environment, stay.pod, stay.start_ms)
                target = known.get(key) or self._pod_state(environment, course, stay)
                target.end_ms = stay.end_ms
                there[key] = target
        self._targets = there

    def _place(self, environment: str, kind: str, job: str, port: int) -> _Pairs:
        draw = random.Random(f"{self._seed}/{environment}/{kind}")
        host = f"10.42.{draw.randrange(8)}.{draw.randrange(2, 250)}"
        pairs = (("job", job), ("instance", f"{host}:{port}"))
        return (*pairs, ("namespace", self._namespaces[environment])) if environment else pairs

    def _pod(self, environment: str, course: Course, life: Life) -> ScrapeTarget:
        place = self._place(environment, life.pod, self._program.job, self._program.port)
        sums = course.totals(life.start_ms)[1]
        birth = Birth((*place, ("pod", life.pod)), life.start_ms, sums)
        return self._scraped(
            birth,
            self._program.of_pod(birth),
            reached=lambda at_ms: course.behaviour(at_ms).scraped,
            sums=lambda at_ms: course.totals(at_ms)[1],
        )

    def _pod_state(self, environment: str, course: Course, stay: Life) -> ScrapeTarget:
        """Return what kube-state-metrics tells of one pod."""
        birth = Birth(self._place(environment, _KUBERNETES, _KUBERNETES, 8080), stay.start_ms, _NO_SUMS)
        times = [at for at, pod in course.restarts if pod == stay.pod and at >= stay.start_ms]
        labels = birth.named(RESTARTS, ("pod", stay.pod), ("container", self._program.container))
        target = self._scraped(birth, [Exported(labels, events_ms=times)])
        target.up_labels = None
        return target

    def _of_environment(self, environment: str, course: Course, kind: str) -> ScrapeTarget:
        if kind == _KUBERNETES:
            birth = Birth(self._place(environment, kind, kind, 8080), self._origin_ms, _NO_SUMS)
            return self._scraped(birth, [])
        exporter = self._program.beside
        if exporter is not None and kind == exporter.job:
            birth = Birth(self._place(environment, kind, kind, exporter.port), self._origin_ms, _NO_SUMS)
            return self._scraped(birth, exporter.of_environment(birth))
        sums = course.totals(self._origin_ms)[0]
        birth = Birth(self._place(environment, kind, kind, 10254), self._origin_ms, sums)
        return self._scraped(
            birth, of_ingress(birth, self._ingress), sums=lambda at_ms: course.totals(at_ms)[0]
        )

    def _shared(self, kind: str) -> ScrapeTarget:
        port = 9090 if kind == _PROMETHEUS else 9093
        birth = Birth(self._place(_SHARED, kind, kind, port), self._origin_ms, _NO_SUMS)
        if kind == _ALERTMANAGER:
            return self._scraped(birth, of_alertmanager(birth, self._notified))
        build = birth.named("prometheus_build_info", ("version", "3.5.0"), ("branch", "HEAD"))
        return self._scraped(birth, [Exported(build, constant=1.0)])

    def _scraped(
        self,
        birth: Birth,
        exported: list[Exported],
        *,
        reached: Callable[[int], bool] = lambda _: True,
        sums: Sums = lambda _: _NO_SUMS,
    ) -> ScrapeTarget:
        offset = random.Random(f"{self._seed}/{birth.labels}").randrange(self._interval_ms)
        up = labels_of([(NAME, "up"), *birth.labels])
        return ScrapeTarget(
            labels_of(birth.labels),
            up,
            exported,
            birth.start_ms,
            None,
            self._interval_ms,
            offset,
            reached,
            sums,
        )

    def series(
        self, name: str | None, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> list[Series]:
        """Return matching series; see ``SampleSource``."""
        now_ms = self._now()
        self._newest_ms = max(self._newest_ms, min(now_ms, end_ms))
        key = (name, tuple(matchers))
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._matching(name, matchers)
        out: list[Series] = []
        for target, exported, with_up in found:
            if target.lives(start_ms, end_ms):
                if exported:
                    out.extend(target.series(exported, start_ms, end_ms, now_ms))
                if with_up:
                    out.extend(target.up(start_ms, end_ms, now_ms))
        return merged(out) if self._divided else out

    def _matching(self, name: str | None, matchers: Sequence[Matcher]) -> list[_Match]:
        out: list[_Match] = []
        for target in self._targets.values():
            exported = [one for one in target.exported if selected(one.labels, name, matchers)]
            with_up = target.up_labels is not None and selected(target.up_labels, name, matchers)
            if exported or with_up:
                out.append((target, exported, with_up))
        return out

    def targets(self, now_ms: int) -> list[Target]:
        """Return the targets that are scraped now."""
        return [
            _shown(target, now_ms)
            for target in self._targets.values()
            if target.up_labels is not None
            and target.start_ms <= now_ms
            and (target.end_ms is None or target.end_ms > now_ms)
        ]

    def metadata(self) -> dict[str, tuple[str, str]]:
        """Return type and help text by metric name."""
        return {**self._program.metadata, **(METADATA if self._monitors else {})}

    def to_json(self) -> Json:
        """Return all that the samples follow from, beside the clock."""
        return {
            "seed": self._seed,
            "interval_ms": self._interval_ms,
            "start_ms": self._start_ms,
            "namespaces": self._namespaces,
            "ingress": self._ingress,
            "changes": [
                {"at_ms": at, "environment": environment, "behaviour": WIRE.dump(behaviour)}
                for environment, course in self._courses.items()
                for at, behaviour in course.changes
            ],
            "restarts": [
                {"at_ms": at, "environment": environment, "pod": pod}
                for environment, course in self._courses.items()
                for at, pod in course.restarts
            ],
            "notified": [
                {"at_ms": at, "integration": integration, "failed": failed}
                for at, integration, failed in self._notified
            ],
        }

    @classmethod
    def from_json(cls, body: JsonObject, clock: Clock, program: Program) -> Traffic:
        """Return the traffic that ``to_json`` described.

        Raises FieldError where something is missing.
        """
        names = {name: str(value) for name, value in obj(body.get("namespaces")).items()}
        traffic = cls(
            need_text(body, "seed"),
            clock,
            program,
            namespaces=names,
            ingress=text(body, "ingress"),
            interval_s=need_number(body, "interval_ms") / 1000,
            start_s=need_number(body, "start_ms") / 1000,
        )
        for change in objs(body.get("changes")):
            behaviour = WIRE.load(Behaviour, change.get("behaviour"))
            traffic.set(need_text(change, "environment"), behaviour, need_number(change, "at_ms") / 1000)
        for restart in objs(body.get("restarts")):
            environment, pod = need_text(restart, "environment"), need_text(restart, "pod")
            traffic.restarted(environment, pod, need_number(restart, "at_ms") / 1000)
        for one in objs(body.get("notified")):
            at_s = integer(one, "at_ms") / 1000
            traffic.notified(need_text(one, "integration"), failed=flag(one, "failed"), at_s=at_s)
        return traffic


_Match = tuple[ScrapeTarget, list[Exported], bool]
_Key = tuple[str, str, int]
_Pairs = tuple[tuple[str, str], ...]


def _shown(target: ScrapeTarget, now_ms: int) -> Target:
    last = target.last_scrape_ms(now_ms)
    healthy = target.reached(last)
    url = f"http://{label(target.labels, 'instance')}/metrics"
    error = "" if healthy else f'Get "{url}": context deadline exceeded'
    return Target(target.labels, url, healthy, error, last)
