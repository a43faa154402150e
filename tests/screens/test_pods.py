"""Pods on a screen: who is counted, and who is only listed."""

from __future__ import annotations

import pytest

from screens.kit.table import Table
from state.base.json import Json
from state.events.world import PodChanged
from tests.screens import story
from tests.screens.stage import app_of, picture, text_of


async def test_a_pod_that_has_done_its_work_is_listed_and_not_counted() -> None:
    told = story.opened()
    told.pod("production", "db-migrate-dotmac-7-x1", "db-migrate", phase="Succeeded", ready=0)
    app, _ = app_of(told)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(0.1)
        shown = text_of(app)
        assert "✔ 7/7 ready" in shown
        assert "8/8" not in shown
        await pilot.press("p")
        await pilot.pause(0.1)
        rows = {row.key: row.cells for row in app.screen.query_one("#pods", Table).rows}
        assert rows["production/db-migrate-dotmac-7-x1"][3] == "-"


def seen(told: story.Story, name: str, **facts: Json) -> None:
    """Let a pod of production be seen as it is told."""
    told.tell(
        PodChanged.KIND,
        {
            "env": "production", "name": name, "app": "api", "phase": "Running", "ready": 1, "containers": 1,
            "restarts": 0, "image": "r/api:v1", "digest": "", "node": "n1", "created_us": 1, "reason": "", **facts,
        },
    )  # fmt: skip


WAITS: dict[str, Json] = {"phase": "ContainerCreating", "ready": 0}

PODS: list[tuple[str, dict[str, Json], str, str]] = [
    # what is seen of the eighth pod, how many are counted as ready, how the list marks it
    ("well", {}, "✔ 8/8 ready", "✔ Running"),
    ("a closed gate", {"unready": "readiness gate lb"}, "✖ 7/8 ready", "✖ Running readiness gate lb"),
    ("between two crashes", {"loops_until_us": 2**62, "restarts": 5}, "✖ 7/8 ready", "✖ Running"),
    ("calm again", {"loops_until_us": 1, "restarts": 5}, "✔ 8/8 ready", "✔ Running"),
    ("young", {**WAITS, "created_us": story.START_US}, "… 7/8 ready", "… ContainerCreating"),
    ("no image", {**WAITS, "phase": "ErrImagePull", "created_us": story.START_US}, "✖ 7/8 ready", "✖ ErrImagePull"),
    ("no longer young", {**WAITS, "created_us": story.START_US - 10**9}, "✖ 7/8 ready", "✖ ContainerCreating"),
    ("ending", {"phase": "Terminating"}, "✔ 7/7 ready", "· Terminating"),
    ("evicted", {"phase": "Failed", "ready": 0, "reason": "low on memory"}, "✔ 7/7 ready", "✖ Failed low on memory"),
    ("a job's, at work", {"of_job": True}, "✔ 7/7 ready", "✔ Running"),
    ("a job's, failed", {"of_job": True, "phase": "Error", "ready": 0}, "✔ 7/7 ready", "✖ Error"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "counted", "mark"), [pod[1:] for pod in PODS], ids=[pod[0] for pod in PODS]
)
@pytest.mark.parametrize("size", [(80, 24), (200, 55)])
async def test_every_screen_judges_a_pod_alike(
    facts: dict[str, Json], counted: str, mark: str, size: tuple[int, int]
) -> None:
    told = story.opened()
    seen(told, "p", **facts)
    app, _ = app_of(told)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(0.1)
        assert counted.removesuffix(" ready") in text_of(app)
        assert any("✖ p " in line for line in picture(app)) is mark.startswith("✖")
        await pilot.press("p")
        await pilot.pause(0.1)
        rows = {row.key: row.cells for row in app.screen.query_one("#pods", Table).rows}
        assert getattr(rows["production/p"][2], "text", "") == mark
