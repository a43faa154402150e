"""The entry point of ``launch-console`` and ``python -m console``."""

from __future__ import annotations

import sys

from console.cli.dispatch import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
