"""The stand-in's way to the Kubernetes API: a kubeconfig and a few calls, on the standard library alone."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import quote, urlencode, urlsplit

import yaml

from console.rehearsal.sim.fast_yaml import load
from state.base.json import Json, JsonObject, obj, objs, path, text

_TIMEOUT_S = 30.0
MERGE_PATCH = "application/merge-patch+json"

_PLURALS = {
    ("v1", "ConfigMap"): "configmaps",
    ("v1", "Secret"): "secrets",
    ("v1", "Service"): "services",
    ("v1", "ServiceAccount"): "serviceaccounts",
    ("v1", "Namespace"): "namespaces",
    ("apps/v1", "Deployment"): "deployments",
    ("batch/v1", "Job"): "jobs",
    ("batch/v1", "CronJob"): "cronjobs",
    ("networking.k8s.io/v1", "Ingress"): "ingresses",
    ("policy/v1", "PodDisruptionBudget"): "poddisruptionbudgets",
    ("autoscaling/v2", "HorizontalPodAutoscaler"): "horizontalpodautoscalers",
}


class HelmError(Exception):
    """A failure whose text helm would print after ``Error: ``."""


class ApiError(Exception):
    """The API server refused: an HTTP status, Kubernetes' reason and its message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Access:
    """Where an API server is and how to identify there."""

    server: str
    namespace: str
    token: str | None = field(default=None, repr=False)
    ca: str | None = None
    insecure: bool = False


def _named(config: JsonObject, part: str, name: str) -> JsonObject | None:
    return next((o for o in objs(config.get(part)) if text(o, "name") == name), None)


def read_access(kubeconfig: Path, context: str | None) -> Access:
    """Return how to reach the cluster of a kubeconfig's context (None: the current one).

    Raises HelmError in helm's words; a file that is not there is an error too (helm itself would try
    localhost:8080, which nobody wants).
    """
    try:
        config = load(kubeconfig.read_text())
    except OSError as error:
        reason = (error.strerror or "error").lower()
        raise HelmError(f"Kubernetes cluster unreachable: stat {kubeconfig}: {reason}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise HelmError(f'Kubernetes cluster unreachable: error loading config file "{kubeconfig}"') from None
    name = context or text(config, "current-context")
    entry = _named(config, "contexts", name)
    if entry is None:
        raise HelmError(f'Kubernetes cluster unreachable: context "{name}" does not exist')
    chosen = obj(entry.get("context"))
    cluster = obj((_named(config, "clusters", text(chosen, "cluster")) or {}).get("cluster"))
    user = obj((_named(config, "users", text(chosen, "user")) or {}).get("user"))
    ca = text(cluster, "certificate-authority-data")
    token = text(user, "token")
    if not token and (token_file := text(user, "tokenFile")):
        token = Path(token_file).read_text().strip()
    return Access(
        server=text(cluster, "server", "http://localhost:8080").rstrip("/"),
        namespace=text(chosen, "namespace", "default"),
        token=token or None,
        ca=base64.b64decode(ca).decode() if ca else _read_ca(text(cluster, "certificate-authority")),
        insecure=cluster.get("insecure-skip-tls-verify") is True,
    )


def _read_ca(file: str) -> str | None:
    return Path(file).read_text() if file else None


def collection(api_version: str, kind: str, namespace: str) -> str:
    """Return the path of a kind's objects in a namespace.

    Raises HelmError for a kind that this stand-in does not know.
    """
    plural = _PLURALS.get((api_version, kind))
    if plural is None:
        raise HelmError(
            f'unable to build kubernetes objects: no matches for kind "{kind}" in version "{api_version}"'
        )
    root = f"/api/{api_version}" if "/" not in api_version else f"/apis/{api_version}"
    return f"{root}/{plural}" if kind == "Namespace" else f"{root}/namespaces/{namespace}/{plural}"


def object_path(item: JsonObject, namespace: str) -> str:
    """Return the path of one object; the object's own namespace wins."""
    own = path(item, ("metadata", "namespace"))
    where = own if isinstance(own, str) else namespace
    name = path(item, ("metadata", "name"))
    return f"{collection(text(item, 'apiVersion'), text(item, 'kind'), where)}/{quote(str(name))}"


class Cluster:
    """One kept connection to an API server. Not for several threads."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._connection = _connection(access)

    def call(
        self, method: str, target: str, body: JsonObject | None = None, *, content: str = "application/json"
    ) -> JsonObject:
        """Send a request and return the answer's JSON object.

        Raises ApiError for a refusal, and HelmError where the server cannot be reached or does not
        answer with JSON.
        """
        headers = {"Accept": "application/json", "User-Agent": "Helm/3.17.2"}
        if self.access.token:
            headers["Authorization"] = f"Bearer {self.access.token}"
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = content
        status, answer = self._exchange(method, target, data, headers)
        try:
            value = obj(json.loads(answer or b"{}"))
        except ValueError:
            raise HelmError(f"Kubernetes cluster unreachable: {method} {target} gave no JSON") from None
        if status >= 400:
            message = text(value, "message") or f"the server answered {status}"
            raise ApiError(status, text(value, "reason"), message)
        return value

    def _exchange(
        self, method: str, target: str, data: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        try:
            for attempt in (1, 2):
                try:
                    self._connection.request(method, target, data, headers)
                    answer = self._connection.getresponse()
                    return answer.status, answer.read()
                except (http.client.BadStatusLine, http.client.CannotSendRequest, BrokenPipeError):
                    # a kept connection that the server closed meanwhile: nothing was answered
                    self._connection.close()
                    if attempt == 2 or method == "POST":
                        raise
        except ConnectionRefusedError:
            reason = f"dial tcp {urlsplit(self.access.server).netloc}: connect: connection refused"
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
        self._connection.close()
        raise HelmError(
            f'Kubernetes cluster unreachable: {method.title()} "{self.access.server}{target}": {reason}'
        )

    def get(self, target: str) -> JsonObject | None:
        """Return an object, or None where there is none."""
        try:
            return self.call("GET", target)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def list(self, target: str, selector: str) -> list[JsonObject]:
        """Return the objects of a collection that carry the labels of ``selector``."""
        return objs(self.call("GET", f"{target}?{urlencode({'labelSelector': selector})}").get("items"))

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def _connection(access: Access) -> http.client.HTTPConnection:
    where = urlsplit(access.server)
    host = where.hostname or "localhost"
    if where.scheme == "https":
        context = ssl.create_default_context(cadata=access.ca)
        if access.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(host, where.port or 443, timeout=_TIMEOUT_S, context=context)
    return http.client.HTTPConnection(host, where.port or 80, timeout=_TIMEOUT_S)


def mutable(value: Json | object) -> dict[str, Json]:
    """Return a deep copy of a JSON object that may be changed."""
    return cast("dict[str, Json]", json.loads(json.dumps(value)))
