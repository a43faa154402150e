"""Any system that lists a commit's jobs as JSON at one path, in a form that the runbook says."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from checks.clients.ci.job_runs import NOT_YET, Job, JobState, listed, pages
from checks.clients.errors import MisconfiguredError, Where
from checks.clients.wire import Wire
from checks.judging import lookup
from state.base.json import Json, JsonObject
from state.base.times import micros_of

if TYPE_CHECKING:
    from checks.clients.endpoint_login import Secret
    from state.runbook.ci_service import CiService


class GenericClient:
    """One path, read with the names of fields of a ``ci:`` of kind generic."""

    def __init__(
        self, service: CiService, environment: str, *, token: Secret = "", password: Secret = ""
    ) -> None:
        self.where = Where("CI", environment)
        self._wire = Wire.to(service, self.where, token=token, password=password)
        self._form = service

    async def jobs(self, commit: str, names: Collection[str]) -> tuple[Job, ...]:  # noqa: ARG002  all are told
        """See CiClient."""
        form, expected = self._form, f"the status of commit {commit[:12]}"
        if form.path is None:
            raise MisconfiguredError(f"{self.where}: ci of kind generic needs path:, with {{commit}} in it")
        path, _, query = form.path.replace("{commit}", commit).partition("?")
        given = [(key, value) for key, _, value in (one.partition("=") for one in query.split("&")) if key]
        found: list[Job] = []
        async for page in pages(
            self._wire, path, given, expected=expected, permission="read the commit's status"
        ):
            told = lookup(page, form.checks_field) if form.checks_field else page
            found += [self._job(one) for one in listed(self.where, told, expected)]
        return tuple(found)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    def _job(self, told: JsonObject) -> Job:
        form = self._form
        word, when = _word(told, form.state_field), _value(told, form.when_field)
        at = micros_of(when) if isinstance(when, str) else 0
        # One that has no time yet hasn't begun.
        newness = at or (int(when) if isinstance(when, int | float) else NOT_YET) if form.when_field else 0
        return Job(
            name=_word(told, form.name_field),
            state=self._state(word),
            word=word or "without a state",
            commit=_word(told, form.commit_field),
            order=(newness, 0),
            at_us=at,
            url=_word(told, form.url_field),
        )

    def _state(self, word: str) -> JobState:
        form = self._form
        known = (
            (form.good, JobState.PASSED),
            (form.pending, JobState.RUNNING),
            (form.not_run, JobState.SKIPPED),
            (form.undecided, JobState.NEUTRAL),
        )
        failed = JobState.FAILED if word else JobState.UNKNOWN
        return next((state for words, state in known if word in words), failed)


def _value(told: JsonObject, field: str | None) -> Json:
    return lookup(told, field) if field else None


def _word(told: JsonObject, field: str | None) -> str:
    value = _value(told, field)
    return value if isinstance(value, str) else ""
