"""``runbook check`` looks at what a runbook names on this machine: one thing wrong at a time, told at its place."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.__main__ import main
from tests.paths import ROOT

DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
KUBECONFIG = """clusters: [{name: c, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: u, user: {token: canary-token}}]
contexts:
  - {name: shop-staging, context: {cluster: c, user: u}}
  - {name: shop-prod, context: {cluster: c, user: u}}
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with a runbook whose things are all there."""

    folder: Path

    @property
    def book(self) -> Path:
        return self.folder / "book.yaml"

    def replace(self, old: str, new: str) -> None:
        text = self.book.read_text()
        assert old in text
        self.book.write_text(text.replace(old, new))

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def line_of(self, word: str) -> int:
        return next(n for n, line in enumerate(self.book.read_text().splitlines(), 1) if word in line)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path)
    text = (ROOT / "examples" / "web-service.yaml").read_text().replace(".example", ".shop.test")
    made.book.write_text(
        text.replace("sha256:" + "0" * 63 + "1", DIGEST).replace("# helm: helm", "helm: ./helm")
    )
    made.write("helm", "#!/bin/sh\necho v3.17.2+gcc0bbbd\n")
    (tmp_path / "helm").chmod(0o700)
    made.write("deploy/shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 2.3.0\n")
    made.write("deploy/staging.yaml", "replicas: 1\n")
    made.write("deploy/production.yaml", "replicas: 3\n")
    made.write("kubeconfig", KUBECONFIG)
    for name in ("HELM_CONFIG_HOME", "HELM_REPOSITORY_CONFIG", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.chdir(tmp_path)
    return made


def check(place: Place, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, list[str]]:
    code = main(["runbook", "check", *options, str(place.book)])
    told = capsys.readouterr().err
    assert "canary" not in told
    return code, [line for line in told.splitlines() if "book.yaml:" in line]


def test_a_runbook_whose_things_are_there(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(place, capsys) == (0, [])


Wrong = tuple[Callable[[Place], None], str, str, str]


def _archive(place: Place) -> None:
    about = b"name: shop\nversion: 2.2.0\n"
    with tarfile.open(place.folder / "shop.tgz", "w:gz") as archive:
        member = tarfile.TarInfo("shop/Chart.yaml")
        member.size = len(about)
        archive.addfile(member, io.BytesIO(about))
    place.replace("path: deploy/shop,", "path: shop.tgz,")


def _repositories(place: Place, name: str) -> None:
    place.write(
        ".config/helm/repositories.yaml", f"repositories: [{{name: {name}, url: https://charts.shop.test}}]\n"
    )
    place.replace("path: deploy/shop,", "path: team/shop,")


def _revoked(place: Place, text: str) -> None:
    place.replace("environments:\n", "revoked_keys: ./revoked\nenvironments:\n")
    if text:
        place.write("revoked", text)


WRONG: dict[str, Wrong] = {
    "no list of revoked keys": (
        lambda p: _revoked(p, ""),
        "revoked_keys",
        "revoked_keys: ./revoked",
        "can't be read: No such file or directory: nothing that is signed would be taken",
    ),
    "no keys in it": (
        lambda p: _revoked(p, "all of them\n"),
        "revoked_keys",
        "revoked_keys: ./revoked",
        "line 1 is no public key, and the file is no list of revoked keys (KRL)",
    ),
    "no chart": (
        lambda p: p.replace("path: deploy/shop,", "path: ./deploy/none,"),
        "chart.path",
        "path: ./deploy/none",
        "there is no chart ./deploy/none here",
    ),
    "no Chart.yaml": (
        lambda p: (p.folder / "deploy/shop/Chart.yaml").unlink(),
        "chart.path",
        "path: deploy/shop",
        "its Chart.yaml cannot be read (there is no such file)",
    ),
    "a broken Chart.yaml": (
        lambda p: p.write("deploy/shop/Chart.yaml", "a: ["),
        "chart.path",
        "path: deploy/shop",
        "it is none, or broken",
    ),
    "another version": (
        lambda p: p.write("deploy/shop/Chart.yaml", "name: shop\nversion: 2.4.0\n"),
        "chart.version",
        "path: deploy/shop",
        "is version 2.4.0, not 2.3.0",
    ),
    "an archive of another version": (
        _archive,
        "chart.version",
        "path: shop.tgz",
        "is version 2.2.0, not 2.3.0",
    ),
    "a chart of an unknown repository": (
        lambda p: _repositories(p, "other"),
        "chart.path",
        "path: team/shop",
        "nor in a repository that helm knows (it knows other)",
    ),
    "a missing dependency": (
        lambda p: p.write(
            "deploy/shop/Chart.yaml",
            "name: shop\nversion: 2.3.0\ndependencies: [{name: redis, version: 1.0.0}]\n",
        ),
        "chart.path",
        "path: deploy/shop",
        "the chart needs redis 1.0.0",
    ),
    "no values file": (
        lambda p: (p.folder / "deploy/staging.yaml").unlink(),
        "chart: values 1",
        "deploy/staging.yaml",
        "cannot be read: there is no such file",
    ),
    "a values file that is no YAML": (
        lambda p: p.write("deploy/staging.yaml", "a: [1\nb: 2\n"),
        "chart: values 1",
        "deploy/staging.yaml",
        "is no YAML (line 2)",
    ),
    "a values file that is a list": (
        lambda p: p.write("deploy/staging.yaml", "- a\n"),
        "chart: values 1",
        "deploy/staging.yaml",
        "expected a mapping",
    ),
    "no kubeconfig": (
        lambda p: (p.folder / "kubeconfig").unlink(),
        "kube.context",
        "context: shop-",
        "does not exist",
    ),
    "a broken kubeconfig": (
        lambda p: p.write("kubeconfig", "users: [{user: {token: canary-token"),
        "kube.context",
        "context: shop-",
        "cannot be read",
    ),
    "no such context": (
        lambda p: p.replace("context: shop-staging", "context: shop-stagging"),
        "kube.context",
        "context: shop-stagging",
        "has no context 'shop-stagging'",
    ),
    "no helm": (
        lambda p: p.replace("helm: ./helm", "helm: ./none"),
        "helm",
        "helm: ./none",
        "no program './none' was found",
    ),
    "an old helm": (
        lambda p: p.write("helm", "#!/bin/sh\necho v3.7.2\n"),
        "helm",
        "helm: ./helm",
        "it is older than 3.8",
    ),
    "a helm that is none": (
        lambda p: p.write("helm", "#!/bin/sh\necho hello\n"),
        "helm",
        "helm: ./helm",
        "a version such as v3.17.2 was expected",
    ),
    "zeros for a digest": (
        lambda p: p.replace(DIGEST, "sha256:" + "0" * 64),
        "candidate.images.web",
        "@sha256:0",
        "a placeholder, not a digest",
    ),
    "nearly zeros": (
        lambda p: p.replace(DIGEST, "sha256:" + "0" * 63 + "7"),
        "candidate.images.web",
        "@sha256:0",
        "a placeholder, not a digest",
    ),
    "one digit for a digest": (
        lambda p: p.replace(DIGEST, "sha256:" + "a" * 64),
        "candidate.images.web",
        "@sha256:a",
        "a placeholder, not a digest",
    ),
    "a tag": (
        lambda p: p.replace(f"@{DIGEST}", ":v1"),
        "candidate.images.web",
        "/web:v1",
        "named by tag v1, which may move",
    ),
    "no tag": (
        lambda p: p.replace(f"@{DIGEST}", ""),
        "candidate.images.web",
        "shop/web",
        "no tag, which means latest",
    ),
    "zeros for a commit": (
        lambda p: p.replace("4f1c2d7e9a0b3c5d6e8f7a1b2c3d4e5f60718293", "0" * 39 + "a"),
        "candidate.commit",
        "commit:",
        "a placeholder, not a commit",
    ),
    "an example's domain": (
        lambda p: p.replace("host: shop.staging.shop.test", "host: shop.Example.com"),
        "environments.staging.domains.shop.host",
        "host: shop.Example",
        "is a domain for examples",
    ),
    "an example's Prometheus": (
        lambda p: p.replace("https://prometheus.staging.shop.test", "https://prometheus.example.org:9090/x"),
        "environments.staging.prometheus.url",
        "prometheus.example.org",
        "is a domain for examples",
    ),
    "an example's registry": (
        lambda p: p.replace("web: registry.shop.shop.test/", "web: registry.example.net:5000/"),
        "candidate.images.web",
        "registry.example.net",
        "expected your registry",
    ),
}
"""What is done to it, the end of the key, a word of its line, what is told."""


@pytest.mark.parametrize("name", WRONG)
def test_one_thing_that_is_wrong(place: Place, capsys: pytest.CaptureFixture[str], name: str) -> None:
    break_it, key, word, words = WRONG[name]
    break_it(place)
    code, told = check(place, capsys)
    assert code == 2
    assert told, name
    messages = [line for line in told if line.startswith(f"{place.book}:")]  # below each its line and a caret
    assert all(words in line and f"{key}: " in line for line in messages), told
    assert told[0].startswith(f"{place.book}:{place.line_of(word)}:"), told
    # Both environments read the chart; everything else is told once.
    assert len(told) <= 2
    assert check(place, capsys, "--offline") == (0, [])


def test_a_chart_of_a_known_repository_is_helms_to_find(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    _repositories(place, "team")
    assert check(place, capsys) == (0, [])
    place.replace("path: team/shop,", 'path: "oci://registry.shop.test/shop",')
    assert check(place, capsys) == (0, [])


@pytest.mark.parametrize(("timeout", "words"), [("3", "3 s are over before pods start"), ("9h", "9 hours")])
def test_an_absurd_timeout_is_a_warning(
    place: Place, capsys: pytest.CaptureFixture[str], timeout: str, words: str
) -> None:
    text = place.book.read_text()
    assert "kind: deploy," in text
    place.book.write_text(text.replace("kind: deploy,", f"kind: deploy, timeout: {timeout},", 1))
    code, told = check(place, capsys)
    assert code == 0
    assert [words in line and line.startswith("launch-console: warning: ") for line in told] == [True], told
