"""The object store's client and checks against moto's server: a real process with sockets of its own."""

from __future__ import annotations

import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from itertools import count
from json import dumps

import httpx
import minio
import pytest
from minio.commonconfig import ENABLED, Filter
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule
from minio.sseconfig import Rule as Encryption
from minio.sseconfig import SSEConfig
from minio.versioningconfig import VersioningConfig

from checks.base import CheckContext, Outcome
from checks.clients import errors
from checks.clients.clients import Clients
from checks.clients.objectstore import ObjectStoreClient
from checks.data import BackupSettings, backup
from checks.storage import LifecycleSettings, lifecycle
from state.base.clock import SystemClock
from state.runbook.environment import ObjectStore, Tier
from state.runbook.load import load_runbook
from state.runbook.units import SecretRef
from state.view.enums import Verdict
from state.view.launch import LaunchView
from tests.checks.programs import free_port
from tests.paths import SOP_RUNBOOK
from tests.programs import path

pytestmark = [pytest.mark.wire, pytest.mark.needs("moto")]

_ALL = LifecycleSettings(prefixes=("backups/",), versioning=True, encryption=True)
_names = (f"bucket-{number}" for number in count(1))


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve moto for this file and give its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    words = (path("moto"), "-H", "127.0.0.1", "-p", str(port))
    told = tmp_path_factory.mktemp("moto") / "told"
    with told.open("wb") as out, subprocess.Popen(words, stdout=out, stderr=out) as process:
        try:
            _until_it_serves(url, process)
            yield url
        finally:
            process.terminate()


def _until_it_serves(url: str, process: subprocess.Popen[bytes]) -> None:
    last = time.monotonic() + 60
    while True:
        assert process.poll() is None, f"moto ended with {process.returncode}"
        try:
            httpx.get(f"{url}/moto-api/", timeout=5)
        except httpx.TransportError:
            assert time.monotonic() < last, "moto does not listen"
            time.sleep(0.1)
        else:
            return


def _check_keys_after(url: str, requests: str) -> None:
    """Let moto judge keys after so many requests; it has no user, so it knows none."""
    httpx.post(f"{url}/moto-api/reset-auth", content=requests.encode()).raise_for_status()


class Store:
    """A bucket of moto's, as its owner sets it up and as a check looks at it."""

    def __init__(self, url: str) -> None:
        self.owner = minio.Minio(
            url.removeprefix("http://"), "owner", "of-the-bucket", secure=False, region="eu-central-1"
        )
        self.bucket = next(_names)
        key = SecretRef(env="LC_TEST_MOTO_KEY")
        store = ObjectStore(
            url=url, bucket=self.bucket, region="eu-central-1", access_key=key, secret_key=key
        )
        runbook = load_runbook(SOP_RUNBOOK).runbook
        production = runbook.environments[Tier.PRODUCTION].model_copy(update={"objectstore": store})
        changed = {**runbook.environments, Tier.PRODUCTION: production}
        runbook = runbook.model_copy(update={"environments": changed})
        self.clients = Clients(runbook)
        self.around = CheckContext(Tier.PRODUCTION, runbook, self.clients, SystemClock(), LaunchView())

    @property
    def client(self) -> ObjectStoreClient:
        return self.clients.objectstore(Tier.PRODUCTION)

    def make(self, *, rules: bool = True) -> None:
        """Make the bucket as it should be, or without rules."""
        self.owner.make_bucket(self.bucket)
        self.owner.set_bucket_versioning(self.bucket, VersioningConfig(ENABLED))
        self.owner.set_bucket_encryption(self.bucket, SSEConfig(Encryption.new_sse_s3_rule()))
        if rules:
            self.rule(ENABLED)

    def rule(self, status: str, prefix: str = "backups/") -> None:
        rule = Rule(status, rule_filter=Filter(prefix=prefix), rule_id="old", expiration=Expiration(days=30))
        self.owner.set_bucket_lifecycle(self.bucket, LifecycleConfig([rule]))

    def policy(self, principal: str) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": principal},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{self.bucket}/*",
        }
        self.owner.set_bucket_policy(self.bucket, dumps({"Version": "2012-10-17", "Statement": [statement]}))

    async def judge(self) -> Outcome:
        return await lifecycle(_ALL, self.around)


async def _nothing(*_: object) -> None:
    """Look nowhere."""


