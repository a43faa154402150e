"""An environment as an engine would meet it: cluster, permissions, release, chart, domains, monitoring."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from urllib.parse import urlsplit

from checks.clients.clients import Clients
from checks.clients.errors import ForbiddenError, NotFoundError
from checks.clients.kubeconfig.access import kubeconfig_path
from checks.errors import CouldNotLookError
from console.cli.doctor.diagnosed import Diagnosis
from console.cli.doctor.machine import bad, good, unknown
from console.engine.operations.access.here import LackingError, find_context
from console.engine.operations.access.needs import Need
from console.engine.operations.access.permissions import not_allowed
from console.engine.operations.access.roles import looking, operating
from console.engine.operations.helm.helm import Helm, HelmError
from console.engine.operations.run.context import Site
from state.base.clock import SECOND_US, Clock
from state.base.times import moment
from state.runbook.environment import Environment, Tier
from state.runbook.models import Runbook
from state.view.enums import OperationKind

_SKEW_S = 5.0
"""A certificate, a token and the age of a sample are judged by this machine's clock."""
_EXPIRES_DAYS = 14
_ENDPOINTS = ("prometheus", "alertmanager", "registry", "grafana", "traces", "logs", "ci")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """An environment that is looked at."""

    runbook: Runbook
    path: Path
    environment: Environment
    clients: Clients
    clock: Clock

    @property
    def place(self) -> str:
        return self.environment.tier.value

    def good(self, subject: str, said: str) -> Diagnosis:
        return good(subject, said, self.place)

    def bad(self, subject: str, said: str, fix: str) -> Diagnosis:
        return bad(subject, said, fix, self.place)

    def unknown(self, subject: str, said: str, fix: str) -> Diagnosis:
        return unknown(subject, said, fix, self.place)

    def key(self, name: str) -> str:
        return f"environments.{self.place}.{name}"


async def look_at(
    runbook: Runbook, path: Path, environment: Environment, clients: Clients, clock: Clock
) -> list[Diagnosis]:
    """Look at one environment: everything at once, told in a fixed order."""
    look = _Look(runbook=runbook, path=path, environment=environment, clients=clients, clock=clock)
    looks: list[Callable[[_Look], Awaitable[list[Diagnosis]]]] = [
        _cluster, _dns, _tls, _prometheus, _alertmanager
    ]  # fmt: skip
    found = await asyncio.gather(*(one(look) for one in looks))
    return [one for several in found for one in several]


async def _cluster(look: _Look) -> list[Diagnosis]:
    kube = look.environment.kube
    try:
        access = find_context(look.environment)
    except LackingError as error:
        return [look.bad("context", error.lack.what, error.lack.fix)]
    told = [look.good("context", f"{kube.context} at {access.server}")]
    client = look.clients.kube(look.environment.tier)
    try:
        await client.alive(8.0)
    except CouldNotLookError as error:
        fix = f"kubectl --context {kube.context} version must answer from here: VPN, login, server"
        return [*told, look.bad("API server", str(error), fix)]
    return [*told, look.good("API server", "answers"), *await _inside(look)]


async def _inside(look: _Look) -> list[Diagnosis]:
    """Look at namespace, secrets, release, chart and permissions of a cluster that answers."""
    site = _site(look)
    told = [await _namespace(look, site), *await _mounted(look, site), await _release(look, site)]
    needed = set(looking(look.runbook, look.environment.tier))
    try:
        needed |= await operating(site)
        told.append(look.good("chart", f"{look.environment.chart.path} renders with the candidate"))
    except HelmError as error:
        fix = f"helm template {look.environment.chart.path} must work here: {look.key('chart')}"
        told.append(look.bad("chart", str(error), fix))
    except CouldNotLookError as error:
        told.append(look.unknown("chart", f"what it needs can't be told: {error}", "see the lines above"))
    told.append(await _permissions(look, site, needed))
    return told


