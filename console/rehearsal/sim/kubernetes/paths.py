"""What a request is about: its path, its query and its body."""

from __future__ import annotations

import json
from dataclasses import dataclass

from aiohttp import web

from console.rehearsal.sim.kubernetes.admission.decoding import decoded, strictly
from console.rehearsal.sim.kubernetes.kubectl import protobuf
from console.rehearsal.sim.kubernetes.objects import Obj, Value, clone, copied
from console.rehearsal.sim.kubernetes.problems import (
    KubeError,
    NoRouteError,
    bad_request,
    invalid_options,
    no_such_path,
    too_large,
    unsupported_media,
)
from console.rehearsal.sim.kubernetes.resources import REVIEWS, Resource, find, groups
from console.rehearsal.sim.kubernetes.selectors import Match, by_fields, by_labels
from state.base import kube_yaml
from state.base.json import obj

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
PATCHES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY)
WHOLE = ("application/json", "application/yaml", protobuf.CONTENT_TYPE)
WARNINGS: web.RequestKey[list[str]] = web.RequestKey("warnings", list)
"""What a request's body said that its kind has not."""
LARGEST_BODY = 3 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """A kind, a namespace (None: all, or the cluster's own) and, where given, a name and a subresource."""

    resource: Resource
    namespace: str | None = None
    name: str = ""
    sub: str = ""

    @property
    def where(self) -> str:
        """The namespace as text."""
        return self.namespace or ""


def parse(path: str) -> Target:
    """Return what a path names.

    Raises NoRouteError for a path of no group that is served, KubeError (404) for another that isn't.
    """
    parts = [part for part in path.split("/") if part]
    if parts[:2] == ["api", "v1"]:
        group, version, rest = "", "v1", parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise NoRouteError
    if (group, version) not in groups():
        raise NoRouteError
    namespace = None
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    if not rest or len(rest) > 3:
        raise no_such_path()
    plural, name, sub = (*rest, "", "")[:3]
    for review in REVIEWS:
        if (review.group, review.version, review.plural) == (group, version, plural):
            return Target(review, namespace, name, sub)
    resource = find(group, version, plural)
    if resource is None or (sub and sub not in resource.subresources):
        raise no_such_path()
    if namespace is not None and not resource.namespaced:
        raise no_such_path()
    if name and resource.namespaced and namespace is None:
        raise no_such_path()
    return Target(resource, namespace, name, sub)


def selection(request: web.Request, target: Target) -> Match:
    """Return what the query's selectors and the path's namespace ask of an object of the target's kind.

    Raises KubeError (400) for a selector that cannot be read.
    """
    labels = by_labels(request.query.get("labelSelector", ""))
    fields = by_fields(request.query.get("fieldSelector", ""), target.resource)
    return lambda body: labels(body) and fields(body)


_OPTIONS = {
    "POST": "CreateOptions",
    "PUT": "UpdateOptions",
    "PATCH": "PatchOptions",
    "DELETE": "DeleteOptions",
}


def whole_number(request: web.Request, key: str) -> int:
    """Return a number of the query, 0 where it is absent.

    Raises KubeError (400) for something else.
    """
    written = request.query.get(key, "0") or "0"
    if not written.isdigit():
        raise bad_request(f"invalid value {written!r} for {key}: a whole number was expected")
    return int(written)


def dry_run(request: web.Request, options: Obj | None = None) -> bool:
    """Return whether nothing shall be stored.

    Raises KubeError (422) for a dryRun that Kubernetes doesn't know.
    """
    asked = [*request.query.getall("dryRun", []), *_texts((options or {}).get("dryRun"))]
    if any(one != "All" for one in asked):
        why = f'Unsupported value: {json.dumps(asked, separators=(",", ":"))}: supported values: "All"'
        raise invalid_options(_OPTIONS.get(request.method, ""), ("FieldValueNotSupported", why, "dryRun"))
    return bool(asked)


def _texts(value: Value) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


async def body_of(request: web.Request) -> tuple[Value, str]:
    """Return the decoded body (None when empty) and its content type.

    Raises KubeError: 400 for a body that cannot be decoded, 415 for a type that is not taken.
    """
    try:
        data = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise too_large(LARGEST_BODY) from None
    kind = request.content_type.lower() if "Content-Type" in request.headers else "application/json"
    if not data:
        return None, kind
    if kind == protobuf.CONTENT_TYPE:
        return protobuf.decode(data), kind
    taken = PATCHES if request.method == "PATCH" else WHOLE
    if kind not in taken:
        raise unsupported_media(taken)
    try:
        return copied(json.loads(data)), kind
    except ValueError as error:
        if "yaml" not in kind:
            raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error
    try:
        return copied(kube_yaml.load(data)), kind
    except (kube_yaml.KubeYamlError, TypeError) as error:
        raise bad_request(f"error decoding YAML: {error}") from error


async def object_of(request: web.Request, target: Target) -> Obj:
    """Return the body as an object of the target's kind, with its name and namespace from the path.

    Raises KubeError: 400 where it is none or names another kind, name or namespace; 415 for its type.
    """
    value, kind = await body_of(request)
    body = clone(obj(value))
    if not isinstance(value, dict) or kind in PATCHES:
        raise bad_request(
            f"the object provided is unrecognized (must be of type {target.resource.kind}): couldn't get "
            "version/kind; json parse error: json: cannot unmarshal array into Go value"
        )
    fit(body, target)
    return read_as(request, target.resource, body)


def read_as(request: web.Request, resource: Resource, body: Obj) -> Obj:
    """Return an object as its type reads it; what it says and the type has not is warned of, or refused.

    Raises KubeError (400) for a value of another type, and for an unknown field where the query wants that.
    """
    read, unknown = decoded(resource, body)
    asked = request.query.get("fieldValidation", "Warn")
    if asked == "Strict":
        strictly(resource, unknown)
    elif asked == "Warn":
        request.setdefault(WARNINGS, []).extend(unknown)
    return read


def fit(body: Obj, target: Target) -> None:
    """Check a body against the path, and take over what it leaves out.

    Raises KubeError (400) where they differ.
    """
    expected = target.resource
    if body.get("kind", expected.kind) != expected.kind or body.get(
        "apiVersion", expected.api_version
    ) not in (
        expected.api_version,
        "",
    ):
        raise _another_kind(expected, str(body.get("apiVersion")), str(body.get("kind", expected.kind)))
    meta = clone(obj(body.get("metadata")))
    body["metadata"] = meta
    given = str(meta.get("name") or "")
    if target.name and given and given != target.name:
        raise bad_request(
            f"the name of the object ({given}) does not match the name on the URL ({target.name})"
        )
    where = target.where if expected.namespaced else ""
    if where and meta.get("namespace") and meta["namespace"] != where:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    for key, have in (("namespace", where), ("name", target.name)):
        if have:
            meta[key] = have


def _another_kind(expected: Resource, version: str, kind: str) -> KubeError:
    if version != expected.api_version:
        return bad_request(
            f"the API version in the data ({version}) does not match the expected API version "
            f"({expected.api_version})"
        )
    inner = expected.group.partition(".")[0] or "core"
    what = f"({expected.version}.{kind}) to ({inner}.{expected.kind})"
    return bad_request(
        f'{kind} in version "{expected.version}" cannot be handled as a {expected.kind}: '
        f"converting {what}: unknown conversion"
    )
