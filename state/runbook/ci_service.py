"""Where the builds and tests of a commit are told: GitHub, GitLab, Jenkins, or any JSON in a form that is said."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from state.runbook.endpoint import Endpoint

__all__ = ["CiForm", "CiKind", "CiService"]


class CiKind(StrEnum):
    """Whose interface is spoken."""

    GITHUB = "github"
    """Check runs and commit statuses; ``url`` is https://api.github.com, or https://HOST/api/v3."""
    GITLAB = "gitlab"
    """Pipelines and their jobs; ``url`` is the instance's own, without /api/v4."""
    JENKINS = "jenkins"
    """Builds of jobs; ``username`` and ``password`` are a user and an API token."""
    GENERIC = "generic"
    """One path that lists a commit's jobs as JSON."""


class CiForm(Endpoint):
    """How the generic form is read; the defaults are those of a list of checks with name and state."""

    path: str | None = None
    """With ``{commit}``."""
    checks_field: str = "checks"
    """Where the answer lists its jobs, dotted; empty: the answer itself is the list."""
    name_field: str = "name"
    """Where a job's name is, dotted."""
    state_field: str = "state"
    """Where a job's state is, dotted."""
    when_field: str | None = None
    """Where the time is that tells the newest of several runs of a job: RFC 3339, or a number that grows."""
    commit_field: str | None = None
    """Where a job's commit is; it is compared with the candidate's."""
    url_field: str | None = None
    """Where a job's address for people is."""
    good: tuple[str, ...] = ("success", "passed")
    """States that mean: passed."""
    pending: tuple[str, ...] = ("pending", "running", "queued")
    """States that mean: not known yet."""
    not_run: tuple[str, ...] = ("skipped",)
    """States that mean: it didn't run. Every other state means: failed."""
    undecided: tuple[str, ...] = ("neutral",)
    """States that mean: it ended without a judgement."""


class CiService(CiForm):
    """Continuous integration: whose interface, and which project there."""

    kind: CiKind = CiKind.GENERIC
    project: str | None = Field(default=None, pattern=r"^[^\s?#]+$")
    """GitHub: ``owner/repository``. GitLab: a number, or ``group/project``. Jenkins: the folder of the jobs."""

    @model_validator(mode="after")
    def _which(self) -> CiService:
        if self.kind is CiKind.GITHUB and (self.project or "").count("/") != 1:
            raise ValueError("ci of kind github needs project: owner/repository")
        if self.kind is CiKind.GITLAB and not self.project:
            raise ValueError("ci of kind gitlab needs project: its number, or group/project")
        if self.kind is not CiKind.GENERIC and self.path is not None:
            raise ValueError(f"path: belongs to ci of kind generic, not to {self.kind}")
        if self.kind is CiKind.GENERIC and self.project is not None:
            raise ValueError(
                "project: belongs to ci of kind github, gitlab or jenkins: expected kind: beside it"
            )
        return self
