"""From a key to a command: what is asked, what is shown, what the engine is given."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Button, Input

from console.ui.app import LaunchApp
from screens.dialogs import dialogs
from screens.dialogs.dialogs import Dialog
from screens.dialogs.forms import AttestDialog, FormDialog, PickDialog
from screens.dialogs.question import AskDialog
from screens.gate import GateScreen
from screens.kit.fuzzy import found
from screens.kit.table import Table
from state.base.json import JsonObject, text
from state.commands import Confirmation, Reply
from state.events.declared import OperationDeclared
from state.events.requests import RequestGranted, RequestMade
from state.view.enums import Danger, Tier
from state.view.preview import Preview
from tests.screens import story
from tests.screens.stage import StorySource, app_of, picture, text_of

DEPLOY = Preview(
    "operation.run",
    "Promote the candidate to production",
    Danger.DANGER,
    allowed=True,
    environment="PRODUCTION (rehearsal)",
    tier=Tier.PRODUCTION,
    from_what="revision 7, v1.3.9",
    to_what="v1.4.0",
    commands=("helm upgrade --install dotmac deploy/helm/dotmac-platform --namespace dotmac-production",),
    blast=("7 pods in dotmac-production", "api.production.example.com"),
    checks=("✔ gates 1 to 8 are GO", "✔ cluster answers"),
    phrase="dotmac",
    token="t-1",
)


async def typed(pilot: Pilot[int], text: str) -> None:
    await pilot.press(*("space" if c == " " else c for c in text))


def ready(app: LaunchApp) -> bool:
    """Return whether the button that acts can be pressed."""
    return not app.screen.query_one("#yes", Button).disabled


async def open_deploy(pilot: Pilot[int]) -> None:
    await pilot.press("d")
    await pilot.pause(0.15)
    await pilot.press("enter")
    await pilot.pause(0.2)


def deploy_app() -> tuple[LaunchApp, StorySource]:
    app, source = app_of(story.ready())
    source.previews["operation.run"] = DEPLOY
    return app, source


async def test_a_deploy_shows_everything_and_wants_the_name_typed() -> None:
    app, source = deploy_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_deploy(pilot)
        shown = "\n".join(picture(app))
        for told in ("PRODUCTION (rehearsal)", "revision 7, v1.3.9", "helm upgrade", "7 pods", "Type dotmac"):
            assert told in shown
        assert not ready(app)
        await typed(pilot, "dotmax")
        assert not ready(app)
        await pilot.press("backspace", "c")
        assert ready(app)
        await pilot.press("enter")
        await pilot.pause(0.1)
        name, args, given = source.given[0]
        assert (name, args) == ("operation.run", {"operation": "staging.deploy"})
        assert given is not None
        assert (given.phrase, given.token) == ("dotmac", "t-1")
        assert "operation.run taken" in text_of(app)


async def test_what_stands_against_a_deploy_is_told_once_and_first() -> None:
    app, source = deploy_app()
    checks = ("pass: cluster answers", "fail: gate 2 is OPEN", "fail: gate 3 is OPEN")
    reason = "gate 2 is OPEN; gate 3 is OPEN"
    source.previews["operation.run"] = replace(DEPLOY, allowed=False, reason=reason, checks=checks)
    async with app.run_test(size=(80, 24)) as pilot:
        await open_deploy(pilot)
        shown = "\n".join(picture(app))
        assert "2 lines of the preflight stand against it" in shown
        assert shown.count("gate 2 is OPEN") == 1
        assert shown.index("gate 3 is OPEN") < shown.index("cluster answers")


async def test_enter_confirms_only_what_is_typed_and_says_what_is_wrong() -> None:
    app, source = deploy_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_deploy(pilot)
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert "Type dotmac to confirm  ✖ required" in "\n".join(picture(app))
        await typed(pilot, "staging")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert "Type dotmac to confirm  ✖ staging is not it" in "\n".join(picture(app))
        assert app.screen.query_one("#phrase", Input).value == "staging"
        await pilot.press("tab", "enter")
        await pilot.pause(0.1)
        assert source.given == []
        assert not isinstance(app.screen, Dialog)


async def test_a_dialog_takes_no_answer_before_it_is_armed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(dialogs.ARM_S, Danger.DANGER, 60.0)
    app, source = deploy_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_deploy(pilot)
        await typed(pilot, "dotmac")
        await pilot.press("tab", "right", "enter")
        assert isinstance(app.screen, AskDialog)
        assert app.screen.query_one("#yes", Button).disabled
        assert source.given == []


async def test_two_answers_in_one_breath_are_one() -> None:
    app, source = app_of(story.ready())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await pilot.pause(0.1)
        await pilot.press("a", "a", "a")
        await pilot.pause(0.1)
        dialog = app.screen
        assert isinstance(dialog, AttestDialog)
        dialog.finish({"verdict": "GO"})
        dialog.finish({"verdict": "NO-GO"})
        await pilot.pause(0.2)
        assert [args for _, args, _ in source.given] == [{"item": "3.1", "verdict": "GO"}]


async def test_a_locked_operation_is_refused_with_its_reason() -> None:
    app, source = app_of(story.opened())
    refused = Preview("operation.run", "x", Danger.DANGER, allowed=False, reason="gates 1 to 8 are not GO")
    source.previews["operation.run"] = refused
    async with app.run_test(size=(80, 24)) as pilot:
        await open_deploy(pilot)
        assert "gates 1 to 8 are not GO" in "\n".join(picture(app))
        assert not app.screen.query("#yes")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert not isinstance(app.screen, Dialog)
        assert source.given == []


LOCKED = Preview(
    "operation.run",
    "x",
    Danger.DANGER,
    allowed=False,
    reason="locked",
    phrase="dotmac",
    token="t",
    override_allowed=True,
)


async def test_an_override_is_requested_and_runs_once_it_is_granted() -> None:
    app, source = app_of(story.opened())
    source.previews["operation.run"] = LOCKED
    async with app.run_test(size=(80, 24)) as pilot:
        await open_deploy(pilot)
        await typed(pilot, "hotfix")
        assert ready(app)
        await pilot.press("enter")
        await pilot.pause(0.1)
        asked = {"command": "operation.run", "args": {"operation": "staging.deploy"}, "reason": "hotfix"}
        assert source.given == [("request.make", asked, Confirmation(token="t"))]
        source.previews["operation.run"] = replace(LOCKED, request=7, granted="request #7 granted by eve (x)")
        await open_deploy(pilot)
        await typed(pilot, "dotmac")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert source.given[1] == (
            "operation.run",
            {"operation": "staging.deploy"},
            Confirmation("dotmac", "t"),
        )


async def opens(app: LaunchApp, pilot: Pilot[int], dialog: type) -> None:
    """Wait until a dialog is there, takes answers, and is drawn."""
    async with asyncio.timeout(20):
        while not (isinstance(app.screen, dialog) and isinstance(app.screen, Dialog) and app.screen.armed):
            await pilot.pause(0.05)
    await pilot.pause(0.05)


def requested(told: story.Story, by: str = "bob") -> int:
    """Let somebody request that an operation's lock be opened."""
    body: JsonObject = {
        "command": "operation.run",
        "args": [["operation", "production.deploy"]],
        "title": "Promote the candidate to production",
        "environment": "PRODUCTION (rehearsal)",
        "from": "revision 7, v1.3.9",
        "to": "v1.4.0",
        "commands": [],
        "over": ["gate 2 is OPEN"],
        "reason": "the fix can't wait",
        "shown": "t",
        "until_us": told.now_us + 3600 * story.SECOND_US,
        "how_known": "socket peer uid 1000 (bob)",
    }
    return told.tell(RequestMade.KIND, body, actor=by)


