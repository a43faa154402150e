"""An ApiClient of kubernetes.aio for what a kubeconfig says."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from checks.clients.answers import refuse_status
from checks.clients.errors import MisconfiguredError, Where
from checks.clients.kubeconfig.access import Access
from checks.clients.user_agent import USER_AGENT
from state.base.clock import SystemClock
from state.base.text import line
from state.base.times import SECOND_US

# One line of a watch holds a whole object; etcd keeps none above 1.5 MiB.
_LONGEST_LINE = 2 * 1024 * 1024


def is_loopback(url: str) -> bool:
    """Return whether a URL leads to this machine, where no proxy of the environment may stand between."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def load() -> None:
    """Load the library, which takes a second of CPU: no question's time."""
    import kubernetes.aio.client.api_client  # noqa: F401


def open_api(access: Access, certificate: tuple[str, str], where: Where) -> Any:
    """Return an ApiClient, which sends no credentials but a client certificate and ``as:``.

    Raises MisconfiguredError for certificates that are none, or are over.
    """
    import aiohttp
    from kubernetes.aio.client.api_client import ApiClient
    from kubernetes.aio.client.configuration import Configuration
    from multidict import CIMultiDict

    settings = Configuration()
    settings.retries = None  # False would mean 0 attempts, which the library never reaches: retries for ever
    settings.host = access.server
    settings.verify_ssl = not access.insecure
    settings.ca_cert_data = access.ca or None
    settings.tls_server_name = access.server_name or None
    _check_dates(certificate[0], where, access.context)
    try:
        api = ApiClient(configuration=settings)
        _present(api, certificate)
    except (OSError, ValueError) as error:
        raise MisconfiguredError(
            f"{where}: the certificates of context {access.context} cannot be used ({line(str(error), 120)})"
        ) from None
    api.user_agent = USER_AGENT
    rest, scheme = api.rest_client, urlsplit(access.proxy).scheme
    connector: aiohttp.TCPConnector
    if scheme == "socks5":
        from checks.clients.kubeconfig.socks import SocksConnector

        connector = SocksConnector(access.proxy, rest.ssl_context)
    else:
        connector = aiohttp.TCPConnector(ssl=rest.ssl_context, socket_factory=_kept_alive)
        rest.proxy = access.proxy or None
    rest.pool_manager = aiohttp.ClientSession(
        connector=connector,
        # A group may be sent several times, so these are the session's: a call's headers are a plain mapping.
        headers=CIMultiDict(access.impersonate),
        # The file's own proxy goes before the environment's, for every server.
        trust_env=not access.proxy and not is_loopback(access.server),
        read_bufsize=_LONGEST_LINE,
        trace_configs=[_no_redirects(where)],
    )
    return api


def _kept_alive(info: tuple[Any, ...]) -> socket.socket:
    """Make a socket on which a peer that is gone is found out within half a minute, also while nothing is said."""
    family, kind, proto = info[:3]
    made = socket.socket(family, kind, proto)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):  # named otherwise, or not there, beyond Linux
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return made


def _present(api: Any, certificate: tuple[str, str]) -> None:
    """Let TLS present a client certificate, which Python's ssl reads from files only."""
    if not certificate[1]:
        return
    with tempfile.TemporaryDirectory(prefix="launch-console-") as folder:
        # The folder is 0700; the files are gone once they are read.
        files = []
        for name, pem in zip(("certificate", "key"), certificate, strict=True):
            file = Path(folder) / name
            with os.fdopen(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as out:
                out.write(pem)
            files.append(str(file))
        api.rest_client.ssl_context.load_cert_chain(*files)


def _no_redirects(where: Where) -> Any:
    """Return what stops the library from following a redirect: an API server never sends one."""
    import aiohttp

    async def refuse(_session: object, _context: object, params: Any) -> None:
        response = params.response
        headers = {key.lower(): value for key, value in response.headers.items()}
        refuse_status(where, int(response.status), headers, b"", expected="JSON from the API server")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace


def _check_dates(certificate: str, where: Where, context: str) -> None:
    if not certificate:
        return
    from cryptography import x509

    try:
        until = x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc
    except ValueError:
        raise MisconfiguredError(
            f"{where}: the client certificate of context {context} cannot be read"
        ) from None
    # A certificate's validity is measured against the machine's own time, as TLS itself does.
    if until.timestamp() * SECOND_US < SystemClock().wall_us():
        raise MisconfiguredError(
            f"{where}: the client certificate of context {context} expired on {until:%Y-%m-%d}; renew the credentials"
        )
