"""Where a cluster is and as whom it is asked, as plain values: what the console's client and helm both go by."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from checks.clients.errors import MisconfiguredError, Where
from checks.clients.kubeconfig.merge import Entries, contexts_of, read_entries
from state.base.json import Json, JsonObject, flag, items, obj, objs, text, texts

if TYPE_CHECKING:
    from state.runbook.environment import Kube

IN_CLUSTER: Final = "in-cluster"
"""A context that no kubeconfig needs to have: the service account of the pod that the console runs in."""
SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PROXIES: Final = frozenset({"http", "https", "socks5"})
_PLUGIN_API: Final = re.compile(r"client\.authentication\.k8s\.io/v1(?:beta1)?")


@dataclass(frozen=True, slots=True)
class Address:
    """Which cluster: its server, and whose word is taken for its certificate."""

    server: str
    ca: str
    """sha256 of the authorities' PEM without its white space; ``system`` or ``none`` where none is named."""

    def __str__(self) -> str:
        known = {"system": "the system's authorities", "none": "no certificate is checked"}
        return f"{self.server} ({known.get(self.ca, f'CA {self.ca[:12]}')})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A program that tells credentials (``exec:``)."""

    command: str
    args: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = field(repr=False)
    api_version: str
    wants_cluster: bool
    hint: str
    """What to do where the program is missing, in the file's own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One context, ready to be used. What is secret in it is left out of its repr."""

    context: str
    namespace: str
    server: str
    ca: str = field(repr=False)
    """PEM; empty: the system's authorities."""
    insecure: bool
    server_name: str
    """What the certificate is for, where the server's host isn't it."""
    proxy: str = field(repr=False)
    token: str = field(repr=False)
    token_file: Path | None
    username: str
    password: str = field(repr=False)
    certificate: str = field(repr=False)
    key: str = field(repr=False)
    """PEM, both or neither."""
    impersonate: tuple[tuple[str, str], ...]
    """Headers, some of them several times."""
    plugin: Plugin | None
    entries: Entries = field(repr=False)
    """What the files say, paths absolute."""

    @property
    def address(self) -> Address:
        """Which cluster it leads to."""
        if self.insecure or not self.server.startswith("https:"):
            return Address(self.server, "none")
        bare = "".join(self.ca.split())
        return Address(self.server, sha256(bare.encode()).hexdigest() if bare else "system")

    def secrets(self) -> Iterator[str]:
        """Yield every secret value in it."""
        yield from (one for one in (self.token, self.password, self.key) if one)
        if proxy := urlsplit(self.proxy).password:
            yield proxy
        if self.plugin is not None:
            yield from (value for name, value in self.plugin.env if _secretish(name))


def kubeconfig_path(kube: Kube, environ: Mapping[str, str] = os.environ) -> str:
    """Return the path, or the list of paths, that kubectl would read for this cluster."""
    if kube.kubeconfig is not None:
        return str(kube.kubeconfig.expanduser())
    return environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())


def read_access(
    kube: Kube,
    where: Where,
    environ: Mapping[str, str] = os.environ,
    service_account: Path = SERVICE_ACCOUNT,
) -> Access:
    """Read how a cluster is reached, anew. Raises MisconfiguredError, one line, without a secret."""
    paths = kubeconfig_path(kube, environ)
    if kube.context == IN_CLUSTER and not _has_context(kube, paths, where):
        entries = _in_cluster(where, environ, service_account)
    else:
        entries = read_entries(paths, kube.context, where)
    return _access(kube, entries, f"{where}: kubeconfig {paths}")


def _has_context(kube: Kube, paths: str, where: Where) -> bool:
    if kube.kubeconfig is not None:
        return True  # a file that the runbook names is never passed over
    try:
        return IN_CLUSTER in contexts_of(paths, where)
    except MisconfiguredError:
        return False


def _in_cluster(where: Where, environ: Mapping[str, str], folder: Path) -> Entries:
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "")
    token, ca = folder / "token", folder / "ca.crt"
    if not host or not port or not token.exists():
        raise MisconfiguredError(
            f"{where}: context {IN_CLUSTER} is for a pod with a service account, and this is none; "
            "expected a context of a kubeconfig"
        )
    named = f"[{host}]" if ":" in host else host
    cluster: JsonObject = {"server": f"https://{named}:{port}", "certificate-authority": str(ca)}
    return Entries(cluster, {"tokenFile": str(token)}, {})


def _access(kube: Kube, entries: Entries, source: str) -> Access:
    cluster, user = entries.cluster, entries.user
    _refuse(cluster, user, source)
    token_file = text(user, "tokenFile")
    ca = _pem(cluster, "certificate-authority", source)
    return Access(
        context=kube.context,
        namespace=kube.namespace,
        server=text(cluster, "server").rstrip("/"),
        ca=ca,
        insecure=flag(cluster, "insecure-skip-tls-verify"),
        server_name=text(cluster, "tls-server-name"),
        proxy=_proxy(cluster, source),
        token=text(user, "token") or _oidc(user, source),
        token_file=Path(token_file) if token_file else None,
        username=text(user, "username"),
        password=text(user, "password"),
        certificate=_pem(user, "client-certificate", source),
        key=_pem(user, "client-key", source),
        impersonate=tuple(_impersonated(user)),
        plugin=_plugin(user, source),
        entries=entries,
    )