@pytest.mark.parametrize("size", [(80, 24), (200, 55)])
async def test_a_request_is_on_every_screen_and_is_answered_by_g(size: tuple[int, int]) -> None:
    told = story.opened()
    seq = requested(told)
    app, source = app_of(told)
    source.account = "captain"
    source.previews["request.grant"] = Preview(
        "request.grant", "Grant it", Danger.DANGER, allowed=True, phrase="dotmac", token="shown"
    )
    async with app.run_test(size=size) as pilot:
        for key in ("g", "3", "d", "b", "p", "l"):
            await pilot.press(key)
            await pilot.pause(0.1)
            row = picture(app)[3]
            assert row.startswith(f" ! REQUEST #{seq} bob wants a second person: Promote")
            assert row.endswith(" G: grant or refuse ")
        await pilot.press("d")
        await pilot.pause(0.1)
        assert f"#{seq} bob wants a second person" in text_of(app).split("newest run")[0]
        await pilot.press("G")
        await opens(app, pilot, PickDialog)
        assert "Grant it: everything is shown first" in "\n".join(picture(app))
        await pilot.press("1", "enter")
        await opens(app, pilot, FormDialog)
        await pilot.press("enter")
        await opens(app, pilot, AskDialog)
        await typed(pilot, "dotmac")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert source.given == [("request.grant", {"request": str(seq)}, Confirmation("dotmac", "shown"))]


