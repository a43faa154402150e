"""A distribution of somebody else adds a kind of check without touching ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

KIND = """
from checks.base import Around, Outcome, Settings, check, passed

class Settings_(Settings):
    greeting: str = "hello"
    \"\"\"What is said.\"\"\"

@check("acme.greets", Settings_)
async def greets(settings: Settings_, around: Around) -> Outcome:
    \"\"\"Judge nothing.\"\"\"
    return passed(settings.greeting)
"""
ASK = "from checks import registry as r; print(r.kind('acme.greets').settings().greeting, r.BROKEN)"


def distribution(folder: Path, module: str, text: str) -> None:
    (folder / f"{module}.py").write_text(text)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[launch_console.checks]\n{module} = {module}\n")


def asked(folder: Path, words: str) -> str:
    env = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{Path(__file__).parents[2]}"}
    done = subprocess.run([sys.executable, "-c", words], env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_kind_comes_with_another_distribution(tmp_path: Path) -> None:
    distribution(tmp_path, "acme_checks", KIND)
    assert asked(tmp_path, ASK) == "hello ()"


def test_a_broken_distribution_is_named_and_hurts_nobody(tmp_path: Path) -> None:
    distribution(tmp_path, "acme_checks", KIND)
    distribution(tmp_path, "broken_checks", "raise RuntimeError('no')")
    assert asked(tmp_path, ASK) == "hello ('broken_checks (RuntimeError)',)"


def test_the_command_line_tells_of_it(tmp_path: Path) -> None:
    distribution(tmp_path, "acme_checks", KIND)
    distribution(tmp_path, "broken_checks", "raise RuntimeError('no')")
    shown = asked(tmp_path, "from console.__main__ import main; main(['checks', 'show', 'acme.greets'])")
    assert "Judge nothing" in shown
    assert 'greeting: text, default "hello"\n        What is said.' in shown
    listed = asked(tmp_path, "from console.__main__ import main; main(['checks', 'list'])")
    assert "acme.greets" in listed
