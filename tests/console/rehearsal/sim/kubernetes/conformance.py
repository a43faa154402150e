"""The same requests for the simulated API and for the real one, and what of an answer is compared.

``real_answers.json`` beside this file holds what the real API server said, so that the simulated one is held to it on
every machine; where the control plane is built, the recording itself is held to the server. To record anew:

    python -m tests.console.rehearsal.sim.kubernetes.conformance
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from console.rehearsal.sim.kubernetes import bootstrap
from state.base.json import Json, JsonObject, obj, objs, text
from tests.cluster import build
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kube_api import KubeHttp
from tests.console.rehearsal.sim.kubernetes import recorded_rbac, recorded_schemas

FILE = Path(__file__).with_name("real_answers.json")
NAMESPACE = "like-the-real-one"
_GROUPS = {
    "deployments": "apps/v1",
    "statefulsets": "apps/v1",
    "daemonsets": "apps/v1",
    "jobs": "batch/v1",
    "cronjobs": "batch/v1",
    "ingresses": "networking.k8s.io/v1",
    "networkpolicies": "networking.k8s.io/v1",
    "horizontalpodautoscalers": "autoscaling/v2",
    "poddisruptionbudgets": "policy/v1",
    "roles": "rbac.authorization.k8s.io/v1",
    "rolebindings": "rbac.authorization.k8s.io/v1",
    "leases": "coordination.k8s.io/v1",
    "endpointslices": "discovery.k8s.io/v1",
}

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
BEHIND = {"continue": ""}
"""A query for what comes behind the answer before."""
Answer: TypeAlias = tuple[int, JsonObject, list[str]]
"""Status, object and warnings."""
Send: TypeAlias = Callable[["Ask"], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Ask:
    """A request."""

    method: str
    path: str
    body: Json = None
    kind: str = "application/json"
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """Requests one after the other; what the last one is answered is compared."""

    name: str
    asks: Sequence[Ask]
    owners: bool = False
    """Whether who owns which field is compared too."""


def at(plural: str, name: str = "", sub: str = "", *, namespace: str = NAMESPACE) -> str:
    """Return the path of a collection, an object or a subresource."""
    group = _GROUPS.get(plural)
    root = f"/apis/{group}" if group else "/api/v1"
    return "/".join(part for part in (f"{root}/namespaces/{namespace}", plural, name, sub) if part)


def post(plural: str, body: JsonObject, **query: str) -> Ask:
    """Return the creation of an object."""
    return Ask("POST", at(plural), body, query=query)


def get(plural: str, name: str = "", **query: str) -> Ask:
    """Return the reading of an object or a collection."""
    return Ask("GET", at(plural, name), query=query)


def put(plural: str, body: JsonObject, sub: str = "") -> Ask:
    """Return the replacement of an object."""
    return Ask("PUT", at(plural, str(obj(body["metadata"])["name"]), sub), body)


def patch(plural: str, name: str, body: Json, kind: str = MERGE, sub: str = "", **query: str) -> Ask:
    """Return a patch of an object."""
    return Ask("PATCH", at(plural, name, sub), body, kind, query)


def applied(plural: str, body: JsonObject, manager: str = "one", **query: str) -> Ask:
    """Return a server-side apply."""
    name = str(obj(body["metadata"])["name"])
    return Ask("PATCH", at(plural, name), body, APPLY, {"fieldManager": manager, **query})


def delete(plural: str, name: str = "", body: Json = None, **query: str) -> Ask:
    """Return the deletion of an object, or of all in a collection."""
    return Ask("DELETE", at(plural, name), body, query=query)


# What differs from one run to the next, and between two clusters.
_VOLATILE = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "selfLink")
_CONTROLLERS = "deployment.kubernetes.io/revision"
_IP = re.compile(r"^10\.96\.\d+\.\d+$")
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_VERSION = re.compile(r"resource version: \d+ \(\d+\)")
_INSIDE = re.compile(
    r'Invalid value: (?:"(?:\{.*\}|map\[.*\]|)"|\{"labels":\{.*?\},"Spec":.*\}|\{"metadata":.*\}): '
)
"""An object as the server has it inside, in a message."""
_DIFF = re.compile(r"\n@@ .*", re.DOTALL)
_BEHIND = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}$")


def compared(status: int, answer: JsonObject, warnings: Sequence[str] = ()) -> JsonObject:
    """Return what of an answer is compared: all but identities, times, addresses, and what controllers add."""
    told: JsonObject = {"status": status, "body": _masked(dict(answer), ())}
    return {**told, "warnings": list(warnings)} if warnings else told


def without_words(value: Json) -> Json:
    """Return what is compared without its messages."""
    if isinstance(value, Mapping):
        return {key: without_words(one) for key, one in value.items() if key != "message"}
    return [without_words(one) for one in value] if isinstance(value, list) else value


def _masked(value: Json, place: tuple[str, ...]) -> Json:
    if isinstance(value, Mapping):
        kept: dict[str, Json] = {}
        for key, one in value.items():
            if key == _CONTROLLERS or (place[-1:] == ("metadata",) and key in _VOLATILE):
                continue
            if key == "continue":
                kept[key] = "a token"
            elif key == "nodePort":
                kept[key] = "a port"
            elif key != "status" or not isinstance(one, Mapping) or _tells(value):
                kept[key] = _masked(one, (*place, key))
        return {key: one for key, one in kept.items() if key != "annotations" or one}
    if isinstance(value, list | tuple):
        return [_masked(one, place) for one in value]
    if isinstance(value, str):
        return _text(value)
    return value


def _tells(answer: Mapping[str, Json]) -> bool:
    """Return whether an object's status is the API server's own, and not a controller's that may have come yet."""
    return answer.get("kind") in {"Namespace", "Scale", "SelfSubjectAccessReview", "Status"}