def _site(look: _Look) -> Site:
    helm = Helm(
        look.runbook, look.environment, Path(kubeconfig_path(look.environment.kube)), look.clients.redactor
    )
    return Site(look.runbook, look.environment, helm, look.clients, look.clock, Path(tempfile.gettempdir()))


async def _namespace(look: _Look, site: Site) -> Diagnosis:
    try:
        await site.kube.get(f"/api/v1/namespaces/{site.namespace}")
    except NotFoundError:
        operation = next((one.id for one in look.runbook.operations if one.kind == OperationKind.PREPARE), "")
        fix = (
            f"{operation} makes it in the launch"
            if operation
            else f"kubectl create namespace {site.namespace}"
        )
        mark = look.unknown if operation else look.bad
        return mark("namespace", f"{site.namespace} isn't there", fix)
    except CouldNotLookError as error:
        return look.unknown("namespace", str(error), _rbac(look))
    return look.good("namespace", site.namespace)


async def _mounted(look: _Look, site: Site) -> list[Diagnosis]:
    """Look whether the Kubernetes secrets that the release mounts are there; their values are not read out."""
    told = []
    ours = {one.name for one in look.environment.apply_secrets}
    for name in look.environment.secrets:
        try:
            await site.kube.get(f"/api/v1/namespaces/{site.namespace}/secrets/{name}")
        except NotFoundError:
            if name in ours:
                told.append(look.good("k8s secret", f"{name}: the launch makes it (apply_secrets)"))
                continue
            fix = (
                f"kubectl -n {site.namespace} create secret generic {name} …, or {look.key('apply_secrets')}"
            )
            told.append(look.bad("k8s secret", f"{name} isn't in {site.namespace}", fix))
        except CouldNotLookError as error:
            told.append(look.unknown("k8s secret", str(error), _rbac(look)))
        else:
            told.append(look.good("k8s secret", f"{name} is in {site.namespace}"))
    return told


async def _release(look: _Look, site: Site) -> Diagnosis:
    try:
        history = await look.clients.helm(look.environment.tier).history()
    except ForbiddenError as error:
        return look.unknown("release", str(error), _rbac(look))
    except CouldNotLookError as error:
        return look.unknown("release", str(error), f"helm history {site.release} must work here")
    if not history:
        return look.good("release", f"{site.release} isn't installed yet: a first launch")
    newest = history[-1]
    chart = f"{newest.chart} {newest.chart_version}"
    said = f"{site.release} revision {newest.revision} is {newest.status}, chart {chart}"
    if newest.pending:
        return look.bad("release", said, f"helm rollback {site.release}, or wait for whoever deploys")
    return look.good("release", said)


async def _permissions(look: _Look, site: Site, needed: set[Need]) -> Diagnosis:
    try:
        refused = await not_allowed(site, needed)
    except CouldNotLookError as error:
        return look.unknown("permissions", str(error), _rbac(look))
    if not refused:
        return look.good("permissions", f"all {len(needed)} that the launch needs")
    return look.bad("permissions", f"not allowed: {', '.join(refused)}", _rbac(look))


def _rbac(look: _Look) -> str:
    return f"launch-console rbac {look.path} --operations --env {look.place} prints what an admin applies"


def _hosts(environment: Environment) -> Iterator[tuple[str, str]]:
    """Yield (host, the key that names it), each host once; what is pinned asks no DNS."""
    known: dict[str, str] = {}
    for word, domain in environment.domains.named().items():
        if domain.pin is None:
            known.setdefault(domain.host, f"domains.{word}")
    for name in _ENDPOINTS:
        host = urlsplit(getattr(getattr(environment, name), "url", "")).hostname or ""
        if host:
            known.setdefault(host, name)
    yield from known.items()


