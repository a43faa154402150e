"""A kubeconfig read into a ready ApiClient, with one clear message for each way it can be unusable."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from checks.clients.answers import refuse_status
from checks.clients.errors import MisconfiguredError, Where
from state.base.clock import SystemClock
from state.base.text import line
from state.base.times import SECOND_US

if TYPE_CHECKING:
    from state.runbook.environment import Kube


def kubeconfig_path(kube: Kube) -> str:
    """Return the path, or the list of paths, that kubectl would read for this cluster.

    Never a path that does not exist: helm and kubectl then silently talk to localhost:8080.
    """
    if kube.kubeconfig is not None:
        return str(kube.kubeconfig.expanduser())
    return os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())


def is_loopback(url: str) -> bool:
    """Return whether a URL leads to this machine, where no proxy of the environment may stand between."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


async def open_api(kube: Kube, where: Where) -> Any:
    """Return a ``kubernetes.aio`` ApiClient for the cluster's context.

    Raises MisconfiguredError for a kubeconfig that is missing, unreadable, broken, expired or lacks the
    context.
    """
    paths = kubeconfig_path(kube)
    _check_files(paths, where)
    from kubernetes.aio import config
    from kubernetes.aio.client.api_client import ApiClient
    from kubernetes.aio.client.configuration import Configuration

    settings = Configuration()
    settings.retries = None  # False would mean 0 attempts, which the library never reaches: retries for ever
    try:
        await config.load_kube_config(
            config_file=paths, context=kube.context, client_configuration=settings, persist_config=False
        )
    except config.ConfigException as error:
        raise MisconfiguredError(_explain(where, paths, kube.context, error)) from None
    except Exception as error:  # yaml, type and file errors of a broken file all mean the same here
        raise MisconfiguredError(
            f"{where}: kubeconfig {paths} cannot be read ({type(error).__name__}); expected a kubeconfig file"
        ) from None
    _check_client_certificate(settings.cert_file, where, paths)
    settings.trace_configs = [_no_redirects(where)]
    if is_loopback(settings.host):
        settings.client_session_kwargs = {"trust_env": False}
    try:
        return ApiClient(configuration=settings)
    except (OSError, ValueError) as error:
        raise MisconfiguredError(
            f"{where}: the certificates in kubeconfig {paths} cannot be used ({line(str(error), 120)})"
        ) from None


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


def _check_files(paths: str, where: Where) -> None:
    found = False
    for path in (Path(part) for part in paths.split(os.pathsep) if part):
        if not path.exists():
            continue
        found = True
        if not os.access(path, os.R_OK) or path.is_dir():
            raise MisconfiguredError(
                f"{where}: kubeconfig {path} cannot be read; expected a file that you may read"
            )
    if not found:
        raise MisconfiguredError(
            f"{where}: kubeconfig {paths} does not exist; "
            "name one in the runbook (kube.kubeconfig) or in KUBECONFIG"
        )


def _explain(where: Where, paths: str, context: str, error: Exception) -> str:
    reason = line(str(error), 160)
    if f"name {context}" in reason:
        return (
            f"{where}: kubeconfig {paths} has no context {context!r}; expected the one that the runbook names"
        )
    return f"{where}: kubeconfig {paths} cannot be used ({reason})"


def _check_client_certificate(cert_file: str | None, where: Where, paths: str) -> None:
    if not cert_file:
        return
    from cryptography import x509

    try:
        until = x509.load_pem_x509_certificate(Path(cert_file).read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        raise MisconfiguredError(
            f"{where}: the client certificate in kubeconfig {paths} cannot be read"
        ) from None
    # A certificate's validity is measured against the machine's own time, as TLS itself does.
    if until.timestamp() * SECOND_US < SystemClock().wall_us():
        raise MisconfiguredError(
            f"{where}: the client certificate in kubeconfig {paths} expired on {until:%Y-%m-%d}; "
            "renew the credentials"
        )
