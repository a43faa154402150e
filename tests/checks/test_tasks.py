"""Background tasks: who sends what is due, and how long the queues are, by what a cluster and a Prometheus answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import cast

import pytest
from aiohttp import web

from checks.base import CheckContext, Outcome
from checks.clients.prometheus import PrometheusClient
from checks.container_env import command_words
from checks.tasks import BeatSettings, QueuesSettings, beat, grows, queues, sends
from state.base.json import Json, JsonObject
from state.runbook.environment import Endpoint
from state.view.enums import Verdict
from tests.clocks import ManualClock
from tests.console.rehearsal.serving import served

Value = Callable[[int], float | None]
NOW_S = ManualClock().wall_us() // 1_000_000


def box(*words: str, name: str = "worker", shell: str = "") -> JsonObject:
    given = ["/bin/sh", "-c", shell] if shell else list(words)
    return {"name": name, "command": given[:1], "args": given[1:]}


@pytest.mark.parametrize(
    ("container", "is_beat"),
    [
        (box("celery", "-A", "app", "beat"), True),
        (box("celery", "-A", "app", "beat", "-S", "redbeat.RedBeatScheduler"), True),
        (box("/celery-entrypoint.sh", "beat"), True),
        (box("/usr/local/bin/celery-beat"), True),
        (box("python", "-m", "celery", "-A", "app", "worker", "-B"), True),
        (box("celery", "-A", "app", "worker", "-l", "info", "--beat"), True),
        (box("celery", "-A", "app", "worker", "-EB"), True),
        (box(shell="exec celery -A app worker --beat -Q default"), True),
        (box(shell="cd /app && celery -A app beat"), True),
        (box("/run", name="celery-beat"), True),  # its image has the command line
        (box("celery", "-A", "app", "worker"), False),
        (box("python", "-B", "-m", "celery", "-A", "app", "worker"), False),  # -B is Python's
        (box("celery", "-A", "app", "worker", "-Q", "beats"), False),
        (box("filebeat", "-e"), False),
        (box("/heartbeat"), False),
        (box(), False),
    ],
)
def test_what_sends_periodic_tasks_is_known_by_its_command_line(container: JsonObject, is_beat: bool) -> None:
    assert sends(container, ("beat",)) == is_beat


def test_the_words_of_a_shell_are_those_that_it_runs() -> None:
    known = {"EXTRA": "worker -B"}
    assert command_words(box(shell="celery $EXTRA"), known)[-3:] == ["celery", "worker", "-B"]
    assert command_words({"args": ["$(APP)"]}, {"APP": "beat"}) == ["beat"]


def pod(
    name: str, *boxes: JsonObject, ready: bool = True, instance: str = "dotmac", restarts: int = 0
) -> JsonObject:
    states: list[Json] = [
        {"name": one["name"], "ready": ready, "restartCount": restarts, "state": {"running": {}}}
        for one in boxes
    ]
    told = {"type": "Ready", "status": "True" if ready else "False"}
    return {
        "metadata": {"name": name, "labels": {"app.kubernetes.io/instance": instance} if instance else {}},
        "spec": {"containers": list(boxes)},
        "status": {"phase": "Running", "containerStatuses": states, "conditions": [told]},
    }


API = pod("api", box("gunicorn", name="api"))
WORKER = pod("worker", box("celery", "worker"))
BEAT = pod("beat", box("celery", "beat", name="main"))


def series(label: str, told: Mapping[str, Value]) -> Callable[[web.Request], object]:
    """Return what answers a range or an instant query with a series for each queue."""

    async def answer(request: web.Request) -> web.Response:
        given = {**request.query, **(await request.post())}
        if request.path.endswith("query_range"):
            start, end, step = (float(str(given[key])) for key in ("start", "end", "step"))
            times = [start + n * step for n in range(int((end - start) / step) + 1)]
            found: list[Json] = [
                {
                    "metric": {label: name},
                    "values": [[at, str(v)] for n, at in enumerate(times) if (v := value(n)) is not None],
                }
                for name, value in told.items()
            ]
            return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": found}})
        vector: list[Json] = [
            {"metric": {label: name}, "value": [NOW_S, str(value(0))]} for name, value in told.items()
        ]
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": vector}})

    return answer


def context(pods: Sequence[JsonObject], prometheus: object = None) -> CheckContext:
    """Return a context whose cluster lists these pods."""

    async def list_objects(where: str, query: Mapping[str, object] | None = None) -> SimpleNamespace:
        assert where == "/api/v1/namespaces/shop/pods"
        assert query is None
        return SimpleNamespace(items=tuple(pods))

    kube = SimpleNamespace(namespace="shop", list_objects=list_objects, where="the cluster")
    clients = SimpleNamespace(kube=lambda _: kube, prometheus=lambda _: prometheus)
    environment = SimpleNamespace(release="dotmac", kube=SimpleNamespace(namespace="shop"))
    made = SimpleNamespace(
        clients=clients, environment=environment, tier="production", clock=ManualClock(), first=lambda: False
    )
    return cast("CheckContext", made)


async def ask(
    told: Mapping[str, Value], judge: Callable[[PrometheusClient], object], label: str = "queue_name"
) -> Outcome:
    app, queries = web.Application(), []

    async def answer(request: web.Request) -> web.Response:
        queries.append({**request.query, **(await request.post())}["query"])
        return cast("web.Response", await series(label, told)(request))  # type: ignore[misc]  # a coroutine

    app.router.add_route("*", "/api/v1/{kind}", answer)
    async with served(app) as url:
        client = PrometheusClient(Endpoint.model_validate({"url": url}), "production")
        try:
            outcome = await judge(client)  # type: ignore[misc]  # a coroutine
        finally:
            await client.aclose()
    assert all("{namespace}" not in str(query) for query in queries)
    return cast("Outcome", outcome)


@pytest.mark.parametrize(
    ("pods", "settings", "verdict", "words"),
    [
        ([API, WORKER, BEAT], {}, Verdict.PASS, "one beat process runs"),
        ([API, WORKER], {}, Verdict.FAIL, "no beat process runs in shop"),
        ([API, BEAT, pod("beat-2", box("celery", "beat"))], {}, Verdict.FAIL, "2 beat processes run (beat, beat-2)"),
        ([API, pod("w", box("celery", "worker", "-B")), BEAT], {}, Verdict.FAIL, "2 beat processes run"),
        ([API, BEAT, pod("beat-2", box("celery", "beat"))], {"standby": True}, Verdict.PASS, "the beat process runs"),
        ([API, pod("beat", box("celery", "beat"), ready=False)], {}, Verdict.FAIL, "in beat isn't ready"),
        ([API, pod("beat", box("celery", "beat"), restarts=4)], {}, Verdict.FAIL, "restarted 4 times"),
        ([API, pod("beat", box("celery", "beat"), restarts=4)], {"max_restarts": 4}, Verdict.PASS, "one beat"),
        ([API, BEAT, pod("theirs", box("celery", "beat"), instance="wiki")], {}, Verdict.PASS, "one beat"),
        ([API, pod("theirs", box("celery", "beat"), instance="wiki")], {}, Verdict.FAIL, "no beat process"),
        ([API, pod("bare", box("celery", "beat"), instance="")], {}, Verdict.PASS, "one beat process"),
        ([API, pod("s", box("/run", name="scheduler"))], {"containers": ("scheduler",)}, Verdict.PASS, "one beat"),
        ([API, {**BEAT, "status": {"phase": "Failed"}}], {}, Verdict.FAIL, "no beat process"),
        ([], {}, Verdict.UNKNOWN, "not one pod was seen"),
    ],
)  # fmt: skip
async def test_one_process_sends_what_is_due(
    pods: list[JsonObject], settings: dict[str, object], verdict: Verdict, words: str
) -> None:
    outcome = await beat(BeatSettings.model_validate(settings), context(pods))
    assert (outcome.verdict, words in outcome.summary) == (verdict, True), outcome.summary
    assert "lately" not in outcome.summary, "nobody looked at what was sent"


@pytest.mark.parametrize(
    ("told", "verdict", "words"),
    [
        ({"a": lambda _: 12.0}, Verdict.PASS, "and sent periodic tasks lately"),
        ({"a": lambda _: 0.0, "b": lambda _: 1.0}, Verdict.PASS, "and sent periodic tasks lately"),
        ({"a": lambda _: 0.0}, Verdict.FAIL, "no periodic task was sent lately"),
        ({"a": lambda _: float("nan")}, Verdict.UNKNOWN, "no series tells when"),
        ({}, Verdict.UNKNOWN, "no series tells when"),
    ],
)
async def test_what_is_due_was_sent_lately(told: dict[str, Value], verdict: Verdict, words: str) -> None:
    settings = BeatSettings(sent='sum(increase(sent{namespace="{namespace}"}[15m]))')
    outcome = await ask(told, lambda client: beat(settings, context([API, BEAT], client)))
    assert (outcome.verdict, words in outcome.summary) == (verdict, True), outcome.summary


NAMES = ("default", "low")
CALM: dict[str, Value] = {"default": lambda _: 3.0, "low": lambda _: 0.0}


@pytest.mark.parametrize(
    ("told", "more", "verdict", "words"),
    [
        (CALM, {}, Verdict.PASS, "2 queues no longer than 1000 tasks"),
        ({**CALM, "default": lambda _: 4000.0}, {}, Verdict.FAIL, "default was longer than 1000 tasks all"),
        ({**CALM, "default": lambda _: 40.0}, {"most": 30}, Verdict.FAIL, "default was longer than 30"),
        ({**CALM, "default": lambda n: 4000.0 if n == 4 else 0.0}, {}, Verdict.PASS, "2 queues"),
        ({**CALM, "low": lambda n: 2.0 * n}, {}, Verdict.FAIL, "low gets longer and longer: 0 to 20 tasks"),
        ({**CALM, "low": lambda n: 900.0 - 90 * n}, {}, Verdict.PASS, "2 queues"),
        ({**CALM, "low": lambda n: 50.0 if n > 7 else 0.0}, {}, Verdict.PASS, "2 queues"),  # one batch
        ({**CALM, "celery": lambda n: 5.0 * n}, {}, Verdict.FAIL, "celery gets longer"),  # nobody named it
        ({"default": lambda _: 0.0}, {}, Verdict.UNKNOWN, "how long the queue low is now"),
        ({"default": lambda _: 0.0}, {"absent_is_empty": True}, Verdict.PASS, "1 queue no longer"),
        ({}, {}, Verdict.UNKNOWN, "how long the queue default is now"),
        ({}, {"absent_is_empty": True}, Verdict.UNKNOWN, "how long the queue default is now"),
        ({**CALM, "low": lambda _: float("nan")}, {}, Verdict.UNKNOWN, "the queue low is now"),
        ({**CALM, "low": lambda n: 0.0 if n < 6 else None}, {}, Verdict.UNKNOWN, "queue low is now"),  # gone
        ({**CALM, "low": lambda n: 4000.0 if n > 7 else None}, {}, Verdict.UNKNOWN, "can't be told yet"),
        ({**CALM, "low": lambda n: 4.0 if n > 7 else None}, {}, Verdict.PASS, "2 queues"),
    ],
)  # fmt: skip
async def test_queues_are_neither_too_long_nor_longer_and_longer(
    told: dict[str, Value], more: dict[str, object], verdict: Verdict, words: str
) -> None:
    given = {"queues": NAMES, "length": 'waiting{namespace="{namespace}"}', **more}
    settings = QueuesSettings.model_validate(given)
    outcome = await ask(told, lambda client: queues(settings, context([], client)))
    assert (outcome.verdict, words in outcome.summary) == (verdict, True), outcome.summary
    assert "worker" not in outcome.summary, "nobody looked at who reads them"


@pytest.mark.parametrize(
    ("told", "verdict", "words"),
    [
        ({"default": lambda _: 1.0, "low": lambda _: 2.0}, Verdict.PASS, "each with a worker that reads it"),
        ({"default": lambda _: 1.0, "low": lambda _: 0.0}, Verdict.FAIL, "no worker reads the queue low now"),
        ({"default": lambda _: 1.0}, Verdict.FAIL, "no worker reads the queue low now"),
    ],
)
async def test_each_queue_has_a_worker(told: dict[str, Value], verdict: Verdict, words: str) -> None:
    settings = QueuesSettings(queues=NAMES, length="waiting", readers="readers", absent_is_empty=True)
    outcome = await ask(told, lambda client: queues(settings, context([], client)))
    assert (outcome.verdict, words in outcome.summary) == (verdict, True), outcome.summary


async def test_several_exporters_that_tell_of_one_queue_are_not_added() -> None:
    told: dict[str, Value] = {"default": lambda _: 600.0}
    settings = QueuesSettings(queues=("",), length="waiting", label="absent")
    outcome = await ask(
        {**told, "other": lambda _: 700.0}, lambda client: queues(settings, context([], client))
    )
    assert outcome.verdict is Verdict.PASS, outcome.summary
    assert outcome.evidence["queue"] == "700 now, 700 to 700"


@pytest.mark.parametrize(
    ("lengths", "longer"),
    [
        ([], False),
        ([5.0], False),
        ([0.0, 1.0, 2.0, 3.0], True),
        ([0.0, 0.0, 1.0, 1.0, 2.0, 9.0], True),
        ([0.0, 0.0, 0.0, 80.0], False),
        ([5.0, 6.0, 7.0, 8.0, 7.0], False),
        ([7.0] * 11, False),
    ],
)
def test_a_queue_that_only_grows_is_one_that_nobody_works_off(lengths: list[float], longer: bool) -> None:
    assert grows(lengths) == longer
