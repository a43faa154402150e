"""``launch-console checks list | show KIND``: the kinds of checks, as their models and docstrings tell them."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from checks.base import REGISTRY
from checks.registry import BROKEN, kind, names, similar
from console.cli.kinds.schema import summary
from console.cli.kinds.told import family, page, shown, spell
from console.cli.say import say
from console.exit_codes import ExitCode, FailedError
from state.base.text import line


def run_list(as_json: bool) -> ExitCode:
    """Print every kind, as JSON (``[{"kind", "family", "what", "ttl_s", "writes", "judges"}]``) or as a table."""
    if as_json:
        rows = [
            {
                "kind": name,
                "family": family(name),
                "what": summary(name),
                "ttl_s": round(REGISTRY[name].ttl),
                "writes": REGISTRY[name].writes,
                "judges": REGISTRY[name].judges.value,
            }
            for name in names()
        ]
        sys.stdout.write(json.dumps(rows, ensure_ascii=False) + "\n")
        return ExitCode.GO
    table = Table(box=None, pad_edge=False)
    for heading in ("KIND", "FAMILY", "JUDGES", "FRESH", "WRITES", "WHAT"):
        table.add_column(heading, no_wrap=heading != "WHAT")
    for name in names():
        found = REGISTRY[name]
        writes = "writes" if found.writes else ""
        cells = (name, family(name), found.judges.value, spell(found.ttl), writes, summary(name))
        table.add_row(*map(Text, cells))
    # A pipe has no width: a row stays on its line.
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)
    if BROKEN:
        say(f"kinds of checks that could not be loaded: {', '.join(BROKEN)}")
    return ExitCode.GO


def run_show(name: str) -> ExitCode:
    """Print what a kind judges and proves, how each fail is mended, every setting, and an example.

    Raises FailedError for an unknown kind.
    """
    found = kind(name)
    if found is None:
        close = similar(name)
        hint = f"did you mean {' or '.join(close)}?" if close else "`launch-console checks list` shows them"
        raise FailedError(f"there is no kind {line(name, 60)!r}: {hint}", ExitCode.BAD_CONFIG)
    sys.stdout.write("\n".join(shown(name)) + "\n")
    return ExitCode.GO


def run_page() -> ExitCode:
    """Print what all kinds tell, as Markdown: docs/checks.md."""
    sys.stdout.write(page(names()))
    return ExitCode.GO
