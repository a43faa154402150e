"""What a kubeconfig says, and which ones are refused, by client-go's rules: no server is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from checks.clients.errors import MisconfiguredError, Where
from checks.clients.kubeconfig.access import Access, Address, read_access
from checks.clients.kubeconfig.session import Identity
from state.base.json import JsonObject
from state.runbook.environment import Kube

WHERE = Where("Kubernetes", "staging")
SERVER: JsonObject = {"server": "https://a.example:6443"}
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def read(folder: Path, cluster: JsonObject, user: JsonObject | None = None) -> Access:
    body = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user or {}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(body))
    return read_access(Kube(kubeconfig=file, context="x", namespace="shop"), WHERE)


PLUGIN: JsonObject = {
    "command": "p",
    "apiVersion": "client.authentication.k8s.io/v1",
    "interactiveMode": "Never",
}


@pytest.mark.parametrize(
    ("cluster", "user", "words"),
    [
        ({}, {}, "names no server"),
        ({"server": "a.example"}, {}, "names no server"),
        (
            {**SERVER, "insecure-skip-tls-verify": True, "certificate-authority-data": "QUFB"},
            {},
            "skips verification",
        ),
        ({**SERVER, "certificate-authority-data": "!"}, {}, "no base64"),
        ({**SERVER, "certificate-authority": "none.pem"}, {}, "cannot be read"),
        ({**SERVER, "proxy-url": "ftp://x"}, {}, "proxy-url is of no known kind"),
        ({**SERVER, "proxy-url": "socks5h://x"}, {}, "proxy-url is of no known kind"),
        (SERVER, {"client-certificate-data": "QUFB"}, "without its key"),
        (SERVER, {"token": "t", "username": "u"}, "both at once"),
        (SERVER, {"as-groups": ["g"]}, "without a user"),
        (SERVER, {"auth-provider": {"name": "gcp"}}, "expected an exec plugin"),
        (SERVER, {"auth-provider": {"name": "oidc", "config": {}}}, "log in with kubectl first"),
        (SERVER, {"exec": {**PLUGIN, "command": ""}}, "has no command"),
        (SERVER, {"exec": {**PLUGIN, "apiVersion": "client.authentication.k8s.io/v1alpha1"}}, "speaks"),
        (SERVER, {"exec": {**PLUGIN, "interactiveMode": "Always"}}, "asks at a terminal"),
        (SERVER, {"exec": {**PLUGIN, "interactiveMode": ""}}, "no interactiveMode"),
    ],
)
def test_what_kubectl_refuses_is_refused_in_one_line(
    cluster: JsonObject, user: JsonObject, words: str, tmp_path: Path
) -> None:
    with pytest.raises(MisconfiguredError, match=words) as caught:
        read(tmp_path, cluster, user)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("users:\n- name: a\n  user: {token: s3cret-canary\n", "cannot be read"),
        ("s3cret-canary", "no mapping"),
        ("contexts: [{name: x, context: {cluster: c}}]", "no cluster 'c'"),
        ("contexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: c}]", "no user 'u'"),
        ("clusters: [{name: c}, {name: c}]", "has two of cluster 'c'"),
    ],
)
def test_a_broken_file_is_told_without_what_is_in_it(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    with pytest.raises(MisconfiguredError, match=words) as caught:
        read_access(Kube(kubeconfig=file, context="x", namespace="shop"), WHERE)
    assert "canary" not in str(caught.value)


def test_a_context_without_a_user_is_anonymous(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    # As some editors leave it: a byte order mark, and lines that end as on Windows.
    body = "clusters: [{name: c, cluster: {server: 'https://a'}}]\ncontexts: [{name: x, context: {cluster: c}}]\n"
    file.write_bytes(b"\xef\xbb\xbf" + body.replace("\n", "\r\n").encode())
    access = read_access(Kube(kubeconfig=file, context="x", namespace="shop"), WHERE)
    assert (access.token, access.key, access.plugin) == ("", "", None)


def test_an_address_is_the_server_and_whose_word_is_taken(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(PEM)
    by_file = read(tmp_path, {**SERVER, "certificate-authority": "ca.pem"}).address
    (tmp_path / "ca.pem").write_text(PEM.replace("\n", "\r\n"))
    assert read(tmp_path, {**SERVER, "certificate-authority": "ca.pem"}).address == by_file
    (tmp_path / "ca.pem").write_text(PEM.replace("AAAA", "AAAB"))
    assert read(tmp_path, {**SERVER, "certificate-authority": "ca.pem"}).address != by_file
    assert read(tmp_path, SERVER).address == Address("https://a.example:6443", "system")
    assert read(tmp_path, {**SERVER, "insecure-skip-tls-verify": True}).address.ca == "none"


A, B = Address("https://a", "1"), Address("https://b", "1")


@pytest.mark.parametrize(
    ("fixed", "found", "other"),
    [
        (Identity(A, "u1"), Identity(A, "u1"), False),
        (Identity(A, "u1"), Identity(A, "u2"), True),  # a cluster made anew at the same place
        (
            Identity(A, "u1"),
            Identity(B, "u1"),
            False,
        ),  # the same by another way: a tunnel, a renewed authority
        (Identity(A, "u1"), Identity(B, "u2"), True),
        (Identity(A, "u1"), Identity(A), False),  # can't be read: not compared
        (Identity(A, "u1"), Identity(B), True),
        (Identity(A), Identity(B, "u1"), True),
        (Identity(A), Identity(A, "u1"), False),
    ],
)
def test_the_uid_decides_where_both_know_it(fixed: Identity, found: Identity, *, other: bool) -> None:
    assert fixed.is_other(found) is other
