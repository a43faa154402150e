"""Which ingress serves a path of a host, where several name that host."""

from __future__ import annotations

import pytest

from checks.workloads import ingress_of
from state.base.json import JsonObject

HOST, LOGIN = "api.shop.test", "/api/v1/auth/login"


def ingress(name: str, host: str = HOST, *paths: tuple[str, str], canary: bool = False) -> JsonObject:
    notes: JsonObject = {"nginx.ingress.kubernetes.io/canary": "true"} if canary else {}
    rule: JsonObject = {"host": host} if host else {}
    if paths:
        rule = {**rule, "http": {"paths": [{"path": path, "pathType": kind} for path, kind in paths]}}
    return {"metadata": {"name": name, "annotations": notes}, "spec": {"rules": [rule]}}


MAIN = ingress("main", HOST, ("/", "Prefix"))
SOLVER = ingress("solver", HOST, ("/.well-known/acme-challenge/x", "ImplementationSpecific"))


@pytest.mark.parametrize(
    ("listed", "name"),
    [
        ([MAIN], "main"),
        ([SOLVER, MAIN], "main"),
        ([MAIN, SOLVER], "main"),
        ([SOLVER], None),
        ([MAIN, ingress("auth", HOST, ("/api/v1/auth", "Prefix"))], "auth"),
        ([MAIN, ingress("auth", HOST, ("/api/v1/auth/", "Prefix"))], "auth"),
        ([MAIN, ingress("other", HOST, ("/api/v1/authors", "Prefix"))], "main"),
        ([MAIN, ingress("other", HOST, ("/api/v1/aut", "Prefix"))], "main"),  # by whole words between slashes
        ([MAIN, ingress("exact", HOST, (LOGIN, "Exact"))], "exact"),
        ([MAIN, ingress("exact", HOST, ("/api", "Exact"))], "main"),
        ([MAIN, ingress("canary", HOST, (LOGIN, "Exact"), canary=True)], "main"),
        ([ingress("wild", "*.shop.test", (LOGIN, "Exact")), MAIN], "main"),  # a host's own rule comes first
        ([ingress("wild", "*.shop.test", ("/", "Prefix"))], "wild"),
        ([ingress("all", "", ("/", "Prefix")), MAIN], "main"),
        ([ingress("all", "")], "all"),
        ([ingress("whole", HOST)], "whole"),
        ([ingress("else", "admin.shop.test", ("/", "Prefix"))], None),
        ([ingress("capitals", "API.shop.test", ("/", "Prefix"))], "capitals"),
        ([], None),
    ],
)
def test_the_ingress_is_the_one_that_serves_the_path(listed: list[JsonObject], name: str | None) -> None:
    found = ingress_of(listed, HOST, LOGIN)
    assert (found and found["metadata"]["name"]) == name  # type: ignore[index,call-overload]  # a mapping
