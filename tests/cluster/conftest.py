from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.cluster.kube_api import KubeHttp
from tests.cluster.shared import Cluster, shared


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The control plane that all workers of a run share; a test works in namespaces of its own."""
    base = tmp_path_factory.getbasetemp()
    with shared((base.parent if base.name.startswith("popen-") else base) / "cluster") as there:
        yield there


@pytest.fixture
async def api(cluster: Cluster) -> AsyncIterator[KubeHttp]:
    """Requests as an administrator."""
    async with cluster.api() as there:
        yield there
