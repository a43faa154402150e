"""The service as a whole: its objects, its releases, its servers, its traffic, and its side of the runbook."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from ssl import SSLContext

from aiohttp import web

from console.rehearsal.dotmac.cluster_objects import secret_in
from console.rehearsal.dotmac.credentials import write_secret
from console.rehearsal.dotmac.history import release
from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.certificate_authority import Authority
from console.rehearsal.sim.fast_yaml import dump
from console.rehearsal.sim.helm.actions import Wish
from console.rehearsal.sim.helm.render import load_chart
from console.rehearsal.sim.kubernetes import Store
from console.rehearsal.sim.oci_registry import Registry, image_manifest
from console.rehearsal.web_service import metrics, seed
from console.rehearsal.web_service.names import Names, Site
from console.rehearsal.web_service.site import Front, State
from console.rehearsal.world.coupling import Causes, image_of, is_ready
from console.rehearsal.world.folder import Folder
from console.rehearsal.world.traffic import Behaviour, Traffic
from state.base.clock import SharedClock
from state.base.json import JsonObject, obj, path

_BEFORE = "previous"
_LOAD = {Env.STAGING: 4.0, Env.PRODUCTION: 30.0}
_TIMEOUT_S = 600.0
_LOG_LINES = 200

Listen = Callable[[str, web.Application, SSLContext | None], Awaitable[int]]
"""Serves an application under a name, and tells its port."""


class Service:
    """What a runbook of somebody else launches in this world. Its folder is ``service`` in the world's."""

    def __init__(
        self, names: Names, folder: Folder, store: Store, clock: SharedClock, seed_number: int
    ) -> None:
        self.names = names
        self._folder, self._store, self._clock, self._seed = folder, store, clock, seed_number
        self._root = folder.root / "service"
        self._states = {env: State() for env in names.sites}
        self._logs = {env: deque[str](maxlen=_LOG_LINES) for env in names.sites}
        self._shown: dict[Env, Behaviour] = {}
        self._digests: dict[str, str] = {}
        self._ports: dict[Env, tuple[int, int]] = {}
        self._databases: dict[Env, Path] = {}
        self.traffic = self._traffic()

    @property
    def chart(self) -> Path:
        """The chart that is released."""
        return self._root / self.names.chart

    def values(self, env: Env, which: str = "") -> Path:
        """Return an environment's values file, or that of the release before."""
        return self._root / (f"{which}-{env}.yaml" if which else f"{env}.yaml")

    def _traffic(self) -> Traffic:
        program = metrics.program(self.names)
        with contextlib.suppress(FileNotFoundError):
            told = obj(json.loads((self._root / "traffic.json").read_text()))
            return Traffic.from_json(told, self._clock, program)
        spaces = {env.value: site.namespace for env, site in self.names.sites.items()}
        return Traffic(
            f"{self._seed}/service", self._clock, namespaces=spaces, ingress=self.names.part, program=program
        )

    # making

    def prepare(self, registry: Registry) -> None:
        """Push the images, and write chart, values and databases."""
        names = self.names
        for which in (_BEFORE, names.version):
            manifest = image_manifest(names.repository, f"{self._seed} {which}")
            self._digests[which] = registry.tag(names.repository, which, manifest)
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        seed.copy_chart(names, Path(__file__).parent / "chart" / "web-service", self.chart)
        for env, site in names.sites.items():
            for which, file in ((_BEFORE, self.values(env, _BEFORE)), (names.version, self.values(env))):
                file.write_text(dump(seed.values(names, site, self.image(which))))
            self._databases[env] = self._root / f"{env}-database-url"
            write_secret(self._databases[env], seed.make_database(self._root / f"{env}.db", self._seed, env))

    def image(self, which: str = "") -> str:
        """Return the reference of the candidate's image, or of the one before."""
        return f"{self.names.image_host}/{self.names.repository}@{self._digests[which or self.names.version]}"

    def plant(self) -> None:
        """Create what stands in the cluster before the first release."""
        for site in self.names.sites.values():
            for plural, body in seed.objects(site, self._seed):
                self._store.put(plural, body)

    async def release(self) -> None:
        """Release the version before the candidate everywhere."""
        sites = self.names.sites.values()
        await asyncio.gather(*(asyncio.to_thread(self._release, site) for site in sites))

    def _release(self, site: Site) -> None:
        wish = Wish(
            name=site.release,
            chart=load_chart(str(self.chart)),
            config=seed.values(self.names, site, self.image(_BEFORE)),
            description="the release before",
            wait=True,
            timeout=_TIMEOUT_S,
            install=True,
        )
        release(self._folder, site.env, site.namespace, wish, self._clock)

    async def serve(self, authority: Authority, listen: Listen) -> None:
        """Serve every environment's domain, and let the certificates be where the ingress has them."""
        for env, site in self.names.sites.items():
            front = Front(site, self._states[env], self._seed, self._logs[env].append)
            context = authority.context((site.host,))
            https = await listen(f"service-{env}-https", front.https_application(), context)
            http = await listen(f"service-{env}-http", front.http_application(), None)
            self._ports[env] = (https, http)
            pair = {
                "tls.crt": authority.certificate((site.host,)).decode(),
                "tls.key": authority.private_key((site.host,)).decode(),
            }
            self._store.put("secrets", secret_in(site.namespace, seed.TLS_SECRET, pair, "kubernetes.io/tls"))

    def environment(self, env: Env) -> JsonObject:
        """Return what the runbook's environment becomes here: names stay, addresses are the world's."""
        site, (https, http) = self.names.sites[env], self._ports[env]
        pins = {"pin": f"127.0.0.1:{https}", "http_pin": f"127.0.0.1:{http}"}
        return {
            "chart": {
                "path": str(self.chart),
                "version": self.names.chart_version,
                "values": [str(self.values(env))],
            },
            "domains": {site.word: {"host": site.host, **pins}},
            "database": {"url": {"file": str(self._databases[env])}},
        }

    # going on

    def pod_log(self, namespace: str) -> str:
        """Return the log of a pod of the service."""
        for env, site in self.names.sites.items():
            if site.namespace == namespace:
                return "".join(f"{line}\n" for line in self._logs[env])
        return ""

    def step(self, causes: Causes) -> None:
        """Let servers and traffic follow from what the cluster holds now."""
        for env, site in self.names.sites.items():
            pods = {
                str(path(pod, ("metadata", "name"))): image_of(pod)
                for pod in self._store.scan("pods", site.namespace)
                if path(pod, ("metadata", "labels", "app")) == site.deployment and is_ready(pod)
            }
            digest = self._digests[self.names.version]
            share = sum(digest in image for image in pods.values()) / len(pods) if pods else 0.0
            behaviour = causes.tempered(Behaviour(rps=_LOAD[env]), env, share)
            self._states[env].open = bool(pods)
            self._states[env].error_share = causes.tempers[env].error_ratio * share
            self._show(env, replace(behaviour, pods=tuple(sorted(pods))))

    def _show(self, env: Env, behaviour: Behaviour) -> None:
        if self._shown.get(env) == behaviour:
            return
        self._shown[env] = behaviour
        self.traffic.set(env.value, behaviour)
        fresh = self._root / "traffic.json.new"
        fresh.write_text(json.dumps(self.traffic.to_json()))
        fresh.replace(self._root / "traffic.json")
