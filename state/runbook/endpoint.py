"""An HTTP service of the operators: where it is, and with which credentials it is asked."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from state.runbook.units import FilePath, Model, Seconds, SecretRef

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_OURS = frozenset(
    {"authorization", "host", "content-length", "transfer-encoding", "connection", "accept-encoding"}
)


class Endpoint(Model):
    """An HTTP service of the operators, such as Prometheus."""

    url: str = Field(pattern=r"^https?://[^\s/]+")
    token: SecretRef | None = None
    username: str | None = None
    password: SecretRef | None = None
    ca_file: FilePath | None = None
    timeout: Seconds = 10.0
    headers: dict[str, str | SecretRef] = {}
    """Sent with every request, such as ``X-Scope-OrgID`` of a store with tenants. A value may be a secret."""

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, str | SecretRef]) -> dict[str, str | SecretRef]:
        for name, value in headers.items():
            if not _HEADER.fullmatch(name) or (isinstance(value, str) and not _HEADER_VALUE.fullmatch(value)):
                raise ValueError(f"{name!r} is not a header that can be sent")
            if name.lower() in _OURS:
                raise ValueError(f"{name} is not set by headers: token:, username: and url: make it")
        return headers
