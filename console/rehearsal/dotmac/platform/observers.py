"""What watches the platform: Grafana, Jaeger, Loki, an OTLP receiver, Vault's health, GitHub's checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from aiohttp import web

from console.rehearsal.dotmac.platform.core import Answer, Core
from console.rehearsal.dotmac.platform.edge import fail, write_answer
from console.rehearsal.dotmac.platform.records import Line, Span
from console.rehearsal.dotmac.platform.settings import Outage, Vault
from console.rehearsal.sim.github_checks import Answered, Run, check_runs, statuses
from state.base.clock import SECOND_US
from state.base.json import Json

_SELECTOR = re.compile(r'(\w+)\s*(=~|=|!=|!~)\s*"((?:[^"\\]|\\.)*)"')
_FILTER = re.compile(r'(\|=|\|~|!=|!~)\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)')
_BUILT_BEFORE_S, _JOB_S = 6 * 3600, 300
_VAULT_STATUS = {Vault.UNSEALED: 200, Vault.SEALED: 503, Vault.UNINITIALISED: 501}

Handler = Callable[[Core, web.Request], Answer]


def observers_application(core: Core) -> web.Application:
    """Return all observers of one environment on one server; their paths do not overlap."""
    server = web.Application(client_max_size=1 << 20)

    def add(method: str, path: str, handler: Handler, outage: Callable[[], Outage]) -> None:
        async def handle(request: web.Request) -> web.Response:
            core.settle()
            failure = await fail(request, outage())
            answer = failure or handler(core, request)
            if outage() is Outage.TRUNCATED:
                answer.body = answer.payload()[: len(answer.payload()) // 2]
            return write_answer(answer)

        server.router.add_route(method, path, handle)

    add("GET", "/api/health", _grafana, lambda: core.settings.observers.grafana)
    add("GET", "/api/services", _services, lambda: core.settings.observers.jaeger)
    add("GET", "/api/traces", _find_traces, lambda: core.settings.observers.jaeger)
    add("GET", "/api/traces/{id}", _one_trace, lambda: core.settings.observers.jaeger)
    add("GET", "/ready", _ready, lambda: core.settings.observers.loki)
    add("GET", "/loki/api/v1/query_range", _query_range, lambda: core.settings.observers.loki)
    add("GET", "/loki/api/v1/labels", _labels, lambda: core.settings.observers.loki)
    add("POST", "/v1/traces", _otlp, lambda: Outage.NONE)
    add("GET", "/v1/sys/health", _vault, lambda: Outage.NONE)
    for what, answers in (("check-runs", check_runs), ("statuses", statuses)):
        path = f"/repos/{{owner}}/{{repository}}/commits/{{commit}}/{what}"
        add("GET", path, partial(_ci, answers), lambda: core.settings.observers.ci)
    add("GET", "/repos/{commit}/status", _listed, lambda: core.settings.observers.ci)
    return server


def _grafana(core: Core, _request: web.Request) -> Answer:
    state = core.settings.observers.grafana_database
    return Answer(
        200 if state == "ok" else 503, {"commit": "0000000", "database": state, "version": "11.2.0"}
    )


def _visible(core: Core, spans: list[Span]) -> list[Span]:
    seen_us = core.now_us() - int(core.settings.observers.trace_delay_s * SECOND_US)
    return [span for span in spans if span.start_us <= seen_us]


def _jaeger(data: list[Json], errors: Json = None) -> dict[str, Json]:
    return {"data": data or None, "total": len(data), "limit": 0, "offset": 0, "errors": errors}


def _services(core: Core, _request: web.Request) -> Answer:
    known = any(_visible(core, spans) for spans in core.records.spans.values())
    return Answer(200, _jaeger([core.settings.observers.trace_service] if known else []))


def _trace(core: Core, trace_id: str) -> Json:
    spans = _visible(core, core.records.spans.get(trace_id, []))
    if not spans:
        return None
    service = core.settings.observers.trace_service
    environment = {"key": "deployment.environment", "type": "string", "value": core.environment}
    processes: Json = {"p1": {"serviceName": service, "tags": [environment]}}
    return {
        "traceID": trace_id,
        "spans": [_span(span) for span in spans],
        "processes": processes,
        "warnings": None,
    }


def _span(span: Span) -> Json:
    references: list[Json] = []
    if span.parent_id:
        references.append({"refType": "CHILD_OF", "traceID": span.trace_id, "spanID": span.parent_id})
    tags: list[Json] = [
        {"key": name, "type": "int64" if isinstance(value, int) else "string", "value": value}
        for name, value in span.tags.items()
    ]
    return {
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "operationName": span.operation,
        "references": references,
        "startTime": span.start_us,
        "duration": span.duration_us,
        "tags": tags,
        "logs": [],
        "processID": "p1",
        "warnings": None,
    }


def _one_trace(core: Core, request: web.Request) -> Answer:
    found = _trace(core, request.match_info["id"].rjust(32, "0"))
    if found is None:
        return Answer(404, _jaeger([], [{"code": 404, "msg": "trace not found"}]))
    return Answer(200, _jaeger([found]))


def _find_traces(core: Core, request: web.Request) -> Answer:
    if request.query.get("service") != core.settings.observers.trace_service:
        return Answer(200, {"data": [], "total": 0, "limit": 0, "offset": 0, "errors": None})
    limit = int(request.query.get("limit", "20"))
    newest = list(core.records.spans)[::-1]
    found = [one for one in (_trace(core, trace_id) for trace_id in newest) if one is not None]
    return Answer(200, {"data": found[:limit], "total": 0, "limit": 0, "offset": 0, "errors": None})


def _ready(_core: Core, _request: web.Request) -> Answer:
    return Answer(200, b"ready\n", content_type="text/plain")


def _stream(core: Core, line: Line) -> dict[str, str]:
    return {"app": "dotmac-backend", "environment": core.environment, "level": line.level.lower()}


def _matches(labels: dict[str, str], query: str) -> bool:
    for name, operator, value in _SELECTOR.findall(query[: query.find("}") + 1]):
        found = labels.get(name, "")
        same = re.fullmatch(value, found) is not None if "~" in operator else found == value
        if same == operator.startswith("!"):
            return False
    return True


def _passes(text: str, query: str) -> bool:
    for operator, quoted, raw in _FILTER.findall(query[query.find("}") + 1 :]):
        expected = raw or re.sub(r"\\(.)", r"\1", quoted)
        found = re.search(expected, text) is not None if "~" in operator else expected in text
        if found == operator.startswith("!"):
            return False
    return True


def _nanoseconds(value: str | None, default: int) -> int:
    if not value:
        return default
    return int(float(value) * 1e9) if "." in value or len(value) <= 11 else int(value)


def _query_range(core: Core, request: web.Request) -> Answer:
    query = request.query.get("query", "")
    if not re.match(r"\s*\{[^}]*\}", query):
        return Answer(400, b"parse error: a stream selector was expected\n", content_type="text/plain")
    now_ns = core.now_us() * 1000
    start = _nanoseconds(request.query.get("start"), now_ns - 3600 * 10**9)
    end = _nanoseconds(request.query.get("end"), now_ns)
    seen_us = core.now_us() - int(core.settings.observers.log_delay_s * SECOND_US)
    lines = list(core.records.lines) if core.settings.observers.logs_recorded else []
    streams: dict[tuple[tuple[str, str], ...], list[Json]] = {}
    left = int(request.query.get("limit", "100"))
    for line in reversed(lines):
        labels, text = _stream(core, line), line.text()
        visible = start <= line.at_us * 1000 <= end and line.at_us <= seen_us
        if left > 0 and visible and _matches(labels, query) and _passes(text, query):
            streams.setdefault(tuple(labels.items()), []).append([str(line.at_us * 1000), text])
            left -= 1
    result: list[Json] = [{"stream": dict(labels), "values": values} for labels, values in streams.items()]
    return Answer(
        200, {"status": "success", "data": {"resultType": "streams", "result": result, "stats": {}}}
    )


def _labels(_core: Core, _request: web.Request) -> Answer:
    return Answer(200, {"status": "success", "data": ["app", "environment", "level"]})


def _otlp(core: Core, _request: web.Request) -> Answer:
    status = core.settings.observers.otlp_status
    return Answer(status, {"partialSuccess": {}} if status == 200 else {"code": 14, "message": "unavailable"})


def _vault(core: Core, _request: web.Request) -> Answer:
    state = core.settings.observers.vault
    body: dict[str, Json] = {
        "initialized": state is not Vault.UNINITIALISED,
        "sealed": state is not Vault.UNSEALED,
        "standby": False,
        "version": "1.17.2",
        "cluster_name": f"vault-{core.environment}",
    }
    return Answer(_VAULT_STATUS[state], body)


def _ci(answers: Callable[..., Answered], core: Core, request: web.Request) -> Answer:
    settings, match = core.settings.observers, request.match_info
    runs = None if settings.ci_unknown_commit else _runs(core)
    place = (f"{match['owner']}/{match['repository']}", match["commit"][:64])
    told = answers(f"{request.scheme}://{request.host}", place, runs, request.query)
    return Answer(told.status, told.body, [("Link", told.link)] if told.link else [])


def _runs(core: Core) -> list[Run]:
    """Return what CI ran for the candidate's commit some hours before the launch, the oldest first."""
    settings, began_us = core.settings.observers, core.began_us - _BUILT_BEFORE_S * SECOND_US
    attempts = [*settings.ci_earlier.items(), *settings.ci_checks.items()]
    return [
        Run(
            id=4_100_000 + number,
            name=name,
            word=word,
            began_us=began_us + number * SECOND_US,
            ended_us=began_us + (number + _JOB_S) * SECOND_US,
            status=name in settings.ci_reported,
        )
        for number, (name, word) in enumerate(attempts)
        if name not in settings.ci_absent
    ]


def _listed(core: Core, request: web.Request) -> Answer:
    """Return the same as a plain list, which runbooks asked for before ``ci:`` had kinds."""
    if core.settings.observers.ci_unknown_commit:
        return Answer(404, {"message": "No commit found for SHA: " + request.match_info["commit"][:64]})
    newest = {run.name: run.word for run in _runs(core)}
    checks: list[Json] = [{"name": name, "state": word} for name, word in newest.items()]
    return Answer(200, {"sha": request.match_info["commit"][:64], "checks": checks})
