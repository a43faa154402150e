"""The rehearsal world: everything outside the console, in one process, on one clock."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from ssl import SSLContext
from traceback import format_exception
from typing import TypeVar

from aiohttp import web

from console.rehearsal.sim.alertmanager import Alertmanager
from console.rehearsal.sim.certificate_authority import Authority
from console.rehearsal.sim.kubernetes import Controllers, KubeApi, Store, write_kubeconfig
from console.rehearsal.sim.kubernetes.serving_certificate import cluster_tls
from console.rehearsal.sim.loopback import Listener, listen
from console.rehearsal.sim.oci_registry import Registry
from console.rehearsal.sim.prometheus.server import Prometheus
from console.rehearsal.sim.s3.server import ObjectStore
from console.rehearsal.sim.seeded import key
from console.rehearsal.world import cluster_seed
from console.rehearsal.world.control import Control
from console.rehearsal.world.coupling import Misbehaviour
from console.rehearsal.world.fault import Fault, named
from console.rehearsal.world.folder import Folder, Kept, WorldError
from console.rehearsal.world.product import Product, Site
from console.rehearsal.world.runbook import Addresses, rehearsed, write_runbook
from console.rehearsal.world.traffic import Together
from state.base.clock import SECOND_US, SharedClock, SystemClock, boot_digest
from state.base.json import Json, obj
from state.runbook.environment import Tier

_PAST_US = 2 * 86_400 * SECOND_US
_BUILDING_RATE = 1000.0
_BEAT_S = 0.5
_STEP_S = 1.0
_SHORTEST_REAL_STEP_S = 0.02

_P = TypeVar("_P", bound=Product)
Choose = Callable[[Path | None], Sequence[Product]]
"""Returns the products of a runbook's world, the one that it launches last; None: where no runbook was given."""


