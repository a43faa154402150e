"""An HTTP service of the operators: where it is, and with which credentials it is asked."""

from __future__ import annotations

from pydantic import Field

from state.runbook.units import FilePath, Model, Seconds, SecretRef


class Endpoint(Model):
    """An HTTP service of the operators, such as Prometheus."""

    url: str = Field(pattern=r"^https?://[^\s/]+")
    token: SecretRef | None = None
    username: str | None = None
    password: SecretRef | None = None
    ca_file: FilePath | None = None
    timeout: Seconds = 10.0
