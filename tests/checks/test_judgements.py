"""Judgements that need no world: what a policy, a secret, a cookie, a reference, a query means."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checks.alerts import RoutedSettings
from checks.clients.alertmanager import parse_metrics, receivers_of, routed_receivers
from checks.clients.helm_release import HelmClient, merge
from checks.clients.http import address_of
from checks.clients.redact import Redactor
from checks.clients.sql import SqlClient
from checks.clients.tls import CertificateFacts
from checks.judging import Findings, key, lookup
from checks.rules import lacking_of, metrics_of
from checks.secret_strength import bits, length_class
from checks.secrets import StrongSettings, weakness
from console.rehearsal.sim.kubernetes import Store
from state.base.images import ImageRef
from state.base.json import JsonObject
from state.runbook.environment import Domain
from state.view.enums import Verdict
from tests.checks.test_kube_watch import client, served
from tests.clocks import ManualClock


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is missing or empty"),
        ("dev-secret-key-change-me-min-32-chars", "is a known default"),
        ("f3a9", "has 1 to 7 characters; expected at least 32"),
        ("ab" * 30, "is not random enough: few different characters"),
        ("9f2c4e7ab1d0836a5e9c27f4b8d1630e", ""),
    ],
)
def test_what_is_wrong_with_a_secret(value: str, problem: str) -> None:
    assert weakness(value, StrongSettings(keys=())) == problem


def test_a_secret_is_told_only_roughly() -> None:
    assert [length_class("x" * n) for n in (0, 5, 8, 16, 32, 64)] == [
        "no",
        "1 to 7",
        "8 to 15",
        "16 to 31",
        "32 to 63",
        "64 or more",
    ]
    assert bits("") == 0
    assert bits("aaaa") == 0


def test_image_references() -> None:
    digest = "sha256:" + "0" * 64
    assert ImageRef.parse(f"ghcr.io/a/b:v1@{digest}") == ImageRef("ghcr.io", "a/b", "v1", digest)
    assert ImageRef.parse("localhost:5000/a") == ImageRef("localhost:5000", "a", "", "")
    assert ImageRef.parse("library/nginx:1.27") == ImageRef("", "library/nginx", "1.27", "")


@pytest.mark.parametrize(
    ("pin", "address"),
    [
        (None, ("a.test", 443)),
        ("10.0.0.1", ("10.0.0.1", 443)),
        ("10.0.0.1:8443", ("10.0.0.1", 8443)),
        ("[::1]:8443", ("::1", 8443)),
        ("::1", ("::1", 443)),
    ],
)
def test_where_a_pinned_domain_leads(pin: str | None, address: tuple[str, int]) -> None:
    assert address_of(Domain(host="a.test", pin=pin)) == address


def test_which_names_a_certificate_covers() -> None:
    now = datetime.now(UTC)
    facts = CertificateFacts("a", False, "", "", "", ("*.example.com", "example.org"), now, "1", "")
    assert facts.covers("api.example.com")
    assert facts.covers("EXAMPLE.org")
    assert not facts.covers("example.com")
    assert not facts.covers("a.b.example.com")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('sum(rate(a_total{x="1"}[5m])) / sum(b_total) > 0.05', {"a_total", "b_total"}),
        ("max_over_time(rate(f_total[5m])[30m:1m])", {"f_total"}),
        ("topk(3, g) unless absent(h)", {"g", "h"}),
        ('{__name__="zz"}', {"zz"}),
        ("1 + 1", set()),
        ("not promql (", set()),
    ],
)
def test_which_metrics_a_query_reads(query: str, names: set[str]) -> None:
    assert metrics_of(query) == names


def test_values_merge_as_helm_merges_them() -> None:
    defaults: JsonObject = {"a": {"b": 1, "c": 2}, "d": [1], "e": 5}
    assert merge(defaults, {"a": {"c": 3}, "d": [2], "e": None}) == {"a": {"b": 1, "c": 3}, "d": [2]}


def test_receivers_that_a_route_leads_to() -> None:
    config: JsonObject = {
        "route": {"receiver": "null", "routes": [{"receiver": "pager"}]},
        "receivers": [
            {"name": "null"},
            {"name": "pager", "pagerduty_configs": [{}], "webhook_configs": [{"url": "http://a/b"}]},
            {"name": "unused", "email_configs": [{}]},
        ],
    }
    assert routed_receivers(config) == {"null", "pager"}
    by_name = {receiver.name: receiver for receiver in receivers_of(config)}
    assert by_name["null"].kinds == ()
    assert by_name["pager"].kinds == ("pagerduty", "webhook")
    assert by_name["pager"].urls == ("http://a/b",)


def test_a_metrics_exposition() -> None:
    text = '# HELP x y\nx 1\ny_total{a="b",c="d\\"e"} 2.5\nz NaN\nbroken\n'
    found = parse_metrics(text)
    assert found[0] == ("x", {}, 1.0)
    assert found[1][0] == "y_total"
    assert found[1][1]["a"] == "b"
    assert len(found) == 3


def test_metrics_as_people_and_utf_8_name_them() -> None:
    text = (
        'http_requests_total{handler="/items/{item_id}",q="a,b=\\"c\\"}"} 7 1700000000000\n'
        'spaced {a = "b" , c="d",} 1\n'
        '{"http.requests", "le.x"="0.5", path="/{x}"} 3\n'
        '{"näme"} 4\n'
        'bare 5 # {trace_id="x"} 1\n'
        'escaped{a="b\\\\c\\nd"} +Inf\n'
        "# TYPE x counter\n"
    )
    assert parse_metrics(text) == [
        ("http_requests_total", {"handler": "/items/{item_id}", "q": 'a,b="c"}'}, 7.0),
        ("spaced", {"a": "b", "c": "d"}, 1.0),
        ("http.requests", {"le.x": "0.5", "path": "/{x}"}, 3.0),
        ("näme", {}, 4.0),
        ("bare", {}, 5.0),
        ("escaped", {"a": "b\\c\nd"}, float("inf")),
    ]


def test_every_integration_of_alertmanager_reaches_people() -> None:
    """Those of its configuration's receiver, but webhook: https://prometheus.io/docs/alerting/latest/configuration/."""
    documented = (
        "discord email incidentio jira mattermost msteams msteamsv2 opsgenie pagerduty pushover rocketchat slack "
        "sns telegram victorops webex wechat"
    )
    assert sorted(RoutedSettings().human) == documented.split()
    config: JsonObject = {
        "receivers": [{"name": "oncall", "discord_configs": [{"webhook_url": "http://x/1"}]}]
    }
    assert receivers_of(config)[0].kinds == ("discord",)


