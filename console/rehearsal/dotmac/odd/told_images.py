"""Nodes that tell an image by another of its digests than the one that it was released by."""

from __future__ import annotations

from collections.abc import Callable

from console.rehearsal.dotmac.artifacts import Artifacts
from console.rehearsal.dotmac.faults.builds import by_configuration, by_platform, runs_as
from console.rehearsal.dotmac.faults.changes import lasting
from console.rehearsal.dotmac.names import PARTS, Env, reference
from console.rehearsal.world.fault import Apply, odd


def _pulled_by_docker(artifacts: Artifacts, part: str) -> str:
    return f"docker-pullable://{reference(part, artifacts.candidate[part])}"


def _told(by: Callable[[Artifacts, str], str]) -> Apply:
    return lasting((runs_as(by, *PARTS),), Env, candidate=True)


ODD = (
    odd("images-by-platform", "6.3", "nodes tell the manifest of their platform", _told(by_platform)),
    odd("images-by-configuration", "6.3", "nodes tell the configuration alone", _told(by_configuration)),
    odd("images-by-docker", "6.3", "nodes tell images as Docker does", _told(_pulled_by_docker)),
    odd("images-by-platform-live", "9.1", "once it is live, nodes tell their platform's manifest",
        _told(by_platform)),
    odd("images-by-configuration-live", "9.1", "once it is live, nodes tell the configuration alone",
        _told(by_configuration)),
)  # fmt: skip
