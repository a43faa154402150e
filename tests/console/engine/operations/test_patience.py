"""A cluster in trouble for a moment: what is asked again, for how long, and what stands at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from checks.base import CouldNotLookError
from checks.clients.errors import (
    ConflictError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    RefusedConnectionError,
    ServerFailedError,
    TooLargeError,
    TooManyRequestsError,
    Where,
)
from checks.clients.kube import KubeClient
from console.engine.operations.access.patience import PREVIEW_S, Patience, PatientKube
from state.base.clock import Clock
from state.base.json import JsonObject
from state.base.times import SECOND_US

Errors = list[CouldNotLookError | None]


class _Clock:
    def __init__(self) -> None:
        self.now_us = 1

    def mono_us(self) -> int:
        return self.now_us

    async def sleep(self, seconds: float) -> None:
        self.now_us += int(seconds * SECOND_US)


class _Cluster(KubeClient):
    """Fails as it is told, and then answers; ``ready_after``: how often it says that it isn't ready."""

    def __init__(self, errors: Errors, ready_after: int = 0) -> None:
        self.namespace, self.where = "shop", Where("Kubernetes", "test")
        self.errors, self.ready_after, self.asked = errors, ready_after, 0

    def _answer(self) -> JsonObject:
        self.asked += 1
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        return {"well": True}

    async def get(self, path: str, query: Any = None) -> JsonObject:
        return self._answer()

    async def create(self, path: str, body: JsonObject) -> JsonObject:
        return self._answer()

    async def ready(self) -> bool:
        self.ready_after -= 1
        return self.ready_after < 0


def _patient(cluster: _Cluster) -> tuple[PatientKube, _Clock]:
    clock = _Clock()
    return PatientKube(cluster, cast("Clock", clock), Patience()), clock


@pytest.mark.parametrize(
    "error",
    [
        GoneError("410"),
        ServerFailedError("503"),
        RefusedConnectionError("refused"),
        TooManyRequestsError("429", 3.0),
    ],
)
async def test_trouble_of_a_moment_is_waited_for(error: CouldNotLookError) -> None:
    cluster = _Cluster([error, error, None])
    kube, clock = _patient(cluster)
    assert await kube.get("/x") == {"well": True}
    asked = 6 if isinstance(error, TooManyRequestsError) else 1
    assert clock.now_us >= asked * SECOND_US
    # and what comes later gets the whole of it again
    cluster.errors = [error, None]
    assert await kube.get("/x")


async def test_trouble_that_stays_is_told_within_the_bound_for_all_questions_together() -> None:
    kube, clock = _patient(_Cluster([ServerFailedError("503")] * 999))
    for _ in range(20):
        with pytest.raises(ServerFailedError):
            await kube.get("/x")
    assert clock.now_us <= (PREVIEW_S + 1) * SECOND_US


@pytest.mark.parametrize("error", [NotFoundError("404"), TooLargeError("8 MiB"), ConflictError("409")])
async def test_what_is_an_answer_stands_at_once(error: CouldNotLookError) -> None:
    cluster = _Cluster([error])
    kube, clock = _patient(cluster)
    with pytest.raises(type(error)):
        await kube.get("/x")
    assert (cluster.asked, clock.now_us) == (1, 1)


async def test_a_refusal_of_a_server_that_is_not_ready_yet_is_waited_for() -> None:
    kube, clock = _patient(_Cluster([ForbiddenError("403")] * 4, ready_after=3))
    assert await kube.get("/x") == {"well": True}
    assert clock.now_us >= 1.5 * SECOND_US


@pytest.mark.parametrize("ready_after", [0, 999])
async def test_a_refusal_that_stays_is_told_and_not_waited_for_again(ready_after: int) -> None:
    kube, clock = _patient(_Cluster([ForbiddenError("403")] * 999, ready_after))
    with pytest.raises(ForbiddenError):
        await kube.get("/x")
    waited = clock.now_us
    assert waited <= (PREVIEW_S + 1) * SECOND_US
    with pytest.raises(ForbiddenError):
        await kube.get("/x")
    assert clock.now_us == waited


@pytest.mark.parametrize(
    ("make", "again"),
    [(lambda: TooManyRequestsError("429"), True), (lambda: ServerFailedError("503"), False)],
)
async def test_what_may_have_been_done_is_not_done_twice(
    make: Callable[[], CouldNotLookError], again: bool
) -> None:
    cluster = _Cluster([make(), None])
    kube, _ = _patient(cluster)
    if again:
        assert await kube.create("/x", {})
        return
    with pytest.raises(ServerFailedError):
        await kube.create("/x", {})
    assert cluster.asked == 1


def test_every_question_of_the_client_goes_through_it() -> None:
    asked = {name for name, one in vars(KubeClient).items() if callable(one) and not name.startswith("_")}
    assert asked <= set(vars(PatientKube)), (
        "what it doesn't pass on would be asked of a client that isn't there"
    )
