"""An environment of a runbook, for tests of clients."""

from __future__ import annotations

from pathlib import Path

from state.runbook.environment import (
    Chart,
    Database,
    Domain,
    Domains,
    Endpoint,
    Environment,
    Kube,
    ObjectStore,
    Tier,
)
from state.runbook.units import SecretRef

NOWHERE = "http://127.0.0.1:9"


def environment(
    *, api: Domain | None = None, admin: Domain | None = None, ca_file: Path | None = None
) -> Environment:
    """Return an environment whose domains are the given ones and which has nothing else."""
    unused = SecretRef(env="UNUSED")
    return Environment(
        tier=Tier.PRODUCTION,
        title="production",
        kube=Kube(context="x", namespace="ns"),
        release="dotmac",
        chart=Chart(path="chart", version="0.1.0"),
        domains=Domains(api=api or Domain(host="api.test"), admin=admin or Domain(host="admin.test")),
        ca_file=ca_file,
        prometheus=Endpoint(url=NOWHERE),
        alertmanager=Endpoint(url=NOWHERE),
        registry=Endpoint(url=NOWHERE),
        objectstore=ObjectStore(url=NOWHERE, bucket="bucket", access_key=unused, secret_key=unused),
        database=Database(url=unused),
    )
