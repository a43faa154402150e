"""Cause and effect: what runs in the cluster decides what the platform, its data and its traffic do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import HEAD, Outage, Platform
from console.rehearsal.sim.kubernetes import Store
from console.rehearsal.world.coupling import Misbehaviour, conditions, image_of, ready_pods, share_of
from console.rehearsal.world.traffic import Behaviour
from console.rehearsal.world.traffic.timeline import Timeline
from state.base.json import obj, path

_LOAD = {Env.STAGING: 6.0, Env.PRODUCTION: 40.0}


@dataclass(slots=True)
class Lasting:
    """A change of an environment that lasts while the candidate runs there, or as long as it doesn't."""

    change: Callable[[], Callable[[], None] | None]
    """Makes the change, and returns what takes it back; None: it is too early for it."""
    candidate: bool
    undo: Callable[[], None] | None = None

    def follow(self, share: float) -> None:
        """Make the change or take it back, by the share of pods that run the candidate."""
        wanted = share > 0.0 if self.candidate else share < 1.0
        if wanted and self.undo is None:
            self.undo = self.change()
        elif not wanted and self.undo is not None:
            self.undo()
            self.undo = None


@dataclass(slots=True, kw_only=True)
class Reconciler:
    """Lets the platform follow from the cluster, each second of the clock.

    ``candidate`` is the digest of the candidate's backend image.
    """

    store: Store
    timeline: Timeline
    platforms: Mapping[Env, Platform]
    misbehaviour: Mapping[str, Misbehaviour]
    candidate: str
    fronted: Callable[[Env], bool] = lambda _env: True
    """Whether an ingress leads to an environment: where nothing was ever installed, nobody comes."""
    base: dict[Env, Behaviour] = field(
        default_factory=lambda: {env: Behaviour(rps=rps) for env, rps in _LOAD.items()}
    )
    """What an environment does with good images; a fault may change it."""
    migrations_lost: bool = False
    """A migration job ends well and has changed nothing."""
    when_live: dict[Env, list[Callable[[], None]]] = field(default_factory=lambda: {env: [] for env in Env})
    """What happens, once, when all pods of an environment run the candidate."""
    lasting: dict[Env, list[Lasting]] = field(default_factory=lambda: {env: [] for env in Env})
    """What is wrong with the candidate alone, or with the release before it."""
    _version: int = -1
    _done: set[str] = field(default_factory=set)
    _closed: set[Env] = field(default_factory=set)

    def step(self) -> None:
        """Let everything follow from what the cluster holds now."""
        if self.store.version != self._version:
            self._version = self.store.version
            for env in Env:
                self._migrate(env)
        for env in Env:
            self._serve(env)

    def ready(self, env: Env) -> dict[str, str]:
        """Return the ready backend pods of an environment: name -> image."""
        return ready_pods(self.store, env.namespace, "dotmac-backend")

    def _serve(self, env: Env) -> None:
        pods = self.ready(env)
        share = share_of(self.candidate, pods)
        misbehaviour = self.misbehaviour[env]
        behaviour = replace(misbehaviour.applied(self.base[env], share), pods=tuple(sorted(pods)))
        if not self.fronted(env):
            behaviour = replace(behaviour, rps=0.0)
        settings = self.platforms[env].settings
        if not pods and settings.web.api_outage is Outage.NONE:
            settings.web.api_outage = Outage.UNAVAILABLE
            self._closed.add(env)
        elif pods and env in self._closed:
            settings.web.api_outage = Outage.NONE
            self._closed.discard(env)
        for change in self.lasting[env]:
            change.follow(share)
        if share == 1.0:
            while self.when_live[env]:
                self.when_live[env].pop(0)()
        if self.timeline.show(env, behaviour) and misbehaviour.bad:
            settings.flows.error_share = misbehaviour.error_ratio * share

    def _migrate(self, env: Env) -> None:
        """Let the database follow the migration jobs that are complete, in the order of their ends."""
        jobs = [job for job in self.store.scan("jobs", env.namespace) if "Complete" in conditions(job)]
        for job in sorted(jobs, key=lambda j: str(path(j, ("status", "completionTime")))):
            uid = str(path(job, ("metadata", "uid")))
            if uid in self._done:
                continue
            self._done.add(uid)
            template = obj(path(job, ("spec", "template")))
            if self.candidate in image_of(template) and not self.migrations_lost:
                platform = self.platforms[env]
                platform.database.migrate(HEAD, platform.settings.database)
