"""Checks' clients against the real programs: PostgreSQL, Prometheus, Alertmanager."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest
from aiohttp import web

from checks.base import CouldNotLookError
from checks.clients import errors
from checks.clients.alertmanager import AlertmanagerClient
from checks.clients.prometheus import PrometheusClient
from checks.clients.sql import SqlClient
from state.base.clock import SystemClock
from state.base.json import objs, text
from state.runbook.environment import Endpoint
from tests.checks.programs import free_port, postgresql, running, until
from tests.console.rehearsal.serving import served
from tests.programs import path

pytestmark = pytest.mark.wire


@pytest.mark.needs("initdb", "postgres")
async def test_postgresql() -> None:
    async with postgresql() as url:
        await asyncio.to_thread(_plant, url)
        reader = url.replace("postgresql://owner@", "postgresql+psycopg://reader@")
        database = SqlClient(reader, "production", statement_timeout=0.5)
        assert await database.rows("SELECT version_num FROM alembic_version") == [{"version_num": "abc"}]
        system, _, name = (await database.identity()).partition("/")
        assert (system.isdigit(), name) == (True, "postgres")
        assert "alembic_version" in await database.tables()
        assert await database.columns("roles") == {"id", "parent_id"}
        assert await database.scalar("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
        with pytest.raises(errors.RejectedError, match="read-only"):
            await database.rows("INSERT INTO alembic_version VALUES ('x')")
        with pytest.raises(errors.TimedOutError, match="statement timeout"):
            await database.rows("SELECT pg_sleep(5)")
        with pytest.raises(errors.NotFoundError, match="does not exist"):
            await database.rows("SELECT * FROM nowhere")
        with pytest.raises(errors.ForbiddenError, match="permission denied"):
            await database.rows("SELECT * FROM hidden")
        await database.aclose()
        owner = SqlClient(
            url.replace("postgresql:", "postgresql+psycopg:"), "production", statement_timeout=0.5
        )
        with pytest.raises(errors.RejectedError, match="read-only"):
            await owner.rows("DROP TABLE roles")
        await owner.aclose()
        stranger = reader.replace("reader@", "stranger:not-a-real-password@")
        other = SqlClient(stranger, "production", statement_timeout=0.5)
        with pytest.raises(CouldNotLookError) as caught:
            await other.rows("SELECT 1")
        assert "not-a-real" not in str(caught.value)
        await other.aclose()


def _plant(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as link:
        for sql in (
            "CREATE ROLE reader LOGIN",
            "CREATE TABLE alembic_version (version_num text)",
            "INSERT INTO alembic_version VALUES ('abc')",
            "CREATE TABLE roles (id int, parent_id int)",
            "CREATE TABLE hidden (id int)",
            "GRANT SELECT ON alembic_version, roles TO reader",
        ):
            link.execute(sql)


@pytest.mark.needs("prometheus")
async def test_prometheus(tmp_path: Path) -> None:
    app = web.Application()

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(text='requests_total{code="200"} 42\nrequests_total{code="500"} NaN\n')

    app.router.add_get("/metrics", metrics)
    async with served(app) as exporter:
        port = free_port()
        config = tmp_path / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            f"scrape_configs: [{{job_name: x, static_configs: [{{targets: ['{exporter.split('//')[1]}']}}]}}]\n"
            f"rule_files: [{tmp_path}/rules.yml]\n"
        )
        (tmp_path / "rules.yml").write_text(
            "groups: [{name: g, rules: [{alert: Many, expr: requests_total > 40}, {record: r, expr: vector(1)}]}]\n"
        )
        words = (
            path("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        )  # fmt: skip
        async with running(*words, port=port):
            client = PrometheusClient(Endpoint(url=f"http://127.0.0.1:{port}", timeout=5), "production")
            await until(lambda: _scraped(client))
            await client.ready()
            one = await client.query('requests_total{code="200"}')
            assert [(sample.labels["code"], sample.value) for sample in one] == [("200", 42.0)]
            assert [sample.value for sample in await client.query("scalar(vector(3))")] == [3.0]
            assert (await client.query('requests_total{code="500"}'))[0].value != 0  # NaN is kept
            assert await client.query("absent_metric") == []
            now = SystemClock().wall_us() / 1_000_000
            ranges = await client.query_range('requests_total{code="200"}', now - 10, now + 2, 1)
            assert len(ranges) == 1
            assert {value for _, value in ranges[0].points} == {42.0}
            with pytest.raises(errors.RejectedError, match="parse error"):
                await client.query("sum(")
            rules = await client.rules()
            assert {(rule["name"], rule["type"], rule["group"]) for rule in rules} == {
                ("Many", "alerting", "g"),
                ("r", "recording", "g"),
            }
            assert [target["health"] for target in await client.targets()] == ["up"]
            await client.aclose()


async def _scraped(client: PrometheusClient) -> bool:
    try:
        return bool(await client.query("requests_total"))
    except errors.ServerFailedError:
        return False


async def _notified(client: AlertmanagerClient) -> bool:
    return (await client.notifications()).get("webhook", (0.0, 0.0))[0] >= 1


@pytest.mark.needs("alertmanager")
async def test_alertmanager(tmp_path: Path) -> None:
    told = asyncio.Event()
    app = web.Application()

    async def hook(_: web.Request) -> web.Response:
        told.set()
        return web.Response()

    app.router.add_post("/hook", hook)
    async with served(app) as receiver:
        port = free_port()
        config = tmp_path / "alertmanager.yml"
        config.write_text(
            "route: {receiver: people, group_wait: 0s, group_by: [alertname]}\n"
            f"receivers: [{{name: people, webhook_configs: [{{url: '{receiver}/hook'}}]}}, {{name: 'null'}}]\n"
        )
        words = (
            path("alertmanager"), f"--config.file={config}",
            f"--storage.path={tmp_path}/data", f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
        )  # fmt: skip
        async with running(*words, port=port):
            client = AlertmanagerClient(Endpoint(url=f"http://127.0.0.1:{port}", timeout=5), "production")
            await client.ready()
            assert [(one.name, one.kinds) for one in await client.receivers()] == [
                ("people", ("webhook",)),
                ("null", ()),
            ]
            now = SystemClock().wall_us()
            await client.post_alert({"alertname": "Probe"}, {}, starts_us=now, ends_us=now + 60_000_000)
            async with asyncio.timeout(15):
                await told.wait()
            await until(lambda: _notified(client))
            listed = await client.alerts({"alertname": "Probe"})
            assert [text(one, "name") for one in objs(listed[0]["receivers"])] == ["people"]
            assert await client.alerts({"alertname": "Other"}) == []
            await client.aclose()
