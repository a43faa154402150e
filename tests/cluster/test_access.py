"""Who may do what, on a real API server with its own roles and accounts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from checks.base import CheckContext
from checks.cluster import AccessSettings, access
from state.view.enums import Verdict
from tests.cluster.control_plane import ADMINS
from tests.cluster.kube_api import KubeHttp
from tests.cluster.shared import Cluster
from tests.cluster.test_clients import client

pytestmark = [pytest.mark.wire, pytest.mark.needs("control-plane")]


async def test_the_clusters_own_accounts_are_nobodys_power(
    cluster: Cluster, api: KubeHttp, tmp_path: Path
) -> None:
    namespace = await cluster.namespace(api)
    kube = client(cluster, tmp_path / "config", namespace, "ann", ADMINS)
    context = cast(
        "CheckContext", SimpleNamespace(clients=SimpleNamespace(kube=lambda _: kube), tier="staging")
    )
    try:
        outcome = await access(AccessSettings(allowed=("nobody",)), context)
    finally:
        await kube.aclose()
    # Other tests of the session may have given users of theirs power; the cluster's own are no finding.
    told = str(outcome.evidence["with_power"]) + outcome.summary
    assert "kube-system/" not in told
    assert "system:" not in told
    assert outcome.verdict in {Verdict.PASS, Verdict.FAIL}
