"""GitLab's and Jenkins' interfaces as they document them, paging included, on loopback sockets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

from aiohttp import web

from state.base.json import JsonObject

SHA = "9dd485de0c1f5c1b7f6c0e7a41d2b3c4d5e6f708"
OTHER = "0ff3ae198f8601a285adcf5c0fff204ee6fba5fd"

_RANGE = re.compile(r"^(builds|allBuilds)\[(?:[^\[\]]|\[[^\[\]]*(?:\[[^\[\]]*\])?\])*\](?:\{(\d+),(\d+)\})?$")


def gitlab_job(number: int, name: str, status: str, *, sha: str = SHA, finished: bool = True) -> JsonObject:
    """Return a job as /projects/:id/pipelines/:id/jobs documents it."""
    return {
        "commit": {"id": sha, "short_id": sha[:8], "title": "Release"},
        "allow_failure": False,
        "created_at": "2026-11-30T15:51:21.802Z",
        "started_at": "2026-11-30T17:54:24.729Z",
        "finished_at": "2026-11-30T17:54:24.921Z" if finished else None,
        "id": number,
        "name": name,
        "pipeline": {"id": number // 100, "project_id": 1, "ref": "main", "sha": sha, "status": "pending"},
        "ref": "main",
        "stage": "test",
        "status": status,
        "tag": False,
        "web_url": f"https://gitlab.example.com/acme/shop/-/jobs/{number}",
    }


def gitlab(
    pipelines: Mapping[int, Sequence[JsonObject]], *, per_page: int = 2, keyset: bool = False, token: str = ""
) -> web.Application:
    """Return a GitLab with pipelines of SHA, the jobs of each by its id, the retried ones among them.

    Whatever is asked for, a page has ``per_page`` members. With ``keyset`` the next page is named by a cursor in the
    Link header alone, as keyset paging does, else by ``x-next-page`` and Link.
    """

    def paged(request: web.Request, rows: Sequence[JsonObject]) -> web.Response:
        page = int(request.query.get("cursor" if keyset else "page", "1"))
        headers = {"x-page": f"{page}", "x-per-page": f"{per_page}"}
        if page * per_page < len(rows):
            following = {**request.query, ("cursor" if keyset else "page"): f"{page + 1}"}
            # The real one names itself by its external URL, which may be another than the one that was asked.
            link = f'<https://gitlab.example.com{request.path}?{urlencode(following)}>; rel="next"'
            headers |= {"Link": link} if keyset else {"x-next-page": f"{page + 1}", "Link": link}
        elif not keyset:
            headers["x-next-page"] = ""
        return web.json_response(rows[(page - 1) * per_page : page * per_page], headers=headers)

    def guarded(handler: Callable[[web.Request], web.Response]) -> Callable[[web.Request], object]:
        async def handle(request: web.Request) -> web.Response:
            if token and request.headers.get("Authorization") != f"Bearer {token}":
                return web.json_response({"message": "401 Unauthorized"}, status=401)
            # %2F stays as it is on the wire: /projects/acme%2Fshop
            if not request.raw_path.startswith("/api/v4/projects/acme%2Fshop/"):
                return web.json_response({"message": "404 Project Not Found"}, status=404)
            return handler(request)

        return handle

    def of_commit(request: web.Request) -> web.Response:
        if request.query.get("sha") != SHA:
            return paged(request, [])
        rows: list[JsonObject] = [
            {"id": number, "project_id": 1, "sha": SHA, "ref": "main", "status": "success", "source": "push"}
            for number in sorted(pipelines, reverse=True)
        ]
        return paged(request, rows)

    def jobs(request: web.Request) -> web.Response:
        rows = list(pipelines[int(request.match_info["pipeline"])])
        if request.query.get("include_retried") != "true":
            newest = {f"{one['name']}": one for one in sorted(rows, key=lambda one: f"{one['id']:>9}")}
            rows = [one for one in rows if newest[f"{one['name']}"] is one]
        return paged(request, rows)

    server = web.Application()
    server.router.add_get("/api/v4/projects/{project}/pipelines", guarded(of_commit))  # type: ignore[arg-type]  # a coroutine
    server.router.add_get("/api/v4/projects/{project}/pipelines/{pipeline}/jobs", guarded(jobs))  # type: ignore[arg-type]  # the same
    return server


def build(number: int, result: str | None, *shas: str) -> JsonObject:
    """Return a build as a Jenkins with the Git plugin tells it; no result: it is building."""
    revisions: list[JsonObject] = [
        {"_class": "hudson.plugins.git.util.BuildData", "lastBuiltRevision": {"SHA1": sha}} for sha in shas
    ]
    return {
        "_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun",
        "actions": [{"_class": "hudson.model.CauseAction"}, {}, *revisions],
        "building": result is None,
        "duration": 0 if result is None else 60_000,
        "number": number,
        "result": result,
        "timestamp": 1_796_000_000_000 + number * 1000,
        "url": f"https://jenkins.example.com/job/shop/{number}/",
    }


def jenkins(jobs: Mapping[str, Sequence[JsonObject]], credentials: str = "") -> web.Application:
    """Return a Jenkins with jobs by their path (``/job/folder/job/name``), the newest build first.

    ``tree`` is followed as the real one does: ``builds`` are the newest hundred, ``allBuilds`` all, {M,N} a range.
    """

    async def handle(request: web.Request) -> web.Response:
        if credentials and request.headers.get("Authorization") != credentials:
            return web.Response(
                status=401, text="<html>Error 401 Unauthorized</html>", content_type="text/html"
            )
        name = request.path.removesuffix("/api/json")
        match = _RANGE.match(request.query.get("tree", ""))
        if name not in jobs or match is None:
            return web.Response(status=404, text="<html>Not Found</html>", content_type="text/html")
        kind, start, end = match[1], int(match[2] or 0), int(match[3] or 1 << 30)
        there = jobs[name] if kind == "allBuilds" else jobs[name][:100]
        return web.json_response({"_class": "WorkflowJob", kind: list(there[start:end])})

    server = web.Application()
    server.router.add_get("/{path:.*}/api/json", handle)
    return server


def listing(pages: Sequence[object], link: str = "") -> web.Application:
    """Return a server whose /commits/SHA/jobs has pages, each naming the next by Link, or ``link``."""

    async def handle(request: web.Request) -> web.Response:
        number = int(request.query.get("after", "0"))
        response = web.json_response(pages[number])
        if link or number + 1 < len(pages):
            response.headers["Link"] = link or f'<{request.path}?after={number + 1}>; rel="next"'
        return response

    server = web.Application()
    server.router.add_get(f"/commits/{SHA}/jobs", handle)
    return server
