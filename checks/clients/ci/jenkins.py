"""Jenkins: the builds of a job, the newest first, each with the commits that it checked out.

https://www.jenkins.io/doc/book/using/remote-access-api/ and ``/api/`` of every Jenkins.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import quote

from checks.clients.ci.job_runs import Job, JobState, listed
from checks.clients.endpoint_login import Secret
from checks.clients.errors import NotFoundError, PartialError, Where
from checks.clients.wire import Wire
from state.base.json import JsonObject, flag, integer, obj, objs, text
from state.base.times import SECOND_US
from state.runbook.ci_service import CiService

_RANGE: Final = 100
_RANGES: Final = 10
"""How far back a job's builds are read: a thousand."""
_TREE: Final = "number,result,building,timestamp,duration,url,actions[lastBuiltRevision[SHA1]]"
_RESULTS: Final = {
    "SUCCESS": JobState.PASSED,
    "FAILURE": JobState.FAILED,
    "UNSTABLE": JobState.FAILED,
    "ABORTED": JobState.FAILED,
    "NOT_BUILT": JobState.SKIPPED,
}


class JenkinsClient:
    """The jobs of one Jenkins, or of one folder of it. A job's name is its path: ``platform/build-api``."""

    def __init__(
        self, service: CiService, environment: str, *, token: Secret = "", password: Secret = ""
    ) -> None:
        self.where = Where("Jenkins", environment)
        self._wire = Wire.to(service, self.where, token=token, password=password)
        self._folder = service.project or ""

    async def jobs(self, commit: str, names: Collection[str]) -> tuple[Job, ...]:
        """See CiClient. A job that Jenkins doesn't have is left out."""
        return tuple([run for name in names for run in await self._builds(name, commit)])

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    async def _builds(self, name: str, commit: str) -> list[Job]:
        parts = [part for part in f"{self._folder}/{name}".split("/") if part]
        path = "".join(f"/job/{quote(part, safe='')}" for part in parts) + "/api/json"
        found: list[Job] = []
        for page in range(_RANGES):
            start, end = page * _RANGE, (page + 1) * _RANGE
            expected = f"the builds {start} to {end} of {name}"
            # Not ``builds``: that one ends after the newest hundred, whatever range it is asked for.
            params = {"tree": f"allBuilds[{_TREE}]{{{start},{end}}}"}
            try:
                answer = obj(await self._wire.get_json(path, params, expected=expected))
            except NotFoundError:
                return []
            builds = listed(self.where, answer.get("allBuilds"), expected)
            found += [one for build in builds if (one := _build(name, build, commit)) is not None]
            # The newest first: whatever is older than the commit's newest build is an older attempt.
            if any(run.commit for run in found) or len(builds) < _RANGE:
                return found
        raise PartialError(
            f"{self.where}: none of the newest {_RANGE * _RANGES} builds of {name} is of commit {commit[:12]}"
        )


def _build(name: str, build: JsonObject, commit: str) -> Job | None:
    """Return a build of the commit, or one that runs and hasn't said yet which commit it is of."""
    told = [text(obj(one.get("lastBuiltRevision")), "SHA1") for one in objs(build.get("actions"))]
    commits = [one for one in told if one]  # one for each repository, a pipeline library's among them
    building = flag(build, "building")
    own = next((one for one in commits if one.lower().startswith(commit.lower())), None)
    if own is None and not (building and not commits):
        return None
    word = "building" if building else text(build, "result")
    began, took = integer(build, "timestamp") * (SECOND_US // 1000), integer(build, "duration")
    return Job(
        name=name,
        state=JobState.RUNNING if building else _RESULTS.get(word, JobState.UNKNOWN),
        word=word or "without a result",
        commit=own or "",
        order=(0, integer(build, "number")),
        at_us=began + took * (SECOND_US // 1000),
        url=text(build, "url"),
    )
