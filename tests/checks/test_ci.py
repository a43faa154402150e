"""``ci.passed`` over four kinds of CI systems: the newest attempt counts, nothing that isn't known is a pass."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import ValidationError

from checks import registry
from checks.base import CheckContext, CouldNotLookError, Outcome, unknown
from checks.ci import CiSettings, same_commit
from checks.clients.ci.job_runs import Job, JobState, newest
from checks.clients.clients import Clients
from console.rehearsal.sim.github_checks import Run, application
from state.base.clock import SystemClock
from state.base.json import JsonObject, obj
from state.runbook.ci_service import CiService
from state.runbook.load import load_runbook
from state.view.enums import Tier, Verdict
from state.view.launch import LaunchView
from tests.checks.ci_servers import OTHER, SHA, build, gitlab, gitlab_job, jenkins, listing
from tests.console.rehearsal.serving import served
from tests.paths import SOP_RUNBOOK

HOUR = 3600 * 1_000_000
NOW = 1_796_000_000 * 1_000_000
PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN
TOKEN = "a-token-that-nobody-may-see"


async def judged(
    server: web.Application, ci: Mapping[str, object], settings: Mapping[str, object], sha: str = SHA
) -> Outcome:
    """Return what ci.passed finds, by a socket."""
    async with served(server) as url:
        book = load_runbook(SOP_RUNBOOK).runbook
        candidate = book.candidate.model_copy(update={"commit": sha})
        service = CiService.model_validate({"url": url, **ci})
        environments = {t: env.model_copy(update={"ci": None}) for t, env in book.environments.items()}
        book = book.model_copy(update={"candidate": candidate, "ci": service, "environments": environments})
        clients = Clients(book)
        kind = registry.kind("ci.passed")
        assert kind is not None
        context = CheckContext(Tier.PRODUCTION, book, clients, SystemClock(), LaunchView())
        try:
            found = await kind.run(dict(settings), context)
        except CouldNotLookError as error:
            found = unknown(str(error))
        finally:
            await clients.aclose()
        assert TOKEN not in f"{found.summary} {found.evidence}"
        return found


def runs(*words: str, name: str = "unit-tests", status: bool = False) -> list[Run]:
    """Return attempts of one job, an hour apart, the oldest first."""
    return [
        Run(id=n, name=name, word=word, began_us=NOW + n * HOUR, ended_us=NOW + n * HOUR + 60, status=status)
        for n, word in enumerate(words, start=1000 * len(name))
    ]


GITHUB = {"kind": "github", "project": "acme/shop"}
ONE: dict[str, object] = {"required": ["unit-tests"]}


async def github(told: Sequence[Run], settings: Mapping[str, object] = ONE, sha: str = SHA) -> Outcome:
    def of(repository: str, commit: str) -> Sequence[Run] | None:
        return told if (repository, commit) == ("acme/shop", sha) else None

    return await judged(application(of), GITHUB, settings, sha)


@pytest.mark.parametrize(
    ("words", "settings", "verdict", "message"),
    [
        (["success"], {}, PASS, "1 CI job of commit 9dd485de0c1f passed"),
        (["failure", "success"], {}, PASS, "passed"),
        (["success", "failure"], {}, FAIL, "CI job unit-tests is failure"),
        (["success", "cancelled"], {}, FAIL, "CI job unit-tests is cancelled"),
        (["success", "timed_out"], {}, FAIL, "timed_out"),
        (["success", "action_required"], {}, FAIL, "action_required"),
        (["success", "in_progress"], {}, UNKNOWN, "CI job unit-tests is in_progress"),
        (["success", "queued"], {}, UNKNOWN, "queued"),
        (["failure", "waiting"], {}, UNKNOWN, "waiting"),
        (["success", "stale"], {}, UNKNOWN, "stale"),
        (["success", "skipped"], {}, UNKNOWN, "skipped"),
        (["success", "neutral"], {}, UNKNOWN, "neutral"),
        (["skipped"], {"skipped": "pass"}, PASS, "passed"),
        (["neutral"], {"skipped": "pass"}, UNKNOWN, "neutral"),
        (["neutral"], {"neutral": "fail"}, FAIL, "neutral"),
        ([], {}, UNKNOWN, "CI has no job unit-tests of commit 9dd485de0c1f"),
    ],
)
async def test_what_github_says_of_a_check_run(
    words: list[str], settings: dict[str, object], verdict: Verdict, message: str
) -> None:
    found = await github(runs(*words), {**ONE, **settings})
    assert (found.verdict, message in found.summary) == (verdict, True), found.summary


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        (["success"], PASS), (["success", "failure"], FAIL), (["failure", "success"], PASS),
        (["success", "error"], FAIL), (["success", "pending"], UNKNOWN),
    ],
)  # fmt: skip
async def test_what_github_says_of_a_status(words: list[str], verdict: Verdict) -> None:
    found = await github(runs(*words, status=True))
    assert found.verdict is verdict, found.summary


async def test_a_queued_rerun_that_has_not_begun_is_newer_than_what_ended() -> None:
    told = [*runs("success"), Run(id=2, name="unit-tests", word="queued", began_us=0)]
    assert (await github(told)).verdict is UNKNOWN


async def test_a_failed_job_of_another_app_is_not_hidden_by_one_of_the_same_name() -> None:
    told = [
        *runs("failure"),
        Run(id=9, name="unit-tests", word="success", began_us=NOW + 20_000 * HOUR, app="acme-ci"),
    ]
    found = await github(told)
    assert (found.verdict, found.summary) == (FAIL, "CI job unit-tests is failure")


async def test_every_page_of_github_is_read() -> None:
    many = [Run(id=n, name=f"job-{n}", word="success", began_us=NOW + n) for n in range(1, 131)]
    late = runs("success", status=True, name="lint")
    others = [
        Run(id=n, name=f"s-{n}", word="success", began_us=NOW + n, status=True) for n in range(200, 330)
    ]
    told = [*runs("failure", name="build"), *late, *others, *many]
    found = await github(told, {"required": ["build", "lint", "job-1", "job-130"]})
    assert (found.verdict, found.summary) == (FAIL, "CI job build is failure")
    assert obj(found.evidence["lint"])["state"] == "passed"


async def test_every_image_needs_its_build() -> None:
    builds = [run for name in ("backend", "frontend") for run in runs("success", name=f"build-{name}")]
    of_images = {"per_image": "build-{image}"}
    found = await github(builds, of_images)
    assert found.verdict is UNKNOWN
    assert found.summary == "CI has no job build-worker of commit 9dd485de0c1f"
    found = await github([*builds, *runs("failure", name="build-worker")], of_images)
    assert (found.verdict, found.summary) == (FAIL, "CI job build-worker is failure")
    found = await github([*builds, *runs("success", name="build-worker")], of_images)
    assert (found.verdict, found.summary) == (PASS, "3 CI jobs of commit 9dd485de0c1f passed")


async def test_a_commit_that_ci_does_not_know_is_unknown() -> None:
    found = await judged(application(lambda _r, _c: None), GITHUB, ONE)
    assert found.verdict is UNKNOWN
    assert "No commit found for SHA" in found.summary


async def test_the_runs_of_a_branch_are_not_those_of_the_commit() -> None:
    """A branch can be asked for instead of a commit, and then tells of whatever it is at now."""
    moved = [{"name": "unit-tests", "state": "success", "sha": OTHER}]
    found = await judged(
        listing([moved]), {"path": "/commits/{commit}/jobs", "checks_field": "", "commit_field": "sha"}, ONE
    )
    assert found.verdict is UNKNOWN
    assert found.summary == (f"CI has no job unit-tests of commit {SHA[:12]}: it ran for commit {OTHER[:12]}")


async def test_a_token_is_sent_and_never_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    given = {**GITHUB, "token": {"file": str(tmp_path / "token")}}
    server = application(lambda _r, _c: runs("success"), TOKEN)
    assert (await judged(server, given, ONE)).verdict is PASS
    found = await judged(application(lambda _r, _c: runs("success"), TOKEN), GITHUB, ONE)
    assert found.verdict is UNKNOWN
    assert "GitHub (PRODUCTION) answered 401" in found.summary
    monkeypatch.setenv("LC_CI_TOKEN", TOKEN)
    server = gitlab({7: [gitlab_job(700, "unit-tests", "success")]}, token=TOKEN)
    found = await judged(
        server, {"kind": "gitlab", "project": "acme/shop", "token": {"env": "LC_CI_TOKEN"}}, ONE
    )
    assert found.verdict is PASS, found.summary


# GitLab


@pytest.mark.parametrize("keyset", [False, True])
@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        (["success"], PASS), (["failed", "success"], PASS), (["success", "failed"], FAIL),
        (["success", "canceled"], FAIL), (["success", "running"], UNKNOWN), (["failed", "pending"], UNKNOWN),
        (["success", "manual"], UNKNOWN), (["success", "skipped"], UNKNOWN), (["success", "canceling"], UNKNOWN),
        (["success", "of-a-newer-version"], UNKNOWN), ([], UNKNOWN),
    ],
)  # fmt: skip
async def test_what_gitlab_says_of_a_job(words: list[str], verdict: Verdict, *, keyset: bool) -> None:
    """The attempts are retries in one pipeline, between jobs that fill pages."""
    filled = [gitlab_job(900 + n, f"other-{n}", "success") for n in range(3)]
    jobs = [*filled, *(gitlab_job(910 + n, "unit-tests", word) for n, word in enumerate(words))]
    server = gitlab({9: jobs}, keyset=keyset)
    found = await judged(server, {"kind": "gitlab", "project": "acme/shop"}, ONE)
    assert found.verdict is verdict, found.summary
    seen = obj(found.evidence["unit_tests"])
    assert seen.get("attempts", 0) == len(words), "the retried ones are told too"


async def test_the_newest_pipeline_of_a_commit_counts_and_all_of_them_are_read() -> None:
    pipelines = {
        number: [
            gitlab_job(number * 100, "unit-tests", "success"),
            gitlab_job(number * 100 + 1, f"j{number}", "success"),
        ]
        for number in range(1, 6)
    }
    pipelines[6] = [gitlab_job(600, "unit-tests", "failed"), gitlab_job(601, "build", "success")]
    ci = {"kind": "gitlab", "project": "acme/shop"}
    found = await judged(gitlab(pipelines), ci, ONE)
    assert (found.verdict, found.summary) == (FAIL, "CI job unit-tests is failed")
    found = await judged(gitlab(pipelines), ci, {"required": ["j1", "build"]})
    assert found.verdict is PASS, found.summary


# Jenkins


@pytest.mark.parametrize(
    ("builds", "verdict", "message"),
    [
        ([build(7, "SUCCESS", SHA)], PASS, "passed"),
        ([build(8, "FAILURE", SHA), build(7, "SUCCESS", SHA)], FAIL, "unit-tests is FAILURE"),
        ([build(8, "SUCCESS", SHA), build(7, "FAILURE", SHA)], PASS, "passed"),
        ([build(8, "UNSTABLE", SHA), build(7, "SUCCESS", SHA)], FAIL, "UNSTABLE"),
        ([build(8, "ABORTED", SHA), build(7, "SUCCESS", SHA)], FAIL, "ABORTED"),
        ([build(8, None, SHA), build(7, "SUCCESS", SHA)], UNKNOWN, "building"),
        ([build(8, None), build(7, "SUCCESS", SHA)], UNKNOWN, "building"),
        ([build(8, None, OTHER), build(7, "SUCCESS", SHA)], PASS, "passed"),
        ([build(8, "NOT_BUILT", SHA), build(7, "SUCCESS", SHA)], UNKNOWN, "NOT_BUILT"),
        ([build(8, "FAILURE", OTHER), build(7, "SUCCESS", OTHER, SHA)], PASS, "passed"),
        ([build(8, "SUCCESS", OTHER)], UNKNOWN, "CI has no job unit-tests of commit"),
        ([], UNKNOWN, "CI has no job unit-tests of commit"),
    ],
)  # fmt: skip
async def test_what_jenkins_says_of_a_build(builds: list[JsonObject], verdict: Verdict, message: str) -> None:
    found = await judged(
        jenkins({"/job/shop/job/unit-tests": builds}), {"kind": "jenkins", "project": "shop"}, ONE
    )
    assert (found.verdict, message in found.summary) == (verdict, True), found.summary


async def test_a_jenkins_job_is_read_back_to_the_commit_and_not_for_ever() -> None:
    newer = [build(number, "SUCCESS", OTHER) for number in range(2000, 1750, -1)]
    ci, place = (
        {"kind": "jenkins", "project": "a folder/shop".replace(" ", "-")},
        "/job/a-folder/job/shop/job/unit-tests",
    )
    found = await judged(jenkins({place: [*newer, build(1, "FAILURE", SHA)]}), ci, ONE)
    assert found.verdict is FAIL
    old = [build(number, "SUCCESS", OTHER) for number in range(5000, 3500, -1)]
    found = await judged(jenkins({place: [*old, build(1, "SUCCESS", SHA)]}), ci, ONE)
    assert found.verdict is UNKNOWN
    assert "none of the newest 1000 builds of unit-tests is of commit 9dd485de0c1f" in found.summary


async def test_jenkins_takes_a_user_and_an_api_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    expected = "Basic " + base64.b64encode(f"captain:{TOKEN}".encode()).decode()
    server = jenkins({"/job/unit-tests": [build(1, "SUCCESS", SHA)]}, expected)
    ci = {"kind": "jenkins", "username": "captain", "password": {"file": str(tmp_path / "token")}}
    assert (await judged(server, ci, ONE)).verdict is PASS


# the generic form

PATH = {"path": "/commits/{commit}/jobs"}
LIST = {**PATH, "checks_field": "", "state_field": "status", "when_field": "at"}


@pytest.mark.parametrize(
    ("ci", "pages", "verdict", "message"),
    [
        (PATH, [{"checks": [{"name": "unit-tests", "state": "success"}]}], PASS, "passed"),
        (PATH, [{"checks": [{"name": "unit-tests", "state": ""}]}], UNKNOWN, "without a state"),
        (PATH, [{"checks": [{"name": "unit-tests", "state": None}]}], UNKNOWN, "without a state"),
        (PATH, [{"checks": [{"name": "unit-tests", "state": "queued"}]}], UNKNOWN, "queued"),
        (PATH, [{"checks": [{"name": "unit-tests", "state": "broken"}]}], FAIL, "broken"),
        (PATH, [{"checks": [{"name": "unit-tests", "state": "skipped"}]}], UNKNOWN, "skipped"),
        (
            PATH,
            [
                {
                    "checks": [
                        {"name": "unit-tests", "state": "failure"},
                        {"name": "unit-tests", "state": "success"},
                    ]
                }
            ],
            UNKNOWN,
            "failure and success, and not which of them is newer",
        ),
        (
            LIST,
            [
                [{"name": "unit-tests", "status": "success", "at": "2026-11-30T10:00:00Z"}],
                [{"name": "unit-tests", "status": "failure", "at": "2026-11-30T11:00:00+00:00"}],
                [{"name": "unit-tests", "status": "success", "at": "2026-11-30T09:00:00Z"}],
            ],
            FAIL,
            "failure",
        ),
        (
            LIST,
            [
                [
                    {"name": "unit-tests", "status": "success", "at": 3},
                    {"name": "unit-tests", "status": "running"},
                ]
            ],
            UNKNOWN,
            "running",
        ),
        (PATH, [[{"name": "unit-tests", "state": "success"}]], UNKNOWN, "not a list of objects"),
        (LIST, [{"checks": []}], UNKNOWN, "not a list of objects"),
        ({}, [{}], UNKNOWN, "needs path:"),
    ],
)
async def test_the_generic_form(
    ci: dict[str, object], pages: list[object], verdict: Verdict, message: str
) -> None:
    found = await judged(listing(pages), ci, ONE)
    assert (found.verdict, message in found.summary) == (verdict, True), found.summary


async def test_what_a_check_of_an_older_runbook_says_of_the_form_still_holds() -> None:
    old = {
        "path": "/commits/{commit}/jobs", "checks_field": "check_runs", "state_field": "conclusion",
        "good": ["fine"], "required": ["unit-tests"],
    }  # fmt: skip
    pages = [{"check_runs": [{"name": "unit-tests", "conclusion": "fine"}]}]
    assert (await judged(listing(pages), {}, old)).verdict is PASS
    found = await judged(application(lambda _r, _c: []), GITHUB, old)
    assert found.verdict is UNKNOWN
    assert "which is of the generic form: ci is of kind github" in found.summary


async def test_a_list_that_never_ends_is_no_answer_and_no_other_place_is_asked() -> None:
    pages = [{"checks": [{"name": "unit-tests", "state": "success"}]}]
    endless = await judged(listing(pages, '<https://elsewhere.test/steal?after=0>; rel="next"'), PATH, ONE)
    assert endless.verdict is UNKNOWN
    assert "the list didn't end after 2 pages" in endless.summary


# the rules alone


def _job(state: JobState, order: int, name: str = "a", source: str = "") -> Job:
    return Job(name=name, state=state, word=state.value, commit=SHA, order=(order, 0), source=source)


@pytest.mark.parametrize("seed", range(40))
def test_the_newest_counts_in_whatever_order_the_attempts_come(seed: int) -> None:
    chance = random.Random(seed)
    attempts = [
        _job(chance.choice(list(JobState)), n, chance.choice("ab"), chance.choice("xy")) for n in range(12)
    ]
    expected = {(one.name, one.source): one for one in attempts}
    chance.shuffle(attempts)
    assert {(one.name, one.source): one for one in newest(attempts)} == expected


def test_equally_new_attempts_that_differ_are_unknown_and_equal_ones_are_what_they_are() -> None:
    (alike,) = newest([_job(JobState.PASSED, 1), _job(JobState.PASSED, 1)])
    assert alike.state is JobState.PASSED
    (apart,) = newest([_job(JobState.PASSED, 1), _job(JobState.FAILED, 1), _job(JobState.PASSED, 1)])
    assert apart.state is JobState.UNKNOWN


@pytest.mark.parametrize(
    ("told", "expected", "same"),
    [(SHA, SHA, True), (SHA.upper(), SHA, True), (SHA, SHA[:7], True), (SHA, SHA[:6], False), (SHA, "main", False),
     (SHA, "", False), (OTHER, SHA, False), (SHA[:7], SHA, False)],
)  # fmt: skip
def test_a_commit_is_compared(told: str, expected: str, *, same: bool) -> None:
    assert same_commit(told, expected) is same


@pytest.mark.parametrize(
    "settings",
    [{}, {"required": []}, {"per_image": "build"}, {"required": ["a"], "skipped": "stale"}],
)
def test_settings_that_judge_nothing_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CiSettings.model_validate(settings)


@pytest.mark.parametrize(
    "ci",
    [
        {"kind": "github"}, {"kind": "github", "project": "shop"}, {"kind": "gitlab"}, {"project": "acme/shop"},
        {"kind": "jenkins", "path": "/x"}, {"kind": "travis"},
    ],
)  # fmt: skip
def test_a_service_that_lacks_what_its_kind_needs_is_refused(ci: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CiService.model_validate({"url": "http://127.0.0.1:9", **ci})
