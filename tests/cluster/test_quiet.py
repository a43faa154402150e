"""An engine on a real API server while nothing changes there: what it asks, and what that costs.

Short here; ``make cluster-quiet`` looks at 300 pods for five minutes and prints the figures.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from checks.clients.user_agent import USER_AGENT
from console.rehearsal.dotmac.names import RELEASE, Env
from state.base.json import JsonObject, obj, path
from state.log.reader import LogReader
from state.view.enums import Tier
from tests.cluster.control_plane import audited
from tests.cluster.kube_api import KubeHttp
from tests.cluster.launches import RealLaunch, launched
from tests.cluster.shared import Cluster
from tests.paths import ROOT

SECONDS = int(os.environ.get("LAUNCH_CONSOLE_QUIET_S", "45"))
PODS = 300 if SECONDS >= 300 else 20
_USER = "quiet"  # nobody else's here: other tests use the cluster meanwhile, also over all namespaces
# A list anew after 30 s of silence, which real servers leave between bookmarks, is in any 45 s.
pytestmark = [
    pytest.mark.wire,
    pytest.mark.needs("control-plane", "helm3"),
    pytest.mark.timeout(SECONDS + 600),
]


async def test_nothing_is_listed_while_nothing_changes(
    cluster: Cluster, api: KubeHttp, tmp_path: Path
) -> None:
    async with launched(cluster, api, tmp_path, 3, user=_USER) as real:
        production = real.stand.runbook.environments[Tier.PRODUCTION].kube.namespace
        await _installed(real, production)
        await _many(api, production)
        log = tmp_path / "quiet.lclog"
        runbook = real.stand.world.runbook_path.with_name("as-changed.json")
        engine = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "console.engine", "--runbook", str(runbook), "--log", str(log)),
            cwd=ROOT,
            env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        )
        try:
            await _settled(log)
            begun, cpu = len(audited(cluster.folder)), _cpu_s(engine.pid)
            await asyncio.sleep(SECONDS)
            used = _cpu_s(engine.pid) - cpu
            asked = [
                one
                for one in audited(cluster.folder)[begun:]
                if USER_AGENT in str(one.get("userAgent")) and path(obj(one), ("user", "username")) == _USER
            ]
        finally:
            engine.terminate()
            await asyncio.wait_for(engine.wait(), 60)
        counts = Counter(f"{one['verb']} {_place(one)}" for one in asked)
        sys.stdout.write(
            f"{PODS} pods, {SECONDS} s: {used:.1f} s of CPU, {len(asked)} requests: {dict(counts)}\n"
        )
        assert [what for what in counts if what.startswith("list ")] == []
        with LogReader(log) as reader:
            sources = [obj(e.body) for e in reader.events(0) if e.kind == "source.changed"]
        lost = [one for one in sources if str(one["name"]).startswith("kubernetes/") and not one["ok"]]
        assert lost == []


def _place(one: dict[str, object]) -> str:
    return str(one.get("requestURI", "")).partition("?")[0].rpartition("/")[2]


async def _installed(real: RealLaunch, namespace: str) -> None:
    """Install a release, so that its next deploy is none of a first launch, which is looked for."""
    values = real.stand.world.folder.values(Env.PRODUCTION)
    chart = str(real.stand.platform.chart)
    staging, real.namespace = real.namespace, namespace
    await real.helm("install", RELEASE, chart, "-f", str(values))
    real.namespace = staging


async def _many(api: KubeHttp, namespace: str) -> None:
    pod: JsonObject = {
        "metadata": {"labels": {"app": "many"}},
        "spec": {"containers": [{"name": "web", "image": "shop/web:1"}]},
    }
    spec: JsonObject = {"replicas": PODS, "selector": {"matchLabels": {"app": "many"}}, "template": pod}
    where = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    await api.create(where, {"metadata": {"name": "many"}, "spec": spec})
    async with asyncio.timeout(400):
        while path(await api.get(f"{where}/many"), ("status", "readyReplicas")) != PODS:  # noqa: ASYNC110  the cluster is asked
            await asyncio.sleep(1)


async def _settled(log: Path) -> None:
    """Wait until the engine has seen both environments, and every pod."""
    async with asyncio.timeout(120):
        while not _seen(log):  # noqa: ASYNC110  another process writes it
            await asyncio.sleep(1)
    await asyncio.sleep(5)


def _seen(log: Path) -> bool:
    if not log.exists():
        return False
    with LogReader(log) as reader:
        events = list(reader.events(0))
    well = {obj(e.body).get("name") for e in events if e.kind == "source.changed" and obj(e.body).get("ok")}
    return {"kubernetes/staging", "kubernetes/production"} <= well


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
