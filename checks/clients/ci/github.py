"""GitHub: check runs of a commit (actions and apps), and commit statuses (systems that only report).

https://docs.github.com/rest/checks/runs, https://docs.github.com/rest/commits/statuses
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from checks.clients.ci.job_runs import NOT_YET, Job, JobState, listed, pages
from checks.clients.endpoint_login import Secret
from checks.clients.errors import PartialError, Where
from checks.clients.wire import Wire
from state.base.json import JsonObject, integer, obj, text
from state.base.times import micros_of
from state.runbook.ci_service import CiService

# The answers hold each run's summary, up to 64 KiB of it twice: a hundred of them could be larger than the cap.
_PER_PAGE: Final = "50"
_HEADERS: Final = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_CONCLUSIONS: Final = {
    "success": JobState.PASSED,
    "failure": JobState.FAILED,
    "timed_out": JobState.FAILED,
    "cancelled": JobState.FAILED,
    "action_required": JobState.FAILED,
    "startup_failure": JobState.FAILED,
    "skipped": JobState.SKIPPED,
    "neutral": JobState.NEUTRAL,
}
"""A run that never ended is made ``stale`` by GitHub: unknown, as any other word."""
_STATUSES: Final = {
    "success": JobState.PASSED,
    "failure": JobState.FAILED,
    "error": JobState.FAILED,
    "pending": JobState.RUNNING,
}


class GithubClient:
    """The checks and statuses of one repository."""

    def __init__(
        self, service: CiService, environment: str, *, token: Secret = "", password: Secret = ""
    ) -> None:
        self.where = Where("GitHub", environment)
        self._wire = Wire.to(service, self.where, token=token, password=password)
        self._repository = service.project or ""

    async def jobs(self, commit: str, names: Collection[str]) -> tuple[Job, ...]:  # noqa: ARG002  all are told
        """See CiClient."""
        return (*await self._check_runs(commit), *await self._statuses(commit))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    async def _check_runs(self, commit: str) -> list[Job]:
        expected = f"the check runs of commit {commit[:12]}"
        # Not filter=latest: it goes by the time of the end, so a run that still runs would stand behind an older one.
        params = [("filter", "all"), ("per_page", _PER_PAGE)]
        path, total, found = f"/repos/{self._repository}/commits/{commit}/check-runs", 0, dict[int, Job]()
        async for page in pages(
            self._wire, path, params, expected=expected, permission="read checks", headers=_HEADERS
        ):
            total = integer(obj(page), "total_count")
            for run in listed(self.where, obj(page).get("check_runs"), expected):
                found[integer(run, "id")] = _run(run)
        if len(found) < total:
            raise PartialError(f"{self.where} told {len(found)} of {total} check runs; expected {expected}")
        return list(found.values())

    async def _statuses(self, commit: str) -> list[Job]:
        expected = f"the statuses of commit {commit[:12]}"
        path, found = f"/repos/{self._repository}/commits/{commit}/statuses", dict[int, Job]()
        async for page in pages(
            self._wire,
            path,
            [("per_page", _PER_PAGE)],
            expected=expected,
            permission="read commit statuses",
            headers=_HEADERS,
        ):
            for status in listed(self.where, page, expected):
                found[integer(status, "id")] = _status(status)
        return list(found.values())


def _run(run: JsonObject) -> Job:
    ended = text(run, "status") == "completed"
    word = text(run, "conclusion") if ended else text(run, "status")
    began = micros_of(text(run, "started_at"))
    return Job(
        name=text(run, "name"),
        state=_CONCLUSIONS.get(word, JobState.UNKNOWN) if ended else JobState.RUNNING,
        word=word or "without a conclusion",
        commit=text(run, "head_sha"),
        order=(began or NOT_YET, integer(run, "id")),
        source=text(obj(run.get("app")), "slug"),
        at_us=micros_of(text(run, "completed_at")) or began,
        url=text(run, "html_url"),
    )


def _status(status: JsonObject) -> Job:
    made, word = micros_of(text(status, "created_at")), text(status, "state")
    return Job(
        name=text(status, "context"),
        state=_STATUSES.get(word, JobState.UNKNOWN),
        word=word,
        # A status says only in its own address which commit it is of: …/repos/O/R/statuses/SHA.
        commit=text(status, "url").rpartition("/statuses/")[2],
        order=(made, integer(status, "id")),
        source="statuses",
        at_us=made,
        url=text(status, "target_url"),
    )
