"""``launch-console checks list | show KIND``: the kinds of checks, as their models and docstrings tell them."""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from checks.base import REGISTRY
from checks.registry import BROKEN, kind, names, similar
from console.cli.kinds.example import example
from console.cli.kinds.schema import doc, settings_schema, summary
from console.cli.kinds.settings import described
from console.cli.say import say
from console.exit_codes import ExitCode, FailedError
from state.base.text import line
from state.view.enums import Judges

_JUDGES = {
    Judges.CANDIDATE: "judges the candidate: in staging before the promotion, and again live after it",
    Judges.ENVIRONMENT: "judges an environment, where the runbook says",
    Judges.LAUNCH: "judges the launch itself",
}
_HOUR, _MINUTE = 3600, 60


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
    """Print what a kind judges, every setting, and an example.

    Raises FailedError for an unknown kind.
    """
    found = kind(name)
    if found is None:
        close = similar(name)
        hint = f"did you mean {' or '.join(close)}?" if close else "`launch-console checks list` shows them"
        raise FailedError(f"there is no kind {line(name, 60)!r}: {hint}", ExitCode.BAD_CONFIG)
    leaves = (
        f"leaves {found.leaves or 'traces'}: in production it is asked for" if found.writes else "only looks"
    )
    schema = settings_schema(name)
    lines = [f"{name} (family {family(name)})", ""]
    lines += [f"  {row}".rstrip() for row in doc(name).splitlines()]
    lines += [
        "",
        f"  It {_JUDGES[found.judges]}.",
        f"  Its evidence stays fresh for {spell(found.ttl)}. It {leaves}.",
        "",
        "SETTINGS, below with:",
    ]
    lines += [f"  {row}".rstrip() for row in described(schema)]
    lines += ["", "EXAMPLE", *(f"  {row}" for row in example(name, schema, found.judges).splitlines())]
    sys.stdout.write("\n".join(lines) + "\n")
    return ExitCode.GO


def family(name: str) -> str:
    """Return the module that a kind is defined in, without our own package."""
    return REGISTRY[name].judge.__module__.removeprefix("checks.")


def spell(seconds: float) -> str:
    """Return a time to live as a runbook writes it: ``4h``, ``90m``, ``45s``."""
    whole = round(seconds)
    for unit, letter in ((_HOUR, "h"), (_MINUTE, "m")):
        if whole and whole % unit == 0:
            return f"{whole // unit}{letter}"
    return f"{whole}s"
