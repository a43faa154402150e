from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from minio import Minio
from minio.error import S3Error

from console.rehearsal.sim.s3.server import Bucket, LifecycleRule, ObjectStore, StoredObject
from tests.console.rehearsal.serving import port_of, served

_AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
_KEYS = {"captain": "right secret"}


def _store() -> ObjectStore:
    objects = [StoredObject(f"backups/platform/{day:02d} a&b.dump", _AT, b"x" * day) for day in range(1, 8)]
    objects.append(StoredObject("manifest.json", _AT, b"{}"))
    rules = (LifecycleRule("expire-backups", 30, "backups/"), LifecycleRule("off", 1, enabled=False))
    full = Bucket("dotmac-production", "eu-central-1", rules, objects=objects)
    bare = Bucket("dotmac-bare", versioning=None, encryption=None, public=True)
    return ObjectStore([full, bare], _KEYS)


@pytest.fixture
async def address() -> AsyncIterator[str]:
    async with served(_store().application()) as url:
        yield port_of(url)


def _client(address: str, secret: str = "right secret", key: str = "captain") -> Minio:
    return Minio(address, access_key=key, secret_key=secret, secure=False)


async def test_a_full_bucket_tells_its_settings(address: str) -> None:
    def ask() -> None:
        client = _client(address)
        assert client.bucket_exists("dotmac-production")
        lifecycle = client.get_bucket_lifecycle("dotmac-production")
        assert lifecycle is not None
        rules = [(rule.rule_id, rule.status, rule.expiration.days) for rule in lifecycle.rules]
        assert rules == [("expire-backups", "Enabled", 30), ("off", "Disabled", 1)]
        assert client.get_bucket_versioning("dotmac-production").status == "Enabled"
        encryption = client.get_bucket_encryption("dotmac-production")
        assert encryption is not None
        assert encryption.rule.sse_algorithm == "AES256"
        assert [bucket.name for bucket in client.list_buckets()] == ["dotmac-bare", "dotmac-production"]

    await asyncio.to_thread(ask)


async def test_objects_are_listed_in_pages_and_read(address: str) -> None:
    def ask() -> None:
        client = _client(address)
        keys = [one.object_name for one in client.list_objects("dotmac-production", recursive=True)]
        assert len(keys) == 8
        assert keys[0] == "backups/platform/01 a&b.dump"
        top = {one.object_name: one.is_dir for one in client.list_objects("dotmac-production")}
        assert top == {"backups/": True, "manifest.json": False}
        stat = client.stat_object("dotmac-production", "backups/platform/03 a&b.dump")
        assert (stat.size, stat.last_modified) == (3, _AT)
        body = client.get_object("dotmac-production", "manifest.json")
        assert io.BytesIO(body.read()).getvalue() == b"{}"
        body.close()
        body.release_conn()

    await asyncio.to_thread(ask)


async def test_a_bare_bucket_says_what_is_missing(address: str) -> None:
    def ask() -> None:
        client = _client(address)
        assert client.get_bucket_lifecycle("dotmac-bare") is None
        assert client.get_bucket_encryption("dotmac-bare") is None
        assert client.get_bucket_versioning("dotmac-bare").status in {"Off", None, ""}
        assert '"AWS": ["*"]' in client.get_bucket_policy("dotmac-bare")
        with pytest.raises(S3Error) as missing:
            client.get_bucket_policy("dotmac-production")
        assert missing.value.code == "NoSuchBucketPolicy"

    await asyncio.to_thread(ask)


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [
        ("nobody", "right secret", "InvalidAccessKeyId"),
        ("captain", "wrong secret", "SignatureDoesNotMatch"),
    ],
)
async def test_a_wrong_key_is_refused(address: str, key: str, secret: str, code: str) -> None:
    def ask() -> None:
        with pytest.raises(S3Error) as refused:
            _client(address, secret, key).get_bucket_lifecycle("dotmac-production")
        assert refused.value.code == code

    await asyncio.to_thread(ask)


async def test_what_is_not_there_has_the_code_of_s3(address: str) -> None:
    def ask() -> None:
        client = _client(address)
        assert not client.bucket_exists("no-such-bucket")
        with pytest.raises(S3Error) as lifecycle:
            client.get_bucket_lifecycle("no-such-bucket")
        assert lifecycle.value.code == "NoSuchBucket"
        with pytest.raises(S3Error) as key:
            client.stat_object("dotmac-production", "nothing")
        assert key.value.code == "NoSuchKey"
        with pytest.raises(S3Error) as anonymous:
            Minio(address, secure=False, region="eu-central-1").stat_object(
                "dotmac-production", "manifest.json"
            )
        assert anonymous.value.code == "AccessDenied"
        with pytest.raises(S3Error) as region:
            Minio(
                address, access_key="captain", secret_key="right secret", secure=False, region="us-west-2"
            ).get_bucket_lifecycle("dotmac-production")
        assert region.value.code == "AuthorizationHeaderMalformed"

    await asyncio.to_thread(ask)


async def test_a_long_listing_takes_several_requests() -> None:
    bucket = Bucket("many", objects=[StoredObject(f"k{index:05d}", _AT, size=5) for index in range(2300)])
    async with served(ObjectStore([bucket], _KEYS).application()) as url:
        client = _client(port_of(url))
        keys = await asyncio.to_thread(
            lambda: [one.object_name for one in client.list_objects("many", recursive=True)]
        )
    assert keys == [one.key for one in bucket.objects]
