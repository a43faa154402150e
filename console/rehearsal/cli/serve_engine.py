"""The engine of a rehearsal at a screen: the engine as it is, with the rehearsal's second person beside it.

``python -m console.rehearsal.cli.serve_engine`` takes what ``python -m console.engine`` takes. Whoever rehearses
alone has one account, and the socket knows people by their accounts: so the second one is in the engine's process.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from console.engine.__main__ import main

if TYPE_CHECKING:
    from console.engine.engine import Engine


async def beside(engine: Engine) -> None:
    """Let the second person answer while the engine runs."""
    from console.rehearsal.autopilot.second import THINKS_S, Second

    await Second(engine, THINKS_S).run()


if __name__ == "__main__":
    sys.exit(main(beside=beside))
