"""Runs tests as on a bare machine: Python and a shell, and no program of tests/programs.py.

    python -m tests.bare tests/wire
    python -m tests.bare -m "needs or wire or tmux"     # what `make test-bare` does

The PATH is a new folder of links to what a shell script may expect everywhere, so that no list of programs to hide
must be kept up.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.paths import ROOT
from tests.programs import PATH_ALONE

EVERYWHERE = (
    *(
        "sh",
        "bash",
        "env",
        "cat",
        "chmod",
        "cp",
        "cut",
        "date",
        "dirname",
        "echo",
        "expr",
        "false",
        "grep",
        "head",
    ),
    *(
        "kill",
        "ln",
        "ls",
        "mkdir",
        "mktemp",
        "mv",
        "printf",
        "ps",
        "rm",
        "sed",
        "seq",
        "setsid",
        "sleep",
        "sort",
    ),
    *("stty", "tail", "tee", "test", "touch", "tr", "true", "uname", "wc", "which", "xargs"),
)


def main(words: list[str]) -> int:
    """Run pytest with words of its own on a bare PATH; return its exit code."""
    dropped = {"CI", "LC_HELM3", "LC_HELM4"}
    with tempfile.TemporaryDirectory(prefix="lc-bare-") as folder:
        for name in EVERYWHERE:
            if found := shutil.which(name):
                (Path(folder) / name).symlink_to(found)
        environ = {name: value for name, value in os.environ.items() if name not in dropped}
        environ |= {"PATH": folder, PATH_ALONE: "1"}
        return subprocess.run(
            [sys.executable, "-m", "pytest", *words], cwd=ROOT, env=environ, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
