"""An environment of a runbook: where staging or production is, and how it is reached."""

from __future__ import annotations

from pathlib import Path

from pydantic import ConfigDict, Field, RootModel, ValidationInfo, field_validator, model_validator

from state.runbook.ci_service import CiService
from state.runbook.endpoint import Endpoint
from state.runbook.image_keys import ImageKeys, KeySets, usual
from state.runbook.units import FilePath, Model, Seconds, SecretRef
from state.view.enums import Tier

__all__ = [
    "Account", "AppliedSecret", "Chart", "Database", "Domain", "Domains", "Endpoint", "Environment", "Kube", "Login",
    "ObjectStore", "Tier",
]  # fmt: skip


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
    image_keys: dict[str, KeySets] = {}
    """By the candidate's images: which keys of the chart's values take them. Left out: ``image.NAME`` takes the
    whole reference."""

    def keys_of(self, image: str) -> tuple[ImageKeys, ...]:
        """Return the sets of keys that take one of the candidate's images."""
        return self.image_keys.get(image) or (usual(image),)

    @field_validator("path")
    @classmethod
    def _beside_the_runbook(cls, value: str, info: ValidationInfo) -> str:
        base = info.context.get("base") if isinstance(info.context, dict) else None
        beside = base / value if isinstance(base, Path) else None
        return str(beside) if beside is not None and beside.exists() else value


class AppliedSecret(Model):
    """A Kubernetes secret (SOP helm command 2), applied through the API.

    ``prepare`` creates it and adds what it lacks; a deploy also brings its values up to date.
    """

    name: str
    type: str = "Opaque"
    data: dict[str, SecretRef] = {}
    """By key: where the value is found. Keys that are there and not named here stay as they are."""
    env_file: FilePath | None = None
    """Instead of ``data``: a file of KEY=VALUE lines, as ``kubectl create secret --from-env-file`` reads it."""

    @model_validator(mode="after")
    def _one_source(self) -> AppliedSecret:
        if bool(self.data) == (self.env_file is not None):
            raise ValueError("a secret's values come from exactly one of data: and env_file:")
        return self


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
    ci: CiService | None = None
    """Where a commit's builds and tests are told; None: the runbook's own ``ci``."""
    registry: Endpoint
    objectstore: ObjectStore | None = None
    database: Database | None = None
    accounts: dict[str, Account] = {}
    """By role, in the runbook's own words."""
    login: Login = Login()
    secrets: tuple[str, ...] = ()
    """Names of the Kubernetes secrets that the release mounts; each must be there before a deploy."""
    namespace_labels: dict[str, str] = {}
    """Labels that ``prepare`` gives the namespace, such as ``pod-security.kubernetes.io/enforce: restricted``."""
    apply_secrets: tuple[AppliedSecret, ...] = ()
    """Secrets whose values come from this machine's environment or files."""
