"""Continuous integration: whether the jobs of the candidate's commit passed."""

from __future__ import annotations

from typing import Final

from pydantic import ConfigDict, model_validator

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.ci.job_runs import Job, JobState, newest
from checks.guides import deliveries
from checks.judging import STEADY, Findings, key
from state.base.json import Json
from state.base.numbers import plural
from state.base.times import stamp
from state.runbook.ci_service import CiForm
from state.view.enums import Judges, Verdict

_SHORT: Final = 7
"""Characters from which on the beginning of a commit names it."""
_NEAR: Final = 8
"""Names that are told where one is missing."""
_COUNTED: Final = (Verdict.PASS, Verdict.UNKNOWN, Verdict.FAIL)


class CiSettings(Settings):
    """Which jobs must have passed."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["required"]}, {"required": ["per_image"]}]}
    )

    required: tuple[str, ...] = ()
    """Names of jobs that must have passed, as the CI system tells them."""
    per_image: str | None = None
    """``build-{image}``: besides, a job for each image of the candidate."""
    skipped: Verdict = Verdict.UNKNOWN
    """What a job counts as that was skipped: unknown, pass or fail."""
    neutral: Verdict = Verdict.UNKNOWN
    """What a job counts as that ended without a judgement: unknown, pass or fail."""
    path: str | None = None
    """Of the generic form, with ``{commit}``; None: as ``ci:`` says. So are the fields and words below."""
    checks_field: str | None = None
    """Where the answer lists its jobs."""
    name_field: str | None = None
    """Where a job's name is."""
    state_field: str | None = None
    """Where a job's state is."""
    good: tuple[str, ...] | None = None
    """States that mean: passed."""
    pending: tuple[str, ...] | None = None
    """States that mean: not known yet."""

    @model_validator(mode="after")
    def _some(self) -> CiSettings:
        if not self.required and self.per_image is None:
            raise ValueError("names of jobs are expected in required:, or per_image:")
        if self.per_image is not None and "{image}" not in self.per_image:
            raise ValueError("per_image: needs {image} in it, as in build-{image}")
        if self.skipped not in _COUNTED or self.neutral not in _COUNTED:
            raise ValueError("skipped: and neutral: are one of unknown, pass and fail")
        return self

    def form(self) -> dict[str, object]:
        """Return what is said here of the generic form."""
        told = {name: getattr(self, name) for name in CiForm.model_fields if name in CiSettings.model_fields}
        return {name: value for name, value in told.items() if value is not None}


@check("ci.passed", CiSettings, guide=deliveries.CI, ttl=STEADY, judges=Judges.LAUNCH)
async def ci_passed(settings: CiSettings, context: CheckContext) -> Outcome:
    """Judge that every required job of the candidate's commit passed in CI: the newest attempt of each."""
    findings, commit = Findings(), context.runbook.candidate.commit
    images = context.runbook.candidate.images.named() if settings.per_image is not None else ()
    per_image = [(settings.per_image or "").replace("{image}", image) for image in images]
    names = tuple(dict.fromkeys((*settings.required, *per_image)))
    runs = await context.clients.ci(context.tier, settings.form()).jobs(commit, names)
    findings.saw("commit", commit)
    for name in names:
        _judge(name, [run for run in runs if run.name == name], settings, commit, findings)
    absent = [name for name in names if all(run.name != name for run in runs)]
    if absent:
        others = sorted({run.name for run in runs} - set(names))
        findings.saw("other_jobs", [*others[:_NEAR], *(["more"] if len(others) > _NEAR else [])])
    return findings.outcome(f"{plural(len(names), 'CI job')} of commit {commit[:12]} passed")


def _judge(name: str, runs: list[Job], settings: CiSettings, commit: str, findings: Findings) -> None:
    own = [run for run in runs if not run.commit or same_commit(run.commit, commit)]
    if not own:
        others = sorted({run.commit[:12] for run in runs})
        of = f": it ran for commit {', '.join(others)}" if others else ""
        findings.saw(key(name), {"state": "absent", "ran_for": [*others]})
        findings.blind(f"CI has no job {name} of commit {commit[:12]}{of}")
        return
    for run in newest(own):
        attempts = sum(1 for one in own if one.source == run.source)
        several = len({one.source for one in own}) > 1
        seen: dict[str, Json] = {
            "state": run.state.value,
            "told": run.word,
            "when": stamp(run.at_us),
            "url": run.url,
            "commit": run.commit,
            "attempts": attempts,
        }
        findings.saw(
            key(name, run.source) if several else key(name), seen | ({"by": run.source} if run.source else {})
        )
        verdict = _counts(run.state, settings)
        if verdict is Verdict.UNKNOWN:
            findings.blind(f"CI job {name} is {run.word}")
        else:
            findings.need(verdict is Verdict.PASS, f"CI job {name} is {run.word}")


def _counts(state: JobState, settings: CiSettings) -> Verdict:
    match state:
        case JobState.PASSED:
            return Verdict.PASS
        case JobState.FAILED:
            return Verdict.FAIL
        case JobState.SKIPPED:
            return settings.skipped
        case JobState.NEUTRAL:
            return settings.neutral
        case JobState.RUNNING | JobState.UNKNOWN:
            return Verdict.UNKNOWN


def same_commit(told: str, expected: str) -> bool:
    """Return whether a full commit is the expected one, which may be shortened to seven characters or more."""
    one, other = told.lower(), expected.lower()
    return one == other or (len(other) >= _SHORT and one.startswith(other))
