"""Every client that checks and the engine use, built when first asked for and closed together."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from checks.clients.errors import MisconfiguredError, Where
from checks.clients.http import WebClient, read_secret
from checks.clients.redact import Redactor
from checks.clients.wire import Wire
from state.runbook.ci_service import CiKind
from state.runbook.units import MissingSecretError, SecretRef, TokenRef, secret_refs, setting_of
from state.view.enums import Tier

if TYPE_CHECKING:
    from checks.clients.alertmanager import AlertmanagerClient
    from checks.clients.ci.job_runs import CiClient
    from checks.clients.endpoint_login import Secret
    from checks.clients.helm_release import HelmClient
    from checks.clients.kube import KubeClient
    from checks.clients.objectstore import ObjectStoreClient
    from checks.clients.prometheus import PrometheusClient
    from checks.clients.registry import RegistryClient
    from checks.clients.sql import SqlClient
    from checks.clients.telemetry import LogsClient, TracesClient
    from checks.clients.tls import TlsClient
    from state.base.clock import Clock
    from state.runbook.ci_service import CiService
    from state.runbook.environment import Endpoint, Environment
    from state.runbook.models import Runbook

C = TypeVar("C")


class _Closable(Protocol):
    async def aclose(self) -> None: ...


class Clients:
    """The outside world of a runbook. Methods raise MisconfiguredError for a secret that isn't there."""

    def __init__(self, runbook: Runbook, clock: Clock | None = None) -> None:
        self.runbook = runbook
        self._clock = clock
        self.redactor = Redactor(public_words(runbook))
        # All at once: helm may tell one before a check has read it.
        for keys, ref in secret_refs(runbook):
            if isinstance(ref, TokenRef) and ref.exec:
                continue  # its program is run when the token is needed, and no sooner
            with suppress(MissingSecretError):
                self.redactor.register_pair(setting_of(keys), ref.read())
        # New for each run, so that nobody can guess a password by hashing candidates against a log.
        self._key = secrets.token_bytes(32)
        self._built: dict[tuple[str, str], object] = {}

    def environment(self, tier: Tier) -> Environment:
        """Return staging or production."""
        return self.runbook.environments[tier]

    def secret(self, ref: SecretRef | None) -> str:
        """Return a secret that the runbook names; the redactor knows it from here on."""
        return read_secret(ref, self.redactor)

    def renewed(self, ref: SecretRef | None) -> Secret:
        """Return what reads a secret anew each time. Raises MisconfiguredError where it isn't there now."""
        if ref is None:
            return ""
        if not (isinstance(ref, TokenRef) and ref.exec):
            self.secret(ref)
        return partial(self.secret, ref)

    def fingerprint(self, value: str) -> str:
        """Return 16 hexadecimal digits that are equal for equal values, and only within this run."""
        return hmac.new(self._key, value.encode(), sha256).hexdigest()[:16]

    def kube(self, tier: Tier) -> KubeClient:
        """Return the cluster of an environment."""
        from checks.clients.kube import KubeClient

        env = self.environment(tier)
        return self._once("kube", tier, lambda: KubeClient(env.kube, env.title, self.redactor))

    def prometheus(self, tier: Tier) -> PrometheusClient:
        """Return an environment's Prometheus."""
        from checks.clients.prometheus import PrometheusClient

        env = self.environment(tier)
        point = env.prometheus
        return self._once(
            "prometheus",
            tier,
            lambda: PrometheusClient(
                point, env.title, token=self.renewed(point.token), password=self.renewed(point.password)
            ),
        )

    def alertmanager(self, tier: Tier) -> AlertmanagerClient:
        """Return an environment's Alertmanager."""
        from checks.clients.alertmanager import AlertmanagerClient

        env = self.environment(tier)
        point = env.alertmanager
        return self._once(
            "alertmanager",
            tier,
            lambda: AlertmanagerClient(
                point, env.title, token=self.renewed(point.token), password=self.renewed(point.password)
            ),
        )

    def web(self, tier: Tier) -> WebClient:
        """Return the domains of an environment."""
        return self._once(
            "web", tier, lambda: WebClient(self.environment(tier), self.redactor, clock=self._clock)
        )

    def tls(self, tier: Tier) -> TlsClient:
        """Return what makes handshakes with the domains."""
        from checks.clients.tls import TlsClient

        return self._once("tls", tier, lambda: TlsClient(self.environment(tier)))

    def registry(self, tier: Tier) -> RegistryClient:
        """Return the registry that an environment pulls from."""
        from checks.clients.registry import RegistryClient

        env = self.environment(tier)
        point = env.registry
        return self._once(
            "registry",
            tier,
            lambda: RegistryClient(
                point,
                env.title,
                self.redactor,
                token=self.renewed(point.token),
                password=self.renewed(point.password),
            ),
        )

    def objectstore(self, tier: Tier) -> ObjectStoreClient:
        """Return the release's bucket. Raises MisconfiguredError where the runbook names none."""
        from checks.clients.objectstore import ObjectStoreClient

        env = self.environment(tier)
        store = self._need(env.objectstore, env, "objectstore")

        def build() -> ObjectStoreClient:
            access, secret = self.secret(store.access_key), self.secret(store.secret_key)
            return ObjectStoreClient(store, env.title, access_key=access, secret_key=secret)

        return self._once("objectstore", tier, build)

    def sql(self, tier: Tier) -> SqlClient:
        """Return the release's database. Raises MisconfiguredError where the runbook names none."""
        from checks.clients.sql import SqlClient

        env = self.environment(tier)
        database = self._need(env.database, env, "database")

        def build() -> SqlClient:
            url = self.secret(database.url)
            self.redactor.register_pair("url", url)
            return SqlClient(url, env.title, statement_timeout=database.statement_timeout)

        return self._once("sql", tier, build)

    def helm(self, tier: Tier) -> HelmClient:
        """Return helm's records of the release."""
        from checks.clients.helm_release import HelmClient

        env = self.environment(tier)
        return self._once(
            "helm", tier, lambda: HelmClient(self.kube(tier), env.release, env.title, self.redactor)
        )

    def traces(self, tier: Tier) -> TracesClient:
        """Return where traces are looked up. Raises MisconfiguredError where the runbook names none."""
        from checks.clients.telemetry import TracesClient

        env = self.environment(tier)
        point = self._need(env.traces, env, "traces")
        return self._once(
            "traces",
            tier,
            lambda: TracesClient(
                point, env.title, token=self.renewed(point.token), password=self.renewed(point.password)
            ),
        )

    def logs(self, tier: Tier) -> LogsClient:
        """Return where log lines are looked up. Raises MisconfiguredError where the runbook names none."""
        from checks.clients.telemetry import LogsClient

        env = self.environment(tier)
        point = self._need(env.logs, env, "logs")
        return self._once(
            "logs",
            tier,
            lambda: LogsClient(
                point, env.title, token=self.renewed(point.token), password=self.renewed(point.password)
            ),
        )

    def grafana(self, tier: Tier) -> Wire:
        """Return the wire to Grafana. Raises MisconfiguredError where the runbook names none."""
        return self._wire("Grafana", "grafana", tier, self.environment(tier).grafana)

    def ci(self, tier: Tier, form: Mapping[str, object] | None = None) -> CiClient:
        """Return what tells the runs of a commit's jobs; ``form`` is what a check says of the generic form.

        Raises MisconfiguredError where the runbook names none, or one that has no such form.
        """
        env, said = self.environment(tier), dict(form or {})
        service = self._need(env.ci or self.runbook.ci, env, "ci")
        if said and service.kind is not CiKind.GENERIC:
            raise MisconfiguredError(
                f"a check says {', '.join(sorted(said))}, which is of the generic form: ci is of kind {service.kind}"
            )
        formed = service.model_copy(update=said)
        # The same place read in two forms is two clients.
        return self._once(f"ci {sorted(said.items())}", tier, lambda: self._ci(formed, env.title))

    def _ci(self, service: CiService, environment: str) -> CiClient:
        from checks.clients.ci.generic import GenericClient
        from checks.clients.ci.github import GithubClient
        from checks.clients.ci.gitlab import GitlabClient
        from checks.clients.ci.jenkins import JenkinsClient

        token, password = self.renewed(service.token), self.renewed(service.password)
        match service.kind:
            case CiKind.GITHUB:
                return GithubClient(service, environment, token=token, password=password)
            case CiKind.GITLAB:
                return GitlabClient(service, environment, token=token, password=password)
            case CiKind.JENKINS:
                return JenkinsClient(service, environment, token=token, password=password)
            case CiKind.GENERIC:
                return GenericClient(service, environment, token=token, password=password)

    async def aclose(self) -> None:
        """Close every client. One that fails to close doesn't keep the others open."""
        built, self._built = list(self._built.values()), {}
        # Newest first: helm's records use the cluster's client.
        for client in reversed(built):
            try:
                await cast("_Closable", client).aclose()
            except Exception:  # noqa: S112  closing a broken connection may fail; there is nothing left to save
                continue

    def _wire(self, system: str, key: str, tier: Tier, endpoint: Endpoint | None) -> Wire:
        env = self.environment(tier)
        point = self._need(endpoint, env, key)

        def build() -> Wire:
            token, password = self.renewed(point.token), self.renewed(point.password)
            return Wire.to(point, Where(system, env.title), token=token, password=password)

        return self._once(key, tier, build)

    def _need(self, endpoint: C | None, env: Environment, key: str) -> C:
        if endpoint is None:
            raise MisconfiguredError(
                f"the runbook names no {key} for {env.title}; expected environments.{env.tier}.{key}"
            )
        return endpoint

    def _once(self, key: str, tier: Tier, build: Callable[[], C]) -> C:
        place = (key, str(tier))
        if place not in self._built:
            self._built[place] = build()
        return cast("C", self._built[place])


def public_words(runbook: Runbook) -> Iterator[str]:
    """Yield the runbook's own words: a secret value that is one of them is no secret."""
    if runbook.ci is not None:
        yield runbook.ci.url
    for env in runbook.environments.values():
        for domain in env.domains.all():
            yield domain.host
            yield from (f"https://{domain.host}", f"https://{domain.host}/", f"wss://{domain.host}")
        yield from (
            env.kube.namespace,
            env.kube.context,
            env.release,
            env.title,
            str(env.tier),
            env.chart.version,
        )
        yield from env.secrets
        if env.objectstore is not None:
            yield from (env.objectstore.bucket, env.objectstore.region, env.objectstore.url)
        points = (env.prometheus, env.alertmanager, env.grafana, env.traces, env.logs, env.ci, env.registry)
        yield from (point.url for point in points if point is not None)
        for account in env.accounts.values():
            yield account.username
            if account.tenant is not None:
                yield account.tenant
