"""The Kubernetes API over HTTP: a request becomes a verb on a kind, and the store's word an answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from aiohttp import web

from console.rehearsal.sim.kubernetes import logs, problems, verbs, watch
from console.rehearsal.sim.kubernetes.kubectl import discovery, tables
from console.rehearsal.sim.kubernetes.objects import version_of
from console.rehearsal.sim.kubernetes.paths import LARGEST_BODY, WARNINGS, Target, object_of, parse
from console.rehearsal.sim.kubernetes.problems import KubeError, NoRouteError
from console.rehearsal.sim.kubernetes.resources import REVIEWS
from console.rehearsal.sim.kubernetes.reviews import Authorize, everyone, refusal, reviewed
from console.rehearsal.sim.kubernetes.store import Store
from state.base.json import JsonObject

Hook: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse | None]]

NOBODY = "rehearsal"
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_TRUE = ("true", "1")
_TOLD_BY_THE_LIST = ("apiVersion", "kind")


def _no_log(namespace: str, pod: str, container: str) -> str:
    del namespace, pod, container
    return ""


class KubeApi:
    """Serves a store as a Kubernetes API server does.

    ``pod_log`` gives what a container has written. ``tokens`` maps bearer tokens to users (kubectl and helm send
    theirs only over TLS); without it anyone is let in. ``authorize`` says what a user may do. Each of ``hooks`` is
    awaited before a request is looked at and may answer in its place, or never: that is how an API server fails
    in the rehearsal.
    """

    def __init__(
        self,
        store: Store,
        *,
        pod_log: logs.PodLog = _no_log,
        tokens: Mapping[str, str] | None = None,
        authorize: Authorize = everyone,
        bookmark_every_s: float = 60.0,
    ) -> None:
        self.store = store
        self.hooks: list[Hook] = []
        self._pod_log = pod_log
        self._tokens = tokens
        self._authorize = authorize
        self._bookmark_every_s = bookmark_every_s
        self._closing = watch.Closing()

    def application(self) -> web.Application:
        """Return the application to be served; its end ends the watches."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._answer)

        async def end(app: web.Application) -> None:
            del app
            self.drop_watches()

        app.on_shutdown.append(end)
        return app

    def drop_watches(self) -> None:
        """End every watch that is open, as a restart of the API server does."""
        self._closing.generation += 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        for hook in self.hooks:
            answer = await hook(request)
            if answer is not None:
                return answer
        try:
            user = self._user(request)
            return discovery.answer(request) or await self._served(request, user)
        except KubeError as refused:
            return _json(refused.status(), refused.code)
        except NoRouteError:
            return web.Response(text="404 page not found\n", status=404)

    def user_of(self, request: web.Request) -> str:
        """Return who asks. Raises KubeError (401) for a token that nobody has."""
        return self._user(request)

    def _user(self, request: web.Request) -> str:
        if self._tokens is None:
            return NOBODY
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token not in self._tokens:
            raise problems.unauthorized()
        return self._tokens[token]

    async def _served(self, request: web.Request, user: str) -> web.StreamResponse:
        target = parse(request.path)
        if target.resource in REVIEWS:
            if request.method != "POST":
                raise problems.not_allowed()
            asked = await object_of(request, target)
            return _json(reviewed(target.resource.kind, asked, user, self._authorize), 201)
        verb = _verb(request, target)
        plural = f"{target.resource.plural}/{target.sub}" if target.sub else target.resource.plural
        if not self._authorize(user, verb, target.resource.group, plural, target.where):
            raise refusal(user, verb, target)
        if verb in ("get", "list", "watch"):
            return await self._read(request, target, verb)
        return await self._written(request, target, verb)

    async def _read(self, request: web.Request, target: Target, verb: str) -> web.StreamResponse:
        if verb == "watch":
            return await watch.stream(
                request,
                target,
                self.store,
                self._closing,
                lambda body: self._shaped(
                    request, target, [body], {"resourceVersion": str(version_of(body))}, body
                ),
                self._bookmark_every_s,
            )
        if target.sub == "log":
            return await logs.answer(request, target, self.store, self._pod_log)
        if verb == "get":
            found = self.store.need(target.resource.plural, target.namespace, target.name)
            found = verbs.scale(found) if target.sub == "scale" else found
            return _json(
                self._shaped(request, target, [found], {"resourceVersion": str(version_of(found))}, found)
            )
        bodies, meta = verbs.listed(self.store, request, target)
        return _json(self._shaped(request, target, bodies, meta, _list(target, bodies, meta)))

    async def _written(self, request: web.Request, target: Target, verb: str) -> web.Response:
        if verb == "create":
            body, code = await verbs.create(self.store, request, target), 201
        elif verb == "update":
            body, code = await verbs.update(self.store, request, target), 200
        elif verb == "patch":
            body, code = await verbs.patched(self.store, request, target)
        elif verb == "delete":
            body, code = await verbs.delete(self.store, request, target), 200
        else:
            gone = await verbs.delete_all(self.store, request, target)
            body, code = _list(target, gone, {"resourceVersion": str(self.store.version)}), 200
        answer = _json(body, code)
        for warning in request.get(WARNINGS, ()):
            answer.headers.add("Warning", f"299 - {json.dumps(warning)}")
        return answer

    def _shaped(
        self,
        request: web.Request,
        target: Target,
        bodies: list[JsonObject],
        meta: JsonObject,
        plain: JsonObject,
    ) -> JsonObject:
        if target.sub == "scale" or not tables.accepts_table(request.headers.get("Accept", "")):
            return plain
        whole = request.query.get("includeObject") == "Object"
        now = self.store.clock.wall_us() / 1_000_000
        return tables.table(target.resource, bodies, meta, now, whole=whole)


def _verb(request: web.Request, target: Target) -> str:
    if request.method == "GET":
        if target.name:
            return "get"
        return "watch" if request.query.get("watch") in _TRUE else "list"
    verb = _VERBS.get(request.method)
    if verb is None or (verb in ("update", "patch") and not target.name):
        raise problems.not_allowed()
    return "deletecollection" if verb == "delete" and not target.name else verb


def _list(target: Target, bodies: list[JsonObject], meta: JsonObject) -> JsonObject:
    resource = target.resource
    return {
        "kind": f"{resource.kind}List",
        "apiVersion": resource.api_version,
        "metadata": meta,
        # What a list's items are stands in the list alone.
        "items": [{key: one for key, one in body.items() if key not in _TOLD_BY_THE_LIST} for body in bodies],
    }


def _json(body: JsonObject, code: int = 200) -> web.Response:
    written = json.dumps(body, separators=(",", ":"))
    return web.Response(text=written, status=code, content_type="application/json")
