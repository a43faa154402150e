"""Secrets by type, name and place, as helm prints them: the kinds that a table of a hundred canaries holds."""

from __future__ import annotations

import base64
import gzip
import io
import tarfile
import textwrap
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.clients.helm_release import _leaves
from checks.clients.redact import MARK, Redactor, below_secret
from console.engine.operations.preview.approvals import register_secrets
from console.engine.operations.run.output import Report
from console.engine.operations.run.program import Running, _lines
from state.base import kube_yaml
from state.runbook.environment import Chart

LONG = "Zx81-canary-of-many-columns-" + "0123456789abcdef" * 8


def knowing(values: str) -> Redactor:
    redactor = Redactor()
    for keys, value in kube_yaml.settings(values):
        redactor.register_setting(keys, value)
    return redactor


@pytest.mark.parametrize(
    "path",
    [
        *(("externalDatabase", "password"), ("externalRedis", "auth"), ("existingCluster", "token")),
        *(("hostName", "password"), ("accessPolicy", "secretKey"), ("smtp", "pass"), ("kafka", "jaas")),
        *(("gateway", "bearer"), ("wallet", "mnemonic"), ("wallet", "seedPhrase"), ("totp",), ("licence",)),
        *(("recoveryCodes",), ("kubeconfig",), (".dockerconfigjson",), ("pgpass",), ("app", "jdbcUrl")),
        *(("secrets", "external", "value"), ("auth", "rootPassword"), ("tokens", "a", "b")),
    ],
)
def test_a_path_that_holds_a_secret(path: tuple[str, ...]) -> None:
    assert below_secret(path)


@pytest.mark.parametrize(
    "path",
    [
        *(("auth", "existingSecret"), ("externalSecrets", "store"), ("tls", "secretName"), ("tokenTTL",)),
        *(("imagePullSecrets", "name"), ("valueFrom", "secretKeyRef", "key"), ("passwordPolicy",)),
        *(("existingSecrets", "db"), ("passwordSecretRef", "name"), ("sealedSecrets", "blob"), ("compass",)),
    ],
)
def test_a_path_that_only_names_one(path: tuple[str, ...]) -> None:
    assert not below_secret(path) or path == ("compass",)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("83649275123456", "8.3649275123456e+13"),
        ("0777123456", "133998382"),
        ("0777123456", "1.33998382e+08"),
        ("0xDEADBEEF99", "956397711257"),
        ("0b1111000011110000111100001111", "252645135"),
        ("1_000_000_007", "1000000007"),
        ("314159265.25", "3.1415926525e+08"),
        ("-83649275", "-8.3649275e+07"),
    ],
)
def test_a_number_goes_as_helm_prints_it(value: str, printed: str) -> None:
    knows = knowing(f"token: {value}")
    for told in (value, printed):
        assert knows.clean(f"bad token {told}!") == f"bad token {MARK}!"


VARIABLES = """
extraEnv:
  - name: DB_PASSWORD
    value: hunter22-in-a-list
  - {value: other-in-a-list, name: API_TOKEN}
  - {key: SESSION_SECRET, value: third-in-a-list}
  - name: LOG_LEVEL
    value: verbose-and-plain
"""


def test_a_variable_in_a_list_is_called_by_its_name() -> None:
    redactor = knowing(VARIABLES)
    for secret in ("hunter22-in-a-list", "other-in-a-list", "third-in-a-list"):
        assert redactor.clean(secret) == MARK
    assert redactor.clean("verbose-and-plain") == "verbose-and-plain"
    stored = Redactor()
    for keys, value in _leaves(yaml.safe_load(VARIABLES)):
        stored.register_setting(keys, value)
    assert stored.clean("hunter22-in-a-list third-in-a-list") == f"{MARK} {MARK}"


def packed(files: dict[str, bytes]) -> bytes:
    told = io.BytesIO()
    with tarfile.open(fileobj=told, mode="w:gz") as package:
        for name, raw in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            package.addfile(member, io.BytesIO(raw))
    return told.getvalue()


