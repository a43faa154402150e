"""What CI built and tested, what the package says, and by which digest a node tells an image that it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import cast

from console.rehearsal.dotmac.artifacts import Artifacts
from console.rehearsal.dotmac.faults.changes import (
    Flaw,
    chart_values,
    lasting,
    of_candidate,
    platform,
    switch,
)
from console.rehearsal.dotmac.names import Env, reference
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.world.fault import Apply, Expect, Fault, below, blinds, fails
from console.rehearsal.world.world import World
from state.base.json import Json, objs, text

_STAGING = Env.STAGING
"""Whose observers stand for CI: a commit is built once."""
_OLD = f"registry.dotmac.test/dotmactech/dotmac-platform-worker@sha256:{'3' * 64}"


def _job(name: str, word: str) -> Apply:
    return switch(f"observers.ci_checks.{name}", word, _STAGING)


def _never_ran(dotmac: Dotmac) -> None:
    dotmac.settings[_STAGING].observers.ci_absent.add("build-worker")


def _passed_before(dotmac: Dotmac) -> None:
    dotmac.settings[_STAGING].observers.ci_earlier["unit-tests"] = "success"


def _old_worker(values: dict[str, Json]) -> None:
    below(values, "image")["worker"] = _OLD


def runs_as(told: Callable[[Artifacts, str], str], *parts: str, release: str = "candidate") -> Flaw:
    """Let the nodes tell the images of these parts otherwise: ``told`` makes an imageID, of artifacts and a part."""

    def flaw(world: World, env: Env) -> Callable[[], None] | None:
        artifacts = world.product(Dotmac).artifacts
        named: Mapping[str, str] = getattr(artifacts, release)
        changed = False
        for pod in world.store.list("pods", env.namespace):
            status = below(pod, "status")
            for box in objs(status.get("containerStatuses")):
                part = text(box, "name")
                if part in parts and named[part] in text(box, "imageID"):
                    cast("dict[str, Json]", box)["imageID"] = told(artifacts, part)
                    changed = True
            world.store.set_status("pods", pod, status)
        return (lambda: None) if changed else None  # the pods go with their release

    return flaw


def by_platform(artifacts: Artifacts, part: str) -> str:
    """Tell the manifest of the node's own platform, as CRI-O does."""
    return reference(part, artifacts.platform_digest(part, artifacts.candidate[part]))


def by_configuration(artifacts: Artifacts, part: str) -> str:
    """Tell the configuration alone, as Docker does of an image that was loaded from an archive."""
    return f"docker://{artifacts.config_digest(part, artifacts.candidate[part])}"


def _previous_by_platform(artifacts: Artifacts, part: str) -> str:
    return reference(part, artifacts.platform_digest(part, artifacts.previous[part]))


def _built_by_hand(_artifacts: Artifacts, part: str) -> str:
    return f"sha256:{sha256(part.encode()).hexdigest()}"


def _imported(_artifacts: Artifacts, part: str) -> str:
    return f"docker.io/library/import-2026-11-30@sha256:{sha256(part.encode()).hexdigest()}"


def _once_live(flaw: Flaw) -> Apply:
    return lasting((flaw,), (Env.PRODUCTION,), candidate=True)


FAULTS: tuple[Fault, ...] = (
    fails(
        "ci-worker-red", "build", "the build of the worker's image failed", _job("build-worker", "failure")
    ),
    blinds("ci-no-worker", "build", "CI never built the worker's image", platform(_never_ran)),
    blinds("ci-skipped", "build", "the build of the frontend was skipped", _job("build-frontend", "skipped")),
    fails("ci-red", "test", "the unit tests of the candidate's commit failed", _job("unit-tests", "failure")),
    fails(
        "ci-rerun-red",
        "test",
        "the unit tests passed once, and failed when they were run again",
        platform(_passed_before),
        _job("unit-tests", "failure"),
    ),
    fails("ci-cancelled", "test", "somebody cancelled the unit tests", _job("unit-tests", "cancelled")),
    fails("ci-lint-red", "test", "the frontend's linter reported an error", _job("frontend-lint", "error")),
    blinds("ci-pending", "test", "the integration tests still run", _job("integration-tests", "in_progress")),
    blinds(
        "ci-unknown-commit",
        "test",
        "CI knows nothing of the candidate's commit",
        switch("observers.ci_unknown_commit", True, _STAGING),
    ),
    fails(
        "staging-values-old",
        "package",
        "staging's values file still names the worker of another version",
        prepare=chart_values(_old_worker, _STAGING),
    ),
    of_candidate(
        "worker-loaded-by-hand",
        "6.3",
        "the worker's image was built by hand and loaded into its node: no registry knows it",
        runs_as(_built_by_hand, "worker"),
        expect=Expect.UNKNOWN,
    ),
    blinds(
        "image-imported",
        "9.1",
        "production's nodes run an image of the Admin UI that was imported from an archive",
        _once_live(runs_as(_imported, "frontend")),
    ),
    fails(
        "previous-by-platform",
        "9.1",
        "production's nodes run the worker of the version before, told by its platform's manifest",
        _once_live(runs_as(_previous_by_platform, "worker")),
    ),
    fails(
        "another-part-by-platform",
        "9.1",
        "production's worker runs the API's image, told by the manifest of its platform",
        _once_live(runs_as(lambda artifacts, _: by_platform(artifacts, "backend"), "worker")),
    ),
)
