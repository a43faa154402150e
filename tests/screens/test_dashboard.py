from __future__ import annotations

import pytest

from screens.kit import formats
from screens.kit.screen_state import ScreenState
from screens.sections import banner, status_line
from screens.sections.cluster import cluster
from screens.sections.conditions import conditions
from screens.sections.gate_rail import gates
from state.events.bake import ConditionCountdown
from tests.screens import story
from tests.screens.stage import app_of, picture, text_of


def lines(draw: object, told: story.Story, width: int, height: int) -> str:
    made = draw(ScreenState(told.view(), told.now_us, me="c1"), width, height)  # type: ignore[operator]  # a Draw
    return "\n".join("".join(span.text for span in line) for line in made)


def test_every_gate_says_its_status_in_a_word() -> None:
    told = story.ready()
    told.check("9.1", "fail", "digests differ")
    told.check("10.2", "unknown", "no permission")
    rail = lines(gates, told, 60, 11).split("\n")
    assert "8 of 10 GO" in rail[0]
    assert " 1 ✔ GO" in rail[1]
    assert " 9 ✖ NO-GO" in rail[9]
    assert "10 ? BLIND" in rail[10]
    assert "1✖" in rail[9]
    told.attest("9.2")
    assert " 1/5 " in lines(gates, told, 60, 11).split("\n")[9]


def test_a_lost_source_says_since_when_and_why() -> None:
    told = story.opened()
    told.tell(
        "source.changed", {"name": "kubernetes/production", "ok": False, "reason": "connection refused"}
    )
    text = lines(cluster, told, 66, 30)
    assert "? lost since 20:00:00Z: connection refused" in text


def test_pods_in_trouble_are_named_however_many_are_well() -> None:
    told = story.opened()
    for n in range(5000):
        told.pod("production", f"worker-{n:05d}", "worker")
    told.pod("production", "api-bad", "api", phase="CrashLoopBackOff", ready=0, restarts=4)
    text = lines(cluster, told, 38, 9)
    assert "✖ 5007/5008" in text
    assert "api-bad" in text
    assert "CrashLoopBackOff" in text


def test_a_condition_tells_elapsed_of_its_for() -> None:
    text = lines(conditions, story.tripped(), 80, 4)
    assert "✖ TRIPPED" in text
    assert "tripped 20:" in text
    assert "! BREACHING" in text
    assert "165/300 s" in text


def test_the_window_clock_warns_and_says_when_it_is_over() -> None:
    told = story.opened()
    assert "window 6 h 00 m left" in lines(status_line.status, told, 120, 2)
    told.wait(7 * 3600)
    assert "window is over since 1 h 00 m" in lines(status_line.status, told, 120, 2)


def test_a_clock_that_is_not_real_time_says_so() -> None:
    told = story.opened()
    assert "×" not in lines(status_line.status, told, 120, 2)
    told.tell("clock.rate", {"rate": "60"})
    assert "×60" in lines(status_line.status, told, 120, 2)


@pytest.mark.parametrize(
    "size", [(80, 24), (80, 23), (120, 30), (120, 34), (120, 40), (160, 46), (200, 55), (60, 20)]
)
async def test_the_screen_is_filled_and_no_line_is_too_long(size: tuple[int, int]) -> None:
    app, _ = app_of(story.tripped())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        rows = picture(app)
        assert len(rows) == size[1]
        assert "PRODUCTION (rehearsal)" in rows[0]
        assert rows[3].startswith(" ✖ TRIPPED HTTP 5xx share")
        assert rows[3].endswith(" B: roll back · A: acknowledge ")
        assert any("GATES" in row for row in rows)
        assert any("error rate" in row for row in rows)
        assert any("STOP CONDITIONS" in row for row in rows)
        assert any("OPERATION" in row for row in rows)
        # A trip, and what trips next: two lines of the banner.
        assert any("LOG ─" in row for row in rows) or size[1] < 24
        assert "gate" in rows[-1]


async def test_too_small_is_one_notice_that_keeps_the_environment() -> None:
    app, _ = app_of(story.deploying())
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        text = "\n".join(picture(app))
        assert "PRODUCTION" in text
        assert "production.deploy runs" in text
        assert "too small: 60x15" in text
        assert "GATES" not in text
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "GATES" in "\n".join(picture(app))


async def test_news_are_shown_and_only_then_painted() -> None:
    app, source = app_of(story.opened())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        source.story.gate_go(1)
        source.tell()
        await pilot.pause(0.3)
        assert "1 of 10 GO" in text_of(app)


