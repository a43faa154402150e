"""AWS Signature Version 4, checked: who signed a request, and whether with the right secret key."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from aiohttp import web


class Refusal(Exception):  # noqa: N818  it is an answer of the server, not a fault of the program
    """An error of S3: HTTP status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed a request, for which region."""

    access_key: str
    region: str


_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/s3/aws4_request,\s*"
    r"SignedHeaders=(?P<headers>[^,]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


def check(request: web.Request, keys: Mapping[str, str]) -> Signed | None:
    """Return who signed a request; None where nobody did.

    Raises Refusal for an unknown access key or a signature that another secret key made. The date isn't
    compared with the clock, which may be a faster one than the client's.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return None
    parts = _HEADER.fullmatch(header)
    if parts is None:
        raise Refusal(400, "AuthorizationHeaderMalformed", "The authorization header is malformed.")
    secret = keys.get(parts["key"])
    if secret is None:
        raise Refusal(
            403, "InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records."
        )
    scope = f"{parts['day']}/{parts['region']}/s3/aws4_request"
    canonical = _canonical(request, parts["headers"])
    stamp = request.headers.get("X-Amz-Date", "")
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), sha256).digest()
    expected = hmac.new(key, to_sign.encode(), sha256).hexdigest()
    if not hmac.compare_digest(expected, parts["signature"]):
        raise Refusal(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided."
            " Check your key and signing method.",
        )
    return Signed(parts["key"], parts["region"])


def _canonical(request: web.Request, signed_headers: str) -> str:
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in request.query.items()
    )
    query = "&".join(f"{name}={value}" for name, value in pairs)
    headers = "\n".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in signed_headers.split(";")
    )
    body = request.headers.get("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
    return f"{request.method}\n{request.rel_url.raw_path}\n{query}\n{headers}\n\n{signed_headers}\n{body}"
