"""What kinds of checks tell of themselves, as ``launch-console checks show`` prints it.

It is read from that very command: a console loads none of the checks, whose clients would take it a second and a
half of not answering keys.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable

_PATIENCE_S = 60.0


async def kind_text(kinds: Iterable[str]) -> str:
    """Return what each kind tells, one after the other; where one can't be told, why."""
    return "\n\n".join(await asyncio.gather(*map(_shown, kinds)))


async def _shown(kind: str) -> str:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "console", "checks", "show", kind),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        told, trouble = await asyncio.wait_for(program.communicate(), _PATIENCE_S)
    except TimeoutError:
        program.kill()
        await program.wait()
        return f"{kind}: `launch-console checks show` gave no answer within {_PATIENCE_S:g} s"
    return (told if program.returncode == 0 else trouble).decode(errors="replace").strip()
