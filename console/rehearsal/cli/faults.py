"""``launch-console faults``: what can be wrong where the SOP is rehearsed, and which item must notice.

Worlds in which nothing is wrong although they are odd are listed too, below ``odd:``: no item may be red for one.
"""

from __future__ import annotations

import json
import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from console.exit_codes import ExitCode
from console.rehearsal.products import products_of


def run(as_json: bool) -> ExitCode:
    """Print the catalogue, as JSON (``[{"name", "item", "expect", "what"}]``) or as a table."""
    faults = products_of(None)[-1].faults()
    if as_json:
        listed = [{"name": f.name, "item": f.item, "expect": f.expect, "what": f.what} for f in faults]
        sys.stdout.write(json.dumps(listed) + "\n")
        return ExitCode.GO
    table = Table(box=None, pad_edge=False)
    for heading in ("FAULT", "ITEM", "EXPECT", "WHAT"):
        table.add_column(heading, no_wrap=heading != "WHAT")
    for fault in faults:
        table.add_row(*map(Text, (fault.name, fault.item, fault.expect, fault.what)))
    Console(highlight=False).print(table)
    return ExitCode.GO