@pytest.fixture
async def store(moto: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """A bucket that isn't made yet."""
    monkeypatch.setenv("LC_TEST_MOTO_KEY", "a-key-of-the-console")
    # Which bucket the platform uses is told by its cluster, and there is none here.
    monkeypatch.setattr("checks.storage._own_bucket", _nothing)
    made = Store(moto)
    try:
        yield made
    finally:
        await made.clients.aclose()


async def test_a_bucket_as_it_should_be(store: Store) -> None:
    store.make()
    outcome = await store.judge()
    assert (outcome.verdict, outcome.summary) == (
        Verdict.PASS,
        f"bucket {store.bucket} exists with 1 lifecycle rule",
    )
    assert outcome.evidence["rules"] == [{"id": "old", "enabled": True, "prefix": "backups/", "days": 30}]
    assert (outcome.evidence["versioning"], outcome.evidence["encryption"]) == ("Enabled", "AES256")


async def test_no_bucket(store: Store) -> None:
    outcome = await store.judge()
    assert (outcome.verdict, outcome.summary) == (
        Verdict.FAIL,
        f"bucket {store.bucket} does not exist",
    )
    with pytest.raises(errors.NotFoundError, match="NoSuchBucket"):
        await store.client.objects("backups/")


async def test_no_rule_and_a_disabled_one_and_one_for_something_else(store: Store) -> None:
    store.make(rules=False)
    assert await store.client.lifecycle() == ()
    outcome = await store.judge()
    assert outcome.verdict is Verdict.FAIL
    assert "has no lifecycle rule" in outcome.summary
    store.rule("Disabled")
    outcome = await store.judge()
    assert outcome.verdict is Verdict.FAIL
    assert f"no lifecycle rule of {store.bucket} is enabled (old)" in outcome.summary
    store.rule(ENABLED, "logs/")
    outcome = await store.judge()
    assert outcome.verdict is Verdict.FAIL
    assert "no enabled lifecycle rule covers backups/" in outcome.summary


async def test_versioning_and_encryption_that_are_off(store: Store) -> None:
    store.owner.make_bucket(store.bucket)
    store.rule(ENABLED)
    assert await store.client.versioning() == "Off"
    store.owner.set_bucket_versioning(store.bucket, VersioningConfig("Suspended"))
    store.owner.delete_bucket_encryption(store.bucket)
    assert await store.client.encryption() is None
    outcome = await store.judge()
    assert outcome.verdict is Verdict.FAIL
    assert f"versioning of {store.bucket} is Suspended" in outcome.summary
    assert f"bucket {store.bucket} is not encrypted by default" in outcome.summary


async def test_a_policy_for_everybody(store: Store) -> None:
    store.make()
    assert await store.client.policy() is None
    store.policy("arn:aws:iam::123456789012:user/backup")
    assert (await store.judge()).verdict is Verdict.PASS
    store.policy("*")
    outcome = await store.judge()
    assert (outcome.verdict, outcome.summary) == (
        Verdict.FAIL,
        f"the policy of {store.bucket} lets everybody in",
    )


async def test_backups(store: Store) -> None:
    store.make()
    settings = BackupSettings(prefix="backups/", max_age=3600, min_bytes=4)
    assert (await backup(settings, store.around)).summary == "there is no backup at all"
    store.owner.put_object(store.bucket, "backups/mon.dump", BytesIO(b"abc"), 3)
    store.owner.put_object(store.bucket, "elsewhere/mon.dump", BytesIO(b"abcdef"), 6)
    assert [(one.name, one.size) for one in await store.client.objects("backups/")] == [
        ("backups/mon.dump", 3)
    ]
    outcome = await backup(settings, store.around)
    assert (outcome.verdict, outcome.summary) == (Verdict.FAIL, "backup backups/mon.dump has 3 bytes")
    store.owner.put_object(store.bucket, "backups/tue.dump", BytesIO(b"abcdef"), 6)
    outcome = await backup(settings, store.around)
    assert outcome.verdict is Verdict.PASS, outcome.summary
    assert outcome.evidence["backup"] == "backups/tue.dump"


async def test_a_key_that_nobody_knows(store: Store, moto: str) -> None:
    store.make()
    _check_keys_after(moto, "0")
    try:
        with pytest.raises(errors.UnauthorizedError, match="InvalidAccessKeyId") as caught:
            await store.client.lifecycle()
        outcome = await backup(BackupSettings(prefix="backups/"), store.around)
    finally:
        _check_keys_after(moto, "inf")
    assert "a-key-of-the-console" not in str(caught.value)
    assert outcome.verdict is Verdict.UNKNOWN
