"""Worlds in which words look like what they aren't: traces, log levels, zeros, hosts, successes, powers."""

from __future__ import annotations

import json
import re

import pytest

from checks.auth import as_a_success
from checks.clients.errors import Where
from checks.clients.wire import Reply
from checks.config import DebugSettings, holds_host, holds_trace
from checks.gaps import is_empty
from checks.judging import Findings
from checks.powers import powers_of
from checks.telemetry import moved
from checks.unobserved import is_login_redirect
from checks.workloads import serves_host
from state.base.json import Json, JsonObject
from state.view.enums import Verdict

PYTHON = 'Traceback (most recent call last):\n  File "/app/main.py", line 3, in x\n'
NODE = "TypeError: x\n    at Object.<anonymous> (/app/server.js:10:5)\n    at Module._compile"


@pytest.mark.parametrize(
    ("body", "holds"),
    [
        (PYTHON, True),
        (json.dumps({"detail": PYTHON}), True),
        (NODE, True),
        (json.dumps({"error": NODE}), True),
        ("java.lang.NullPointerException\n\tat com.shop.Order.total(Order.java:41)", True),
        ("panic: runtime error\n\ngoroutine 1 [running]:", True),
        ("app/models/user.rb:12:in `name'", True),
        ("#0 /var/www/html/index.php(12): total()", True),
        ("   at Shop.Order.Total(Int32 x) in /src/Order.cs:line 41", True),
        ("thread 'main' panicked at src/main.rs:2", True),
        ("&quot;Traceback (most recent call last)", True),
        (json.dumps({"detail": "internal error"}), False),
        ("<html>we look at 3 (three) things: line 4</html>", False),
        (json.dumps({"message": "Meet at Main Street (Mall)\n at 10:30"}), False),
        ("", False),
    ],
)
def test_a_stack_trace_of_any_language_is_seen(body: str, holds: bool) -> None:
    assert holds_trace(body) is holds


@pytest.mark.parametrize(
    ("line", "debug"),
    [
        ("DEBUG sql: SELECT 1", True),
        ("2026-11-30 10:00:00,1 DEBUG app: x", True),
        ("[DEBUG] x", True),
        ("DEBUG:    app: x", True),
        ('{"level": "debug", "msg": "x"}', True),
        ('{"severity":"DEBUG"}', True),
        ("ts=1 level=debug msg=x", True),
        ("INFO settings: DEBUG=False LOG_LEVEL=INFO", False),
        ("INFO debug is off: DEBUG False", False),
        ("settings DEBUG=False", False),
        ('{"level": "info", "msg": "debug"}', False),
        ("level=info msg=debugging", False),
        ("WARNING DEBUG was asked for and is not given", False),
        ("", False),
    ],
)
def test_a_line_is_at_debug_by_its_own_level(line: str, debug: bool) -> None:
    assert (re.search(DebugSettings(forbidden={}).log_pattern, line) is not None) is debug


@pytest.mark.parametrize(
    ("value", "empty"),
    [
        (0, True),
        (0.0, True),
        ("0", True),
        ("0.00", True),
        ("€ 0,00", True),
        ("0 %", True),
        ("", True),
        (None, True),
        (False, True),
        ([], True),
        ([0, "0.0"], True),
        ({"a": 0, "b": []}, True),
        (1, False),
        ("0.01", False),
        ("10", False),
        ("EUR", False),
        ([0, 1], False),
        ({"a": {"b": 2}}, False),
    ],
)
def test_a_value_that_says_nothing_is_empty(value: Json, empty: bool) -> None:
    assert is_empty(value) is empty


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("https://api.stage.test/x", True),
        ("postgres://u@api.stage.test:5432", True),
        ('["api.stage.test"]', True),
        ("https://my-api.stage.test", False),
        ("https://x.api.stage.test", False),
        ("https://api.stage.tests", False),
        ("https://api.stage.test.evil.example", False),
    ],
)
def test_a_host_is_named_whole(text: str, holds: bool) -> None:
    assert holds_host(text, "api.stage.test") is holds


@pytest.mark.parametrize(
    ("pattern", "host", "serves"),
    [
        ("api.shop.test", "api.shop.test", True),
        ("API.shop.test", "api.shop.test", True),
        ("*.shop.test", "api.shop.test", True),
        ("*.shop.test", "a.b.shop.test", False),
        ("*.shop.test", "shop.test", False),
        ("", "shop.test", False),
    ],
)
def test_which_hosts_an_ingress_serves(pattern: str, host: str, serves: bool) -> None:
    assert serves_host(pattern, host) is serves


