"""What helm prints, as JSON and as text."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from console.rehearsal.sim.helm.releases import Release, rfc3339
from state.base.json import Json, JsonObject, text


def write(words: str) -> None:
    """Print a line at once: whoever reads a pipe wants to see it now."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def as_json(value: Json) -> str:
    """Return a value as helm's encoder writes it: one line."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def go_time(wall_us: int) -> str:
    """Return a time as Go's ``String`` prints it."""
    at = datetime.fromtimestamp(wall_us // 1_000_000, UTC)
    return f"{at:%Y-%m-%d %H:%M:%S}.{wall_us % 1_000_000:06d} +0000 UTC"


def ansic(wall_us: int) -> str:
    """Return a time as the tables of helm show it."""
    return f"{datetime.fromtimestamp(wall_us // 1_000_000, UTC):%a %b %e %H:%M:%S %Y}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as helm's tables: cells padded to their column, then a tab."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "\t".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )


def release_text(release: Release) -> str:
    """Return the block that helm prints after an upgrade and for ``status``."""
    return (
        f"NAME: {release.name}\nLAST DEPLOYED: {ansic(release.last_deployed_us)}\n"
        f"NAMESPACE: {release.namespace}\nSTATUS: {release.status}\n"
        f"REVISION: {release.version}\nTEST SUITE: None"
    )


def list_rows(releases: Sequence[Release]) -> list[JsonObject]:
    """Return the objects of ``helm list -o json``."""
    return [
        {
            "name": r.name,
            "namespace": r.namespace,
            "revision": str(r.version),
            "updated": go_time(r.last_deployed_us),
            "status": r.status.value,
            "chart": r.chart_name,
            "app_version": text(r.chart_metadata, "appVersion"),
        }
        for r in releases
    ]


def history_rows(releases: Sequence[Release]) -> list[JsonObject]:
    """Return the objects of ``helm history -o json``."""
    return [
        {
            "revision": r.version,
            "updated": rfc3339(r.last_deployed_us),
            "status": r.status.value,
            "chart": r.chart_name,
            "app_version": text(r.chart_metadata, "appVersion"),
            "description": r.description,
        }
        for r in releases
    ]


def metadata(release: Release) -> JsonObject:
    """Return the object of ``helm get metadata -o json``."""
    return {
        "name": release.name,
        "chart": text(release.chart_metadata, "name"),
        "version": text(release.chart_metadata, "version"),
        "appVersion": text(release.chart_metadata, "appVersion"),
        "namespace": release.namespace,
        "revision": release.version,
        "status": release.status.value,
        "deployedAt": rfc3339(release.last_deployed_us // 1_000_000 * 1_000_000),
    }


def metadata_text(release: Release) -> str:
    """Return the text of ``helm get metadata``."""
    known = metadata(release)
    names = {"APP_VERSION": "appVersion", "DEPLOYED_AT": "deployedAt"}
    heads = ("NAME", "CHART", "VERSION", "APP_VERSION", "ANNOTATIONS", "DEPENDENCIES")
    every = (*heads, "NAMESPACE", "REVISION", "STATUS", "DEPLOYED_AT")
    return "\n".join(f"{head}: {known.get(names.get(head, head.lower()), '')}" for head in every)


def rows_text(rows: Sequence[JsonObject]) -> str:
    """Return objects of one shape as a table with their keys in capitals."""
    if not rows:
        return ""
    head = [key.replace("_", " ").upper() for key in rows[0]]
    return table([head, *([str(value) for value in row.values()] for row in rows)])
