"""GitLab: the pipelines of a commit, and the jobs of each of them.

https://docs.gitlab.com/api/pipelines, https://docs.gitlab.com/api/jobs
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import quote

from checks.clients.ci.job_runs import Job, JobState, listed, pages
from checks.clients.endpoint_login import Secret
from checks.clients.errors import Where, WrongContentError
from checks.clients.wire import Wire
from state.base.json import JsonObject, integer, obj, text
from state.base.times import micros_of
from state.runbook.ci_service import CiService

_PER_PAGE: Final = "100"
_STATES: Final = {
    "success": JobState.PASSED,
    "failed": JobState.FAILED,
    "canceled": JobState.FAILED,
    "skipped": JobState.SKIPPED,
    **dict.fromkeys(
        ("created", "pending", "preparing", "running", "scheduled", "manual", "canceling"), JobState.RUNNING
    ),
    **dict.fromkeys(("waiting_for_resource", "waiting_for_callback"), JobState.RUNNING),
}


class GitlabClient:
    """The pipelines of one project."""

    def __init__(
        self, service: CiService, environment: str, *, token: Secret = "", password: Secret = ""
    ) -> None:
        self.where = Where("GitLab", environment)
        self._wire = Wire.to(service, self.where, token=token, password=password)
        self._project = f"/api/v4/projects/{quote(service.project or '', safe='')}"

    async def jobs(self, commit: str, names: Collection[str]) -> tuple[Job, ...]:  # noqa: ARG002  all are told
        """See CiClient."""
        expected = f"the pipelines of commit {commit[:12]}"
        params = [("sha", commit), ("order_by", "id"), ("sort", "desc"), ("per_page", _PER_PAGE)]
        found: list[Job] = []
        async for page in pages(
            self._wire, f"{self._project}/pipelines", params, expected=expected, permission="read_api"
        ):
            for pipeline in listed(self.where, page, expected):
                found += await self._of(pipeline)
        return tuple(found)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    async def _of(self, pipeline: JsonObject) -> list[Job]:
        number = integer(pipeline, "id")
        if not number:
            raise WrongContentError(f"{self.where} answered a pipeline without an id; expected a number")
        expected = f"the jobs of pipeline {number}"
        # Without the retried ones a job that was retried and waits could be told as what it was before.
        params = [("include_retried", "true"), ("per_page", _PER_PAGE)]
        path, found = f"{self._project}/pipelines/{number}/jobs", list[Job]()
        async for page in pages(self._wire, path, params, expected=expected, permission="read_api"):
            found += [_job(one, pipeline) for one in listed(self.where, page, expected)]
        return found


def _job(job: JsonObject, pipeline: JsonObject) -> Job:
    word = text(job, "status")
    own = text(obj(job.get("commit")), "id") or text(obj(job.get("pipeline")), "sha")
    times = (micros_of(text(job, one)) for one in ("finished_at", "started_at", "created_at"))
    return Job(
        name=text(job, "name"),
        state=_STATES.get(word, JobState.UNKNOWN),
        word=word or "without a status",
        commit=own or text(pipeline, "sha"),
        order=(0, integer(job, "id")),  # a retried job has a new id; the old one keeps its own
        at_us=next((at for at in times if at), 0),
        url=text(job, "web_url"),
    )