@pytest.mark.parametrize(
    ("row", "success"),
    [
        ({"action": "login_success", "username": "probe"}, True),
        ({"activity_type": "user.login", "status": "SUCCESS"}, True),
        ({"event": "login", "outcome": "granted"}, True),
        ({"action": "login", "success": True}, True),
        ({"action": "login_failed"}, False),
        ({"action": "login", "status": "failed", "message": "unsuccessful login of probe"}, False),
        ({"action": "login", "outcome": "denied", "success": True}, False),
        ({"action": "login"}, False),
        ({}, False),
    ],
)
def test_a_row_that_tells_of_a_success_is_told(row: JsonObject, success: bool) -> None:
    assert as_a_success(row, "probe") is success


def rule(group: str, resources: str, verbs: str) -> JsonObject:
    return {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split()}


@pytest.mark.parametrize(
    ("given", "powers"),
    [
        (rule("", "secrets", "get"), ("read secrets",)),
        (rule("", "secrets", "watch"), ("read secrets",)),
        (rule("*", "*", "get"), ("enter pods", "read secrets")),
        (rule("", "pods/exec", "create"), ("enter pods",)),
        (rule("", "pods/exec", "get"), ("enter pods",)),
        (rule("", "pods/attach", "create"), ("enter pods",)),
        (rule("", "pods/portforward", "create"), ("enter pods",)),
        (rule("", "pods/ephemeralcontainers", "patch"), ("enter pods",)),
        (rule("", "nodes/proxy", "get"), ("enter pods",)),
        (rule("apps", "statefulsets", "patch"), ("change things",)),
        (rule("batch", "cronjobs", "create"), ("change things",)),
        (rule("apps", "*/scale", "update"), ("change things",)),
        (rule("", "pods", "deletecollection"), ("change things",)),
        (rule("networking.k8s.io", "ingresses", "update"), ("change things",)),
        (rule("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "create"), ("change things",)),
        (rule("", "users groups", "impersonate"), ("act as others",)),
        (rule("", "serviceaccounts/token", "create"), ("make tokens",)),
        (rule("rbac.authorization.k8s.io", "clusterroles", "escalate"), ("give power",)),
        (rule("rbac.authorization.k8s.io", "roles", "bind"), ("give power",)),
        (rule("rbac.authorization.k8s.io", "rolebindings", "create"), ("give power",)),
        (rule("certificates.k8s.io", "certificatesigningrequests/approval", "update"), ("give power",)),
        (rule("cert-manager.io", "*", "*"), ()),
        (rule("acid.zalan.do", "secrets", "*"), ()),
        (rule("apps", "secrets", "get"), ()),
        (rule("", "pods configmaps services", "get list watch"), ()),
        (rule("apps", "deployments", "get"), ()),
        (rule("authorization.k8s.io", "selfsubjectaccessreviews", "create"), ()),
        (rule("", "events", "create patch"), ()),
        (rule("coordination.k8s.io", "leases", "*"), ()),
        ({"nonResourceURLs": ["*"], "verbs": ["*"]}, ()),
    ],
)
def test_what_gives_power(given: JsonObject, powers: tuple[str, ...]) -> None:
    assert powers_of([given]) == powers


def test_nothing_looked_at_is_no_pass() -> None:
    findings = Findings()
    assert findings.looked_at("role", 0) == 0
    assert findings.outcome("good").verdict is Verdict.UNKNOWN
    findings = Findings()
    findings.looked_at("role", 3)
    assert findings.outcome("good").evidence == {"looked_at_role": 3}


@pytest.mark.parametrize(
    ("status", "where", "login"),
    [
        (302, "https://admin.test/login", True),
        (302, "/docs/", False),
        (200, "/login", False),
        (307, "/sso/x", True),
    ],
)
def test_a_redirect_to_a_login_is_told(status: int, where: str, login: bool) -> None:
    assert is_login_redirect(Reply(Where("w", "t"), status, (("Location", where),), b"", 1)) is login


@pytest.mark.parametrize(
    ("before", "now", "counted"),
    [
        ({"a": 3.0}, {"a": 4.0}, True),
        ({"a": 3.0}, {"a": 3.0}, False),
        ({"a": 3.0}, {"a": 1.0}, False),  # started anew: what it counts since then may be another's
        ({"a": 3.0}, {"a": 3.0, "b": 1.0}, True),
        ({"a": 3.0}, {"a": 3.0, "b": 0.0}, False),
        ({"a": 3.0}, {}, False),
        ({}, {}, False),
    ],
)
def test_a_counter_has_moved(before: dict[str, float], now: dict[str, float], counted: bool) -> None:
    assert moved(before, now) is counted
