"""Kubernetes as raw JSON, through kubernetes.aio's ApiClient, without its typed models.

The models cost a second of start-up and refuse whole lists over one odd object, so none is loaded. Values
of every Secret that passes through are registered with the redactor.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from checks.clients.answers import BODY_LIMIT, read_object, refuse_status, too_large
from checks.clients.errors import (
    GoneError,
    TooLargeError,
    Where,
    WrongContentError,
    from_transport,
)
from checks.clients.kube_object import secret_values
from checks.clients.kubeconfig.connection import load
from checks.clients.kubeconfig.session import KUBE_SYSTEM, Identity, Session, Sessions
from checks.errors import CouldNotLookError
from state.base.json import Json, JsonObject, flag, obj, objs, text

if TYPE_CHECKING:
    from checks.clients.redact import Redactor
    from state.runbook.environment import Kube

_ESCAPED: Final = re.compile("[\x7f-\uffff]")
Query = Mapping[str, str | int]

_PATCHES: Final = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    # The charset makes the client send the text as it is; the server leaves it out.
    "apply": "application/apply-patch+yaml; charset=utf-8",
}
# kubectl's page size. Where that many are more than BODY_LIMIT (sidecars, annotations), pages get smaller.
_PAGE: Final = 500
# Less than the whole of a call: a connection that isn't made soon is tried again sooner, when the network is back.
_CONNECT_S: Final = 4.0


@dataclass(frozen=True, slots=True)
class KubeList:
    """All objects of a list, and the resourceVersion that a watch goes on from."""

    items: tuple[JsonObject, ...]
    resource_version: str


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One line of a watch: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR, and its object."""

    type: str
    object: JsonObject


class _Again(Exception):  # noqa: N818  no error: it leaves a call that is made once more
    """The server wanted other credentials, and there are some."""


