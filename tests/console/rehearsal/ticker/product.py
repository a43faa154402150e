from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

from console.rehearsal.sim.fast_yaml import dump, load
from console.rehearsal.sim.kubernetes import Store
from console.rehearsal.sim.oci_registry import image_manifest
from console.rehearsal.sim.prometheus.rules import AlertRule
from console.rehearsal.world.cluster_seed import namespace
from console.rehearsal.world.coupling import ready_pods, share_of
from console.rehearsal.world.fault import Fault, fails, misbehaves
from console.rehearsal.world.first_release import FirstRelease
from console.rehearsal.world.product import Product, Site
from console.rehearsal.world.runbook import Addresses
from console.rehearsal.world.traffic import Behaviour, Traffic
from console.rehearsal.world.traffic.behaviour import Flow
from console.rehearsal.world.traffic.exported import Birth, Exported, Program
from console.rehearsal.world.traffic.timeline import Timeline
from console.rehearsal.world.world import World
from state.base.json import Json, JsonObject, obj
from state.runbook.environment import Tier

HERE = Path(__file__).parent
RUNBOOK = HERE / "runbook.yaml"
HOSTS = {Tier.STAGING: "tick.staging.test", Tier.PRODUCTION: "tick.test"}
TICKS = "ticks_total"


def of_pod(birth: Birth) -> list[Exported]:
    kept = (Flow.OK, Flow.NOT_FOUND, Flow.AUTH_OK, Flow.AUTH_REFUSED)
    late = (Flow.ERROR, Flow.AUTH_ERROR)
    return [birth.counter(birth.named(TICKS, ("late", word)), flows, 1.0)
            for word, flows in (("no", kept), ("yes", late))]  # fmt: skip


PROGRAM = Program("ticker", 9000, "clock", of_pod, {TICKS: ("counter", "Ticks.")})


class Ticker(Product):
    title = "a ticker"
    namespaces = {Tier.STAGING: "tick-staging", Tier.PRODUCTION: "tick-live"}

    def __init__(self) -> None:
        self.world: World
        self.digests: dict[str, str] = {}
        self.ports: dict[Tier, tuple[int, int]] = {}
        self.timeline: Timeline

    def faults(self) -> Sequence[Fault]:
        late = misbehaves(Tier.PRODUCTION, error_ratio=0.1)
        return (fails("ticks-late", "2.2", "the candidate misses every tenth tick", late),)

    def enter(self, world: World) -> None:
        self.world = world

    @property
    def chart(self) -> Path:
        return HERE / "chart" / "ticker"

    @property
    def traffic(self) -> Traffic:
        return self.timeline.traffic

    def image(self, version: str) -> str:
        return f"registry.ticker.test/clock@{self.digests[version]}"

    def prepare(self) -> None:
        for version in ("6", "7"):
            manifest = image_manifest("clock", f"{self.world.seed} {version}")
            self.digests[version] = self.world.registry.tag("clock", version, manifest)
        for tier in Tier:
            file = self.world.folder.values(tier)
            file.parent.mkdir(exist_ok=True)
            file.write_text(dump({"image": {"clock": self.image("7")}}))

    def seed(self, cluster: Store) -> None:
        for space in self.namespaces.values():
            for plural, body in namespace(space, {"made-by": "ticker"}):
                cluster.put(plural, body)

    async def release(self) -> None:
        releases = [
            FirstRelease(
                kubeconfig=self.world.folder.kubeconfig,
                context=tier.value,
                namespace=space,
                name="ticker",
                chart=self.chart,
                values={"image": {"clock": self.image("6")}},
                description="the first",
            )
            for tier, space in self.namespaces.items()
        ]
        await asyncio.gather(*(release.make(self.world.clock) for release in releases))

    async def serve(self, site: Site) -> None:
        spaces = {tier.value: space for tier, space in self.namespaces.items()}
        self.timeline = Timeline(
            self.world.folder.root / "ticker.json",
            self.world.clock,
            PROGRAM,
            lambda: Traffic(self.world.seed, self.world.clock, PROGRAM, namespaces=spaces, ingress="ticker"),
        )
        for tier, host in HOSTS.items():
            tls = site.authority.context((host,))
            https = await site.listen(f"ticker-{tier}", _application(f"tick {tier}"), tls)
            self.ports[tier] = (https, await site.listen(f"ticker-{tier}-http", _application("?"), None))

    def rules(self) -> Sequence[AlertRule]:
        late = f'sum(rate({TICKS}{{namespace="tick-live",late="yes"}}[2m])) > 1'
        return (AlertRule("TicksLate", late, 60.0),)

    def runbook(self, given: str | None, addresses: Addresses) -> JsonObject:
        book = load(given or RUNBOOK.read_text())
        book["candidate"] = {**obj(book["candidate"]), "images": {"clock": self.image("7")}}
        known = obj(book["environments"])
        book["environments"] = {
            tier.value: {
                **obj(known[tier]),
                **addresses.environment(tier, self.namespaces[tier], ()),
                "chart": {
                    "path": str(self.chart),
                    "version": "0.3.0",
                    "values": [str(self.world.folder.values(tier))],
                },
                "domains": {"tick": self._domain(tier)},
            }
            for tier in Tier
        }
        return book

    def _domain(self, tier: Tier) -> dict[str, Json]:
        https, http = self.ports[tier]
        return {"host": HOSTS[tier], "pin": f"127.0.0.1:{https}", "http_pin": f"127.0.0.1:{http}"}

    def step(self) -> None:
        for tier, space in self.namespaces.items():
            pods = ready_pods(self.world.store, space, "ticker-clock")
            bad = self.world.misbehaviour[tier].applied(
                Behaviour(rps=20.0), share_of(self.digests["7"], pods)
            )
            self.timeline.show(tier, Behaviour(20.0, bad.error_ratio, bad.auth_error_ratio, pods=tuple(pods)))


def _application(text: str) -> web.Application:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text)

    application = web.Application()
    application.router.add_get("/", answer)
    return application
