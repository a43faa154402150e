"""Somebody else's distribution adds a kind of check without touching ours: the one of the guide in docs/."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from state.base.json import obj, text
from tests.paths import ROOT

GUIDE = (ROOT / "docs" / "own-checks.md").read_text()
KINDS = "from checks import registry as r; print(r.kind('shop.stock').settings().path, r.BROKEN)"


def block(language: str) -> str:
    """Return the guide's example in a language."""
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    return found[1]


def distribution(folder: Path, name: str, entry: str, module: str, code: str) -> None:
    """Lay a distribution out as an installer does."""
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[launch_console.checks]\n{entry} = {module}\n")


def guided(folder: Path) -> None:
    """Lay out what the guide's pyproject.toml and module come to."""
    project = obj(tomllib.loads(block("toml"))["project"])
    ((entry, module),) = obj(obj(project["entry-points"])["launch_console.checks"]).items()
    distribution(folder, text(project, "name"), entry, str(module), block("python"))


def ran(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    argv = [sys.executable, *words]
    return subprocess.run(argv, env=env, cwd=folder, capture_output=True, text=True, check=False)


def test_the_guides_kind_comes_with_a_distribution_of_its_own(tmp_path: Path) -> None:
    guided(tmp_path)
    assert ran(tmp_path, "-c", KINDS).stdout.strip() == "/products ()"
    runbook = (ROOT / "examples" / "web-service.yaml").read_text()
    mine = tmp_path / "mine.yaml"
    line = block("yaml").strip().removeprefix("checks: [").removesuffix("]")
    mine.write_text(runbook.replace("- { kind: data.smoke, with: *data }", f"- {line}"))
    fits = ran(tmp_path, "-m", "console", "runbook", "check", "--offline", str(mine))
    assert (fits.returncode, "6 gates" in fits.stdout) == (0, True), fits.stderr
    mine.write_text(mine.read_text().replace("at_least: 3", "at_most: 3"))
    wrong = ran(tmp_path, "-m", "console", "runbook", "check", str(mine))
    assert wrong.returncode == 2
    assert "at_most" in wrong.stderr


def test_a_broken_distribution_is_named_and_hurts_nobody(tmp_path: Path) -> None:
    guided(tmp_path)
    distribution(tmp_path, "broken", "broken_checks", "broken_checks", "raise RuntimeError('no')")
    assert ran(tmp_path, "-c", KINDS).stdout.strip() == "/products ('broken_checks (RuntimeError)',)"
