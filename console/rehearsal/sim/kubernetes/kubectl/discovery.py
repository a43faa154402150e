"""What clients ask before they ask for objects: groups, kinds, version, health, OpenAPI.

There are no schemas: OpenAPI v3 names the paths with the parameters by which clients see that the server
validates and dry-runs, v2 says only which version it is.
"""

from __future__ import annotations

from aiohttp import web

from console.rehearsal.sim.kubernetes.objects import Obj, Value
from console.rehearsal.sim.kubernetes.resources import REVIEWS, Resource, groups

VERSION = "v1.32.4"
_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_SUB_VERBS = {"log": ("get",), "eviction": ("create",)}
_SUB_KINDS = {"scale": ("Scale", "autoscaling", "v1"), "eviction": ("Eviction", "policy", "v1")}
_SWAGGER_2 = b"\x0a\x032.0"


def answer(request: web.Request) -> web.Response | None:
    """Return the answer to a request that is about no object, or None."""
    path = request.path.rstrip("/")
    if path.split("/")[1:2] in (["readyz"], ["livez"], ["healthz"]):
        return web.Response(text="ok")
    if path == "/openapi/v2":
        if "protobuf" in request.headers.get("Accept", ""):
            kind = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
            return web.Response(body=_SWAGGER_2, content_type=kind)
        return web.json_response(
            {"swagger": "2.0", "info": {"title": "Kubernetes", "version": VERSION}, "paths": {}}
        )
    body = _document(path)
    return None if body is None else web.json_response(body)


def _document(path: str) -> Obj | None:
    if path == "/version":
        return {
            "major": "1",
            "minor": VERSION.split(".")[1],
            "gitVersion": VERSION,
            "gitCommit": "0" * 40,
            "gitTreeState": "clean",
            "buildDate": "2025-04-22T16:00:00Z",
            "goVersion": "go1.23.6",
            "compiler": "gc",
            "platform": "linux/amd64",
        }
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if path == "/apis":
        return {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [_group(*one) for one in groups() if one[0]],
        }
    if path == "/openapi/v3":
        served: Obj = {
            _root(*one)[1:]: {"serverRelativeURL": f"/openapi/v3{_root(*one)}?hash=1"} for one in groups()
        }
        return {"paths": served}
    for group, version in groups():
        if path == _root(group, version):
            return _resources(group, version)
        if path == f"/openapi/v3{_root(group, version)}":
            return _openapi(group, version)
        if group and path == f"/apis/{group}":
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, version)}
    return None


def _root(group: str, version: str) -> str:
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


def _group(group: str, version: str) -> Obj:
    one: Obj = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [one], "preferredVersion": dict(one)}


def _resources(group: str, version: str) -> Obj:
    listed: list[Value] = []
    for one in groups()[group, version]:
        verbs = ("create",) if one in REVIEWS else _VERBS
        entry: Obj = {
            "name": one.plural,
            "singularName": one.singular,
            "namespaced": one.namespaced,
            "kind": one.kind,
            "verbs": list(verbs),
        }
        if one.short:
            entry["shortNames"] = list(one.short)
        if one.in_all:
            entry["categories"] = ["all"]
        listed.append(entry)
        listed += [_subresource(one, sub) for sub in one.subresources]
    whole = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": whole, "resources": listed}


def _subresource(one: Resource, sub: str) -> Obj:
    kind, group, version = _SUB_KINDS.get(sub, (one.kind, "", ""))
    entry: Obj = {
        "name": f"{one.plural}/{sub}",
        "singularName": "",
        "namespaced": one.namespaced,
        "kind": kind,
        "verbs": list(_SUB_VERBS.get(sub, ("get", "patch", "update"))),
    }
    return {**entry, "group": group, "version": version} if group else entry


def _openapi(group: str, version: str) -> Obj:
    paths: Obj = {}
    parameters: list[Value] = [
        {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
        for name in ("dryRun", "fieldManager", "fieldValidation", "force")
    ]
    for one in groups()[group, version]:
        kind: Obj = {"group": one.group, "version": one.version, "kind": one.kind}
        base = (
            _root(group, version) + ("/namespaces/{namespace}" if one.namespaced else "") + f"/{one.plural}"
        )
        operation: Obj = {"parameters": parameters, "x-kubernetes-group-version-kind": kind, "responses": {}}
        paths[base] = {"post": {**operation, "x-kubernetes-action": "post"}}
        paths[base + "/{name}"] = {
            "put": {**operation, "x-kubernetes-action": "put"},
            "patch": {**operation, "x-kubernetes-action": "patch"},
            "delete": {**operation, "x-kubernetes-action": "delete"},
        }
    info: Obj = {"title": "Kubernetes", "version": VERSION}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {}}}
