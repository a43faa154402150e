"""What is built: a wheel with the four packages alone, and a source archive with everything one starts from."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.paths import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    argv = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_wheel_has_four_packages_the_sop_and_the_rehearsals_charts(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.split("/", 1)[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "checks",
        "console",
        "screens",
        "state",
    }
    assert "state/runbook/sop.yaml" in names
    for chart in ("dotmac/chart/dotmac-platform", "web_service/chart/web-service"):
        assert f"console/rehearsal/{chart}/Chart.yaml" in names


def test_the_source_archive_has_the_examples(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.split("/", 1)[1] for name in opened.getnames() if "/" in name}
    assert {"examples/web-service.yaml", "runbook.yaml", "README.md", "docs/own-checks.md"} <= names
