"""An environment of a runbook: where staging or production is, and how it is reached."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ConfigDict, Field, RootModel, ValidationInfo, field_validator

from state.runbook.units import FilePath, Model, Seconds, SecretRef
from state.view.enums import Tier

__all__ = [
    "Account", "AppliedSecret", "Chart", "Database", "Domain", "Domains", "Endpoint", "Environment", "Kube", "Login",
    "ObjectStore", "Tier",
]  # fmt: skip


_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_OURS = frozenset(
    {"authorization", "host", "content-length", "transfer-encoding", "connection", "accept-encoding"}
)


class Kube(Model):
    """A cluster: the kubeconfig's context and the namespace of the release."""

    kubeconfig: FilePath | None = None
    """None: the environment variable KUBECONFIG, then ``~/.kube/config``."""
    context: str
    namespace: str


class Domain(Model):
    """A public name of the platform."""

    host: str
    port: int = 443
    pin: str | None = None
    """``address`` or ``address:port`` to connect to instead, as curl's ``--resolve`` does."""
    http_pin: str | None = None
    """The same for plain HTTP, which must redirect. None: port 80 of the pinned address, unless a port is pinned."""


class Domains(RootModel[dict[str, Domain]]):
    """The names that customers use, each with a word for it (``api``, ``admin``); the first is the main one."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    root: dict[str, Domain] = Field(min_length=1)

    def named(self) -> dict[str, Domain]:
        """Return the domains by their words."""
        return dict(self.root)

    def all(self) -> tuple[Domain, ...]:
        """Return every domain, the main one first."""
        return tuple(self.root.values())


class Endpoint(Model):
    """An HTTP service of the operators, such as Prometheus."""

    url: str = Field(pattern=r"^https?://[^\s/]+")
    token: SecretRef | None = None
    username: str | None = None
    password: SecretRef | None = None
    ca_file: FilePath | None = None
    timeout: Seconds = 10.0
    headers: dict[str, str | SecretRef] = {}
    """Sent with every request, such as ``X-Scope-OrgID`` of a store with tenants. A value may be a secret."""

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, str | SecretRef]) -> dict[str, str | SecretRef]:
        for name, value in headers.items():
            if not _HEADER.fullmatch(name) or (isinstance(value, str) and not _HEADER_VALUE.fullmatch(value)):
                raise ValueError(f"{name!r} is not a header that can be sent")
            if name.lower() in _OURS:
                raise ValueError(f"{name} is not set by headers: token:, username: and url: make it")
        return headers


class ObjectStore(Model):
    """An S3-compatible store and the release's bucket in it."""

    url: str = Field(pattern=r"^https?://[^\s/]+")
    bucket: str
    region: str = "us-east-1"
    access_key: SecretRef
    secret_key: SecretRef
    ca_file: FilePath | None = None


class Database(Model):
    """A read-only account on the release's database."""

    url: SecretRef
    """An SQLAlchemy URL, for example ``postgresql+psycopg://reader:…@host/db``."""
    statement_timeout: Seconds = 5.0


class Account(Model):
    """A test account on the platform."""

    username: str
    password: SecretRef
    tenant: str | None = None


class Login(Model):
    """How a test account logs in to the platform: a POST of JSON that answers with a bearer token."""

    path: str = "/login"
    username_field: str = "username"
    password_field: str = "password"  # noqa: S105  the name of a field
    token_field: str = "access_token"  # noqa: S105  the name of a field
    tenant_header: str = "X-Tenant-ID"
    logout_path: str | None = None
    """A POST with the token ends the login; the console's own logins end so with its engine."""


class Chart(Model):
    """The chart that is released."""

    path: str
    """A folder, an archive, or ``repository/chart``."""
    version: str
    values: tuple[FilePath, ...] = ()

    @field_validator("path")
    @classmethod
    def _beside_the_runbook(cls, value: str, info: ValidationInfo) -> str:
        base = info.context.get("base") if isinstance(info.context, dict) else None
        beside = base / value if isinstance(base, Path) else None
        return str(beside) if beside is not None and beside.exists() else value


class AppliedSecret(Model):
    """A Kubernetes secret that a deploy creates or brings up to date (SOP helm command 2), through the API."""

    name: str
    type: str = "Opaque"
    data: dict[str, SecretRef] = Field(min_length=1)
    """By key: where the value is found. Keys that are there and not named here stay as they are."""


class Environment(Model):
    """Staging or production."""

    tier: Tier
    title: str
    """The words that name it on every screen."""
    kube: Kube
    release: str
    chart: Chart
    deployment: str = "{release}-{part}"
    """How a part of the release is named as a deployment; parts are named as the candidate's images."""
    domains: Domains
    health_path: str = "/health"
    """On the main domain: looked at after a deploy."""
    ca_file: FilePath | None = None
    """Certificates to trust for the domains, besides the system's."""
    prometheus: Endpoint
    alertmanager: Endpoint
    grafana: Endpoint | None = None
    traces: Endpoint | None = None
    """Jaeger's or Tempo's query interface."""
    logs: Endpoint | None = None
    """Loki."""
    ci: Endpoint | None = None
    """An HTTP endpoint that tells a commit's build and test status."""
    registry: Endpoint
    objectstore: ObjectStore | None = None
    database: Database | None = None
    accounts: dict[str, Account] = {}
    """By role, in the runbook's own words."""
    login: Login = Login()
    secrets: tuple[str, ...] = ()
    """Names of the Kubernetes secrets that the release mounts; each must be there before a deploy."""
    apply_secrets: tuple[AppliedSecret, ...] = ()
    """Secrets whose values come from this machine's environment or files."""
