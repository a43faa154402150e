"""An HTTP service of the operators: where it is, and with which credentials it is asked."""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from state.runbook.units import FilePath, Model, Seconds, SecretRef, TokenRef

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_OURS = frozenset(
    {"authorization", "host", "content-length", "transfer-encoding", "connection", "accept-encoding"}
)


class Endpoint(Model):
    """An HTTP service of the operators, such as Prometheus."""

    url: str = Field(pattern=r"^https?://[^\s/]+")
    token: TokenRef | None = None
    """A bearer token, read again whenever its file was written anew, or the service refused it."""
    username: str | None = None
    password: SecretRef | None = None
    ca_file: FilePath | None = None
    cert_file: FilePath | None = None
    """A client certificate as PEM, for a service that asks for one (mutual TLS)."""
    key_file: FilePath | None = None
    """Its private key, where it isn't in ``cert_file`` too."""
    timeout: Seconds = 10.0
    headers: dict[str, str | SecretRef] = {}
    """Sent with every request, such as ``X-Scope-OrgID`` of a store with tenants. A value may be a secret."""

    @model_validator(mode="after")
    def _fitting(self) -> Endpoint:
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file is of no use without cert_file")
        if self.cert_file is not None and not self.url.startswith("https:"):
            raise ValueError("cert_file is of no use with http: expected https")
        return self

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, str | SecretRef]) -> dict[str, str | SecretRef]:
        for name, value in headers.items():
            if not _HEADER.fullmatch(name) or (isinstance(value, str) and not _HEADER_VALUE.fullmatch(value)):
                raise ValueError(f"{name!r} is not a header that can be sent")
            if name.lower() in _OURS:
                raise ValueError(f"{name} is not set by headers: token:, username: and url: make it")
        return headers
