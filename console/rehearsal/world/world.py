"""The rehearsal world: everything outside the console, in one process, on one clock."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from ssl import SSLContext
from traceback import format_exception
from typing import Protocol

from aiohttp import web

from console.rehearsal.dotmac.alert_rules import rules
from console.rehearsal.dotmac.artifacts import Artifacts
from console.rehearsal.dotmac.cluster_objects import tls_secret
from console.rehearsal.dotmac.credentials import logins, platform_secret, write_credentials
from console.rehearsal.dotmac.helm_values import values, write_values
from console.rehearsal.dotmac.history import plant, release_both
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.platform import HEAD, PREVIOUS_HEAD, Ingress, Platform, PlatformSettings
from console.rehearsal.sim.alertmanager import Alertmanager
from console.rehearsal.sim.certificate_authority import Authority
from console.rehearsal.sim.kubernetes import Controllers, KubeApi, Store, write_kubeconfig
from console.rehearsal.sim.kubernetes.serving_certificate import cluster_tls
from console.rehearsal.sim.loopback import Listener, listen
from console.rehearsal.sim.prometheus.server import Prometheus
from console.rehearsal.sim.seeded import key
from console.rehearsal.web_service import Service, metrics
from console.rehearsal.web_service.names import read_given, read_service
from console.rehearsal.world.coupling import Causes
from console.rehearsal.world.fault_hooks import Control
from console.rehearsal.world.folder import Folder, Kept, WorldError
from console.rehearsal.world.runbook import (
    Addresses,
    Site,
    rehearsal_runbook,
    service_runbook,
    sop_text,
    write_runbook,
)
from console.rehearsal.world.traffic import Together, Traffic
from state.base.clock import SECOND_US, SharedClock, SystemClock, boot_digest
from state.base.json import Json, JsonObject, obj

_PAST_US = 2 * 86_400 * SECOND_US
_BUILDING_RATE = 1000.0
_BEAT_S = 0.5


def _say_why(task: asyncio.Task[None]) -> None:
    """Write why a part of the world stopped: without it nothing moves any more."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        sys.stderr.write(f"a part of the rehearsal's world failed:\n{''.join(format_exception(error))}")


class Trouble(Protocol):
    """Something that is wrong with a world.

    ``prepare`` is called before the first release, ``apply`` when the world is complete.
    """

    @property
    def apply(self) -> Callable[[World], None]: ...

    @property
    def prepare(self) -> Callable[[World], None] | None: ...


Known = Callable[[str], Trouble]
"""Finds a fault by its name."""