async def test_ones_own_request_can_be_withdrawn_and_once_granted_be_carried_out() -> None:
    told = story.opened()
    seq = requested(told, by="ann")
    app, source = app_of(told)
    source.previews["operation.run"] = replace(
        LOCKED, request=seq, granted=f"request #{seq} granted by eve (x)"
    )
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        assert picture(app)[3].endswith(" G: withdraw ")
        await pilot.press("G")
        await opens(app, pilot, PickDialog)
        shown = "\n".join(picture(app))
        assert "Withdraw it" in shown
        assert "Grant it" not in shown
        await pilot.press("escape")
        told.tell(RequestGranted.KIND, {"how_known": "socket peer uid 1001 (eve)"}, ref=seq, actor="eve")
        source.tell()
        await pilot.pause(0.3)
        assert picture(app)[3].startswith(f" ! GRANTED #{seq} ann may do it once, granted by eve: Promote")
        assert picture(app)[3].endswith(" G: carry it out ")
        await pilot.press("G")
        await opens(app, pilot, PickDialog)
        await pilot.press("1", "enter")
        await opens(app, pilot, AskDialog)
        await typed(pilot, "dotmac")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert source.given == [
            ("operation.run", {"operation": "production.deploy"}, Confirmation("dotmac", "t"))
        ]


async def test_nobody_requests_anything() -> None:
    app, source = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("G")
        async with asyncio.timeout(20):
            while "nobody requests a second person" not in text_of(app):
                await pilot.pause(0.05)
        assert source.given == []


async def test_a_hold_says_what_it_stops_and_what_goes_on() -> None:
    app, _ = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("h")
        await pilot.pause(0.1)
        shown = " ".join(" ".join(row[3:-4].replace("│", " ") for row in picture(app)).split())
        assert "stops: deploy, migrate and promote; the bake's clock" in shown
        assert "(x: abort), the way back (B)" in shown


async def test_a_word_is_given_by_a_button_or_its_key_and_by_no_letter() -> None:
    app, source = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("1")
        await pilot.pause(0.1)
        await pilot.press("a")
        await pilot.pause(0.1)
        assert app.screen.query_one("#comment", Input).has_focus
        await typed(pilot, "agreed in CHG-7")
        await pilot.press("enter", "enter")
        await pilot.pause(0.1)
        assert source.given == []
        assert app.screen.query_one("#go", Button).has_focus
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert source.given[0][:2] == (
            "attest.sign",
            {"item": "1.1", "verdict": "GO", "comment": "agreed in CHG-7"},
        )
        await pilot.press("a")
        await pilot.pause(0.1)
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert len(source.given) == 1
        await pilot.press("a")
        await pilot.pause(0.1)
        await pilot.press("ctrl+n")
        await pilot.pause(0.1)
        assert len(source.given) == 1
        assert "Comment (required for NO-GO)  ✖ " in "\n".join(picture(app))
        await typed(pilot, "never agreed")
        await pilot.press("ctrl+n")
        await pilot.pause(0.1)
        assert source.given[1][1] == {"item": "1.2", "verdict": "NO-GO", "comment": "never agreed"}


