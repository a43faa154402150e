"""What a captain sees of trips, countdowns and alerts."""

from __future__ import annotations

from dataclasses import replace

from console.ui.bell import Attention
from screens.kit.plain import Line
from screens.kit.screen_state import Mode, ScreenState
from screens.sections.banner import notices
from screens.sections.conditions import conditions
from state.base.clock import SECOND_US
from state.view.enums import AlertState, ConditionState
from state.view.launch import AlertView, BakeView, ConditionView, LaunchView, ScopeView, SourceView

NOW = 1_795_000_000 * SECOND_US
ERRORS = ConditionView("errors", "5xx share", "production", "ratio", 0.01, 300, "rollback", "q", active=True)
CALM = ScreenState(LaunchView(scope=ScopeView("a-1", "Spring launch"), conditions=(ERRORS,)), now_us=NOW)
TRIPPED = replace(
    CALM,
    view=replace(
        CALM.view,
        conditions=(replace(ERRORS, state=ConditionState.TRIPPED, rolls_back_us=NOW + 23 * SECOND_US),),
    ),
)


def words(one: Line) -> str:
    return "".join(span.text for span in one)


def test_a_countdown_is_on_every_screen_with_the_key_that_stops_it() -> None:
    (told,) = notices(replace(TRIPPED, mode=Mode.LIVE))
    assert told.text.startswith("✖ TRIPPED ROLLS BACK IN 23 s · h: hold · 5xx share over 1.00 %")
    assert told.keys == "B: roll back · A: acknowledge"


def test_a_trip_rings_once_and_names_the_terminal() -> None:
    attention = Attention()
    assert attention.end() == ""
    assert attention.notice(CALM) == "\x1b[22;2t\x1b]2;Spring launch\x07"
    assert attention.notice(TRIPPED) == "\x07\x1b]2;TRIPPED errors - Spring launch\x07"
    assert attention.notice(TRIPPED) == ""
    assert attention.notice(CALM) == "\x1b]2;Spring launch\x07"
    assert attention.end() == "\x1b[23;2t"
    assert Attention().notice(replace(TRIPPED, mode=Mode.REPLAY)) == ""


def test_a_hostile_title_moves_no_cursor() -> None:
    evil = replace(CALM, view=replace(CALM.view, scope=ScopeView("a", "x\x1b]2;y\x07\x1b[2J")))
    told = Attention().notice(evil)
    assert told.count("\x1b") == 2
    assert told.count("\x07") == 1


def test_alerts_stand_beside_the_conditions() -> None:
    firing = AlertView("production", "f1", "HighErrorRate", "critical", AlertState.FIRING, "many", NOW)
    view = replace(
        CALM.view,
        alerts={
            "production/f1": firing,
            "production/f2": replace(firing, name="f2", alert="Old"),
            "production/f3": replace(firing, name="f3", alert="Quiet", state=AlertState.SILENCED),
        },
        bake=BakeView(NOW, 60, alerts=("production/f2",)),
    )
    lines = [words(condition) for condition in conditions(replace(CALM, view=view), 80, 8)]
    assert lines[2:] == [
        "✖ NEW ALERT HighErrorRate: many",
        "! ALERT     Old: many",
        "- SILENCED  Quiet: many",
    ]
    assert "ALERT" not in lines[0]
    assert "2 ALERTS" in words(conditions(replace(CALM, view=view), 80, 3)[0])


def test_silences_and_rules_that_can_never_fire_stand_there_too() -> None:
    hides = "alertname=HighErrorRate"
    silence = AlertView(
        "production", "silence/1", hides, "", AlertState.SILENCE, "by ann until 20:30Z: deploy", NOW
    )
    dead = SourceView("alert rules/production", ok=False, reason="ApiDown asks for http_total", since_us=NOW)
    view = replace(
        CALM.view, alerts={"production/silence/1": silence}, sources={"alert rules/production": dead}
    )
    lines = [words(condition) for condition in conditions(replace(CALM, view=view), 80, 8)]
    assert lines[2:] == [
        f"- SILENCE   {hides}: by ann until 20:30Z: deploy",
        "! DEAD RULE ApiDown asks for http_total",
    ]


def test_monitors_that_cannot_be_trusted_come_before_the_conditions() -> None:
    blind = SourceView("monitors/production", ok=False, reason="1 scrape targets are down: a", since_us=NOW)
    view = replace(CALM.view, sources={"monitors/production": blind})
    lines = [words(condition) for condition in conditions(replace(CALM, view=view), 80, 4)]
    assert lines[0].endswith("monitors BLIND")
    assert lines[1] == "? MONITORS  since 11:06:40Z: 1 scrape targets are down: a"
    well = replace(CALM.view, sources={"monitors/production": replace(blind, ok=True, reason="")})
    assert words(conditions(replace(CALM, view=well), 80, 4)[0]).endswith("monitors ✔")


def test_a_blind_condition_says_for_how_long() -> None:
    blind = replace(ERRORS, state=ConditionState.NO_DATA, since_us=NOW - 100 * SECOND_US)
    lines = [
        words(condition)
        for condition in conditions(replace(CALM, view=replace(CALM.view, conditions=(blind,))), 80, 4)
    ]
    assert lines[1].startswith("? NO DATA   5xx share")
    assert lines[1].endswith("for 1 m 40 s")


def test_reasons_make_room_for_alerts() -> None:
    why = "1 sources disagree"
    blind = replace(ERRORS, state=ConditionState.ERROR, reason=why, since_us=NOW)
    alert = AlertView(
        "production", "f1", "TargetDown", "critical", AlertState.FIRING, "a target is gone", NOW
    )
    both = (blind, replace(blind, id="logins"))
    view = replace(CALM.view, conditions=both, alerts={"production/f1": alert})
    roomy = [words(condition).strip() for condition in conditions(replace(CALM, view=view), 80, 6)]
    assert roomy.count(why) == 2
    assert roomy[-1].endswith("TargetDown: a target is gone")
    tight = [words(condition).strip() for condition in conditions(replace(CALM, view=view), 80, 5)]
    assert why not in tight
    assert tight[-1].endswith("TargetDown: a target is gone")
