"""The simulated API beside the real one: the same requests, and the same answers, but where it is said why not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from console.rehearsal.sim.kubernetes import KubeApi, Store
from state.base.json import JsonObject, obj
from tests.clocks import ManualClock
from tests.cluster.conftest import api, cluster  # noqa: F401  fixtures
from tests.cluster.kube_api import KubeHttp
from tests.console.rehearsal.sim.kubernetes.conformance import FILE, SETUP, Ask, Case, Send, asked, recorded
from tests.console.rehearsal.sim.kubernetes.conformance_cases import CASES
from tests.console.rehearsal.sim.kubernetes.conftest import serve

DIFFERS: dict[str, str] = {}
"""By a case's name: in what the simulated API is kinder, or otherwise unlike, and why that stays so."""


@pytest.fixture
async def simulated(tmp_path: Path) -> AsyncIterator[Send]:
    """A simulated API with the same beginning as the real one."""
    async with (
        serve(store := Store.open(None, ManualClock()), KubeApi(store), tmp_path) as there,
        aiohttp.ClientSession() as session,
    ):

        async def send(ask: Ask) -> tuple[int, JsonObject]:
            where, headers = there.url + ask.path, {"Content-Type": ask.kind}
            async with session.request(
                ask.method, where, json=ask.body, params=ask.query, headers=headers
            ) as answer:
                return answer.status, obj(await answer.json(content_type=None))

        for ask in SETUP:
            await send(ask)
        yield send


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_the_simulated_one_answers_like_the_real_one(simulated: Send, case: Case) -> None:
    if not FILE.exists():
        pytest.skip("what the real one answers isn't recorded yet (conformance.py says how)")
    ours, real = await asked(simulated, case), recorded()[case.name]
    if case.name in DIFFERS:
        assert ours != real, "they are alike now: take the case out of DIFFERS"
    else:
        assert ours == real


@pytest.mark.needs("control-plane")
@pytest.mark.wire
async def test_the_real_one_answers_as_recorded(api: KubeHttp) -> None:  # noqa: F811  the fixture
    async def send(ask: Ask) -> tuple[int, JsonObject]:
        return await api.ask(ask.method, ask.path, ask.body, query=ask.query, kind=ask.kind)

    for ask in SETUP:
        await send(ask)
    answers = {case.name: await asked(send, case) for case in CASES}
    if not FILE.exists():
        pytest.skip("nothing is recorded yet")
    assert answers == recorded()


def test_what_is_unlike_is_in_the_table() -> None:
    assert set(DIFFERS) <= {case.name for case in CASES}
    assert len(CASES) == len({case.name for case in CASES})
