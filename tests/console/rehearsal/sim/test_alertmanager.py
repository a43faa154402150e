from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
import yaml

from console.rehearsal.sim.alertmanager import Alertmanager, Config, Receiver, Route
from console.rehearsal.sim.alertmanager.alerts import fingerprint, read_matcher
from console.rehearsal.sim.prometheus.answers import stamp
from console.rehearsal.sim.prometheus.series import Matcher, MatchOp, labels_of
from state.base.json import Json, obj, objs, text
from tests.clocks import ManualClock
from tests.console.rehearsal.serving import served


@dataclass
class _World:
    http: httpx.AsyncClient
    clock: ManualClock
    server: Alertmanager
    counted: list[tuple[str, bool]] = field(default_factory=list)

    def at(self, seconds: float) -> str:
        return stamp(self.clock.wall_us() // 1000 + round(seconds * 1000))

    async def post(self, labels: dict[str, str], *, ends_s: float | None = None) -> None:
        alert: dict[str, Json] = {"labels": labels, "annotations": {"summary": "tried"}}
        if ends_s is not None:
            alert["endsAt"] = self.at(ends_s)
        answer = await self.http.post("/api/v2/alerts", json=[alert])
        assert (answer.status_code, answer.text) == (200, "")

    async def get(self, path: str, **params: str) -> list[dict[str, Json]]:
        answer = await self.http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return [dict(one) for one in objs(answer.json())]


@pytest.fixture
async def world() -> AsyncIterator[_World]:
    clock = ManualClock()
    counted: list[tuple[str, bool]] = []
    server = Alertmanager(clock, on_notification=lambda name, failed: counted.append((name, failed)))
    async with served(server.application()) as url, httpx.AsyncClient(base_url=url) as http:
        yield _World(http, clock, server, counted)


def test_a_fingerprint_is_that_of_prometheus() -> None:
    labels = labels_of([("alertname", "TestAlert"), ("severity", "critical")])
    assert fingerprint(()) == "cbf29ce484222325"
    assert len(fingerprint(labels)) == 16
    assert fingerprint(labels) != fingerprint(labels_of([("alertname", "TestAlert")]))


@pytest.mark.parametrize(
    ("written", "matcher"),
    [
        ('alertname="A b"', Matcher("alertname", MatchOp.EQUAL, "A b")),
        ("alertname=Ab", Matcher("alertname", MatchOp.EQUAL, "Ab")),
        ('severity=~"a|b"', Matcher("severity", MatchOp.REGEX, "a|b")),
        ('x!~"y"', Matcher("x", MatchOp.NOT_REGEX, "y")),
        ('x != "say \\"y\\""', Matcher("x", MatchOp.NOT_EQUAL, 'say "y"')),
    ],
)
def test_a_filter_is_read(written: str, matcher: Matcher) -> None:
    assert read_matcher(written) == matcher


async def test_an_alert_is_shown_with_its_receiver_and_told_after_group_wait(world: _World) -> None:
    await world.post({"alertname": "LaunchTest", "severity": "critical", "launch": "L-1"})
    (shown,) = await world.get("/api/v2/alerts", filter='alertname="LaunchTest"')
    assert shown["receivers"] == [{"name": "oncall-pager"}]
    assert obj(shown["status"])["state"] == "active"
    assert shown["labels"] == {"alertname": "LaunchTest", "launch": "L-1", "severity": "critical"}
    assert set(shown) == {
        "annotations", "endsAt", "fingerprint", "receivers", "startsAt", "status", "updatedAt",
        "generatorURL", "labels",
    }  # fmt: skip
    assert text(shown, "startsAt") == world.at(0)
    assert text(shown, "endsAt") == world.at(300)
    await world.clock.advance(9)
    assert world.server.inbox == []
    await world.clock.advance(3)
    (told,) = world.server.inbox
    assert (told.receiver.name, told.delivered) == ("oncall-pager", True)
    assert world.counted == [("webhook", False)]
    body = obj(told.body)
    assert (text(body, "status"), text(body, "version")) == ("firing", "4")


async def test_an_alert_ends_by_itself_and_its_end_is_told(world: _World) -> None:
    await world.post({"alertname": "Short", "severity": "critical"}, ends_s=60)
    await world.clock.advance(61)
    assert await world.get("/api/v2/alerts") == []
    await world.clock.advance(300)
    assert [text(obj(one.body), "status") for one in world.server.inbox] == ["firing", "resolved"]
    await world.clock.advance(400)
    assert await world.get("/api/v2/alerts/groups") == []


async def test_severities_go_different_ways_and_groups_show_it(world: _World) -> None:
    await world.post({"alertname": "A", "severity": "critical"})
    await world.post({"alertname": "B", "severity": "warning"})
    await world.post({"alertname": "C"})
    groups = await world.get("/api/v2/alerts/groups")
    found = {
        text(obj(group["labels"]), "alertname"): text(obj(group["receiver"]), "name") for group in groups
    }
    assert found == {"A": "oncall-pager", "B": "team-chat", "C": "event-log"}
    only = await world.get("/api/v2/alerts", receiver="team-chat")
    assert [obj(one["labels"])["alertname"] for one in only] == ["B"]


async def test_a_failing_receiver_is_counted_and_tried_again(world: _World) -> None:
    world.server.failing.add("oncall-pager")
    await world.post({"alertname": "A", "severity": "critical"}, ends_s=3600)
    await world.clock.advance(12)
    assert world.counted == [("webhook", True)]
    world.server.failing.clear()
    await world.clock.advance(300)
    assert world.counted == [("webhook", True), ("webhook", False)]
    await world.clock.advance(600)
    assert len(world.counted) == 2


async def test_a_receiver_that_goes_nowhere_tells_nobody(world: _World) -> None:
    world.server.set_config(Config((Receiver("dev-null", ""),), Route("dev-null", group_wait_s=1)))
    await world.post({"alertname": "A", "severity": "critical"})
    await world.clock.advance(30)
    assert (world.server.inbox, world.counted) == ([], [])
    status = (await world.http.get("/api/v2/status")).json()
    config = yaml.safe_load(status["config"]["original"])
    assert config["receivers"] == [{"name": "dev-null"}]
    assert status["cluster"]["status"] == "ready"


async def test_a_silence_suppresses_and_can_be_ended(world: _World) -> None:
    silence = {
        "matchers": [{"name": "alertname", "value": "A", "isRegex": False, "isEqual": True}],
        "startsAt": world.at(0),
        "endsAt": world.at(3600),
        "createdBy": "captain",
        "comment": "launch",
    }
    answer = await world.http.post("/api/v2/silences", json=silence)
    identity = answer.json()["silenceID"]
    await world.post({"alertname": "A", "severity": "critical"}, ends_s=3600)
    await world.clock.advance(60)
    assert world.server.inbox == []
    (shown,) = await world.get("/api/v2/alerts")
    assert obj(shown["status"])["silencedBy"] == [identity]
    assert obj(shown["status"])["state"] == "suppressed"
    assert await world.get("/api/v2/alerts", silenced="false") == []
    (listed,) = await world.get("/api/v2/silences")
    assert obj(listed["status"])["state"] == "active"
    assert (await world.http.delete(f"/api/v2/silence/{identity}")).status_code == 200
    (listed,) = await world.get("/api/v2/silences")
    assert obj(listed["status"])["state"] == "expired"
    assert (await world.http.delete("/api/v2/silence/none")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        '[{"labels": {}}]',
        '{"labels": {"a": "b"}}',
        "not json",
        '[{"labels": {"a": 1}}]',
        '[{"labels": {"a": "b"}, "startsAt": "2026-01-02T00:00:00Z", "endsAt": "2026-01-01T00:00:00Z"}]',
        '[{"labels": {"a": "b"}, "startsAt": "yesterday"}]',
    ],
)
async def test_a_bad_alert_is_refused(world: _World, body: str) -> None:
    answer = await world.http.post("/api/v2/alerts", content=body)
    assert answer.status_code == 400
    assert isinstance(answer.json(), str)
    assert await world.get("/api/v2/alerts") == []


async def test_a_bad_filter_is_refused_and_readiness_is_told(world: _World) -> None:
    await world.post({"alertname": "A"})
    assert (await world.http.get("/api/v2/alerts", params={"filter": "{"})).status_code == 400
    for path in ("/-/ready", "/-/healthy"):
        assert (await world.http.get(path)).text == "OK"
    names = [one["name"] for one in await world.get("/api/v2/receivers")]
    assert names == ["oncall-pager", "team-chat", "event-log"]
