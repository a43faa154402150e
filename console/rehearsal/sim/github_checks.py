"""What GitHub's REST API tells of a commit: its check runs and its statuses, paged as there.

Objects have the fields that GitHub documents, of those that name people and repositories only some.
https://docs.github.com/rest/checks/runs, https://docs.github.com/rest/commits/statuses
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from state.base.json import Json, JsonObject
from state.base.times import moment

_DOCS: Final = "https://docs.github.com/rest"
_DEFAULT, _MOST = 30, 100
ENDED: Final = frozenset(
    {
        *("success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required", "stale"),
        "startup_failure",
    }
)
"""Conclusions; every other word is the status of a run that hasn't ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A check run, or with ``status`` a commit status. Times are microseconds since 1970; 0: not yet."""

    id: int
    name: str
    word: str
    """A conclusion, or ``queued``, ``in_progress``; of a status ``success``, ``failure``, ``error``, ``pending``."""
    began_us: int
    ended_us: int = 0
    app: str = "github-actions"
    suite: int = 1
    status: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """A status, a body, and the Link header, empty where there is no other page."""

    status: int
    body: Json
    link: str = ""


Told = Callable[[str, str], Sequence[Run] | None]
"""The runs of (``owner/repository``, commit), the oldest first; None where there is no such commit."""


def check_runs(
    base: str, place: tuple[str, str], runs: Sequence[Run] | None, query: Mapping[str, str]
) -> Answered:
    """Return a page of a commit's check runs. ``base`` is the URL before /repos, ``place`` repository and commit."""
    if runs is None:
        return _no_commit(place[1])
    listed = [one for one in reversed(runs) if not one.status]
    if query.get("filter", "latest") == "latest":
        listed = _latest(listed)
    if name := query.get("check_name"):
        listed = [one for one in listed if one.name == name]
    page, link = _page(f"{base}/repos/{place[0]}/commits/{place[1]}/check-runs", len(listed), query)
    body = [_run(base, place, one) for one in listed[page]]
    return Answered(200, {"total_count": len(listed), "check_runs": body}, link)


def statuses(
    base: str, place: tuple[str, str], runs: Sequence[Run] | None, query: Mapping[str, str]
) -> Answered:
    """Return a page of a commit's statuses, the newest first."""
    if runs is None:
        return _no_commit(place[1])
    listed = [one for one in reversed(runs) if one.status]
    page, link = _page(f"{base}/repos/{place[0]}/commits/{place[1]}/statuses", len(listed), query)
    return Answered(200, [_status(base, place, one) for one in listed[page]], link)


def application(told: Told, token: str = "") -> web.Application:
    """Return the API as a server. With ``token`` every request needs it."""
    server = web.Application()

    def add(what: str, answers: Callable[..., Answered]) -> None:
        async def handle(request: web.Request) -> web.Response:
            if token and request.headers.get("Authorization") != f"Bearer {token}":
                return _sent(
                    Answered(401, {"message": "Bad credentials", "documentation_url": _DOCS, "status": "401"})
                )
            match = request.match_info
            place = (f"{match['owner']}/{match['repository']}", match["commit"])
            base = f"{request.scheme}://{request.host}"
            return _sent(answers(base, place, told(*place), request.query))

        server.router.add_get(f"/repos/{{owner}}/{{repository}}/commits/{{commit}}/{what}", handle)

    add("check-runs", check_runs)
    add("statuses", statuses)
    return server


def _sent(answer: Answered) -> web.Response:
    response = web.json_response(answer.body, status=answer.status)
    if answer.link:
        response.headers["Link"] = answer.link
    return response


def _no_commit(commit: str) -> Answered:
    message = f"No commit found for SHA: {commit}"
    return Answered(422, {"message": message, "documentation_url": _DOCS, "status": "422"})


def _latest(runs: Sequence[Run]) -> list[Run]:
    """Return the run of each suite and name that ended last: GitHub's own ``filter=latest`` goes by that time."""
    kept: dict[tuple[int, str], Run] = {}
    for run in runs:
        other = kept.get((run.suite, run.name))
        if other is None or run.ended_us > other.ended_us:
            kept[run.suite, run.name] = run
    return list(kept.values())


def _page(url: str, count: int, query: Mapping[str, str]) -> tuple[slice, str]:
    size = min(_MOST, max(1, _number(query.get("per_page"), _DEFAULT)))
    page, last = max(1, _number(query.get("page"), 1)), max(1, -(-count // size))

    def named(number: int, rel: str) -> str:
        kept = "".join(f"{key}={value}&" for key, value in query.items() if key != "page")
        return f'<{url}?{kept}page={number}>; rel="{rel}"'

    links = [named(page - 1, "prev")] if page > 1 else []
    links += [named(page + 1, "next"), named(last, "last")] if page < last else []
    links += [named(1, "first")] if page > 1 else []
    return slice((page - 1) * size, page * size), ", ".join(links)


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdigit() else default


def _time(at_us: int) -> str | None:
    return f"{moment(at_us):%Y-%m-%dT%H:%M:%SZ}" if at_us else None


def _run(base: str, place: tuple[str, str], run: Run) -> JsonObject:
    ended = run.word in ENDED
    page = f"https://github.com/{place[0]}/actions/runs/{run.suite}/job/{run.id}"
    return {
        "id": run.id,
        "name": run.name,
        "head_sha": place[1],
        "external_id": f"{run.id}",
        "url": f"{base}/repos/{place[0]}/check-runs/{run.id}",
        "html_url": page,
        "details_url": page,
        "status": "completed" if ended else run.word,
        "conclusion": run.word if ended else None,
        "started_at": _time(run.began_us),
        "completed_at": _time(run.ended_us) if ended else None,
        "output": {"title": None, "summary": None, "text": None, "annotations_count": 0},
        "check_suite": {"id": run.suite},
        "app": {"slug": run.app},
        "pull_requests": [],
    }


def _status(base: str, place: tuple[str, str], run: Run) -> JsonObject:
    return {
        "url": f"{base}/repos/{place[0]}/statuses/{place[1]}",
        "id": run.id,
        "state": run.word,
        "description": None,
        "target_url": f"https://ci.example.com/{run.name}/{run.id}",
        "context": run.name,
        "created_at": _time(run.began_us),
        "updated_at": _time(run.ended_us or run.began_us),
    }
