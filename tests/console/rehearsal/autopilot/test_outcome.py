"""How a rehearsed launch ends is one of the program's exit codes, by the same name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from console.client.engine_client import EngineClient
from console.exit_codes import ExitCode
from console.rehearsal.autopilot.captain import Bakes, Captain, Outcome, Pace
from state.base.json import JsonObject
from state.base.times import SECOND_US
from state.commands import Reply
from state.view.enums import BakeState, Danger
from state.view.launch import BakeView, HoldView, LaunchView, OperationSpecView
from state.view.preview import Preview

RELEASE = OperationSpecView("production.deploy", "deploy", "production", "Deploy", 9, (), ())
HOLD = HoldView("ann", "the vendor calls back", 0)


class Refusing:
    """An engine's client on a launch where nothing may be run."""

    def __init__(self, view: LaunchView) -> None:
        self.view = view
        self.welcome = SimpleNamespace(adjustable=False)

    async def until(self, _true: object) -> LaunchView:
        return self.view

    async def preview(self, name: str, _args: JsonObject) -> Preview:
        return Preview(name, name, Danger.DANGER, allowed=False)

    async def command(self, *_words: object) -> Reply:
        return Reply(ok=False, message="not now")


@pytest.mark.parametrize(("hold", "ended"), [(HOLD, Outcome.HOLD), (None, Outcome.STUCK)])
async def test_a_launch_on_hold_is_not_stuck(hold: HoldView | None, ended: Outcome) -> None:
    client = Refusing(LaunchView(operation_specs=(RELEASE,), hold=hold))
    assert await Captain(cast("EngineClient", client), Pace()).drive() is ended


def test_every_outcome_has_its_code() -> None:
    assert [outcome.code for outcome in Outcome] == [ExitCode[outcome.name] for outcome in Outcome]
    assert {outcome.code for outcome in Outcome} == {c for c in ExitCode if c >= ExitCode.HOLD} | {
        ExitCode.GO
    }


class Baking:
    """A client that sees the moments of a bake one after the other, and keeps the commands that it is given."""

    def __init__(self, good_s: list[int], every_s: int) -> None:
        bakes = [BakeView(0, 1800, good, updated_us=0, maximum_s=3600) for good in good_s]
        ended = replace(bakes[-1], state=BakeState.DONE)
        self.moments = [
            LaunchView(bake=bake, wall_us=n * every_s * SECOND_US) for n, bake in enumerate([*bakes, ended])
        ]
        self.welcome = SimpleNamespace(adjustable=True)
        self.given: list[tuple[str, JsonObject]] = []

    async def until(self, true: Callable[[LaunchView], bool]) -> LaunchView:
        while not true(self.moments[0]):
            self.moments.pop(0)
        return self.moments[0]

    async def preview(self, name: str, _args: JsonObject) -> Preview:
        return Preview(name, name, Danger.CAUTION, allowed=True)

    async def command(self, name: str, args: JsonObject, _given: object) -> Reply:
        self.given.append((name, args))
        return Reply(ok=True, message="")


@pytest.mark.parametrize(
    ("good_s", "rates", "extended", "ended"),
    [
        ([0, 400, 800, 1200, 1600, 1800], ["200", "40"], 0, Bakes.DONE),
        ([0, 100, 200, 600, 1000, 1400, 1800], ["200", "100", "50", "40"], 0, Bakes.DONE),
        ([*range(0, 1100, 100), 1500, 1800], ["200", "100", "50", "40", *["40"] * 8], 2, Bakes.DONE),
        ([0] * 30, ["200", "100", "50", "40", *["40"] * 6], 0, Bakes.UNFINISHED),
        ([0, 300, *[300] * 30], ["200", "100", "50", "40", *["40"] * 6], 1, Bakes.UNFINISHED),
        ([*range(0, 1800, 60)], ["200", "100", "50", "40", *["40"] * 9], 3, Bakes.UNFINISHED),
    ],
    ids=[
        *("a machine that keeps up", "one that falls behind", "one that needs longer"),
        *("nothing is seen for an hour", "nothing is seen any more", "little, and never enough"),
    ],
)
async def test_the_clock_of_a_bake_is_slowed_down_where_little_of_it_is_seen(
    good_s: list[int], rates: list[str], extended: int, ended: Bakes
) -> None:
    client = Baking(good_s, 400)
    assert await Captain(cast("EngineClient", client), Pace())._bake() is ended
    assert [args["rate"] for name, args in client.given if name == "clock.rate"] == rates
    assert len([name for name, _ in client.given if name == "bake.extend"]) == extended
