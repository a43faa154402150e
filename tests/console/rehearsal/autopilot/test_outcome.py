"""How a rehearsed launch ends is one of the program's exit codes, by the same name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from console.client.engine_client import EngineClient
from console.exit_codes import ExitCode
from console.rehearsal.autopilot.captain import Captain, Outcome, Pace
from state.base.json import JsonObject
from state.commands import Reply
from state.view.enums import Danger
from state.view.launch import HoldView, LaunchView, OperationSpecView
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
