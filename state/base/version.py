"""The version of this program."""

import importlib.metadata


def _installed() -> str:
    try:
        return importlib.metadata.version("launch-console")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


VERSION = _installed()
"""Of the installed distribution; ``unknown`` where there is none."""