async def test_the_deploy_is_seen_on_the_dashboard() -> None:
    app, _ = app_of(story.deploying())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        text = text_of(app)
        assert "… RUNNING" in text
        assert "production.deploy" in text
        assert "0:19 / 15:00" in text


@pytest.mark.parametrize(
    ("env", "state", "told", "word"),
    [
        ("production", "succeeded", "! ROLLED BACK to v1.4.0, verified 20:", "! ROLLED BACK"),
        ("production", "failed", "✖ TRIPPED HTTP 5xx share", "✖ TRIPPED"),
        ("production", "aborted", "✖ TRIPPED HTTP 5xx share", "✖ TRIPPED"),
        ("production", "unknown", "✖ TRIPPED HTTP 5xx share", "✖ TRIPPED"),
        ("staging", "succeeded", "✖ TRIPPED HTTP 5xx share", "✖ TRIPPED"),
    ],
)
@pytest.mark.parametrize("size", [(80, 24), (200, 55)])
async def test_the_banner_says_rolled_back_only_when_production_was(
    env: str, state: str, told: str, word: str, size: tuple[int, int]
) -> None:
    happened = story.tripped()
    seq = happened.intend(f"{env}.rollback", "rollback", env)
    happened.finish(seq, f"{env}.rollback", state, "as told")
    app, _ = app_of(happened)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        rows = picture(app)
        assert rows[3].strip().startswith(told)
        assert rows[3].endswith("A: acknowledge ")
        assert f" {word} " in rows[0]
        unverified = any("✖ NOT VERIFIED: production.rollback" in row for row in rows[2:5])
        assert unverified is (env == "production" and state in {"failed", "aborted"})


@pytest.mark.parametrize(
    ("env", "state", "counts"),
    [
        ("production", "", False),
        ("production", "succeeded", False),
        ("production", "failed", True),
        ("staging", "succeeded", True),
        ("staging", "", True),
    ],
)
def test_the_banner_counts_down_until_production_is_being_rolled_back(
    env: str, state: str, counts: bool
) -> None:
    told = story.tripped()
    until = told.now_us + 30 * story.SECOND_US
    told.tell(ConditionCountdown.KIND, {"id": "error-rate", "until_us": until, "reason": ""})
    assert "ROLLS BACK IN 30 s" in lines(banner.banner, told, 80, 1)
    seq = told.intend(f"{env}.rollback", "rollback", env)
    if state:
        told.finish(seq, f"{env}.rollback", state, "as told")
    assert ("ROLLS BACK IN" in lines(banner.banner, told, 80, 1)) is counts


@pytest.mark.parametrize("size", [(80, 24), (200, 55)])
async def test_a_new_release_is_judged_anew_and_can_trip_again(size: tuple[int, int]) -> None:
    told = story.rolled_back()
    first = told.view().trips[0]
    seq = told.intend("production.deploy", "deploy", "production")
    app, source = app_of(told)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        rows = picture(app)
        assert "ROLLED BACK" not in "\n".join(rows[:4])
        assert " RUNNING " in rows[0]
        assert not any("TRIPPED" in row for row in rows if "HTTP 5xx share" in row)
        told.finish(seq, "production.deploy", "succeeded", "revision 10 is deployed and live")
        source.tell()
        await pilot.pause(0.3)
        rows = picture(app)
        assert rows[3].startswith(" ! LIVE AGAIN since ")
        assert "tripped HTTP 5xx share at" in rows[3]
        told.wait(600)
        told.condition("error-rate", "BREACHING", value="0.082", elapsed=150)
        source.tell()
        await pilot.pause(0.3)
        rows = picture(app)
        assert rows[3].startswith(" ! BREACHING HTTP 5xx share 8.20 % > 1.00 % · trips in 2:30")
        assert " ! BREACHING " in rows[0]
        told.wait(150)
        told.condition("error-rate", "TRIPPED", value="0.082", elapsed=300)
        source.tell()
        await pilot.pause(0.3)
        rows = picture(app)
        again = told.view().trips[-1]
        assert (again.release, first.release) == (seq, told.view().operations[0].seq)
        assert rows[3].startswith(" ✖ TRIPPED HTTP 5xx share over 1.00 % at ")
        assert formats.clock(again.at_us, seconds=False) in rows[3]
        assert rows[3].endswith(" B: roll back · A: acknowledge ")
        assert " ✖ TRIPPED " in rows[0]
