"""The simulated API beside the real one: the same requests, and the same answers, but where it is said why not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.rehearsal.sim.kubernetes import KubeApi, Store, bootstrap
from tests.clocks import ManualClock
from tests.cluster.kube_api import KubeHttp
from tests.console.rehearsal.sim.kubernetes import recorded_rbac, recorded_schemas
from tests.console.rehearsal.sim.kubernetes.conformance import (
    FILE,
    SETUP,
    Case,
    Send,
    all_answers,
    asked,
    real_server,
    recorded,
    sender,
    without_words,
)
from tests.console.rehearsal.sim.kubernetes.conformance_more import CASES
from tests.console.rehearsal.sim.kubernetes.conftest import serve

DIFFERS: dict[str, str] = {
    "a body that is no object": "the message holds a type and a mark of the Go program",
    "a strategic patch of another type": "the message names a type of the Go program's inside",
}
"""By a case's name: in which words the simulated API is unlike, and why that stays so. What is done, and every
reason and field that is told, is the same there too."""


@pytest.fixture
async def simulated(tmp_path: Path) -> AsyncIterator[Send]:
    """A simulated API with the same beginning as the real one."""
    store = Store.open(None, ManualClock())
    async with serve(store, KubeApi(store), tmp_path) as there, KubeHttp(there.url, None) as asking:
        send = sender(asking)
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
        assert without_words(ours) == without_words(real)
    else:
        assert ours == real


@pytest.mark.needs("control-plane")
@pytest.mark.wire
async def test_the_real_one_answers_as_recorded(tmp_path: Path) -> None:
    if not FILE.exists():
        pytest.skip("nothing is recorded yet")
    async with real_server(tmp_path) as api:
        assert await all_answers(api, CASES) == recorded()
        assert await recorded_rbac.read(api) == json.loads(bootstrap.FILE.read_text())
        schemas = recorded_schemas.compact(await api.get("/openapi/v2"))
    assert schemas == json.loads(recorded_schemas.FILE.read_text())


def test_what_is_unlike_is_in_the_table() -> None:
    assert set(DIFFERS) <= {case.name for case in CASES}
    assert len(CASES) == len({case.name for case in CASES})
