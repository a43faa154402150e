"""The Authorization header of an endpoint, for as long as the engine lives: tokens are renewed under it."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from checks.clients.errors import MisconfiguredError, Where
from state.base.text import line

if TYPE_CHECKING:
    from state.runbook.environment import Endpoint

Secret = str | Callable[[], str]
"""A value, or what reads it anew."""


def secret_value(secret: Secret) -> str:
    """Return a secret as it is now. Raises MisconfiguredError."""
    return secret if isinstance(secret, str) else secret()


class EndpointLogin:
    """What an endpoint is told of who asks."""

    def __init__(self, endpoint: Endpoint, where: Where, token: Secret, password: Secret) -> None:
        self._endpoint = endpoint
        self._where = where
        self._token = token
        self._password = password
        self._kept = ""
        # What a program tells costs seconds, so it is asked again only where the service refused the last token.
        self._keeps = bool(endpoint.token is not None and endpoint.token.exec)

    def header(self, *, fresh: bool = False) -> str:
        """Return the header's value, or nothing. ``fresh``: the last one was refused.

        Raises MisconfiguredError for a secret that isn't there. May take seconds where a program tells the token.
        """
        if self._keeps and self._kept and not fresh:
            return self._kept
        token = secret_value(self._token)
        if token:
            if not token.isprintable() or not token.isascii():
                raise MisconfiguredError(f"{self._where}: its token holds what no header can")
            self._kept = f"Bearer {token}"
        elif self._endpoint.username is not None:
            pair = f"{self._endpoint.username}:{secret_value(self._password)}".encode()
            self._kept = f"Basic {base64.b64encode(pair).decode()}"
        return self._kept

    @property
    def slow(self) -> bool:
        """Whether the next header may take seconds."""
        return self._keeps


def present(context: ssl.SSLContext, endpoint: Endpoint, where: Where) -> None:
    """Let TLS present the endpoint's client certificate. Raises MisconfiguredError where it can't be used."""
    if endpoint.cert_file is None:
        return
    try:
        # An empty password: a key with one would otherwise be asked for at a terminal.
        context.load_cert_chain(endpoint.cert_file, endpoint.key_file, password="")
    except (OSError, ValueError) as error:
        raise MisconfiguredError(
            f"{where}: cert_file {endpoint.cert_file} and its key cannot be used ({line(str(error), 100)}); "
            "expected PEM without a passphrase"
        ) from None
