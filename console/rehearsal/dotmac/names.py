"""What the SOP's product is called: its environments, release, chart, images, accounts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from state.runbook.environment import Tier

RELEASE = "dotmac"
CHART = "dotmac-platform"
CHART_VERSION = "0.1.0"
PARTS = ("backend", "frontend", "worker")
CANDIDATE_VERSION = "v1.4.0"
PREVIOUS_VERSION = "v1.3.2"
COMMIT = "9dd485de0c1f5c1b7f6c0e7a41d2b3c4d5e6f708"
IMAGE_HOST = "registry.dotmac.test"
SECRET = "dotmac-platform-secrets"  # noqa: S105  the name of a Kubernetes Secret
PULL_SECRET = "ghcr-pull"  # noqa: S105  the same
TLS_SECRET = "dotmac-tls"  # noqa: S105  the same


class Env(StrEnum):
    """An environment, named as its kube context is."""

    STAGING = "staging"
    PRODUCTION = "production"

    @property
    def namespace(self) -> str:
        """The Kubernetes namespace of the release."""
        return f"dotmac-{self}"

    @property
    def tier(self) -> Tier:
        """What the runbook calls it."""
        return Tier(self.value)

    @property
    def hosts(self) -> tuple[str, str]:
        """The hosts of API and Admin UI."""
        return f"api.{self.domain}", f"admin.{self.domain}"

    @property
    def domain(self) -> str:
        """The domain below which its names lie."""
        return "staging.dotmac.test" if self is Env.STAGING else "dotmac.test"

    @property
    def bucket(self) -> str:
        """Its bucket in the object store."""
        return f"dotmac-{self}"


@dataclass(frozen=True, slots=True)
class Login:
    """A test account: its user name and its home tenant."""

    username: str
    tenant: str | None


QUEUES = ("default", "high_priority", "low_priority")
"""Queues of the broker that tasks are put in."""

LOGINS = {
    "platform_admin": Login("smoke-admin", None),
    "tenant_admin": Login("smoke-tenant-admin", "smoke"),
    "tenant_user": Login("smoke-tenant-user", "smoke"),
    "partner": Login("smoke-partner", None),
}


def repository(part: str) -> str:
    """Return an image's name in the registry."""
    return f"dotmactech/dotmac-platform-{part}"


def reference(part: str, digest: str) -> str:
    """Return the reference by which the cluster pulls an image."""
    return f"{IMAGE_HOST}/{repository(part)}@{digest}"