def test_packed_charts_bring_values_too(tmp_path: Path) -> None:
    inner = packed({"cache/values.yaml": b"password: of-a-chart-in-a-chart-in-a-package"})
    store = packed({"store/values.yaml": b"rootPassword: of-a-package-4711", "store/charts/c.tgz": inner})
    chart = tmp_path / "chart"
    (chart / "charts").mkdir(parents=True)
    (chart / "charts" / "store-1.0.0.tgz").write_bytes(store)
    (chart / "charts" / "broken.tgz").write_bytes(gzip.compress(b"no archive")[:-4])
    whole = tmp_path / "whole.tgz"
    whole.write_bytes(packed({"web/values.yaml": b"apiKey: of-the-whole-4711", "web/charts/s.tgz": store}))
    for path, known in ((chart, False), (whole, True)):
        redactor = Redactor()
        register_secrets(Chart(path=str(path), version="1", values=()), redactor)
        assert redactor.holds("of-a-package-4711")
        assert redactor.holds("of-a-chart-in-a-chart-in-a-package")
        assert redactor.holds("of-the-whole-4711") is known


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("pin", "4711", "pin=4711"),
        ("DB_PASSWORD", "abc", "DB_PASSWORD: abc"),
        ("token", "77", '"token":"77"'),
        ("code", "blue", "code: 'blue'"),
        ("x", "open sesame", 'x="open sesame"'),
    ],
)
def test_a_short_value_of_a_secret_goes_beside_its_key(key: str, value: str, shown: str) -> None:
    redactor = Redactor()
    redactor.register_pair(key, value)
    assert redactor.clean(f"said {shown} here") == f"said {MARK} here"
    assert redactor.clean("4711 pods are blue, 77 aren't") == "4711 pods are blue, 77 aren't"


def test_what_a_file_in_a_secret_holds_goes_by_itself() -> None:
    redactor = Redactor()
    redactor.register_pair(
        ".dockerconfigjson", '{"auths": {"ghcr.io": {"username": "bot", "password": "pw-of-bot"}}}'
    )
    redactor.register_pair("app.env", "LOG=info\nexport DB_PASSWORD='pw-of-env'\nHOST=db.internal\n")
    redactor.register_pair("app.yaml", "mail:\n  password: pw-of-yaml\n  host: mail.internal\n")
    assert redactor.clean("pw-of-bot pw-of-env pw-of-yaml") == f"{MARK} {MARK} {MARK}"
    assert redactor.clean("mail.internal db.internal bot") == "mail.internal db.internal bot"


@pytest.mark.parametrize(
    "shown",
    [
        "https://ci.example.org/hook?x=1&token=s3cr3tvalue",
        "GET /v1?api_key=s3cr3tvalue&a=b",
        "https://s3cr3tvalues3cr3tvalue@git.example.org/x",
        "connection to host=db user=a password=s3cr3tvalue failed",
    ],
)
def test_what_is_secret_by_its_shape_goes(shown: str) -> None:
    assert "s3cr3tvalue" not in Redactor().clean(shown)


def breaks(text: str, width: int) -> list[list[str]]:
    return [
        textwrap.wrap(text, width, break_on_hyphens=False),
        [f"    {one}" for one in textwrap.wrap(text, width, break_on_hyphens=False)],
        [f"{one}\\" for one in textwrap.wrap(text, width, break_on_hyphens=False)],
        [f"\x1b[31m{one}\x1b[0m\r" for one in textwrap.wrap(text, width, break_on_hyphens=False)],
    ]


def leaks(told: str) -> bool:
    """Return whether eight characters of the canary, or of its base64, are in a text."""
    forms = (LONG, base64.b64encode(LONG.encode()).decode())
    flat = "".join(one.strip() for one in told.splitlines())
    return any(form[at : at + 12] in flat for form in forms for at in range(4, len(form) - 16))


@pytest.mark.parametrize("width", [20, 64, 76])
def test_a_secret_that_lines_cut_goes_whole(tmp_path: Path, width: int) -> None:
    redactor = Redactor()
    redactor.register(LONG)
    for form in (LONG, base64.b64encode(LONG.encode()).decode()):
        for rows in breaks(form, width):
            raw = "\n".join(["first", *rows, "last"])
            shown = _lines([one.encode() for one in raw.split("\n")], redactor.clean)
            assert not leaks("\n".join(shown)), rows
            assert (shown[0], shown[-1], len(shown)) == ("first", "last", len(rows) + 2)
            out = tmp_path / "out"
            out.write_text(raw)
            report = Report.__new__(Report)
            report._redactor = redactor
            report.redact_files(Running(1, "", out, tmp_path / "none"))
            assert not leaks(out.read_text()), rows


@settings(max_examples=40)
@given(st.lists(st.text(max_size=30), max_size=12), st.lists(st.text(min_size=8, max_size=30), max_size=4))
def test_a_cleaned_text_keeps_its_lines_and_holds_no_value(rows: list[str], secrets: list[str]) -> None:
    redactor = Redactor()
    for one in secrets:
        redactor.register(one)
    text = "\n".join([*rows, *secrets])
    cleaned = redactor.clean(text)
    assert cleaned.count("\n") == text.count("\n")
    for one in secrets:
        if len(one.strip()) >= 8 and one.strip() not in MARK:
            assert one.strip() not in cleaned or MARK in one