@pytest.mark.parametrize("later_s", [0.0, 0.15])
@pytest.mark.parametrize(("takes_s", "second"), [(0.4, "1.2"), (2.0, "")])
async def test_a_key_after_a_word_waits_for_the_engine_and_never_for_long(
    takes_s: float, second: str, later_s: float
) -> None:
    app, source = app_of(story.opened())
    signs = source.command

    async def slowly(name: str, args: JsonObject, given: Confirmation | None) -> Reply:
        await asyncio.sleep(takes_s)
        return await signs(name, args, given)

    source.command = slowly  # type: ignore[method-assign]  # a slow engine
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("1")
        await pilot.pause(0.1)
        await pilot.press("a")
        await pilot.pause(0.1)
        await typed(pilot, "agreed")
        app.post_message(events.Key("ctrl+g", None))
        await asyncio.sleep(later_s)
        app.post_message(events.Key("a", "a"))
        await pilot.pause(1.0)
        asked = [one for one in picture(app) if "Attest item " in one]
        assert ["Attest item 1.2" in one for one in asked] == ([True] if second else [])
        if not second:
            assert any("asking the engine" in one for one in picture(app))


async def test_a_go_against_the_evidence_is_told_and_asked_for_again() -> None:
    told = story.opened()
    app, source = app_of(told)
    against = ("web.csp (staging) failed", "web.csp (production) never ran")
    source.previews["attest.sign"] = Preview(
        "attest.sign", "Attest item 1.1", Danger.CAUTION, allowed=True, token="t", cautions=against
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("1")
        await pilot.pause(0.1)
        await pilot.press("a")
        await pilot.pause(0.1)
        await pilot.press("ctrl+g")
        await pilot.pause(0.1)
        assert source.given == []
        assert isinstance(app.screen, AskDialog)
        shown = "\n".join(picture(app))
        assert "! web.csp (staging) failed" in shown
        assert "! web.csp (production) never ran" in shown
        await pilot.press("y", "enter")
        await pilot.pause(0.1)
        assert source.given == []
        await pilot.press("a")
        await pilot.pause(0.1)
        await pilot.press("ctrl+g")
        await pilot.pause(0.1)
        await pilot.press("ctrl+g")
        await pilot.pause(0.1)
        ((name, args, given),) = source.given
        assert (name, args, given) == (
            "attest.sign",
            {"item": "1.1", "verdict": "GO"},
            Confirmation(token="t"),
        )


async def test_running_checks_asks_nothing() -> None:
    app, source = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await pilot.pause(0.1)
        await pilot.press("R")
        await pilot.pause(0.1)
        await pilot.press("down", "r")
        await pilot.pause(0.1)
        assert [g[:2] for g in source.given] == [("gate.run", {"gate": "3"}), ("check.run", {"item": "3.2"})]
        await pilot.press("up", "r")
        await pilot.pause(0.1)
        assert "3.1 has no automatic check" in text_of(app)


async def test_a_note_and_a_hold_are_one_form_each() -> None:
    app, source = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        await pilot.pause(0.1)
        assert isinstance(app.screen, FormDialog)
        await pilot.press("enter")
        assert isinstance(app.screen, FormDialog)
        await typed(pilot, "all quiet")
        await pilot.press("enter")
        await pilot.pause(0.1)
        await pilot.press("h")
        await pilot.pause(0.1)
        await typed(pilot, "lunch")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert [g[:2] for g in source.given] == [
            ("note.add", {"text": "all quiet"}),
            ("launch.hold", {"reason": "lunch"}),
        ]


async def test_the_clock_is_made_faster_by_a_digit() -> None:
    app, source = app_of(story.baking())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f")
        await pilot.pause(0.1)
        assert isinstance(app.screen, PickDialog)
        await pilot.press("3", "enter")
        await pilot.pause(0.1)
        assert source.given[0][:2] == ("clock.rate", {"rate": "60"})


async def test_a_waiver_asks_for_reason_and_time_and_then_for_a_second_person() -> None:
    app, source = app_of(story.opened())
    source.previews["item.waive"] = Preview(
        "item.waive", "x", Danger.DANGER, allowed=False, phrase="dotmac", token="w", override_allowed=True
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await pilot.pause(0.1)
        await pilot.press("w")
        await pilot.pause(0.1)
        await typed(pilot, "later")
        await pilot.press("tab", "enter")
        await pilot.pause(0.1)
        assert isinstance(app.screen, AskDialog)
        await pilot.press("enter")
        await pilot.pause(0.1)
        args = {"item": "2.1", "reason": "later", "minutes": "240"}
        asked = {"command": "item.waive", "args": args, "reason": "later"}
        assert source.given == [("request.make", asked, Confirmation(token="w"))]


async def test_one_key_opens_the_rollback_and_it_still_wants_the_name() -> None:
    app, source = app_of(story.tripped())
    source.previews["operation.run"] = DEPLOY
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("B")
        await pilot.pause(0.15)
        assert isinstance(app.screen, AskDialog)
        await typed(pilot, "dotmac")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert source.given[0][1] == {"operation": "production.rollback"}


def in_order(told: story.Story, *kinds: str) -> story.Story:
    """Return a story whose runbook names its operations in another order: of an environment, then of a kind."""
    places = [n for n, e in enumerate(told.events) if e.kind == OperationDeclared.KIND]
    bodies = sorted((told.events[n].body for n in places), key=lambda b: kinds.index(text(b, "env")))
    for n, body in zip(places, bodies, strict=True):
        told.events[n] = replace(told.events[n], body=body)
    return told


@pytest.mark.parametrize("order", [("staging", "production"), ("production", "staging")])
@pytest.mark.parametrize("back", ["production.rollback", "production.back"])
async def test_the_rollback_is_productions_whatever_the_order_of_the_runbook(
    order: tuple[str, str], back: str
) -> None:
    told = in_order(with_rollbacks(story.tripped(), back), *order)
    assert {s.env for s in told.view().operation_specs if s.kind == "rollback"} == set(order)
    app, source = app_of(told)
    source.previews["operation.run"] = DEPLOY
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("d")
        await pilot.pause(0.1)
        assert app.screen.query_one("#operations", Table).key == back
        await pilot.press("B")
        await pilot.pause(0.15)
        await typed(pilot, "dotmac")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert source.given[0][1] == {"operation": back}


async def test_without_a_rollback_of_production_none_of_staging_is_offered() -> None:
    told = with_rollbacks(story.tripped(), "production.rollback")
    told.events = [e for e in told.events if text(e.body, "id") != "production.rollback"]
    app, source = app_of(told)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("B")
        await pilot.pause(0.15)
        assert source.given == []
        assert any("the runbook has no rollback of production" in line for line in picture(app))


def with_rollbacks(told: story.Story, back: str) -> story.Story:
    """Return a story with a rollback of each environment; production's is called as given."""
    for n, event in enumerate(told.events):
        if event.kind == OperationDeclared.KIND and text(event.body, "kind") == "rollback":
            told.events[n] = replace(event, body={**event.body, "id": back})
    if not any(s.env == "staging" and s.kind == "rollback" for s in told.view().operation_specs):
        body: JsonObject = {
            "id": "staging.rollback", "kind": "rollback", "env": "staging", "title": "t", "gate": 8,
        }  # fmt: skip
        at = next(n for n, e in enumerate(told.events) if e.kind == OperationDeclared.KIND)
        told.events.insert(at, replace(told.events[at], body=body))
    return told


async def test_a_trip_is_acknowledged_with_a_comment() -> None:
    app, source = app_of(story.tripped())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("A")
        await pilot.pause(0.1)
        await typed(pilot, "seen")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert source.given[0][:2] == (
            "condition.acknowledge",
            {"condition": "error-rate", "comment": "seen"},
        )


async def test_a_refusal_by_the_engine_is_told() -> None:
    app, source = app_of(story.opened())
    source.replies["note.add"] = Reply(ok=False, message="read-only: observers give no notes")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        await pilot.pause(0.1)
        await typed(pilot, "x")
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert "read-only: observers give no notes" in text_of(app)


async def test_quitting_during_an_operation_asks() -> None:
    app, source = app_of(story.deploying())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("q")
        await pilot.pause(0.1)
        assert "goes on in the engine" in "\n".join(picture(app))
        await pilot.press("3", "1", "enter")
        await pilot.pause(0.1)
        assert not isinstance(app.screen, Dialog)
        await pilot.press("ctrl+q")
        await pilot.pause(0.1)
        await pilot.press("3", "enter")
        await pilot.pause(0.2)
        assert isinstance(app.screen, FormDialog)
        await typed(pilot, "wrong window")
        app.screen.query_one("#yes", Button).press()
        await pilot.pause(0.1)
        assert source.given[0][:2] == ("operation.abort", {"reason": "wrong window"})
        await pilot.press("q")
        await pilot.pause(0.1)
        await pilot.press("2", "enter")
        await pilot.pause(0.1)
    assert app.return_code == 0


async def test_quitting_otherwise_does_not_ask() -> None:
    app, _ = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("q")
        await pilot.pause(0.1)
    assert app.return_code == 0


async def test_pasted_text_presses_no_keys() -> None:
    from textual import events

    app, source = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        app.post_message(events.Paste("xB3aghnq"))
        await pilot.pause(0.1)
        assert not isinstance(app.screen, Dialog)
        assert source.given == []


async def test_help_searches_and_runs() -> None:
    app, source = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause(0.1)
        await typed(pilot, "launch run every")
        assert app.screen.query_one(Input).value == "launch run every"
        await pilot.press("enter")
        await pilot.pause(0.2)
        assert source.given[0][:2] == ("launch.run", {})


async def test_the_palette_offers_the_registry_and_only_asks() -> None:
    app, source = app_of(story.opened())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause(0.2)
        await typed(pilot, "lau rn evry")
        await pilot.press("enter")
        async with asyncio.timeout(20):
            while not source.given:
                await pilot.pause(0.05)
        assert [name for name, _, _ in source.given] == ["launch.run"]


async def test_the_palette_promotes_no_rolled_back_candidate_but_requests_it() -> None:
    told = story.rolled_back()
    app, source = app_of(told)
    words = "this candidate tripped HTTP 5xx share at 20:36Z and was rolled back"
    source.previews["operation.run"] = replace(
        LOCKED, title="Promote the candidate", reason=words, against=(words,), checks=(f"fail: {words}",)
    )
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause(0.2)
        await typed(pilot, "operation: Run")
        await pilot.press("enter")
        async with asyncio.timeout(20):
            while not isinstance(app.screen, PickDialog):
                await pilot.pause(0.05)
        ids = [row.cells[1] for row in app.screen.query_one(Table).rows]
        at = next(n for n, label in enumerate(ids) if str(label).startswith("production.deploy"))
        await pilot.press(str(at + 1), "enter")
        async with asyncio.timeout(20):
            while not isinstance(app.screen, AskDialog):
                await pilot.pause(0.05)
        assert words in " ".join("".join(row.strip(" ┃") + " " for row in picture(app)).split())
        await typed(pilot, "it was the cache")
        await pilot.press("enter")
        await pilot.pause(0.1)
        asked = {
            "command": "operation.run",
            "args": {"operation": "production.deploy"},
            "reason": "it was the cache",
        }
        assert source.given == [("request.make", asked, Confirmation(token="t"))]


@pytest.mark.parametrize(
    ("typed_words", "title"),
    [
        ("rollbk", "open the rollback dialog"),
        ("stg dep", "staging.deploy"),
        ("3.2", "3.2 "),
        ("cookies", "3.4 "),
        ("gate 7", "gate 7 "),
        ("close", "launch: Close"),
        ("every check", "run every check of the launch"),
    ],
)
def test_a_few_letters_find_what_is_meant(typed_words: str, title: str) -> None:
    app, source = app_of(story.tripped())
    app._shown = source.shown()
    entries = found(typed_words, app.help_entries(), lambda one: one.words)
    assert entries
    assert entries[0].title.startswith(title), [one.title for one in entries[:3]]


def test_letters_that_mean_nothing_find_nothing() -> None:
    app, source = app_of(story.tripped())
    app._shown = source.shown()
    assert found("zzqx", app.help_entries(), lambda one: one.words) == []


async def test_an_item_is_gone_to_by_its_number() -> None:
    app, source = app_of(story.opened())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause(0.2)
        await typed(pilot, "3")
        await pilot.press("full_stop", "2", "enter")
        async with asyncio.timeout(20):
            while not (isinstance(app.screen, GateScreen) and app.screen.query(Table)):
                await pilot.pause(0.05)
        await pilot.pause(0.2)
        assert app.screen.query_one(Table).key == "3.2"
        assert source.given == []