@pytest.mark.parametrize(
    ("query", "lacking"),
    [
        ("absent(gone)", ()),
        ("absent_over_time(gone[5m]) > 0", ()),
        ("(gone > 1) or (there > 5)", ()),
        ("(gone > 1) or (gone2 > 5)", ("gone", "gone2")),
        ("gone or vector(0) > 1", ()),
        ("there unless gone", ()),
        ("gone unless there", ("gone",)),
        ("there and gone", ("gone",)),
        ("absent(gone) and there > 1", ()),
        ("absent(there) and gone > 1", ("gone",)),
        ("sum by (a) (rate(gone[5m])) / sum(rate(there[5m])) > 1", ("gone",)),
        ("max_over_time((gone)[5m:1m]) > 1", ("gone",)),
        ("-gone > 1", ("gone",)),
        ("histogram_quantile(0.9, rate(gone[5m])) > 1", ("gone",)),
        ('{"gone.dotted", code="5"} > 1', ("gone.dotted",)),
        ('{__name__="gone"} > 1', ("gone",)),
        ("topk(3, gone) > 1", ("gone",)),
        ("not promql(", ()),
    ],
)
def test_a_rule_is_dead_only_where_it_has_no_value(query: str, lacking: tuple[str, ...]) -> None:
    assert lacking_of(query, {"gone", "gone2", "gone.dotted"}) == set(lacking)


