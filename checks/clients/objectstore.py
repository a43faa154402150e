"""An S3-compatible store, through minio in a thread.

On a connection pool that never retries and caps what it reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from checks.clients.answers import BODY_LIMIT, too_large
from checks.clients.errors import (
    ForbiddenError,
    MisconfiguredError,
    MovedError,
    NotFoundError,
    RejectedError,
    ServerFailedError,
    TooLargeError,
    UnauthorizedError,
    Where,
    WrongContentError,
    from_transport,
)
from checks.clients.kubeconfig.connection import is_loopback
from checks.clients.user_agent import USER_AGENT
from checks.clients.workers import Workers
from checks.errors import CouldNotLookError
from state.base.text import line

if TYPE_CHECKING:
    from state.runbook.environment import ObjectStore

T = TypeVar("T")

_LISTED: Final = 50_000
_GRANT: Final = re.compile(r"<(?:\w+:)?Grant(?:\s[^>]*)?>(.*?)</(?:\w+:)?Grant>", re.DOTALL)
_EVERYBODY: Final = ("/global/AllUsers", "/global/AuthenticatedUsers")
_NO_LIFECYCLE: Final = "NoSuchLifecycleConfiguration"
_NO_ENCRYPTION: Final = "ServerSideEncryptionConfigurationNotFoundError"
_ELSEWHERE: Final = frozenset(
    {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
)
_NO_POLICY: Final = "NoSuchBucketPolicy"


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """A rule of a bucket's lifecycle."""

    id: str
    enabled: bool
    prefix: str
    days: int | None
    """Days until objects expire; None: another action, or none."""
    acts: bool
    """Whether it does anything to objects: expiry, transition, or of old versions. Unfinished uploads are none."""
    whole: bool = True
    """Whether it is for all objects below its prefix, and not only for those of a tag or a size."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing shows it."""

    name: str
    size: int
    modified: datetime


class ObjectStoreClient:
    """The release's bucket."""

    def __init__(
        self, store: ObjectStore, environment: str, *, access_key: str, secret_key: str, timeout: float = 10.0
    ) -> None:
        self.where = Where("Object store", environment)
        self.bucket = store.bucket
        self._store = store
        self._keys = (access_key, secret_key)
        self._timeout = timeout
        self._workers = Workers("objectstore", 2)
        self._client: Any = None
        self._pool: Any = None
        self._opening = Lock()

    async def bucket_exists(self) -> bool:
        """Return whether the bucket is there."""
        return bool(await self._run(lambda s3: s3.bucket_exists(self.bucket), "the bucket"))

    async def lifecycle(self) -> tuple[LifecycleRule, ...]:
        """Return the bucket's lifecycle rules; empty where it has none."""
        config = await self._optional(
            lambda s3: s3.get_bucket_lifecycle(self.bucket), "its lifecycle", _NO_LIFECYCLE
        )
        return tuple(_rule(rule) for rule in config.rules) if config else ()

    async def region(self) -> str:
        """Return the region that the store itself says the bucket is in; empty where it tells none.

        Amazon leaves it out for its oldest, us-east-1; a store of one's own that has none leaves it out too.
        """
        told = _told(await self._xml("location", "the region"), "LocationConstraint")
        found = {"EU": "eu-west-1"}.get(told[0], told[0]) if told else ""
        amazon = (urlsplit(self._store.url).hostname or "").endswith(("amazonaws.com", "amazonaws.com.cn"))
        return found or ("us-east-1" if amazon else "")

    async def public_grants(self) -> tuple[str, ...]:
        """Return what the bucket's access list gives to everybody, or to every account of the provider."""
        grants = _GRANT.findall(await self._xml("acl", "the access list"))
        public = [grant for grant in grants if any(uri.endswith(_EVERYBODY) for uri in _told(grant, "URI"))]
        return tuple(sorted({word for grant in public for word in _told(grant, "Permission")}))

    async def _xml(self, question: str, what: str) -> str:
        """Return the XML of a question about the bucket that minio has no call for."""

        def work(s3: Any) -> str:
            answer = s3._execute("GET", self.bucket, query_params={question: ""})  # noqa: SLF001  the only signed one
            body = str(answer.data.decode(errors="replace"))
            if not body.lstrip().startswith("<"):
                raise WrongContentError(
                    f"{self.where} answered something else than S3's XML; expected {what}"
                )
            return body

        return await self._run(work, what)

    async def versioning(self) -> str:
        """Return ``Enabled``, ``Suspended`` or ``Off``."""
        config = await self._run(lambda s3: s3.get_bucket_versioning(self.bucket), "its versioning")
        return str(config.status or "Off")

    async def encryption(self) -> str | None:
        """Return the default encryption's algorithm, or None."""
        config = await self._optional(
            lambda s3: s3.get_bucket_encryption(self.bucket), "its encryption", _NO_ENCRYPTION
        )
        return str(config.rule.sse_algorithm) if config and config.rule else None

    async def policy(self) -> str | None:
        """Return the bucket's policy as JSON text, or None where it has none."""
        found = await self._optional(lambda s3: s3.get_bucket_policy(self.bucket), "its policy", _NO_POLICY)
        return str(found) if found else None

    async def objects(self, prefix: str) -> tuple[StoredObject, ...]:
        """Return the objects below a prefix, page by page, at most 50,000.

        Raises TooLargeError where there are more: the newest need not be among the first.
        """

        def work(s3: Any) -> tuple[StoredObject, ...]:
            found: list[StoredObject] = []
            for one in s3.list_objects(self.bucket, prefix=prefix, recursive=True):
                if one.last_modified is not None:
                    found.append(StoredObject(str(one.object_name), int(one.size or 0), one.last_modified))
                if len(found) > _LISTED:
                    raise TooLargeError(f"{self.where}: more than {_LISTED} objects are below {prefix}")
            return tuple(found)

        return await self._run(work, f"the objects below {prefix}")

    async def aclose(self) -> None:
        """Close the connections and let the threads end."""
        self._workers.close(self._shut)

    def _shut(self) -> None:
        if self._pool is not None:
            self._pool.clear()

    async def _optional(self, work: Callable[[Any], Any], what: str, absent: str) -> Any:
        from minio.error import S3Error

        def guarded(s3: Any) -> Any:
            try:
                return work(s3)
            except S3Error as error:
                if error.code == absent:
                    return None
                raise

        return await self._run(guarded, what)

    async def _run(self, work: Callable[[Any], T], what: str) -> T:
        expected = f"{what} of {self.bucket}"
        try:
            return await self._workers.run(lambda: work(self._open()), self._timeout)
        except CouldNotLookError:
            raise
        except Exception as error:
            raise self._explain(error, expected) from None

    def _open(self) -> Any:
        with self._opening:
            if self._client is None:
                import minio

                address = urlsplit(self._store.url)
                self._pool = _pool(self.where, self._store, self._timeout)
                self._client = minio.Minio(
                    address.netloc,
                    access_key=self._keys[0],
                    secret_key=self._keys[1],
                    secure=address.scheme == "https",
                    region=self._store.region,
                    http_client=self._pool,
                )
            return self._client

    def _explain(self, error: Exception, expected: str) -> CouldNotLookError:
        from minio.error import InvalidResponseError, MinioException, S3Error, ServerError

        if isinstance(error, S3Error):
            code = line(str(error.code), 60)
            reason = f"{self.where} answered {code}; expected {expected}"
            if code == "AccessDenied":
                return ForbiddenError(f"{reason}; needed: permission to read {expected}")
            if code in {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "Unauthorized"}:
                return UnauthorizedError(f"{reason}; check the access key and its secret")
            if code in {"NoSuchBucket", "NoSuchKey", "ResourceNotFound"}:
                return NotFoundError(reason)
            if code in _ELSEWHERE:
                return MovedError(f"{reason}; the bucket is in another region than {self._store.region}")
            if code in {"InternalError", "ServiceUnavailable", "SlowDown"}:
                return ServerFailedError(reason)
            return RejectedError(reason)
        if isinstance(error, ServerError):
            return ServerFailedError(f"{self.where} answered {error.status_code}; expected {expected}")
        if isinstance(error, InvalidResponseError) or type(error).__name__ == "ParseError":
            return WrongContentError(
                f"{self.where} answered something else than S3's XML; expected {expected}"
            )
        if isinstance(error, MinioException | ValueError):
            return WrongContentError(f"{self.where}: {line(str(error), 120)}; expected {expected}")
        return from_transport(
            self.where, error, address=self._store.url, expected=expected, timeout=self._timeout
        )


