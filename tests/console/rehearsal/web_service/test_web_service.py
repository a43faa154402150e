"""A runbook of somebody else in the same world: an ordinary web service with six gates."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from console.client.engine_client import EngineClient, NullListener
from console.engine.engine import Engine
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.products import open_world, products_of
from console.rehearsal.web_service.product import WebService
from console.rehearsal.world.folder import WorldError
from console.rehearsal.world.runbook import TITLES, account
from state.base.json import obj, text
from state.runbook.environment import Tier
from state.runbook.load import load_runbook
from tests.console.rehearsal.autopilot.headless import body, hashes, kept, kind, rehearse, verifies
from tests.console.rehearsal.worlds import measure, running
from tests.paths import ROOT, SOP_RUNBOOK

pytestmark = pytest.mark.timeout(300)
EXAMPLE = ROOT / "examples" / "web-service.yaml"
LONGEST_S = 40.0
"""Real seconds that the whole launch may take on two cores."""
ITEMS = {item.id for gate in load_runbook(EXAMPLE).runbook.gates for item in gate.items}


@pytest.mark.alone
def test_a_web_service_ends_with_its_six_gates_go(tmp_path: Path) -> None:
    log = tmp_path / "launch.lclog"
    run = rehearse(log, "--runbook", str(EXAMPLE))
    assert run.code == 0, (run.summary, run.stderr)
    assert run.took_s < LONGEST_S
    assert obj(run.summary["gates"]) == {str(number): "GO" for number in range(1, 7)}
    items = obj(run.summary["items"])
    assert set(items) == ITEMS
    assert set(items.values()) == {"pass"}
    assert hashes(run.events) == kept(log)
    assert verifies(log)
    lines = [body(e, "id") for e in run.events if kind(e) == "operation.finished"]
    assert lines == ["staging.deploy", "production.deploy"]
    declared = [e for e in run.events if kind(e) == "environment.declared"]
    assert [body(e, "namespace") for e in declared] == ["shop-staging", "shop-prod"]
    assert [body(e, "hosts") for e in declared] == [
        [["shop", "shop.staging.example"]],
        [["shop", "shop.example"]],
    ]


def test_its_bad_candidate_trips_and_is_rolled_back(tmp_path: Path) -> None:
    log = tmp_path / "launch.lclog"
    run = rehearse(log, "--runbook", str(EXAMPLE), "--fault", "bad-candidate")
    assert run.code == 14, (run.summary, run.stderr)
    gates = obj(run.summary["gates"])
    # What was rolled back is judged again by itself: production doesn't run what staging tested any more.
    assert gates == {**{str(n): "GO" for n in range(1, 5)}, "5": "NO-GO", "6": "NO-GO"}
    assert obj(run.summary["items"])["5.1"] == "fail"
    assert obj(run.summary["items"])["6.1"] == "fail"
    assert obj(run.summary["items"])["6.2"] == "pass"
    back = [
        e for e in run.events if kind(e) == "operation.finished" and body(e, "id") == "production.rollback"
    ]
    assert [body(e, "state") for e in back] == ["succeeded"]


async def test_its_release_is_locked_until_the_gates_before_it_are_go(tmp_path: Path) -> None:
    async with running(tmp_path / "w", runbook=EXAMPLE) as world:
        assert world.product(WebService).names.part == "web"
        assert await measure(world, 'count(up{job="web",namespace="shop-prod"} == 1)') == 3
        assert await measure(world, 'count(http_requests_total{namespace="shop-prod",code="200"})') > 0
        assert await measure(world, 'count(dotmac_http_requests_total{namespace="dotmac-production"})') > 0
        engine = await Engine.open(world.runbook_path, tmp_path / "a.lclog", world.clock, account=account())
        running_engine = asyncio.create_task(engine.run())
        client = EngineClient(engine.connect(account(), "test"), NullListener())
        await client.open()
        preview = await client.preview("operation.run", {"operation": "production.deploy"})
        assert not preview.allowed
        message = "\n".join((preview.reason, *preview.checks))
        assert all(f"gate {number} is OPEN" in message for number in (1, 2, 3, 4))
        assert "gate 5" not in message
        assert "image.web=registry.shop.example/shop/web@sha256:" in " ".join(preview.commands)
        assert "shop.example" in " ".join(preview.blast)
        reply = await client.command("operation.run", {"operation": "production.deploy"}, None)
        assert not reply.ok
        free = await client.preview("operation.run", {"operation": "staging.deploy"})
        assert free.allowed, free.reason
        await client.close()
        engine.stop("the test is over", account())
        await running_engine
        await engine.close()


async def test_its_world_goes_on_where_it_was_and_takes_the_runbooks_own_names(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    given = EXAMPLE.read_text().replace("shop-prod", "tea-live").replace("shop.example", "tea.example")
    outside = """
    accounts: { buyer: { username: ann, password: { env: OUTSIDE_PASSWORD } } }
    apply_secrets: [{ name: outside, data: { KEY: { env: OUTSIDE_KEY } } }]
    objectstore: { url: "https://s3.outside", bucket: b, access_key: { env: OUTSIDE }, secret_key: { env: OUTSIDE } }
    secrets: [shop-settings]
"""
    given = given.replace('deployment: "{part}"', "deployment: tea-{part}").replace(
        "\n    secrets: [shop-settings]\n", outside
    )
    mine.write_text(given + "webhooks: [https://hooks.outside/x, { env: OUTSIDE_HOOK }]\n")
    async with running(tmp_path / "w", runbook=mine) as world:
        pods = world.store.scan("pods", "tea-live")
        assert len(pods) == 3
        assert all(text(obj(pod["metadata"]), "name").startswith("tea-web-") for pod in pods)
        before = {text(obj(pod["metadata"]), "uid") for pod in pods}
    mine.unlink()
    async with running(tmp_path / "w") as world:
        assert {text(obj(pod["metadata"]), "uid") for pod in world.store.scan("pods", "tea-live")} == before
        environments = load_runbook(world.runbook_path).runbook.environments
        assert environments[Tier.PRODUCTION].domains.named()["shop"].host == "tea.example"
        assert environments[Tier.PRODUCTION].title == TITLES[Tier.PRODUCTION]
        written = world.runbook_path.read_text()
        assert written.startswith("# A rehearsal")
        assert "outside" not in written.lower()
        assert "https://" not in written


ONE_MORE = {
    "has one image, and the runbook's candidate names 2": (
        "    web: reg",
        "    api: a/b@sha256:1\n    web: reg",
    ),
    "has one domain; staging names 2": ("      shop: {", "      api: { host: x }\n      shop: {"),
}


@pytest.mark.parametrize("words", ONE_MORE)
def test_what_the_world_has_nothing_like_is_said(tmp_path: Path, words: str) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(EXAMPLE.read_text().replace(*ONE_MORE[words], 1))
    with pytest.raises(WorldError, match=words):
        open_world(tmp_path / "w", runbook=mine)
    assert not (tmp_path / "w").exists()


def test_an_edited_sop_is_rehearsed_with_its_platform(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(SOP_RUNBOOK.read_text().replace("Release captain", "Ann"))
    assert [type(product) for product in products_of(mine)] == [Dotmac]


def test_a_fault_of_the_platform_is_no_fault_of_the_service(tmp_path: Path) -> None:
    run = rehearse(tmp_path / "a.lclog", "--runbook", str(EXAMPLE), "--fault", "receiver-dev-null")
    assert run.code == 2
    assert "bad-candidate, slow-candidate" in run.stderr
    assert "Traceback" not in run.stderr
