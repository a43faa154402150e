"""Worlds of places under many names, and of objects beside backups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from checks import data
from checks.alerts import silences_everything
from checks.artifact import own_states
from checks.base import CheckContext
from checks.clients.clients import Clients
from checks.data import BackupSettings, backups_among
from checks.data_places import databases_of, place_of, places_of
from checks.judging import Findings
from checks.storage import _lets_everybody_in
from state.base.clock import SystemClock
from state.base.json import Json, JsonObject
from state.runbook.load import load_runbook
from state.view.enums import Tier, Verdict
from state.view.launch import LaunchView
from tests.paths import SOP_RUNBOOK


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("redis://a:x@r.shared:6379/0", "redis://b:y@r.shared:6379/1", True),
        ("redis://r.shared/0", "rediss://:pw@R.shared:6379", True),
        ("redis://redis.data.svc.cluster.local", "redis://redis.data", True),
        ("redis://redis.data.svc", "redis://redis.data.:6379/3", True),
        ("amqp://u@q.shared/prod", "amqp://v@q.shared:5672/stage", True),
        ("postgresql://a@db.shared/app", "postgresql+psycopg://b@db.shared:5432/app", True),
        ("postgres://a@db.shared/app", "postgresql://a@db.shared/app?sslmode=require", True),
        ("postgresql://a@db.shared/app", "postgresql://a@db.shared/app_staging", False),
        ("redis://r.prod:6379/0", "redis://r.stage:6379/0", False),
        ("redis://r.shared:6379", "redis://r.shared:6380", False),
        ("mysql://db/a", "postgresql://db/a", False),
        ("redis://redis", "redis://redis", False),  # each in its own namespace
    ],
)
def test_whether_two_addresses_are_one_place(one: str, other: str, same: bool) -> None:
    places = place_of(one, "shop-prod"), place_of(other, "shop-stage")
    assert None not in places
    assert (places[0] == places[1]) is same


@pytest.mark.parametrize(
    "value", ["", "https://x.test", "r.shared:6379", "redis://", "redis://r:port", "not a url"]
)
def test_what_leads_to_no_data_system(value: str) -> None:
    assert place_of(value, "shop") is None


def test_a_redis_whose_host_and_port_stand_apart_is_a_place() -> None:
    values = {
        "REDIS__HOST": "r.shared",
        "REDIS__PORT": "6380",
        "DATABASE_URL": "postgresql://db.x/a",
        "HOST": "x",
    }
    found = places_of(values, "shop")
    assert found["REDIS__HOST"] == place_of("redis://r.shared:6380/4", "shop")
    assert set(databases_of(values, "shop")) == {"DATABASE_URL"}


NOW = datetime(2026, 11, 30, tzinfo=UTC)
SETTINGS = BackupSettings()


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["b/a.dump"], ["b/a.dump"]),
        (["b/a.sql.gz", "b/a.sql.gz.sha256"], ["b/a.sql.gz"]),
        (["b/a.dump", "b/a.dump.md5", "b/a.dump.sig", "b/manifest.json"], ["b/a.dump"]),
        (["b/A.DUMP"], ["b/A.DUMP"]),
        (["b/2026-11-30.tar.zst.age"], ["b/2026-11-30.tar.zst.age"]),
        (["b/base/000.lz4", "b/base/001.lz4", "b/base/002.lz4"], ["b/base"]),
        (["b/d/part-1.gz", "b/d/part-2.gz"], ["b/d"]),
        (["b/backup.log"], []),
        (["b/backup.log.gz"], []),
        (["b/restore-test/output.bin"], []),
        (["b/restore-test/x.dump"], []),
        (["b/a.dump.partial"], []),
        (["b/README"], []),
        ([], []),
    ],
)
def test_which_objects_are_backups(names: list[str], found: list[str]) -> None:
    stored = [(NOW - timedelta(seconds=n), name, 10) for n, name in enumerate(names)]
    assert [one[1] for one in backups_among(stored, SETTINGS.names, SETTINGS.no_backup)] == found


def test_parts_are_one_backup_as_large_as_all_of_the_same_run() -> None:
    parts = [(NOW, "b/x/0.gz", 5), (NOW, "b/x/1.gz", 7), (NOW - timedelta(days=1), "b/x/2.gz", 100)]
    assert backups_among(parts, SETTINGS.names) == [(NOW, "b/x", 12)]


def statement(**more: Json) -> JsonObject:
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", **more}


@pytest.mark.parametrize(
    ("given", "public"),
    [
        (statement(), True),
        (statement(Principal={"AWS": "*"}), True),
        (statement(Principal={"AWS": ["arn:x", "*"]}), True),
        (statement(Condition={"Bool": {"aws:SecureTransport": "true"}}), True),
        (statement(Condition={"StringNotEquals": {"aws:PrincipalAccount": "1"}}), True),
        (statement(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}), False),
        (statement(Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}}), False),
        (statement(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}), False),
        (statement(Effect="Deny"), False),
        (statement(Principal={"AWS": "arn:aws:iam::1:root"}), False),
    ],
)
def test_whom_a_bucket_lets_in(given: JsonObject, public: bool) -> None:
    assert _lets_everybody_in(given) is public


def matcher(value: str, *, regex: bool = True, equal: bool = True) -> Json:
    return {"name": "alertname", "value": value, "isRegex": regex, "isEqual": equal}


@pytest.mark.parametrize(
    ("matchers", "state", "everything"),
    [
        ([matcher(".+")], "active", True),
        ([matcher(".*"), matcher(".+")], "active", True),
        ([matcher(".+")], "expired", False),
        ([matcher(".+"), matcher("Disk.*")], "active", False),
        ([matcher(".+", equal=False)], "active", False),
        ([matcher(".+", regex=False)], "active", False),
        ([], "active", False),
    ],
)
def test_a_silence_that_hides_every_alert(matchers: list[Json], state: str, everything: bool) -> None:
    assert silences_everything({"matchers": matchers, "status": {"state": state}}) is everything


def state(name: str, image: str) -> Json:
    return {"name": name, "image": image, "imageID": f"docker-pullable://{image}@sha256:1"}


def test_the_parts_own_containers_are_found_and_sidecars_are_not() -> None:
    pod: JsonObject = {
        "status": {
            "containerStatuses": [
                state("app", "ghcr.io/acme/shop:v1"),
                state("istio-proxy", "docker.io/istio/proxy:1"),
            ],
            "initContainerStatuses": [
                state("migrate", "mirror.test/acme/shop"),
                state("istio-init", "istio/proxy"),
            ],
        }
    }
    found = own_states(pod, "backend", "ghcr.io/acme/shop:v1@sha256:0")
    assert [one["name"] for one in found] == ["app", "migrate"]


OURS = "postgresql://shop:x@db:5432/shop"
THEIRS = "postgresql://shop:y@db.shop-staging:5432/shop"  # staging's, by its full name


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        ({"DATABASE_URL": OURS}, {"DATABASE_URL": OURS}, Verdict.PASS),  # a name in each namespace of its own
        ({"DATABASE_URL": THEIRS}, {"DATABASE_URL": OURS}, Verdict.FAIL),
        ({"REPORTS_URL": THEIRS, "DATABASE_URL": OURS}, {"DATABASE_URL": OURS}, Verdict.FAIL),
        ({}, {"DATABASE_URL": OURS}, Verdict.PASS),
        ({"DATABASE_URL": OURS}, {}, Verdict.PASS),
    ],
)
async def test_a_platform_that_uses_the_other_environments_database_was_not_read(
    ours: dict[str, str], theirs: dict[str, str], verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = load_runbook(SOP_RUNBOOK).runbook
    placed = {
        tier: one.model_copy(update={"kube": one.kube.model_copy(update={"namespace": f"shop-{tier}"})})
        for tier, one in book.environments.items()
    }
    book = book.model_copy(update={"environments": placed})

    async def settings(_: CheckContext, tier: Tier | None = None) -> dict[str, str]:
        return theirs if tier is Tier.STAGING else ours

    monkeypatch.setattr(data, "config_values", settings)
    findings = Findings()
    context = CheckContext(Tier.PRODUCTION, book, Clients(book), SystemClock(), LaunchView())
    await data.platforms_own(context, findings)
    outcome = findings.outcome("read")
    assert outcome.verdict is verdict, outcome.summary
