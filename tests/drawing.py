"""What a test draws of many: by the commit that is tested, so that each tries others and again the same."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

from tests.paths import ROOT


@cache
def commit() -> str:
    """Return the hash of the commit that is tested, or words where there is no checkout."""
    git = shutil.which("git")
    if git is None:
        return "no git"
    told = subprocess.run([git, "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "no checkout"


def seed(given: str) -> int:
    """Return the seed of a draw: the one that was ``given`` by a person, else the commit's."""
    return int(given) if given else int.from_bytes(commit().encode()[:4])