def _pool(where: Where, store: ObjectStore, timeout: float) -> Any:
    """Return a pool for minio: one attempt, a timeout on every read, the runbook's authorities.

    A cap on each body.
    """
    import certifi
    import urllib3

    class Capped(urllib3.PoolManager):
        def urlopen(self, method: str, url: str, **options: Any) -> Any:  # type: ignore[override]  # by keyword
            # minio reads a body of any length: read it here, capped, and hand it on as a finished response.
            # "minio-py/…" isn't who asks; a request's signature leaves this header out.
            headers = {**(options.get("headers") or {}), "User-Agent": USER_AGENT}
            options.update(preload_content=False, redirect=False, headers=headers)
            answer = super().urlopen(method, url, **options)
            try:
                body = answer.read(BODY_LIMIT + 1)
            finally:
                answer.release_conn()
            if len(body) > BODY_LIMIT:
                raise too_large(where, "S3's XML")
            return urllib3.HTTPResponse(
                body=BytesIO(body),
                headers=answer.headers,
                status=answer.status,
                reason=answer.reason,
                request_method=method,
                preload_content=True,
            )

    ca_file = store.ca_file
    if ca_file is not None and not ca_file.is_file():
        raise MisconfiguredError(f"{where}: ca_file {ca_file} does not exist; expected PEM certificates")
    return Capped(
        timeout=urllib3.Timeout(connect=timeout, read=timeout),
        retries=False,
        cert_reqs="CERT_REQUIRED",
        ca_certs=str(ca_file) if ca_file else certifi.where(),
        num_pools=2 if is_loopback(store.url) else 4,
    )


def _rule(rule: Any) -> LifecycleRule:
    expiration = getattr(rule, "expiration", None)
    days = getattr(expiration, "days", None)
    acts = any(
        getattr(rule, part, None) is not None
        for part in (
            "expiration",
            "transition",
            "noncurrent_version_expiration",
            "noncurrent_version_transition",
        )
    )
    given = getattr(rule, "rule_filter", None)
    both = getattr(given, "and_operator", None)
    prefix = getattr(both, "prefix", None) or getattr(given, "prefix", None) or ""
    narrowed = getattr(given, "tag", None) is not None or bool(getattr(both, "tags", None))
    enabled = str(rule.status) == "Enabled"
    return LifecycleRule(str(rule.rule_id or ""), enabled, str(prefix), days, acts, whole=not narrowed)


def _told(xml: str, element: str) -> list[str]:
    """Return the texts of an element; of S3's flat answers a pattern reads all that is asked here."""
    found = re.findall(rf"<(?:\w+:)?{element}(?:\s[^>]*)?>([^<]*)</", xml)
    return [text.strip() for text in found]