async def _dns(look: _Look) -> list[Diagnosis]:
    loop = asyncio.get_running_loop()

    async def one(host: str, key: str) -> Diagnosis:
        try:
            async with asyncio.timeout(8.0):
                found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, TimeoutError) as error:
            why = getattr(error, "strerror", None) or "no answer within 8 s"
            fix = f"make a record for it, or correct {look.key(key)}"
            if key.startswith("domains."):
                fix += "; pin: ADDRESS there asks a release before its DNS is switched"
            return look.bad("DNS", f"{host}: {str(why).lower()}", fix)
        return look.good("DNS", f"{host} is {found[0][4][0]}")

    return list(await asyncio.gather(*(one(*host) for host in _hosts(look.environment))))


async def _tls(look: _Look) -> list[Diagnosis]:
    client = look.clients.tls(look.environment.tier)
    now = moment(look.clock.wall_us())
    told = []
    for word, domain in look.environment.domains.named().items():
        fix = f"see who answers at {domain.pin or domain.host}:{domain.port} ({look.key(f'domains.{word}')})"
        try:
            facts = await client.handshake(domain)
        except CouldNotLookError as error:
            told.append(look.bad("TLS", str(error), fix))
            continue
        days = (facts.not_after.astimezone(UTC) - now).days
        said = f"{domain.host}: by {facts.issuer}, {days} days left"
        if not facts.trusted:
            trusting = f"renew the certificate, or trust its authority with {look.key('ca_file')}"
            told.append(look.bad("TLS", f"{domain.host}: {facts.why_not}", trusting))
        elif days < _EXPIRES_DAYS:
            told.append(look.unknown("TLS", said, "renew it before the launch"))
        else:
            told.append(look.good("TLS", said))
    return told


async def _prometheus(look: _Look) -> list[Diagnosis]:
    fix = f"correct {look.key('prometheus')}: url, token, ca_file"
    try:
        client = look.clients.prometheus(look.environment.tier)
        before = look.clock.wall_us()
        answers = await client.query("time()")
        after = look.clock.wall_us()
    except CouldNotLookError as error:
        return [look.bad("Prometheus", str(error), fix)]
    if not answers:
        return [look.unknown("Prometheus", "it answers, but not what time it is", fix)]
    told = [look.good("Prometheus", f"{look.environment.prometheus.url} answers queries")]
    if look.place == Tier.PRODUCTION:  # its Prometheus is the one that judges
        told += [await _series(look)]
    # What it says lies between the moments before and after; that much is not the clock's.
    skew = answers[0].value - (before + after) / 2 / SECOND_US
    slack = (after - before) / 2 / SECOND_US
    if abs(skew) - slack > _SKEW_S:
        said = f"this machine is {abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} Prometheus"
        return [*told, look.bad("clock", said, "synchronize both (chrony, systemd-timesyncd)")]
    return [*told, look.good("clock", f"within {_SKEW_S:.0f} s of Prometheus")]


async def _series(look: _Look) -> Diagnosis:
    """Look whether the stop conditions have anything to judge: a query that finds nothing now may be blind later."""
    client = look.clients.prometheus(look.environment.tier)
    if not look.runbook.conditions:
        return look.unknown(
            "stop conditions", "there are none: nothing stops a bad release", "name some in conditions:"
        )
    empty = []
    for condition in look.runbook.conditions:
        query = condition.total or condition.value
        try:
            if query and not await client.query(query):
                empty.append(condition.id)
        except CouldNotLookError as error:
            fix = f"try the query of condition {condition.id} in Prometheus"
            return look.unknown("stop conditions", str(error), fix)
    if empty:
        fix = "correct the metrics' names and labels in their queries; before a first launch this is as it should be"
        return look.unknown("stop conditions", f"no data for {', '.join(empty)}: blind until there is", fix)
    return look.good("stop conditions", f"all {len(look.runbook.conditions)} have data")


async def _alertmanager(look: _Look) -> list[Diagnosis]:
    try:
        await look.clients.alertmanager(look.environment.tier).ready()
    except CouldNotLookError as error:
        return [
            look.bad("Alertmanager", str(error), f"correct {look.key('alertmanager')}: url, token, ca_file")
        ]
    return [look.good("Alertmanager", f"{look.environment.alertmanager.url} is ready")]