def _refuse(cluster: JsonObject, user: JsonObject, source: str) -> None:
    """Raise for what kubectl and helm refuse, or would silently do something else for."""
    server = text(cluster, "server")
    if not re.match(r"https?://[^/]", server):
        # client-go would go to localhost:8080.
        raise MisconfiguredError(f"{source} names no server for it; expected https://…")
    named = text(cluster, "certificate-authority") or text(cluster, "certificate-authority-data")
    if flag(cluster, "insecure-skip-tls-verify") and named:
        raise MisconfiguredError(
            f"{source} names an authority and skips verification; kubectl refuses both at once"
        )
    certificate = bool(text(user, "client-certificate") or text(user, "client-certificate-data"))
    if certificate != bool(text(user, "client-key") or text(user, "client-key-data")):
        raise MisconfiguredError(f"{source} has a client certificate without its key, or a key alone")
    bearer = bool(text(user, "token") or text(user, "tokenFile"))
    if bearer and text(user, "username"):
        raise MisconfiguredError(f"{source} has a token and a user name; kubectl refuses both at once")
    if not text(user, "as") and any(key in user for key in ("as-uid", "as-groups", "as-user-extra")):
        raise MisconfiguredError(f"{source} impersonates groups without a user (as:); kubectl refuses it")
    provider = text(obj(user.get("auth-provider")), "name")
    if provider and provider != "oidc":
        raise MisconfiguredError(
            f"{source} uses auth-provider {provider}, which kubectl and helm know no more; expected an exec plugin"
        )


def _pem(entry: JsonObject, key: str, source: str) -> str:
    """Return what ``KEY-data`` or the file of ``KEY`` holds, the former first."""
    if coded := text(entry, f"{key}-data"):
        try:
            return base64.b64decode("".join(coded.split()), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise MisconfiguredError(f"{source}: {key}-data is no base64 of PEM text") from None
    file = text(entry, key)
    if not file:
        return ""
    try:
        return Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not PEM text"
        raise MisconfiguredError(f"{source}: {key} {file} cannot be read ({reason})") from None


def _proxy(cluster: JsonObject, source: str) -> str:
    proxy = text(cluster, "proxy-url")
    if proxy and urlsplit(proxy).scheme not in _PROXIES:
        raise MisconfiguredError(
            f"{source}: its proxy-url is of no known kind; known are {', '.join(sorted(_PROXIES))}"
        )
    return proxy


def _oidc(user: JsonObject, source: str) -> str:
    """Return the token of ``auth-provider: oidc``, which only kubectl may renew: it keeps the new one in the file."""
    if not obj(user.get("auth-provider")):
        return ""
    token = text(obj(obj(user.get("auth-provider")).get("config")), "id-token")
    if not token:
        raise MisconfiguredError(f"{source} has no id-token yet: log in with kubectl first")
    return token


def _impersonated(user: JsonObject) -> Iterator[tuple[str, str]]:
    if name := text(user, "as"):
        yield "Impersonate-User", name
    if uid := text(user, "as-uid"):
        yield "Impersonate-Uid", uid
    for group in texts(user.get("as-groups")):
        yield "Impersonate-Group", group
    for key, values in obj(user.get("as-user-extra")).items():
        for value in texts(values):
            # As client-go does: lower case, and what no header name may hold is percent-encoded.
            yield f"Impersonate-Extra-{quote(key.lower(), safe=_IN_HEADERS)}", value


_IN_HEADERS: Final = "!#$&'*+-.^_`|~"


def _plugin(user: JsonObject, source: str) -> Plugin | None:
    said = obj(user.get("exec"))
    if not said:
        return None
    api, mode = text(said, "apiVersion"), text(said, "interactiveMode")
    if not text(said, "command"):
        raise MisconfiguredError(f"{source}: its exec plugin has no command")
    if not _PLUGIN_API.fullmatch(api):
        raise MisconfiguredError(
            f"{source}: its exec plugin speaks {api or 'no apiVersion'}; expected client.authentication.k8s.io/v1"
        )
    if mode == "Always":
        raise MisconfiguredError(
            f"{source}: its exec plugin asks at a terminal (interactiveMode: Always), which an engine has none of"
        )
    if not mode and api.endswith("/v1"):
        raise MisconfiguredError(f"{source}: its exec plugin has no interactiveMode, which v1 requires")
    return Plugin(
        command=text(said, "command"),
        args=tuple(texts(said.get("args"))),
        env=tuple((text(one, "name"), text(one, "value")) for one in objs(said.get("env"))),
        api_version=api,
        wants_cluster=flag(said, "provideClusterInfo"),
        hint=text(said, "installHint"),
    )


def _secretish(name: str) -> bool:
    return bool(re.search(r"secret|token|password|key$", name, re.IGNORECASE))


def cluster_info(access: Access) -> dict[str, Json]:
    """Return what a plugin with ``provideClusterInfo`` is told of the cluster (ExecCredential's spec.cluster)."""
    said: dict[str, Json] = {"server": access.server}
    if access.ca:
        said["certificate-authority-data"] = base64.b64encode(access.ca.encode()).decode()
    if access.insecure:
        said["insecure-skip-tls-verify"] = True
    if access.server_name:
        said["tls-server-name"] = access.server_name
    if access.proxy:
        said["proxy-url"] = access.proxy
    for one in items(access.entries.cluster.get("extensions")):
        if text(obj(one), "name") == "client.authentication.k8s.io/exec":
            said["config"] = obj(one).get("extension")
    return said
