"""Guards and effects of every command of ``state.commands``, run in the engine for every client alike."""

from __future__ import annotations

from console.engine.commands.dispatch import Commands

__all__ = ["Commands"]
