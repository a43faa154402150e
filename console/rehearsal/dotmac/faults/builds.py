"""The pipeline before staging: what CI built and tested, and what the package says. Their stages must notice."""

from __future__ import annotations

from console.rehearsal.dotmac.faults.changes import chart_values, platform, switch
from console.rehearsal.dotmac.names import Env
from console.rehearsal.dotmac.product import Dotmac
from console.rehearsal.world.fault import Apply, Fault, below, blinds, fails
from state.base.json import Json

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
)
