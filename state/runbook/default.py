"""The SOP's own runbook: the file at the top of the repository, which a wheel carries beside this module."""

from __future__ import annotations

from pathlib import Path


def sop_runbook() -> Path:
    """Return the path of the SOP runbook.

    Raises FileNotFoundError where neither the wheel nor the checkout has it.
    """
    here = Path(__file__).resolve()
    for candidate in (here.with_name("sop.yaml"), here.parents[2] / "runbook.yaml"):
        if candidate.is_file():
            return candidate
    raise FileNotFoundError("the SOP runbook is missing from this installation: install it again")