class KubeClient:
    """One cluster context. Every call has a real-time timeout and is made once."""

    def __init__(self, kube: Kube, environment: str, redactor: Redactor, *, timeout: float = 10.0) -> None:
        self.namespace = kube.namespace
        self.where = Where("Kubernetes", environment)
        self._redactor = redactor
        self._timeout = timeout
        self._sessions = Sessions(kube, self.where, redactor)
        self._pages: dict[str, int] = {}
        """How many objects of a list fit into an answer, where the usual number doesn't."""

    def fix(self, identity: Identity) -> None:
        """Say which cluster it must be: where the kubeconfig leads elsewhere, calls raise MisconfiguredError."""
        self._sessions.fix(identity)

    async def identity(self) -> Identity:
        """Return which cluster it is. Raises where kube-system can't be read."""
        found = await self.get(KUBE_SYSTEM)
        async with self._sessions.using() as (session, _):
            return Identity(session.address, text(obj(found.get("metadata")), "uid"))

    async def address(self) -> Identity:
        """Return what the kubeconfig alone says of which cluster it is. Raises MisconfiguredError."""
        async with self._sessions.using() as (session, _):
            return Identity(session.address)

    async def alive(self, timeout: float) -> None:  # noqa: ASYNC109  shorter than of any other question
        """Return when the API server answers anything at all; otherwise raise.

        What the account may read is another question.
        """
        status, headers, body = await self._once(
            "GET", "/version", None, expected="an answer", timeout=timeout
        )
        if status >= 500:
            refuse_status(self.where, status, headers, body, expected="an answer")

    async def get(self, path: str, query: Query | None = None) -> JsonObject:
        """Return the object at an API path such as ``/api/v1/namespaces/x/pods/y``."""
        return await self._json("GET", path, query, permission=f"get {path}")

    async def list_objects(self, path: str, query: Query | None = None) -> KubeList:
        """Return every object of a list, page by page.

        A page that is larger than an answer may be is asked for again with half as many objects.
        """
        try:
            return await self._listed(path, query)
        except GoneError:
            # The pages after the first are of one moment, which the server forgets after some minutes.
            return await self._listed(path, query)

    async def _listed(self, path: str, query: Query | None) -> KubeList:
        asked: dict[str, str | int] = {"limit": self._pages.get(path, _PAGE), **(query or {})}
        found: list[JsonObject] = []
        while True:
            try:
                page = await self._json("GET", path, asked, permission=f"list {path}")
            except TooLargeError:
                half = int(asked["limit"]) // 2
                if not half:
                    raise
                asked["limit"] = self._pages[path] = half
                continue
            if "items" not in page:
                raise WrongContentError(f"{self.where} answered GET {path} without items; expected a list")
            found.extend(objs(page.get("items")))
            meta = obj(page.get("metadata"))
            following = text(meta, "continue")
            if not following:
                return KubeList(tuple(found), text(meta, "resourceVersion"))
            asked["continue"] = following

    async def create(self, path: str, body: JsonObject) -> JsonObject:
        """Create an object in a collection and return it as the server keeps it."""
        return await self._json("POST", path, None, body, permission=f"create {path}")

    async def patch(self, path: str, body: Json, kind: str = "merge") -> JsonObject:
        """Patch an object; ``kind`` is ``merge``, ``strategic`` or ``json`` (then ``body`` is a list)."""
        return await self._json("PATCH", path, None, body, content=_PATCHES[kind], permission=f"patch {path}")

    async def apply_dry_run(
        self, path: str, body: JsonObject, manager: str, *, force: bool = True
    ) -> JsonObject:
        """Return what the server would store if an object were applied by a field manager, and change nothing.

        With ``force`` over all conflicts; without, ConflictError is raised where another manager has one of the
        fields. Raises the errors of a call, also where an admission webhook doesn't take dry runs.
        """
        query: dict[str, str | int] = {"dryRun": "All", "fieldManager": manager}
        if force:
            query["force"] = "true"
        return await self._json(
            "PATCH", path, query, _as_yaml(body), content=_PATCHES["apply"], permission=f"patch {path}"
        )

    async def delete(self, path: str, query: Query | None = None) -> JsonObject:
        """Delete an object. What comes back is a Status or the object, depending on its kind."""
        return await self._json("DELETE", path, query, permission=f"delete {path}")

    async def access_review(
        self,
        verb: str,
        group: str,
        resource: str,
        namespace: str | None = None,
        subresource: str = "",
        *,
        name: str = "",
    ) -> bool:
        """Return whether our own account may do this (a SelfSubjectAccessReview)."""
        expected: dict[str, Json] = {
            "verb": verb,
            "group": group,
            "resource": resource,
            "namespace": self.namespace if namespace is None else namespace,
        }
        if subresource:
            expected["subresource"] = subresource
        if name:
            expected["name"] = name
        review: JsonObject = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": expected},
        }
        answer = await self.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        return flag(obj(answer.get("status")), "allowed")

    async def ready(self) -> bool:
        """Return whether the API server says that it is ready: until then it may refuse what it will allow."""
        try:
            await self._send("GET", "/readyz", None, permission="get /readyz", expected="ok from GET /readyz")
        except CouldNotLookError:
            return False
        return True

    async def pod_logs(self, pod: str, *, container: str | None = None, tail: int = 500) -> str:
        """Return the last lines of a pod's log, at most 1 MiB."""
        query: dict[str, str | int] = {"tailLines": tail, "limitBytes": 1024 * 1024}
        if container is not None:
            query["container"] = container
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/log"
        _, _, body = await self._send(
            "GET", path, query, permission=f"get pods/log of {pod}", expected="log text"
        )
        return body.decode(errors="replace")

    async def secret(self, name: str, namespace: str | None = None) -> dict[str, str]:
        """Return a Secret's values in clear text, for judging in memory only.

        The redactor knows them from here on.
        """
        found = await self.get(f"/api/v1/namespaces/{namespace or self.namespace}/secrets/{name}")
        return secret_values(found)

    async def watch(self, path: str, query: Query, *, idle_timeout: float) -> AsyncIterator[WatchEvent]:
        """Yield a watch's events until the server ends it.

        ``idle_timeout`` is the longest silence in real seconds (bookmarks break it). Raises TimedOutError
        after it, GoneError where the server refuses the resourceVersion, and the other errors of a call.
        """
        import aiohttp

        # A watch has no total limit, only one on silence: a half-open connection never raises by itself.
        limits = aiohttp.ClientTimeout(
            total=None, connect=self._timeout, sock_connect=_CONNECT_S, sock_read=idle_timeout
        )
        asked = {**query, "watch": "true", "allowWatchBookmarks": "true"}
        expected = f"a watch of {path}"
        try:
            async with (
                self._sessions.using() as (session, authorization),
                await self._open(session, authorization, "GET", path, asked, limits=limits) as response,
            ):
                headers = {key.lower(): value for key, value in response.headers.items()}
                if response.status != 200:
                    body = await response.content.read(64 * 1024)
                    if response.status == 401:
                        await self._sessions.refused(session, authorization)
                    refuse_status(
                        self.where,
                        response.status,
                        headers,
                        body,
                        expected=expected,
                        permission=f"watch {path}",
                    )
                async for line in response.content:
                    if line.strip():
                        told = read_object(self.where, headers, line, expected=expected)
                        yield self._seen(WatchEvent(text(told, "type"), obj(told.get("object"))))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise self._transport(error, expected, idle_timeout) from None

    async def aclose(self) -> None:
        """Close the connections, those in use too."""
        await self._sessions.aclose()

    def _seen(self, event: WatchEvent) -> WatchEvent:
        self._learn(event.object)
        return event

    def _learn(self, found: JsonObject) -> None:
        for one in (found, *objs(found.get("items"))):
            if text(one, "kind") == "Secret" or text(found, "kind") == "SecretList":
                for key, value in secret_values(one).items():
                    self._redactor.register_pair(key, value)

    async def _json(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: Json = None,
        *,
        permission: str,
        content: str = "application/json",
    ) -> JsonObject:
        expected = f"JSON from {method} {path}"
        _, headers, answer = await self._send(
            method, path, query, body, content=content, permission=permission, expected=expected
        )
        found = read_object(self.where, headers, answer, expected=expected)
        self._learn(found)
        return found

    async def _send(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: Json = None,
        *,
        permission: str,
        expected: str,
        content: str = "application/json",
    ) -> tuple[int, Mapping[str, str], bytes]:
        try:
            status, headers, answer = await self._once(
                method, path, query, body, expected=expected, content=content, timeout=self._timeout
            )
        except _Again:
            # Only because nothing was done: the server refused who asked, and there are other credentials now.
            status, headers, answer = await self._once(
                method,
                path,
                query,
                body,
                expected=expected,
                content=content,
                timeout=self._timeout,
                last=True,
            )
        refuse_status(self.where, status, headers, answer, expected=expected, permission=permission)
        return status, headers, answer

    async def _once(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: Json = None,
        *,
        expected: str,
        timeout: float,  # noqa: ASYNC109  each question has its own
        content: str = "application/json",
        last: bool = False,
    ) -> tuple[int, Mapping[str, str], bytes]:
        import aiohttp

        load()
        # Two timeouts: aiohttp's starts with the request, ours also covers a plugin of the kubeconfig.
        limits = aiohttp.ClientTimeout(total=timeout, sock_connect=min(timeout, _CONNECT_S))
        try:
            async with asyncio.timeout(timeout), self._sessions.using() as (session, authorization):
                answering = await self._open(
                    session, authorization, method, path, query, body, content=content, limits=limits
                )
                async with answering as response:
                    status = int(response.status)
                    headers = {key.lower(): value for key, value in response.headers.items()}
                    answer = bytes(await self._read(response, expected))
                if status == 401 and await self._sessions.refused(session, authorization) and not last:
                    raise _Again
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise self._transport(error, expected, timeout) from None
        return status, headers, answer

    async def _read(self, response: Any, expected: str) -> bytearray:
        answer = bytearray()
        async for piece in response.content.iter_any():
            answer += piece
            if len(answer) > BODY_LIMIT:
                raise too_large(self.where, expected)
        return answer

    async def _open(
        self,
        session: Session,
        authorization: str,
        method: str,
        path: str,
        query: Query | None,
        body: Json = None,
        *,
        content: str = "application/json",
        limits: object,
    ) -> Any:
        target = f"{path}?{urlencode(query)}" if query else path
        headers = {"Accept": "application/json", "Content-Type": content}
        if authorization:
            headers["Authorization"] = authorization
        verb, url, sent, _, _ = await session.api.param_serialize(method, target, header_params=headers)
        answer = await session.api.call_api(verb, url, sent, body=body, _request_timeout=limits)
        return answer.response

    def _transport(self, error: BaseException, expected: str, timeout: float) -> Exception:
        return from_transport(
            self.where, error, address=self._sessions.server, expected=expected, timeout=timeout
        )


def _as_yaml(body: JsonObject) -> str:
    """Return an object as JSON that go-yaml reads too: it knows no pairs of surrogates, and folds some signs."""
    return _ESCAPED.sub(lambda sign: f"\\u{ord(sign[0]):04x}", json.dumps(body, ensure_ascii=False))
