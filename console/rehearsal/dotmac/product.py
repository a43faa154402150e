"""The SOP's platform as the product of a world: its parts, which faults reach into, and its side of the runbook."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from console.rehearsal.dotmac import metrics
from console.rehearsal.dotmac.alert_rules import rules
from console.rehearsal.dotmac.artifacts import Artifacts
from console.rehearsal.dotmac.cluster_objects import objects, pull_secret
from console.rehearsal.dotmac.credentials import logins, platform_secret, write_credentials
from console.rehearsal.dotmac.helm_values import values, write_values
from console.rehearsal.dotmac.names import (
    CHART,
    PREVIOUS_VERSION,
    PULL_SECRET,
    RELEASE,
    SECRET,
    TLS_SECRET,
    Env,
)
from console.rehearsal.dotmac.platform import HEAD, PREVIOUS_HEAD, Ingress, Platform, PlatformSettings
from console.rehearsal.dotmac.reconcile import Reconciler
from console.rehearsal.dotmac.runbook import Reached, sop, sop_text
from console.rehearsal.sim.certificate_authority import Authority
from console.rehearsal.sim.fast_yaml import load
from console.rehearsal.sim.kubernetes import Store
from console.rehearsal.sim.prometheus.rules import AlertRule
from console.rehearsal.world.cluster_seed import tls_secret
from console.rehearsal.world.fault import Fault
from console.rehearsal.world.first_release import FirstRelease
from console.rehearsal.world.folder import WorldError, write_secret
from console.rehearsal.world.product import Product, Site
from console.rehearsal.world.runbook import Addresses
from console.rehearsal.world.traffic import Traffic
from console.rehearsal.world.traffic.timeline import Timeline
from console.rehearsal.world.world import World
from state.base.json import Json, JsonObject
from state.runbook.environment import Tier

PARTS = ("api", "admin", "https", "http", "observers")
"""The servers of an environment."""


class Dotmac(Product):
    """The platform in one world. Its parts are public for the faults."""

    title = "the SOP's platform"
    namespaces = {env.tier: env.namespace for env in Env}
    may_be_first = True

    def __init__(self) -> None:
        self.settings = {env: PlatformSettings() for env in Env}
        self.platforms: dict[Env, Platform] = {}
        self.artifacts: Artifacts
        self.reconciler: Reconciler
        self._world: World
        self._authority: Authority
        self._ports: dict[tuple[Env, str], int] = {}
        self._secrets: dict[Env, Mapping[str, Path]] = {}
        self._issued: set[Env] = set()
        """The environments whose certificate is in its Secret."""

    def faults(self) -> Sequence[Fault]:
        from console.rehearsal.dotmac.faults.catalogue import FAULTS  # they reach into this class
        from console.rehearsal.dotmac.odd import ODD

        return (*FAULTS, *ODD)

    def enter(self, world: World) -> None:
        self._world = world
        self.artifacts = Artifacts(world.seed, world.clock, world.registry, world.objects)

    @property
    def chart(self) -> Path:
        return self._world.folder.root / "chart" / CHART

    @property
    def traffic(self) -> Traffic:
        return self.reconciler.timeline.traffic

    def prepare(self) -> None:
        folder, candidate, previous = self._world.folder, self.artifacts.candidate, self.artifacts.previous
        try:
            shutil.copytree(Path(__file__).parent / "chart", self.chart.parent, dirs_exist_ok=True)
        except OSError as error:
            raise WorldError(f"the chart cannot be written to {self.chart}: {error.strerror}") from None
        for env in Env:
            secret = platform_secret(self._world.seed, env)
            write_values(folder.values(env), values(env, candidate, candidate["backend"], secret))
            before = values(env, previous, candidate["backend"], secret)
            write_values(folder.values(env, "previous"), before)

    def seed(self, cluster: Store) -> None:
        for plural, body in objects(self._world.seed, [env for env in Env if not self.is_first(env)]):
            cluster.put(plural, body)

    def is_first(self, env: Env) -> bool:
        """Return whether nothing was ever installed in an environment when the launch begins."""
        return self._world.is_first(self, env.tier)

    def fronted(self, env: Env) -> bool:
        """Return whether the cluster has an ingress for an environment: without one nothing of it is served."""
        return any(True for _ in self._world.store.scan("ingresses", env.namespace))

    async def release(self) -> None:
        folder = self._world.folder
        releases = [
            FirstRelease(
                kubeconfig=folder.kubeconfig,
                context=env.value,
                namespace=env.namespace,
                name=RELEASE,
                chart=self.chart,
                values=load(folder.values(env, "previous").read_text()),
                description=f"release {PREVIOUS_VERSION}",
            )
            for env in Env
            if not self.is_first(env)
        ]
        await asyncio.gather(*(release.make(self._world.clock) for release in releases))

    async def serve(self, site: Site) -> None:
        world = self._world
        self._authority = site.authority
        for env in Env:
            await self._serve_environment(env, site)
        self.reconciler = Reconciler(
            store=world.store,
            timeline=Timeline(
                world.folder.timeline,
                world.clock,
                metrics.PROGRAM,
                lambda: metrics.fresh_traffic(world.seed, world.clock),
            ),
            platforms=self.platforms,
            misbehaviour=world.misbehaviour,
            candidate=self.artifacts.candidate["backend"],
            fronted=self.fronted,
        )
        self.certificate_renewed()

    async def _serve_environment(self, env: Env, site: Site) -> None:
        world = self._world
        platform = self.platforms[env] = Platform(
            env.value,
            self.settings[env],
            world.clock,
            world.seed,
            world.folder.database(env),
            logins(world.seed, env),
            None,
            env.hosts,
            revision="" if self.is_first(env) else PREVIOUS_HEAD,
        )
        more = {"database-url": platform.database.url}
        self._secrets[env] = write_credentials(world.folder.secrets, world.seed, env, more)
        ingress = Ingress(platform, site.authority, lambda: self.fronted(env))
        served = (
            (platform.api_application(), None),
            (platform.admin_application(), None),
            (ingress.https_application(), ingress.ssl_context()),
            (ingress.http_application(), None),
            (platform.observers_application(), None),
        )
        for part, (application, tls) in zip(PARTS, served, strict=True):
            self._ports[env, part] = await site.listen(f"{env}-{part}", application, tls)

    def certificate_renewed(self) -> None:
        """Put the certificate that each ingress presents now into its Secret, as cert-manager does."""
        self._issued = {env for env in Env if self.fronted(env)}
        for env in self._issued:
            chain = self._authority.certificate(env.hosts, self.settings[env].web.certificate)
            private_key = self._authority.private_key(env.hosts)
            self._world.store.put("secrets", tls_secret(env.namespace, TLS_SECRET, chain, private_key))

    def rules(self) -> list[AlertRule]:
        return rules()

    def runbook(self, given: str | None, addresses: Addresses) -> JsonObject:
        folder = self._world.folder
        reached = {
            env: Reached(
                self._ports[env, "https"],
                self._ports[env, "http"],
                self.chart,
                folder.values(env),
                self._secrets[env],
            )
            for env in Env
        }
        return sop(given or sop_text(), addresses, self.artifacts.references(), HEAD, reached)

    def prepares(self) -> Mapping[Tier, JsonObject]:
        env, seed, folder = Env.PRODUCTION, self._world.seed, self._world.folder.secrets
        settings, pull = folder / f"{env}.env", folder / f"{env}-pull"
        lines = "".join(f"{name}={value}\n" for name, value in platform_secret(seed, env).items())
        write_secret(settings, lines)
        write_secret(pull, pull_secret(seed, env))
        kind = "kubernetes.io/dockerconfigjson"
        secrets: list[Json] = [
            {"name": SECRET, "env_file": str(settings)},
            {"name": PULL_SECRET, "type": kind, "data": {".dockerconfigjson": {"file": str(pull)}}},
        ]
        labels: JsonObject = {"pod-security.kubernetes.io/enforce": "restricted"}
        return {env.tier: {"namespace_labels": labels, "apply_secrets": secrets}}

    def step(self) -> None:
        self.reconciler.step()
        if any(self.fronted(env) for env in Env if env not in self._issued):
            self.certificate_renewed()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.artifacts.back_up_for_ever())
            for platform in self.platforms.values():
                group.create_task(platform.run())

    def pod_log(self, namespace: str, container: str) -> str:
        for env, platform in self.platforms.items():
            if env.namespace == namespace and container == "backend":
                health = platform.settings.health
                if health.log_elsewhere:
                    return ""
                lines = (line.text() for line in platform.records.lines)
                return "".join(f"{line}\n" for line in (*lines, *health.log_more))
        return ""

    def describe(self, url: Callable[[str], str]) -> Mapping[str, Json]:
        return {
            env.value: {
                **{part: url(f"{env}-{part}") for part in PARTS},
                "namespace": env.namespace,
                "api_host": env.hosts[0],
                "admin_host": env.hosts[1],
                "values": str(self._world.folder.values(env)),
            }
            for env in Env
        }

    def close(self) -> None:
        for platform in self.platforms.values():
            platform.close()
