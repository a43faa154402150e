"""Cause and effect: what runs in the cluster decides what the platform, its data and its traffic do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import HEAD, Outage, Platform
from console.rehearsal.sim.kubernetes import Store
from console.rehearsal.world.traffic import Behaviour, Traffic
from state.base.clock import Clock
from state.base.json import JsonObject, obj, objs, path, text

_STEP_S = 1.0
_SHORTEST_REAL_STEP_S = 0.02
_LOAD = {Env.STAGING: 6.0, Env.PRODUCTION: 40.0}


@dataclass(slots=True)
class Temper:
    """What the candidate does to an environment whose pods run it; none of it: it is a good one."""

    error_ratio: float = 0.0
    p95_s: float = 0.0
    auth_error_ratio: float = 0.0
    too_many_ratio: float = 0.0
    limited_ratio: float = 0.0

    @property
    def bad(self) -> bool:
        """Whether anything is wrong with it."""
        return self != Temper()


@dataclass(slots=True)
class Causes:
    """Looks at the cluster each second of the clock and lets the rest of the world follow.

    ``candidate`` is the digest of the candidate's backend image.
    """

    clock: Clock
    store: Store
    traffic: Traffic
    platforms: Mapping[Env, Platform]
    candidate: str
    timeline: Path
    tempers: dict[Env, Temper] = field(default_factory=lambda: {env: Temper() for env in Env})
    base: dict[Env, Behaviour] = field(
        default_factory=lambda: {env: Behaviour(rps=rps) for env, rps in _LOAD.items()}
    )
    """What an environment does with good images; a fault may change it."""
    migrations_lost: bool = False
    """A migration job ends well and has changed nothing."""
    when_live: dict[Env, list[Callable[[], None]]] = field(default_factory=lambda: {env: [] for env in Env})
    """What happens, once, when all pods of an environment run the candidate."""
    _seen: int = -1
    _done: set[str] = field(default_factory=set)
    _shown: dict[Env, Behaviour] = field(default_factory=dict)
    _closed: set[Env] = field(default_factory=set)

    async def run(self, and_then: Callable[[Causes], None] = lambda _: None) -> None:
        """Step for ever, and let another step follow each."""
        while True:
            self.step()
            and_then(self)
            # never more than fifty times in a real second, however fast the clock runs
            await self.clock.sleep(max(_STEP_S, _SHORTEST_REAL_STEP_S * self.clock.rate()))

    def step(self) -> None:
        """Let everything follow from what the cluster holds now."""
        if self.store.version != self._seen:
            self._seen = self.store.version
            for env in Env:
                self._migrate(env)
        for env in Env:
            self._serve(env)

    def ready(self, env: Env) -> dict[str, str]:
        """Return the ready backend pods of an environment: name -> image."""
        return {
            str(path(pod, ("metadata", "name"))): image
            for pod in self.store.scan("pods", env.namespace)
            if path(pod, ("metadata", "labels", "app")) == "dotmac-backend"
            and is_ready(pod)
            and (image := image_of(pod))
        }

    def _serve(self, env: Env) -> None:
        pods = self.ready(env)
        share = sum(self.candidate in image for image in pods.values()) / len(pods) if pods else 0.0
        behaviour = replace(self.tempered(self.base[env], env, share), pods=tuple(sorted(pods)))
        settings = self.platforms[env].settings
        if not pods and settings.web.api_outage is Outage.NONE:
            settings.web.api_outage = Outage.UNAVAILABLE
            self._closed.add(env)
        elif pods and env in self._closed:
            settings.web.api_outage = Outage.NONE
            self._closed.discard(env)
        if share == 1.0:
            while self.when_live[env]:
                self.when_live[env].pop(0)()
        if self._shown.get(env) != behaviour:
            if self.tempers[env].bad:
                settings.flows.error_share = self.tempers[env].error_ratio * share
            self._shown[env] = behaviour
            self.traffic.set(env.value, behaviour)
            self.save()

    def tempered(self, base: Behaviour, env: Env, share: float) -> Behaviour:
        """Return how ``base`` is changed where ``share`` of the pods run the candidate."""
        temper = self.tempers[env]
        if not share or not temper.bad:
            return base
        return replace(
            base,
            error_ratio=base.error_ratio + share * temper.error_ratio,
            auth_error_ratio=base.auth_error_ratio + share * (temper.auth_error_ratio or temper.error_ratio),
            too_many_ratio=base.too_many_ratio + share * temper.too_many_ratio,
            limited_ratio=base.limited_ratio + share * temper.limited_ratio,
            # a request is slow where it meets a bad pod: the 95th percentile moves with the first of them
            p95_s=max(base.p95_s, temper.p95_s if share > 0.1 else 0.0),
        )

    def _migrate(self, env: Env) -> None:
        """Let the database follow the migration jobs that are complete, in the order of their ends."""
        jobs = [job for job in self.store.scan("jobs", env.namespace) if _is_complete(job)]
        for job in sorted(jobs, key=lambda j: str(path(j, ("status", "completionTime")))):
            uid = str(path(job, ("metadata", "uid")))
            if uid in self._done:
                continue
            self._done.add(uid)
            template = obj(path(job, ("spec", "template")))
            if self.candidate in image_of(template) and not self.migrations_lost:
                platform = self.platforms[env]
                platform.database.migrate(HEAD, platform.settings.database)

    def save(self) -> None:
        """Keep the traffic's timeline, so that a world that was killed has the same past."""
        fresh = self.timeline.with_suffix(".new")
        fresh.write_text(json.dumps(self.traffic.to_json()))
        fresh.replace(self.timeline)


def _conditions(body: JsonObject) -> set[str]:
    return {
        text(c, "type") for c in objs(path(body, ("status", "conditions"))) if text(c, "status") == "True"
    }


def is_ready(pod: JsonObject) -> bool:
    """Return whether a pod takes requests."""
    return "Ready" in _conditions(pod) and path(pod, ("metadata", "deletionTimestamp")) is None


def _is_complete(job: JsonObject) -> bool:
    return "Complete" in _conditions(job)


def image_of(pod: JsonObject) -> str:
    """Return the image of a pod's first container."""
    return next((text(c, "image") for c in objs(path(pod, ("spec", "containers")))), "")
