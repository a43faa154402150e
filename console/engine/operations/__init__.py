"""Operations: deploy, migrate, roll back; each with preview, intent, run and verdict."""

from __future__ import annotations

from console.engine.operations.run.service import Operations

__all__ = ["Operations"]