def test_findings_say_the_worst_and_keep_the_rest() -> None:
    findings = Findings()
    findings.saw("seen", 1)
    assert findings.outcome("good").verdict is Verdict.PASS
    findings.blind("could not look")
    assert findings.outcome("good").verdict is Verdict.UNKNOWN
    for number in range(5):
        findings.wrong(f"problem {number}")
    outcome = findings.outcome("good")
    assert outcome.verdict is Verdict.FAIL
    assert outcome.summary == "problem 0; problem 1; problem 2; and 2 more"
    assert outcome.evidence["not_seen"] == ["could not look"]


def test_places_and_keys() -> None:
    assert lookup({"a": [{"b": 3}]}, "a.0.b") == 3
    assert lookup({"a": 1}, "a.b") is None
    assert key("API /health/ready", "CSP") == "api__health_ready_csp"


async def test_helms_records_are_read_and_their_secrets_known(tmp_path: Path) -> None:
    record = {
        "name": "dotmac",
        "version": 2,
        "info": {"status": "deployed", "description": "Upgrade complete"},
        "chart": {"metadata": {"name": "c", "version": "0.1.0"}, "values": {"a": 1}, "templates": []},
        "config": {"redis": {"password": "a-helm-secret-value"}, "secretName": "dotmac-tls"},
        "manifest": "---\n",
        "hooks": [
            {"name": "h", "kind": "Job", "events": ["pre-upgrade"], "last_run": {"phase": "Succeeded"}}
        ],
    }
    packed = base64.b64encode(gzip.compress(json.dumps(record).encode())).decode()
    store = Store(ManualClock())
    store.put("namespaces", {"metadata": {"name": "shop"}})
    for name, payload in (("v2", packed), ("v3", "bm90IGEgcmVjb3Jk")):
        meta = {"name": f"sh.helm.release.v1.dotmac.{name}", "namespace": "shop"}
        labels = {"owner": "helm", "name": "dotmac" if name == "v2" else "broken"}
        data = {"release": base64.b64encode(payload.encode()).decode()}
        store.put(
            "secrets", {"metadata": {**meta, "labels": labels}, "type": "helm.sh/release.v1", "data": data}
        )
    async with served(store) as port:
        redactor = Redactor()
        kube = client(tmp_path, port, redactor)
        release = await HelmClient(kube, "dotmac", "production", redactor).deployed()
        assert (release.revision, release.status, release.chart_version) == (2, "deployed", "0.1.0")
        assert release.hooks[0].phase == "Succeeded"
        assert redactor.holds("a-helm-secret-value")
        assert not redactor.holds("dotmac-tls")
        with pytest.raises(Exception, match="is not a release record"):
            await HelmClient(kube, "broken", "production", redactor).history()
        await kube.aclose()


async def test_a_database_file_is_opened_to_read_only(tmp_path: Path) -> None:
    import sqlite3

    file = tmp_path / "x.db"
    with sqlite3.connect(file) as made:
        made.execute("CREATE TABLE alembic_version (version_num TEXT)")
        made.execute("INSERT INTO alembic_version VALUES ('abc')")
        made.execute("CREATE TABLE instance_identity (system_identifier INTEGER)")
        made.execute("INSERT INTO instance_identity VALUES (7)")
    made.close()
    database = SqlClient(f"sqlite:///{file}", "production", statement_timeout=0.4)
    assert await database.rows("SELECT version_num FROM alembic_version") == [{"version_num": "abc"}]
    assert await database.identity() == "7"
    assert await database.tables() == {"alembic_version"}, (
        "what stands for the server is no table of the application"
    )
    assert await database.columns("alembic_version") == {"version_num"}
    assert await database.columns("nothing") == frozenset()
    with pytest.raises(Exception, match="readonly"):
        await database.rows("DELETE FROM alembic_version")
    with pytest.raises(Exception, match="no such table"):
        await database.rows("SELECT * FROM nowhere")
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(Exception, match="no answer"):
        await database.rows(endless)
    await database.aclose()
