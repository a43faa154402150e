"""The service as the product of a world: its objects, releases, servers, traffic, and its side of the runbook."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from console.rehearsal.sim.fast_yaml import dump, load
from console.rehearsal.sim.kubernetes import Store
from console.rehearsal.sim.oci_registry import image_manifest
from console.rehearsal.sim.prometheus.rules import AlertRule
from console.rehearsal.web_service import metrics, seed
from console.rehearsal.web_service.faults import FAULTS
from console.rehearsal.web_service.names import Names
from console.rehearsal.web_service.site import Front, State
from console.rehearsal.world.cluster_seed import tls_secret
from console.rehearsal.world.coupling import ready_pods, share_of
from console.rehearsal.world.fault import Fault
from console.rehearsal.world.first_release import FirstRelease
from console.rehearsal.world.folder import write_secret
from console.rehearsal.world.product import Product, Site
from console.rehearsal.world.runbook import Addresses
from console.rehearsal.world.traffic import Behaviour, Traffic
from console.rehearsal.world.traffic.timeline import Timeline
from console.rehearsal.world.world import World
from state.base.json import Json, JsonObject, obj
from state.runbook.environment import Tier

_BEFORE = "previous"
_LOAD = {Tier.STAGING: 4.0, Tier.PRODUCTION: 30.0}
_LOG_LINES = 200
_OUTSIDE = frozenset({"objectstore", "database", "accounts", "grafana", "traces", "logs", "ci"})
"""Parts of a given environment that lead out of the world."""


class WebService(Product):
    """What a runbook of somebody else launches. Its folder is ``service`` in the world's."""

    title = "a web service"

    def __init__(self, names: Names) -> None:
        self.names = names
        self.namespaces = {tier: site.namespace for tier, site in names.sites.items()}
        self._world: World
        self._root: Path
        self._timeline: Timeline
        self._states = {tier: State() for tier in names.sites}
        self._logs = {tier: deque[str](maxlen=_LOG_LINES) for tier in names.sites}
        self._digests: dict[str, str] = {}
        self._ports: dict[Tier, tuple[int, int]] = {}
        self._databases: dict[Tier, Path] = {}

    def faults(self) -> Sequence[Fault]:
        return FAULTS

    def enter(self, world: World) -> None:
        self._world, self._root = world, world.folder.root / "service"
        program = metrics.program(self.names)
        spaces = {tier.value: namespace for tier, namespace in self.namespaces.items()}
        self._timeline = Timeline(
            self._root / "traffic.json",
            world.clock,
            program,
            lambda: Traffic(
                f"{world.seed}/service", world.clock, program, namespaces=spaces, ingress=self.names.part
            ),
        )

    @property
    def chart(self) -> Path:
        return self._root / self.names.chart

    @property
    def traffic(self) -> Traffic:
        return self._timeline.traffic

    def values(self, tier: Tier, which: str = "") -> Path:
        """Return an environment's values file, or that of the release before."""
        return self._root / (f"{which}-{tier}.yaml" if which else f"{tier}.yaml")

    def image(self, which: str = "") -> str:
        """Return the reference of the candidate's image, or of the one before."""
        return f"{self.names.image_host}/{self.names.repository}@{self._digests[which or self.names.version]}"

    def prepare(self) -> None:
        names, world = self.names, self._world
        for which in (_BEFORE, names.version):
            manifest = image_manifest(names.repository, f"{world.seed} {which}")
            self._digests[which] = world.registry.tag(names.repository, which, manifest)
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        seed.copy_chart(names, Path(__file__).parent / "chart" / "web-service", self.chart)
        for tier, site in names.sites.items():
            for which, file in ((_BEFORE, self.values(tier, _BEFORE)), (names.version, self.values(tier))):
                file.write_text(dump(seed.values(names, site, self.image(which))))
            self._databases[tier] = self._root / f"{tier}-database-url"
            url = seed.make_database(self._root / f"{tier}.db", world.seed, tier)
            write_secret(self._databases[tier], url)

    def seed(self, cluster: Store) -> None:
        for site in self.names.sites.values():
            for plural, body in seed.objects(site, self._world.seed):
                cluster.put(plural, body)

    async def release(self) -> None:
        releases = [
            FirstRelease(
                kubeconfig=self._world.folder.kubeconfig,
                context=tier.value,
                namespace=site.namespace,
                name=site.release,
                chart=self.chart,
                values=seed.values(self.names, site, self.image(_BEFORE)),
                description="the release before",
            )
            for tier, site in self.names.sites.items()
        ]
        await asyncio.gather(*(release.make(self._world.clock) for release in releases))

    async def serve(self, site: Site) -> None:
        for tier, place in self.names.sites.items():
            hosts = (place.host,)
            front = Front(place, self._states[tier], self._world.seed, self._logs[tier].append)
            context = site.authority.context(hosts)
            https = await site.listen(f"service-{tier}-https", front.https_application(), context)
            http = await site.listen(f"service-{tier}-http", front.http_application(), None)
            self._ports[tier] = (https, http)
            chain, private_key = site.authority.certificate(hosts), site.authority.private_key(hosts)
            self._world.store.put("secrets", tls_secret(place.namespace, seed.TLS_SECRET, chain, private_key))

    def rules(self) -> list[AlertRule]:
        return metrics.rules(self.names)

    def runbook(self, given: str | None, addresses: Addresses) -> JsonObject:
        assert given is not None, "it has no runbook of its own"
        book = load(given)
        book.pop("ci", None)  # it leads out of the world
        book["candidate"] = {**obj(book["candidate"]), "images": {self.names.part: self.image()}}
        known = obj(book["environments"])
        book["environments"] = {
            tier.value: self._environment(tier, obj(known[tier]), addresses) for tier in self.names.sites
        }
        return book

    def _environment(self, tier: Tier, known: JsonObject, addresses: Addresses) -> JsonObject:
        """Return what the runbook's environment becomes here: names stay, addresses are the world's."""
        site, (https, http) = self.names.sites[tier], self._ports[tier]
        pins = {"pin": f"127.0.0.1:{https}", "http_pin": f"127.0.0.1:{http}"}
        chart: dict[str, Json] = {
            "path": str(self.chart),
            "version": self.names.chart_version,
            "values": [str(self.values(tier))],
        }
        return {
            **{key: value for key, value in known.items() if key not in _OUTSIDE},
            **addresses.environment(tier, site.namespace, known.keys()),
            "chart": chart,
            "domains": {site.word: {"host": site.host, **pins}},
            "database": {"url": {"file": str(self._databases[tier])}},
        }

    def step(self) -> None:
        for tier, site in self.names.sites.items():
            pods = ready_pods(self._world.store, site.namespace, site.deployment)
            share = share_of(self._digests[self.names.version], pods)
            misbehaviour = self._world.misbehaviour[tier]
            behaviour = misbehaviour.applied(Behaviour(rps=_LOAD[tier]), share)
            self._states[tier].open = bool(pods)
            self._states[tier].error_share = misbehaviour.error_ratio * share
            self._timeline.show(tier, replace(behaviour, pods=tuple(sorted(pods))))

    def pod_log(self, namespace: str, container: str) -> str:
        del container
        for tier, site in self.names.sites.items():
            if site.namespace == namespace:
                return "".join(f"{line}\n" for line in self._logs[tier])
        return ""
