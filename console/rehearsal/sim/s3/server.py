"""An S3 object store to read from: buckets, their settings, and their objects."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import md5
from html import escape

from aiohttp import web

from console.rehearsal.sim.hooks import Before, Handler, guarded
from console.rehearsal.sim.s3.signature import Refusal, check
from state.base.json import JsonObject

_XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """A rule that deletes objects below ``prefix`` after ``days``."""

    id: str
    days: int
    prefix: str = ""
    enabled: bool = True
    expires: bool = True
    """False: it only aborts uploads that were never finished."""
    tag: str = ""
    """Of only those objects below the prefix that have this tag."""

    def to_xml(self) -> str:
        """Return the rule as a bucket's configuration shows it."""
        narrowed = f"<Prefix>{escape(self.prefix)}</Prefix>"
        if self.tag:
            narrowed = f"<And>{narrowed}<Tag><Key>{escape(self.tag)}</Key><Value>yes</Value></Tag></And>"
        acts = f"<Expiration><Days>{self.days}</Days></Expiration>"
        if not self.expires:
            days = f"<DaysAfterInitiation>{self.days}</DaysAfterInitiation>"
            acts = f"<AbortIncompleteMultipartUpload>{days}</AbortIncompleteMultipartUpload>"
        return (
            f"<Rule><ID>{escape(self.id)}</ID><Status>{'Enabled' if self.enabled else 'Disabled'}</Status>"
            f"<Filter>{narrowed}</Filter>{acts}</Rule>"
        )


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object; without a body it is ``size`` zero bytes."""

    key: str
    modified: datetime
    body: bytes = b""
    size: int | None = None

    @property
    def length(self) -> int:
        """Return the size in bytes."""
        return len(self.body) if self.size is None else self.size

    @property
    def etag(self) -> str:
        """Return the digest that S3 gives an object sent in one piece."""
        return md5(self.body or str(self.size).encode(), usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class Bucket:
    """A bucket; ``versioning`` is Enabled, Suspended or None, ``encryption`` AES256, aws:kms or None."""

    name: str
    region: str = "us-east-1"
    lifecycle: tuple[LifecycleRule, ...] = ()
    versioning: str | None = "Enabled"
    encryption: str | None = "AES256"
    public: bool = False
    policy: tuple[JsonObject, ...] = ()
    """Statements of its policy, besides the one of a public bucket."""
    acl_public: bool = False
    """Its access list lets everybody read."""
    objects: list[StoredObject] = field(default_factory=list)


class ObjectStore:
    """A store with ``buckets``; ``keys`` holds secret keys by access key."""

    def __init__(self, buckets: Iterable[Bucket] = (), keys: Mapping[str, str] | None = None) -> None:
        self.hooks: list[Before] = []
        self.buckets = {bucket.name: bucket for bucket in buckets}
        self.keys = dict(keys or {})

    def application(self) -> web.Application:
        """Return the server as an application of aiohttp."""
        app = guarded(self.hooks)
        app.router.add_get("/", self._answered(self._list_buckets))
        for path in ("/{bucket}", "/{bucket}/"):
            app.router.add_get(path, self._answered(self._bucket))
        app.router.add_get("/{bucket}/{key:.+}", self._answered(self._object))
        return app

    def _answered(self, answer: Callable[[web.Request], web.Response]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                self._authorize(request)
                response = answer(request)
            except Refusal as problem:
                response = _error(problem, request.path)
            response.headers["x-amz-request-id"] = "17F0000000000000"
            response.headers["Server"] = "MinIO"
            return response

        return handle

    def _authorize(self, request: web.Request) -> None:
        bucket = self.buckets.get(request.match_info.get("bucket", ""))
        signed = check(request, self.keys)
        if signed is None:
            if bucket is not None and bucket.public and not request.query_string:
                return
            raise Refusal(403, "AccessDenied", "Access Denied.")
        if bucket is not None and "location" not in request.query and signed.region != bucket.region:
            raise Refusal(
                400,
                "AuthorizationHeaderMalformed",
                f"The authorization header is malformed; the region is wrong; expecting '{bucket.region}'.",
            )

    def _known(self, request: web.Request) -> Bucket:
        bucket = self.buckets.get(request.match_info["bucket"])
        if bucket is None:
            raise Refusal(404, "NoSuchBucket", "The specified bucket does not exist")
        return bucket

    def _list_buckets(self, _: web.Request) -> web.Response:
        shown = "".join(
            f"<Bucket><Name>{escape(name)}</Name><CreationDate>{_stamp(_EPOCH)}</CreationDate></Bucket>"
            for name in sorted(self.buckets)
        )
        owner = "<Owner><ID>rehearsal</ID><DisplayName>rehearsal</DisplayName></Owner>"
        return _xml(
            f"<ListAllMyBucketsResult {_XMLNS}>{owner}<Buckets>{shown}</Buckets></ListAllMyBucketsResult>"
        )

    def _bucket(self, request: web.Request) -> web.Response:
        bucket = self._known(request)
        if request.method == "HEAD":
            return web.Response(headers={"x-amz-bucket-region": bucket.region})
        for name, answer in _SETTINGS.items():
            if name in request.query:
                return answer(bucket)
        return _listed(bucket, request.query)

    def _object(self, request: web.Request) -> web.Response:
        bucket, key = self._known(request), request.match_info["key"]
        found = next((one for one in bucket.objects if one.key == key), None)
        if found is None:
            raise Refusal(404, "NoSuchKey", "The specified key does not exist.")
        headers = {
            "ETag": f'"{found.etag}"',
            "Last-Modified": format_datetime(found.modified.astimezone(UTC), usegmt=True),
            "Content-Type": "application/octet-stream",
        }
        if request.method == "HEAD":
            return web.Response(headers={**headers, "Content-Length": str(found.length)})
        return web.Response(body=found.body or bytes(found.length), headers=headers)


def _location(bucket: Bucket) -> web.Response:
    region = "" if bucket.region == "us-east-1" else escape(bucket.region)
    return _xml(f"<LocationConstraint {_XMLNS}>{region}</LocationConstraint>")


def _lifecycle(bucket: Bucket) -> web.Response:
    if not bucket.lifecycle:
        raise Refusal(404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
    rules = "".join(rule.to_xml() for rule in bucket.lifecycle)
    return _xml(f"<LifecycleConfiguration {_XMLNS}>{rules}</LifecycleConfiguration>")


def _versioning(bucket: Bucket) -> web.Response:
    status = f"<Status>{bucket.versioning}</Status>" if bucket.versioning else ""
    return _xml(f"<VersioningConfiguration {_XMLNS}>{status}</VersioningConfiguration>")


def _encryption(bucket: Bucket) -> web.Response:
    if not bucket.encryption:
        raise Refusal(
            404,
            "ServerSideEncryptionConfigurationNotFoundError",
            "The server side encryption configuration was not found",
        )
    rule = (
        "<Rule><ApplyServerSideEncryptionByDefault>"
        f"<SSEAlgorithm>{escape(bucket.encryption)}</SSEAlgorithm>"
        "</ApplyServerSideEncryptionByDefault></Rule>"
    )
    name = "ServerSideEncryptionConfiguration"
    return _xml(f"<{name} {_XMLNS}>{rule}</{name}>")


def _policy(bucket: Bucket) -> web.Response:
    if not bucket.public and not bucket.policy:
        raise Refusal(404, "NoSuchBucketPolicy", "The bucket policy does not exist")
    statement: JsonObject = {
        "Effect": "Allow",
        "Principal": {"AWS": ["*"]},
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{bucket.name}/*"],
    }
    statements = [*([statement] if bucket.public else []), *bucket.policy]
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return web.Response(text=text, content_type="application/json")


def _acl(bucket: Bucket) -> web.Response:
    everybody = "http://acs.amazonaws.com/groups/global/AllUsers"
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    grants = [f'<Grantee {xsi} xsi:type="CanonicalUser"><ID>rehearsal</ID></Grantee>', "FULL_CONTROL"]
    shown = f"<Grant>{grants[0]}<Permission>{grants[1]}</Permission></Grant>"
    if bucket.acl_public:
        shown += (
            f'<Grant><Grantee {xsi} xsi:type="Group"><URI>{everybody}</URI></Grantee>'
            "<Permission>READ</Permission></Grant>"
        )
    owner = "<Owner><ID>rehearsal</ID></Owner>"
    body = f"{owner}<AccessControlList>{shown}</AccessControlList>"
    return _xml(f"<AccessControlPolicy {_XMLNS}>{body}</AccessControlPolicy>")


def _missing(code: str, message: str) -> Callable[[Bucket], web.Response]:
    def answer(_: Bucket) -> web.Response:
        raise Refusal(404, code, message)

    return answer


_SETTINGS: dict[str, Callable[[Bucket], web.Response]] = {
    "location": _location,
    "lifecycle": _lifecycle,
    "versioning": _versioning,
    "encryption": _encryption,
    "policy": _policy,
    "acl": _acl,
    "tagging": _missing("NoSuchTagSet", "The TagSet does not exist"),
    "replication": _missing(
        "ReplicationConfigurationNotFoundError", "The replication configuration was not found"
    ),
    "object-lock": _missing(
        "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"
    ),
    "publicAccessBlock": _missing(
        "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"
    ),
}


def _listed(bucket: Bucket, query: Mapping[str, str]) -> web.Response:
    """Return a page of objects (ListObjectsV2); a token is the last key of the page before."""
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    token = query.get("continuation-token", "")
    after = base64.urlsafe_b64decode(token).decode() if token else query.get("start-after", "")
    most = min(1000, int(query.get("max-keys", "1000") or 1000))
    entries: dict[str, StoredObject | None] = {}
    for one in sorted(bucket.objects, key=lambda stored: stored.key):
        if one.key.startswith(prefix):
            rest = one.key[len(prefix) :]
            if delimiter and delimiter in rest:
                entries[prefix + rest.split(delimiter)[0] + delimiter] = None
            else:
                entries[one.key] = one
    keys = [key for key in entries if key > after]
    page, more = keys[:most], len(keys) > most
    contents = "".join(_entry(key, entries[key]) for key in page)
    following = base64.urlsafe_b64encode(page[-1].encode()).decode() if more and page else ""
    parts = [
        f"<Name>{escape(bucket.name)}</Name><Prefix>{escape(prefix)}</Prefix>",
        f"<KeyCount>{len(page)}</KeyCount><MaxKeys>{most}</MaxKeys>",
        f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>",
        f"<NextContinuationToken>{following}</NextContinuationToken>" if following else "",
        contents,
    ]
    return _xml(f"<ListBucketResult {_XMLNS}>{''.join(parts)}</ListBucketResult>")


def _entry(key: str, stored: StoredObject | None) -> str:
    if stored is None:
        return f"<CommonPrefixes><Prefix>{escape(key)}</Prefix></CommonPrefixes>"
    return (
        f"<Contents><Key>{escape(key)}</Key><LastModified>{_stamp(stored.modified)}</LastModified>"
        f"<ETag>&quot;{stored.etag}&quot;</ETag><Size>{stored.length}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
    )


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _xml(body: str) -> web.Response:
    return web.Response(text=_HEAD + body, content_type="application/xml")


def _error(problem: Refusal, path: str) -> web.Response:
    body = (
        f"{_HEAD}<Error><Code>{problem.code}</Code><Message>{escape(str(problem))}</Message>"
        f"<Resource>{escape(path)}</Resource><RequestId>17F0000000000000</RequestId>"
        "<HostId>rehearsal</HostId></Error>"
    )
    return web.Response(text=body, status=problem.status, content_type="application/xml")
