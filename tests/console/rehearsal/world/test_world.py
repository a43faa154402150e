from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.products import open_world
from console.rehearsal.world.folder import WorldError
from console.rehearsal.world.runbook import account
from state.base.json import JsonObject, obj, objs, text
from state.runbook.environment import Tier
from state.runbook.models import Runbook
from tests.console.rehearsal.worlds import measure, running, until

RANGE = """
import sys
from pathlib import Path
from console.rehearsal.cli.range import run
sys.exit(run([], 3, Path(sys.argv[1]) if sys.argv[1:] else None, 1.0))
"""


@contextmanager
def _range(*words: str) -> Iterator[tuple[subprocess.Popen[str], JsonObject]]:
    """Run `range` and give its process and what it told; it is gone afterwards."""
    process = subprocess.Popen([sys.executable, "-c", RANGE, *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, obj(json.loads(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.alone  # a bound of time
async def test_a_new_world_serves_within_seconds_and_its_past_is_good(tmp_path: Path) -> None:
    began = time.monotonic()
    async with running(tmp_path / "w") as world:
        assert time.monotonic() - began < 3
        for env in Env:
            pods = world.store.scan("pods", env.namespace)
            assert len(pods) == 5
            previous = world.product(Dotmac).artifacts.previous
            assert all(previous[text(objs(obj(p["spec"])["containers"])[0], "name")] in json.dumps(p)
                       for p in pods)  # fmt: skip
            assert world.product(Dotmac).platforms[env].database.revisions() == ("c3f1a7d2e9b4",)
        await world.clock.sleep(30)
        assert 0 <= await measure(world, _errors(Env.PRODUCTION)) < 0.01
        assert (
            await measure(world, "sum(rate(dotmac_http_requests_total{namespace='dotmac-production'}[1m]))")
            > 20
        )


def _errors(env: Env) -> str:
    where = f'namespace="{env.namespace}"'
    return (
        f'sum(rate(dotmac_http_requests_total{{{where},status_code=~"5.."}}[1m]))'
        f" / sum(rate(dotmac_http_requests_total{{{where}}}[1m]))"
    )


async def test_the_runbook_is_a_rehearsal_and_says_so(tmp_path: Path) -> None:
    async with running(tmp_path / "w") as world:
        runbook = Runbook.model_validate(yaml.safe_load(world.runbook_path.read_text()))
        titles = [runbook.environments[tier].title for tier in Tier]
        assert titles == ["rehearsal staging", "REHEARSAL PRODUCTION"]
        assert runbook.people[0].accounts == (account(),)
        assert runbook.candidate.images.named() == world.product(Dotmac).artifacts.references()
        for tier in Tier:
            environment = runbook.environments[tier]
            assert environment.database is not None
            assert environment.objectstore is not None
            assert environment.database.url.read().startswith("sqlite:///file:")
            assert environment.objectstore.secret_key.read()
            assert environment.chart.values[0].exists()
            assert environment.domains.named()["api"].pin is not None


async def test_the_domains_have_certificates_of_the_rehearsals_own(tmp_path: Path) -> None:
    import ssl

    async with running(tmp_path / "w") as world:
        body = obj(world.describe()["production"])
        trusted = ssl.create_default_context(cafile=str(world.describe()["ca"]))
        async with httpx.AsyncClient(verify=trusted) as client:
            request = client.build_request(
                "GET", f"{body['https']}/health", headers={"Host": "api.dotmac.test"},
                extensions={"sni_hostname": "api.dotmac.test"},
            )  # fmt: skip
            answer = await client.send(request)
        assert (answer.status_code, answer.json()["environment"]) == (200, "production")


async def test_secrets_differ_and_nobody_else_can_read_their_files(tmp_path: Path) -> None:
    async with running(tmp_path / "w") as world:
        files = sorted(world.folder.secrets.iterdir())
        assert len({f.read_text() for f in files}) == len(files) == 14
        assert {
            stat.S_IMODE(f.stat().st_mode) for f in [*files, world.folder.kubeconfig, world.folder.journal]
        } == {0o600}
        contents = [
            obj(obj(world.store.peek("secrets", env.namespace, "dotmac-platform-secrets"))["data"])
            for env in Env
        ]
        same = {name for name in contents[0] if contents[0][name] == contents[1][name]}
        private = ("SECRET", "PASSWORD", "TOKEN", "_KEY", "REDIS", "DATABASE_URL", "VAULT__URL")
        assert not {name for name in same if any(word in name for word in private)} - {"REDIS__PORT"}


async def test_a_world_that_was_stopped_goes_on(tmp_path: Path) -> None:
    async with running(tmp_path / "w") as world:
        world.store.create(
            "configmaps", {"metadata": {"name": "mark", "namespace": "default"}, "data": {"a": "b"}}
        )
        ports, clock = dict(world.kept.ports), world.clock.wall_us()
    async with running(tmp_path / "w", seed=99) as again:
        assert again.seed == 3
        assert again.kept.ports == ports
        assert again.clock.wall_us() >= clock
        assert again.store.peek("configmaps", "default", "mark") is not None
        assert len(again.product(Dotmac).reconciler.ready(Env.PRODUCTION)) == 2
        await until(again, lambda: True)


@pytest.mark.needs("kubectl")
def test_range_is_one_line_and_a_killed_one_resumes(tmp_path: Path) -> None:
    with _range(str(tmp_path / "w")) as (process, told):
        assert {"kubeconfig", "prometheus", "alertmanager", "registry", "objectstore"} <= told.keys()
        for env in Env:
            where = obj(told[env.value])
            assert httpx.get(f"{where['api']}/health").is_success
            assert httpx.get(f"{where['admin']}/login").is_success
        assert httpx.get(f"{told['prometheus']}/-/ready").is_success
        assert httpx.get(f"{told['alertmanager']}/-/ready").is_success
        _kubectl(told, "create", "namespace", "kept")
        _kubectl(told, "create", "secret", "generic", "s", "--from-literal=a=b", "-n", "kept")
        assert "dotmac-backend" in _kubectl(told, "get", "pods,ingress")
        assert "successfully rolled out" in _kubectl(told, "rollout", "status", "deploy/dotmac-backend")
        assert "created" in _kubectl(told, "create", "job", "--from=cronjob/dotmac-migrations", "now")
        assert "api.dotmac.test" in _kubectl(told, "describe", "ingress")
        process.kill()
        process.wait()
    with _range(str(tmp_path / "w")) as (process, again):
        assert again["prometheus"] == told["prometheus"]
        assert "kept" in _kubectl(again, "get", "ns")
        assert "s" in _kubectl(again, "get", "secret", "-n", "kept")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def _kubectl(answer: JsonObject, *words: str) -> str:
    command = ["kubectl", "--kubeconfig", str(answer["kubeconfig"]), "--context", "production", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


def test_a_temporary_world_leaves_nothing_behind() -> None:
    with _range() as (process, told):
        folder = Path(str(told["folder"]))
        assert folder.is_dir()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert not folder.exists()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(WorldError, match="holds other files"):
        open_world(tmp_path)