class World:
    """A rehearsal world in a folder. Faults reach into its parts, which are public for that."""

    def __init__(
        self, folder: Folder, kept: Kept, clock: SharedClock, rate: float, known: Known, *, fresh: bool
    ) -> None:
        self.folder, self.kept, self.clock = folder, kept, clock
        self._known = known
        self.seed = kept.seed
        self._rate, self._fresh = rate, fresh
        self._listeners: dict[str, Listener] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.control = Control()
        try:
            self.store = Store.open(folder.journal, clock, seed=self.seed)
        except (OSError, ValueError) as error:
            raise WorldError(f"the rehearsal's cluster cannot be read: {error}") from None
        self.kube = KubeApi(
            self.store,
            pod_log=self._pod_log,
            tokens={self._token(env): f"console-{env}" for env in Env},
            authorize=self.control.may,
        )
        self.controllers = Controllers(self.store, clock, behaviour=self.control.plan)
        self.settings = {env: PlatformSettings.healthy(env.value) for env in Env}
        self.artifacts = Artifacts(self.seed, clock)
        self.platforms: dict[Env, Platform] = {}
        names = read_service(folder.given)
        self.service = Service(names, folder, self.store, clock, self.seed) if names is not None else None
        self.traffic: Traffic
        self.causes: Causes
        self.prometheus: Prometheus
        self.alertmanager: Alertmanager

    @classmethod
    def open(
        cls,
        folder: Path,
        seed: int = 0,
        faults: Sequence[str] = (),
        rate: float = 1.0,
        runbook: Path | None = None,
        *,
        known: Known,
    ) -> World:
        """Return the world of a folder; one that is not there yet is made, of ``seed`` and with ``faults``.

        A world that is there goes on as it was: its own seed, faults and runbook hold. ``rate`` is the
        clock's. ``runbook`` is what is launched, None: the SOP's. ``known`` finds a fault by its name. Raises
        WorldError, and what ``known`` raises.
        """
        for name in faults:
            known(name)
        given = read_given(runbook, faults) if runbook is not None else None
        if not 0.01 <= rate <= 1000:
            raise WorldError(f"the clock's rate is between 0.01 and 1000, not {rate:g}")
        place = Folder(folder.resolve())
        kept = place.read()
        if kept is not None and kept.built:
            place.prepare()
            return cls(place, kept, place.resume_clock(kept, rate), rate, known, fresh=False)
        if kept is not None:
            shutil.rmtree(place.root)  # killed before its first release stood: nothing of it was used yet
        place.prepare()
        if given is not None:
            place.given.write_text(given)
        now = SystemClock().wall_us()
        kept = Kept(seed, tuple(faults), kept.ports if kept else {}, boot_digest(), now)
        place.write(kept)
        clock = SharedClock.create(place.clock, wall_us=now - _PAST_US, rate=_BUILDING_RATE)
        return cls(place, kept, clock, rate, known, fresh=True)

    @property
    def runbook_path(self) -> Path:
        """The rehearsal's runbook."""
        return self.folder.runbook

    async def start(self) -> None:
        """Serve. Raises WorldError where that is not possible; ``stop`` is to be called in any case."""
        await self._serve_cluster()
        self._write_secrets_and_values()
        faults = [self._known(name) for name in self.kept.faults]
        for fault in faults:
            if fault.prepare is not None:
                fault.prepare(self)
        if self._fresh:
            await self._make_past()
        await self._serve_the_rest()
        for fault in faults:
            fault.apply(self)
        self._write_runbook()
        self.kept.built, self.kept.boot = True, boot_digest()
        self.folder.write(self.kept)
        self.causes.step()
        if self.service is not None:
            self.service.step(self.causes)
        self._spawn(self.causes.run(self.service.step if self.service else lambda _: None))
        self._spawn(self._alert())
        self._spawn(self._beat())
        self._spawn(self.artifacts.back_up_for_ever())
        for platform in self.platforms.values():
            self._spawn(platform.run())

    async def stop(self) -> None:
        """Stop serving and keep what a later start needs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await asyncio.gather(*(listener.close() for listener in self._listeners.values()))
        self._listeners.clear()
        for platform in self.platforms.values():
            platform.close()
        self.store.close()
        with contextlib.suppress(OSError):
            self.folder.beat(self.clock)

    def describe(self) -> dict[str, Json]:
        """Return where everything is: the JSON line of ``launch-console range``."""

        def urls(env: Env) -> JsonObject:
            return {
                **{
                    part: self._url(f"{env}-{part}")
                    for part in ("api", "admin", "https", "http", "observers")
                },
                "namespace": env.namespace,
                "api_host": f"api.{env.domain}",
                "admin_host": f"admin.{env.domain}",
                "values": str(self.folder.values(env)),
            }

        return {
            "kubeconfig": str(self.folder.kubeconfig),
            **{name: self._url(name) for name in ("prometheus", "alertmanager", "registry", "objectstore")},
            **{env.value: urls(env) for env in Env},
            "runbook": str(self.folder.runbook),
            "helm": str(self.folder.helm),
            "chart": str(self.folder.chart),
            "ca": str(self.folder.tls / "ca.pem"),
            "folder": str(self.folder.root),
            "clock": str(self.folder.clock),
            "faults": list(self.kept.faults),
            "seed": self.seed,
        }

    def certificate_renewed(self) -> None:
        """Put the certificate that each ingress presents now into its Secret, as cert-manager does."""
        for env, platform in self.platforms.items():
            hosts = (platform.core.api_host, platform.core.admin_host)
            fault = self.settings[env].web.certificate
            chain = self.authority.certificate(hosts, fault).decode()
            self.store.put("secrets", tls_secret(env, chain, self.authority.private_key(hosts).decode()))

    # making

    def _token(self, env: Env) -> str:
        return key(self.seed, env, "kube token")

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(_say_why)
        self._tasks.append(task)

    def _url(self, server: str) -> str:
        return self._listeners[server].url

    async def _listen(self, name: str, application: web.Application, tls: SSLContext | None = None) -> int:
        """Serve on the port that the world had before, where it is free; note the port and return it."""
        try:
            listener = await listen(application, self.kept.ports.get(name, 0), ssl_context=tls)
        except OSError:
            listener = await listen(application, 0, ssl_context=tls)
        self._listeners[name] = listener
        self.kept.ports[name] = listener.port
        return listener.port

    async def _serve_cluster(self) -> None:
        ca, context = cluster_tls(self.folder.tls, self.clock.wall_us())
        await self._listen("kube", self.kube.application(), context)
        contexts = {env.value: (env.namespace, self._token(env)) for env in Env}
        write_kubeconfig(self.folder.kubeconfig, server=self._url("kube"), contexts=contexts, ca=ca)
        if self.service is not None:
            self.service.prepare(self.artifacts.registry)
        if self._fresh:
            plant(self.store, self.seed, self.clock)
            if self.service is not None:
                self.service.plant()
        self._spawn(self.controllers.run())

    async def _make_past(self) -> None:
        await asyncio.gather(
            release_both(self.folder, self.clock), *([self.service.release()] if self.service else [])
        )
        self.clock.set_line(max(self.kept.opened_us, SystemClock().wall_us()), self._rate)
        self.kept.opened_us = self.clock.wall_us()

    def _write_secrets_and_values(self) -> None:
        candidate, previous = self.artifacts.candidate, self.artifacts.previous
        for env in Env:
            secret = platform_secret(self.seed, env)
            write_values(self.folder.values(env), values(env, candidate, candidate["backend"], secret))
            before = values(env, previous, candidate["backend"], secret)
            write_values(self.folder.values(env, "previous"), before)

    async def _serve_the_rest(self) -> None:
        self.traffic = self._traffic()
        self.authority = Authority(self.seed, self.clock, self.folder.tls)
        for env in Env:
            await self._serve_platform(env)
        self.causes = Causes(
            self.clock,
            self.store,
            self.traffic,
            self.platforms,
            self.artifacts.candidate["backend"],
            self.folder.timeline,
        )
        self.alertmanager = Alertmanager(
            self.clock,
            on_notification=lambda integration, failed: self.traffic.notified(integration, failed=failed),
            seed=self.seed,
        )
        await self._listen("alertmanager", self.alertmanager.application())
        scraped = Together(self.traffic, *([self.service.traffic] if self.service else []))
        self.prometheus = Prometheus(
            scraped if self.service else self.traffic,
            self.clock,
            rules=[*rules(), *(metrics.rules(self.service.names) if self.service else [])],
            targets=scraped,
            alertmanagers=[self._url("alertmanager")],
        )
        await self._listen("prometheus", self.prometheus.application())
        await self._listen("registry", self.artifacts.registry.application())
        await self._listen("objectstore", self.artifacts.objects.application())
        self.certificate_renewed()
        if self.service is not None:
            await self.service.serve(self.authority, self._listen)

    async def _serve_platform(self, env: Env) -> None:
        platform = self.platforms[env] = Platform(
            env.value,
            self.settings[env],
            self.clock,
            self.seed,
            self.folder.database(env),
            logins(self.seed, env),
            None,
            (f"api.{env.domain}", f"admin.{env.domain}"),
            revision=PREVIOUS_HEAD,
        )
        ingress = Ingress(platform, self.authority)
        await self._listen(f"{env}-api", platform.api_application())
        await self._listen(f"{env}-admin", platform.admin_application())
        await self._listen(f"{env}-https", ingress.https_application(), ingress.ssl_context())
        await self._listen(f"{env}-http", ingress.http_application())
        await self._listen(f"{env}-observers", platform.observers_application())

    def _traffic(self) -> Traffic:
        with contextlib.suppress(FileNotFoundError):
            return Traffic.from_json(obj(json.loads(self.folder.timeline.read_text())), self.clock)
        return Traffic(self.seed, self.clock, namespaces={env.value: env.namespace for env in Env})

    def _write_runbook(self) -> None:
        sites = {
            env: Site(
                https_port=self._listeners[f"{env}-https"].port,
                http_port=self._listeners[f"{env}-http"].port,
                observers=self._url(f"{env}-observers"),
                files=write_credentials(
                    self.folder.secrets, self.seed, env, {"database-url": self.platforms[env].database.url}
                ),
                values=self.folder.values(env),
            )
            for env in Env
        }
        addresses = Addresses(
            kubeconfig=self.folder.kubeconfig,
            prometheus=self._url("prometheus"),
            alertmanager=self._url("alertmanager"),
            registry=self._url("registry"),
            objectstore=self._url("objectstore"),
            ca=self.authority.ca_file,
            chart=self.folder.chart,
            helm=self.folder.helm,
            launches=self.folder.launches,
            sites=sites,
        )
        images = self.artifacts.references()
        given = self.folder.given.read_text() if self.folder.given.exists() else sop_text()
        if self.service is not None:
            environments = {env: self.service.environment(env) for env in Env}
            image = {self.service.names.part: self.service.image()}
            runbook = service_runbook(given, addresses, image, environments, self.kept.opened_us)
        else:
            runbook = rehearsal_runbook(given, addresses, images, HEAD, self.kept.opened_us)
        for change in self.control.runbook_changes:
            change(runbook)
        write_runbook(self.folder.runbook, runbook)

    # going on

    def _pod_log(self, namespace: str, pod: str, container: str) -> str:
        del pod
        if self.service is not None and (told := self.service.pod_log(namespace)):
            return told
        for env, platform in self.platforms.items():
            if env.namespace == namespace and container == "backend":
                return "".join(f"{one.text()}\n" for one in platform.records.lines)
        return ""

    async def _alert(self) -> None:
        """Post firing alerts to Alertmanager, as Prometheus does after each evaluation."""
        while True:
            await self.clock.sleep(max(15.0, 0.5 * self.clock.rate()))
            firing = [obj(one) for one in self.prometheus.firing()]
            if firing:
                self.alertmanager.post(firing)

    async def _beat(self) -> None:
        while True:
            self.folder.beat(self.clock)
            await asyncio.sleep(_BEAT_S)


__all__ = ["World", "WorldError"]
