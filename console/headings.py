"""What a dialog calls a command that is about to be given: the palette's title, with what it is about."""

from __future__ import annotations

from collections.abc import Mapping

from state.text import line

_HEADINGS = {
    "check.run": "Run the checks of item {item}",
    "gate.run": "Run all checks of gate {gate}",
    "launch.run": "Run every check",
    "attest.sign": "Attest item {item}",
    "attest.withdraw": "Withdraw the attestation of item {item}",
    "item.waive": "Waive item {item}",
    "gate.recycle": "Go back to gate {gate}",
    "launch.hold": "Hold the launch",
    "launch.release": "Release the hold",
    "launch.scrub": "Scrub the launch",
    "launch.close": "Close the launch",
    "operation.run": "Run {operation}",
    "operation.abort": "Abort the operation",
    "operation.recover": "Recover the operation without an end",
    "condition.acknowledge": "Acknowledge the trip of {condition}",
    "condition.mute": "Mute {condition}",
    "bake.extend": "Extend the bake",
    "bake.finish": "Finish the bake early",
    "clock.rate": "Change the clock's rate",
    "note.add": "Add a note",
    "engine.stop": "Stop the engine",
    "console.take_over": "Take over",
}


def heading(name: str, args: Mapping[str, object]) -> str:
    """Return a command in words, as ``Waive item 2.3``; what isn't chosen yet is left out."""
    known = _HEADINGS.get(name, name)
    field = known.partition("{")[2].partition("}")[0]
    value = args.get(field)
    told = line(str(value), 60) if isinstance(value, str | int) else ""
    return known.replace(f"{{{field}}}", told).strip() if field else known
