"""Ten of our charts, drawn by the commit: equal, rolled back, a change by hand found. All: make cluster-charts."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from tests.cluster.charts.making import charts, shapes
from tests.cluster.charts.proving import prove
from tests.cluster.kube_api import KubeHttp
from tests.cluster.shared import Cluster
from tests.console.engine.operations.stand import launch
from tests.drawing import commit

TEN = 10
_AT_ONCE = 3


def test_no_two_charts_have_the_same_shapes_and_every_shape_is_in_two() -> None:
    found = charts()
    assert len(found) >= 40
    assert len({one.parts for one in found}) == len(found)
    reported, more = shapes("reported.yaml"), shapes("more.yaml")
    assert len(more) >= len(reported)
    for name in (*reported, *more):
        assert sum(name in one.shapes for one in found) >= 2, name


@pytest.mark.wire
@pytest.mark.needs("control-plane", "helm3", "helm4", "git")
@pytest.mark.timeout(600)
async def test_ten_charts_are_equal_unchanged_and_a_change_by_hand_is_found(
    cluster: Cluster, api: KubeHttp, tmp_path: Path
) -> None:
    seed = commit()
    drawn = random.Random(seed).sample(charts(), TEN)
    limit = asyncio.Semaphore(_AT_ONCE)
    async with launch(tmp_path, rate=1.0) as base:

        async def one(at: int) -> str:
            chart, major = drawn[at], 3 + at % 2
            async with limit:
                try:
                    await prove(cluster, api, base, chart, tmp_path / chart.name, major, seed)
                except AssertionError as error:
                    return f"{chart.name} ({', '.join(chart.shapes)}) by helm {major}: {error}"
            return ""

        found = await asyncio.gather(*(one(at) for at in range(TEN)))
    assert [words for words in found if words] == []