def _text(value: str) -> str:
    if _IP.match(value):
        return "an address"
    if _STAMP.match(value):
        return "a time"
    bare = _DIFF.sub("", _INSIDE.sub("Invalid value: an object: ", value))
    return _BEHIND.sub("-xxxxx", _VERSION.sub("version: any", _UID.sub("a uid", bare)))


async def asked(send: Send, case: Case) -> JsonObject:
    """Send a case's requests; return what is compared of the last answer."""
    answer: Answer = 0, {}, []
    for each in case.asks:
        ask = each
        if ask.query.get("continue") == "":
            token = text(obj(answer[1].get("metadata")), "continue")
            ask = replace(ask, query={**ask.query, "continue": token})
        answer = await send(ask)
    status, body, warnings = answer
    if case.asks[-1].query.get("watch") and status == 200:
        body = {"events": [json.loads(line) for line in text(body, "message").splitlines()]}
    told = compared(status, body, warnings)
    return {**told, "owners": _owners(body)} if case.owners else told


def _owners(body: JsonObject) -> Json:
    """Return who owns which fields, by their marks; a mark that something is there at all is left out."""
    entries = [
        {
            key: _marks(one) if key == "fieldsV1" else one
            for key, one in sorted(entry.items())
            if key != "time"
        }
        for entry in objs(obj(body.get("metadata")).get("managedFields"))
        if entry.get("manager") != "kube-controller-manager"
    ]
    return sorted(entries, key=json.dumps)


def _marks(fields: Json) -> Json:
    return {mark: _marks(inner) for mark, inner in sorted(obj(fields).items()) if mark != "."}


def recorded() -> dict[str, JsonObject]:
    """Return the real API server's answers by the case's name."""
    return {name: obj(answer) for name, answer in obj(json.loads(FILE.read_text())["answers"]).items()}


SETUP = (
    Ask("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}}),
    post("serviceaccounts", {"metadata": {"name": "default"}}),
)
"""Before the first case. Where controllers run, the account is there already: that answer isn't compared."""


def sender(api: KubeHttp) -> Send:
    """Return how a request is sent to either of the two."""

    async def send(ask: Ask) -> Answer:
        return await api.told(ask.method, ask.path, ask.body, query=ask.query, kind=ask.kind)

    return send


@asynccontextmanager
async def real_server(folder: Path) -> AsyncIterator[KubeHttp]:
    """Start a control plane of our own without controllers: nothing moves between a request and its answer."""
    plane = ControlPlane(folder, build.build(print))
    try:
        await plane.start(controllers=False)
        async with plane.api() as api:
            yield api
    finally:
        plane.stop()


async def all_answers(api: KubeHttp, cases: Sequence[Case]) -> dict[str, JsonObject]:
    """Send every case's requests, after what stands before the first; return the answers by name."""
    send = sender(api)
    for ask in SETUP:
        await send(ask)
    return {case.name: await asked(send, case) for case in cases}


async def _record() -> None:
    from tests.console.rehearsal.sim.kubernetes.conformance_more import CASES

    with tempfile.TemporaryDirectory() as folder:
        async with real_server(Path(folder)) as api:
            answers = await all_answers(api, CASES)
            openapi, rbac = await api.get("/openapi/v2"), await recorded_rbac.read(api)
    for file, body in (
        (FILE, {"kubernetes": build.version(), "answers": answers}),
        (recorded_schemas.FILE, recorded_schemas.compact(openapi)),
        (bootstrap.FILE, rbac),
    ):
        file.write_text(json.dumps(body, indent=1, sort_keys=True) + "\n")
    sys.stdout.write(f"{len(answers)} answers\n")


if __name__ == "__main__":
    asyncio.run(_record())
