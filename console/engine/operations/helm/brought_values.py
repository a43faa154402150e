"""The values that charts bring with them: of the chart itself and of those in it, in folders and in packages."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

_NAME = "values.yaml"
_PACKAGE = ".tgz"
# A chart in a chart in a chart; helm packs no deeper in earnest.
_DEEPEST = 4
_LARGEST = 8 * 1024 * 1024
"""Bytes of a values file or a package in a package; of what is larger nothing is known."""
_MEMBERS = 20_000


def brought_values(chart: Path) -> Iterator[bytes]:
    """Yield every ``values.yaml`` of a chart: a folder or a package. What can't be read is left out."""
    files = sorted(chart.rglob("*")) if chart.is_dir() else [chart]
    for path in files:
        if path.name == _NAME or path.suffix == _PACKAGE:
            with suppress(OSError):
                raw = path.read_bytes()
                yield from (raw,) if path.name == _NAME else _packed(raw, 1)


def _packed(raw: bytes, depth: int) -> Iterator[bytes]:
    with (
        suppress(OSError, EOFError, tarfile.TarError),
        tarfile.open(fileobj=BytesIO(raw), mode="r|gz") as package,
    ):
        for number, member in enumerate(package):
            if number > _MEMBERS:
                return
            inner = member.name.endswith(_PACKAGE)
            if (
                not member.isfile()
                or member.size > _LARGEST
                or not (inner or Path(member.name).name == _NAME)
            ):
                continue
            file = package.extractfile(member)
            told = file.read() if file is not None else b""
            if not inner:
                yield told
            elif depth < _DEEPEST:
                yield from _packed(told, depth + 1)
