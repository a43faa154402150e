"""One log judged by ``verify`` and by stock tools (the page's script): what they say must be the same."""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from state.log.errors import Damage
from state.log.verify import verify
from tests.paths import ROOT

_PAGE = (ROOT / "docs" / "log-format.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the page's block of a language."""
    found = re.search(rf"```{language}\n(.*?)```", _PAGE, re.DOTALL)
    assert found is not None
    return found[1]


SCRIPT = compile(block("python"), "the script of docs/log-format.md", "exec")
BY_FORMAT = {Damage.SCHEMA, Damage.NOT_A_LOG, Damage.FILE}
"""What is wrong with a file beside its events: the script, which reads events alone, may pass it."""


def stock(path: Path, *anchors: str) -> str:
    """Return what is wrong with a log by the script of the page and SQLite's own check; nothing where all is well."""
    before, told = sys.argv, StringIO()
    sys.argv = ["check.py", str(path), *anchors]
    try:
        with redirect_stdout(told):
            exec(SCRIPT, {"__name__": "__main__"})  # the page is our own
    except SystemExit as end:
        return str(end.code)
    except Exception as error:
        return f"{type(error).__name__}"
    finally:
        sys.argv = before
    assert verify(path, processes=1).head in {told.getvalue().split()[-1], ""}
    return ""


def agree(path: Path, *anchors: str) -> tuple[bool, bool]:
    """Return whether verify and stock tools pass a log, having compared what they name."""
    ours, theirs = verify(path, list(anchors), processes=1), stock(path, *anchors)
    if ours.ok:
        assert theirs == ""
    elif ours.damage not in BY_FORMAT:
        assert theirs, ours.message
    named = re.match(r"event (\d+)", theirs)
    if named and ours.bad_seq is not None and ours.damage not in BY_FORMAT:
        assert int(named[1]) == ours.bad_seq, (theirs, ours.message)
    return ours.ok, not theirs