def _report_failure(task: asyncio.Task[None]) -> None:
    """Write why a part of the world stopped: without it nothing moves any more."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        sys.stderr.write(f"a part of the rehearsal's world failed:\n{''.join(format_exception(error))}")


def _named(names: Sequence[str], products: Sequence[Product]) -> list[Fault]:
    """Return faults of the launched product by their names.

    Raises UnknownFaultError, and WorldError where one is of a product beside it.
    """
    launched = products[-1].faults()
    of_others = {fault.name: product.title for product in products[:-1] for fault in product.faults()}
    for name in sorted(of_others.keys() & set(names) - {fault.name for fault in launched}):
        known = ", ".join(sorted(fault.name for fault in launched))
        raise WorldError(f"fault {name} is one of {of_others[name]}: with this runbook there are {known}")
    return [named(name, launched) for name in names]


class World:
    """A rehearsal world in a folder. Products and faults reach into its parts, which are public for that."""

    def __init__(
        self,
        folder: Folder,
        kept: Kept,
        clock: SharedClock,
        rate: float,
        products: Sequence[Product],
        *,
        fresh: bool,
    ) -> None:
        self.folder, self.kept, self.clock = folder, kept, clock
        self.products = products
        self._faults = _named(kept.faults, products)
        self.seed = kept.seed
        self._rate, self._fresh = rate, fresh
        self._listeners: dict[str, Listener] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.control = Control()
        self.misbehaviour: dict[str, Misbehaviour] = {tier.value: Misbehaviour() for tier in Tier}
        """What the candidate does, by environment."""
        try:
            self.store = Store.open(folder.journal, clock, seed=self.seed)
        except (OSError, ValueError) as error:
            raise WorldError(f"the rehearsal's cluster cannot be read: {error}") from None
        self.kube = KubeApi(
            self.store,
            pod_log=self._pod_log,
            tokens={self._token(tier): self.account(tier) for tier in Tier},
            authorize=self.control.may,
        )
        self.controllers = Controllers(self.store, clock, behaviour=self.control.plan)
        self.registry, self.objects = Registry(), ObjectStore()
        self.authority: Authority
        self.prometheus: Prometheus
        self.alertmanager: Alertmanager
        for product in products:
            product.enter(self)

    @classmethod
    def open(
        cls,
        folder: Path,
        choose: Choose,
        *,
        seed: int = 0,
        faults: Sequence[str] = (),
        rate: float = 1.0,
        runbook: Path | None = None,
        first: bool = False,
    ) -> World:
        """Return the world of a folder; one that is not there yet is made, of ``seed`` and with ``faults``.

        A world that is there goes on as it was: its own seed, faults and runbook hold. ``rate`` is the
        clock's. ``runbook`` is what is launched, None: what the product launches by itself. ``choose`` says
        which products stand in the world. ``first``: in production nothing of the launched one was ever installed.
        Raises WorldError, UnknownFaultError, and what ``choose`` raises.
        """
        products = choose(runbook)
        _named(faults, products)
        if first and not products[-1].may_be_first:
            raise WorldError(f"{products[-1].title} has no first launch to rehearse: leave --first out")
        if not 0.01 <= rate <= 1000:
            raise WorldError(f"the clock's rate is between 0.01 and 1000, not {rate:g}")
        place = Folder(folder.resolve())
        kept = place.read()
        if kept is not None and kept.built:
            place.prepare()
            products = choose(place.given if place.given.exists() else None)
            return cls(place, kept, place.resume_clock(kept, rate), rate, products, fresh=False)
        if kept is not None:
            shutil.rmtree(place.root)  # killed before its first release stood: nothing of it was used yet
        place.prepare()
        if runbook is not None:
            place.given.write_text(runbook.read_text())
        now = SystemClock().wall_us()
        ports = kept.ports if kept else {}
        kept = Kept(seed, tuple(faults), ports, boot_digest(), now, first=first)
        place.write(kept)
        clock = SharedClock.create(place.clock, wall_us=now - _PAST_US, rate=_BUILDING_RATE)
        return cls(place, kept, clock, rate, products, fresh=True)

    @property
    def runbook_path(self) -> Path:
        """The rehearsal's runbook."""
        return self.folder.runbook

    def is_first(self, product: Product, tier: Tier) -> bool:
        """Return whether nothing of a product was ever installed in an environment when its launch begins."""
        return self.kept.first and tier is Tier.PRODUCTION and product is self.products[-1]

    def product(self, kind: type[_P]) -> _P:
        """Return the product of a kind that stands in this world.

        Raises LookupError where there is none.
        """
        for product in self.products:
            if isinstance(product, kind):
                return product
        raise LookupError(f"no {kind.__name__} stands in this world")

    def account(self, environment: str) -> str:
        """Return the name of a console's account in the cluster, by the environment that it is for."""
        return f"console-{environment}"

    def url(self, server: str) -> str:
        """Return where a server answers, by the name that it listens under."""
        return self._listeners[server].url

    async def start(self) -> None:
        """Serve. Raises WorldError where that is not possible; ``stop`` is to be called in any case."""
        await self._serve_cluster()
        for fault in self._faults:
            if fault.prepare is not None:
                fault.prepare(self)
        if self._fresh:
            await self._make_past()
        await self._serve_the_rest()
        for fault in self._faults:
            fault.apply(self)
        self._write_runbook()
        self.kept.built, self.kept.boot = True, boot_digest()
        self.folder.write(self.kept)
        self._step()
        self._spawn(self._follow())
        self._spawn(self._alert())
        self._spawn(self._beat())
        for product in self.products:
            self._spawn(product.run())

    async def stop(self) -> None:
        """Stop serving and keep what a later start needs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await asyncio.gather(*(listener.close() for listener in self._listeners.values()))
        self._listeners.clear()
        for product in self.products:
            product.close()
        self.store.close()
        with contextlib.suppress(OSError):
            self.folder.beat(self.clock)

    def describe(self) -> dict[str, Json]:
        """Return where everything is: the JSON line of ``launch-console range``."""
        return {
            "kubeconfig": str(self.folder.kubeconfig),
            **{name: self.url(name) for name in ("prometheus", "alertmanager", "registry", "objectstore")},
            **{
                name: place for product in self.products for name, place in product.describe(self.url).items()
            },
            "runbook": str(self.folder.runbook),
            "helm": str(self.folder.helm),
            "chart": str(self.products[0].chart),
            "ca": str(self.folder.tls / "ca.pem"),
            "folder": str(self.folder.root),
            "clock": str(self.folder.clock),
            "faults": list(self.kept.faults),
            "seed": self.seed,
        }

    # making

    def _token(self, tier: Tier) -> str:
        return key(self.seed, tier, "kube token")

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(_report_failure)
        self._tasks.append(task)

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
        # a world's first product is where a bare kubectl looks
        spaces = self.products[0].namespaces
        contexts = {tier.value: (space, self._token(tier)) for tier, space in spaces.items()}
        write_kubeconfig(self.folder.kubeconfig, server=self.url("kube"), contexts=contexts, ca=ca)
        for product in self.products:
            product.prepare()
        if self._fresh:
            for plural, body in cluster_seed.objects(self.clock.wall_us()):
                self.store.put(plural, body)
            for product in self.products:
                product.seed(self.store)
        self._spawn(self.controllers.run())

    async def _make_past(self) -> None:
        await asyncio.gather(*(product.release() for product in self.products))
        self.clock.set_line(max(self.kept.opened_us, SystemClock().wall_us()), self._rate)
        self.kept.opened_us = self.clock.wall_us()

    async def _serve_the_rest(self) -> None:
        self.authority = Authority(self.seed, self.clock, self.folder.tls)
        site = Site(self.authority, self._listen)
        for product in self.products:
            await product.serve(site)
        monitors = self.products[0].traffic.with_monitors()
        self.alertmanager = Alertmanager(
            self.clock,
            on_notification=lambda integration, failed: monitors.notified(integration, failed=failed),
            seed=self.seed,
        )
        await self._listen("alertmanager", self.alertmanager.application())
        scraped = Together(*(product.traffic for product in self.products))
        self.prometheus = Prometheus(
            scraped,
            self.clock,
            rules=[rule for product in self.products for rule in product.rules()],
            targets=scraped,
            alertmanagers=[self.url("alertmanager")],
        )
        await self._listen("prometheus", self.prometheus.application())
        await self._listen("registry", self.registry.application())
        await self._listen("objectstore", self.objects.application())

    def _write_runbook(self) -> None:
        observers = {tier: f"{tier}-observers" for tier in Tier}
        addresses = Addresses(
            kubeconfig=self.folder.kubeconfig,
            prometheus=self.url("prometheus"),
            alertmanager=self.url("alertmanager"),
            registry=self.url("registry"),
            objectstore=self.url("objectstore"),
            ca=self.authority.ca_file,
            observers={tier: self.url(name) for tier, name in observers.items() if name in self._listeners},
        )
        given = self.folder.given.read_text() if self.folder.given.exists() else None
        runbook = rehearsed(self.products[-1].runbook(given, addresses), self.kept.opened_us)
        runbook["helm"] = str(self.folder.helm)
        runbook["launches"] = str(self.folder.launches)
        for tier, more in self.products[-1].prepares().items() if self.kept.first else ():
            environments = obj(runbook["environments"])
            runbook["environments"] = {**environments, tier: {**obj(environments[tier]), **more}}
        for change in self.control.runbook_changes:
            change(runbook)
        write_runbook(self.folder.runbook, runbook)

    # going on

    def _pod_log(self, namespace: str, pod: str, container: str) -> str:
        del pod
        logs = (product.pod_log(namespace, container) for product in self.products)
        return next((log for log in logs if log), "")

    def _step(self) -> None:
        for product in self.products:
            product.step()

    async def _follow(self) -> None:
        """Let the products follow the cluster each second of the clock."""
        while True:
            self._step()
            # never more than fifty times in a real second, however fast the clock runs
            await self.clock.sleep(max(_STEP_S, _SHORTEST_REAL_STEP_S * self.clock.rate()))

    async def _alert(self) -> None:
        """Post firing alerts to Alertmanager, as Prometheus does after each evaluation."""
        while True:
            await self.clock.sleep(max(15.0, 0.5 * self.clock.rate()))
            firing = [obj(alert) for alert in self.prometheus.firing()]
            if firing:
                self.alertmanager.post(firing)

    async def _beat(self) -> None:
        while True:
            self.folder.beat(self.clock)
            await asyncio.sleep(_BEAT_S)
