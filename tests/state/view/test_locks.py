"""What keeps an operation locked: every verdict, status, hold and moment; the screen and the engine agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from console.engine.operations.preview.gate_locks import locks as findings
from console.engine.operations.preview.gate_locks import spec_of
from screens.deploy import lock_words
from screens.kit.screen_state import ScreenState
from screens.kit.table import Table
from state.events.launch import LaunchHeld
from state.runbook.load import load_runbook
from state.runbook.models import Runbook
from state.view.enums import LaunchState, OperationKind, Tier, Verdict
from state.view.gates import CheckView, GateView, ItemView, WaiverView
from state.view.launch import HoldView, LaunchView, OperationSpecView, ScopeView, StageView
from state.view.locks import LockKind, hold_words, locks
from tests.paths import SOP_RUNBOOK
from tests.screens import story
from tests.screens.stage import app_of, picture
from tests.state.view.test_trips import acknowledge, back, released, trip

NOW_US = 1_796_155_200_000_000
HOUR_US = 3600 * 1_000_000
OPEN = ScopeView(window_start_us=NOW_US - HOUR_US, window_end_us=NOW_US + HOUR_US)
DEPLOY, MIGRATE, ROLLBACK = OperationKind.DEPLOY, OperationKind.MIGRATE, OperationKind.ROLLBACK


def item(name: str, verdict: Verdict) -> ItemView:
    """Return an item of a verdict."""
    answer = {Verdict.STALE: Verdict.PASS, Verdict.WAIVED: Verdict.FAIL}.get(verdict, verdict)
    old = NOW_US - HOUR_US if verdict is Verdict.STALE else NOW_US
    check = CheckView(f"{name}/0", "k", "production", 60, writes=False, verdict=answer, finished_us=old)
    waiver = WaiverView(1, "ann", "r", "", 0, NOW_US + 1) if verdict is Verdict.WAIVED else None
    return ItemView(name, "t", None, (check,), waiver=waiver)


def gate(number: int, *verdicts: Verdict) -> GateView:
    return GateView(number, "t", tuple(item(f"{number}.{n}", v) for n, v in enumerate(verdicts, 1)))


def spec(
    *gates: int,
    items: tuple[str, ...] = (),
    stages: tuple[str, ...] = (),
    kind: OperationKind = DEPLOY,
    env: Tier = Tier.PRODUCTION,
) -> OperationSpecView:
    return OperationSpecView(f"{env}.{kind}", kind, env, "t", 9, gates, items, stages)


def staged(verdict: Verdict) -> LaunchView:
    """Return a launch with a stage of a verdict: one that stands on an item, since only an item can be waived."""
    return replace(view(gate(1, verdict)), stages=(StageView("build", "Build", (), ("item:1.1",)),))


def view(*gates: GateView, scope: ScopeView = OPEN, held: str | None = None) -> LaunchView:
    hold = HoldView("ann", held, NOW_US) if held is not None else None
    state = LaunchState.HELD if hold is not None else LaunchState.RUNNING
    return LaunchView(gates=gates, scope=scope, hold=hold, state=state)


GOOD = {Verdict.PASS, Verdict.WAIVED}
GO, FAILED = gate(1, Verdict.PASS), gate(2, Verdict.FAIL)
LATE = replace(OPEN, window_end_us=NOW_US)
EARLY = replace(OPEN, window_start_us=NOW_US + 1)

CASES = [
    ("needs nothing", view(), spec(), []),
    ("a gate that is GO", view(GO), spec(1), []),
    ("a gate that is NO-GO", view(GO, FAILED), spec(1, 2), ["gate 2 is NO-GO"]),
    ("a gate that is BLIND", view(gate(1, Verdict.UNKNOWN)), spec(1), ["gate 1 is BLIND"]),
    ("a gate that is OPEN", view(gate(1, Verdict.PENDING)), spec(1), ["gate 1 is OPEN"]),
    ("a gate whose evidence is stale", view(gate(1, Verdict.STALE)), spec(1), ["gate 1 is OPEN"]),
    ("a gate with a waiver", view(gate(1, Verdict.WAIVED)), spec(1), []),
    ("a gate that isn't there", view(), spec(7), ["gate 7 is UNKNOWN"]),
    ("a gate that isn't needed", view(GO, FAILED), spec(1), []),
    *(
        (f"an item that is {v}", view(gate(1, v)), spec(items=("1.1",)), [f"item 1.1 is {v}"])
        for v in Verdict if v not in {Verdict.PASS, Verdict.WAIVED, Verdict.DEFERRED}
    ),
    ("an item that is deferred", view(gate(1, Verdict.DEFERRED)), spec(items=("1.1",)), []),
    ("a gate that is GO but for what is deferred", view(gate(1, Verdict.PASS, Verdict.DEFERRED)), spec(1), []),
    ("an item that passes", view(GO), spec(items=("1.1",)), []),
    ("an item that is waived", view(gate(1, Verdict.WAIVED)), spec(items=("1.1",)), []),
    ("an item that isn't there", view(), spec(items=("8.8",)), ["item 8.8 is unknown"]),
    *(
        (f"a stage that is {v}", staged(v), spec(stages=("build",)), [] if v in GOOD else [f"stage build is {v}"])
        for v in (*Verdict,)
    ),
    ("a stage that isn't needed", staged(Verdict.FAIL), spec(), []),
    ("a stage that isn't there", view(), spec(stages=("build",)), ["stage build is unknown"]),
    ("held", view(held="lunch"), spec(), ["the launch is held (lunch)"]),
    ("before the window", view(scope=EARLY), spec(), ["before the launch window"]),
    ("at its first moment", view(scope=replace(OPEN, window_start_us=NOW_US)), spec(), []),
    ("at its end", view(scope=LATE), spec(), ["after the launch window"]),
    ("no window is known", view(scope=ScopeView()), spec(), []),
    ("staging, outside the window", view(scope=LATE), spec(env=Tier.STAGING), []),
    ("staging, held", view(held="x"), spec(env=Tier.STAGING), ["the launch is held (x)"]),
    ("a migration", view(FAILED), spec(2, kind=MIGRATE), ["gate 2 is NO-GO"]),
    ("a rollback is never locked", view(FAILED, scope=LATE, held="x"), spec(2, items=("2.1",), kind=ROLLBACK), []),
    (
        "all at once", view(FAILED, scope=LATE, held="x"), spec(2, items=("2.1",)),
        ["gate 2 is NO-GO", "item 2.1 is fail", "the launch is held (x)", "after the launch window"],
    ),
]  # fmt: skip
IDS = [case[0] for case in CASES]


@pytest.mark.parametrize(("known", "operation", "words"), [case[1:] for case in CASES], ids=IDS)
def test_what_locks(known: LaunchView, operation: OperationSpecView, words: list[str]) -> None:
    found = locks(known, operation, NOW_US)
    assert [lock.words for lock in found] == words
    told = lock_words(operation, ScreenState(known, NOW_US)).text
    assert told.startswith("✔ unlocked" if not words else "✖ ")
    assert all(word in told for word, lock in (("hold", "held"), ("window", "window")) if lock in str(words))


RELEASES = [
    ("a trip", [trip], ["tripped and not acknowledged: HTTP 5xx share at 20:"], "✖ trip"),
    ("a trip that is acknowledged", [trip, acknowledge], [], "✔ unlocked"),
    (
        "a rollback of it", [trip, back],
        ["tripped and not acknowledged: ", "this candidate tripped HTTP 5xx share at 20:"], "✖ trip, rolled back",
    ),
    (
        "a rollback of it, acknowledged", [trip, back, acknowledge],
        ["this candidate tripped HTTP 5xx share at 20:"], "✖ rolled back",
    ),
    ("a rollback without a trip", [back], ["this candidate was rolled back at 20:"], "✖ rolled back"),
    (
        "a rollback that failed", [lambda told: back(told, "failed")],
        ["production.rollback failed, not verified: nobody knows what runs in production",
         "this candidate was rolled back at 20:"], "✖ unverified, rolled back",
    ),
    ("a rollback and the same candidate again", [back, released], ["this candidate was rolled"], "✖ rolled back"),
    ("a trip, and a deploy over it", [trip, released], [], "✔ unlocked"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("happened", "words", "column"), [case[1:] for case in RELEASES], ids=[case[0] for case in RELEASES]
)
def test_what_earlier_releases_leave_locks_the_next_one(
    happened: list[Callable[[story.Story], object]], words: list[str], column: str, runbook: Runbook
) -> None:
    told = story.ready()
    released(told)
    for one in happened:
        one(told)
    known = told.view()
    specs = {s.id: s for s in known.operation_specs}
    found = locks(known, specs["production.deploy"], told.now_us)
    assert all(lock.words.startswith(word) for lock, word in zip(found, words, strict=True))
    assert all(lock.kind.by_release for lock in found)
    shown = ScreenState(known, told.now_us)
    assert lock_words(specs["production.deploy"], shown).text == column
    # The way back is never locked, nor staging by what production did.
    assert locks(known, specs["production.rollback"], told.now_us) == []
    assert locks(known, specs["staging.deploy"], told.now_us) == []
    migrate = [lock.kind for lock in locks(known, specs["production.migrate"], told.now_us)]
    assert LockKind.CANDIDATE not in migrate
    operation = runbook.operation("production.deploy")
    assert operation is not None
    engine = [
        f for f in findings(known, runbook, operation, (), told.now_us) if f.words in {w.words for w in found}
    ]
    assert len(engine) == len(found)
    assert all(finding.soft and finding.verdict is Verdict.FAIL for finding in engine)


@pytest.fixture(scope="module")
def runbook() -> Runbook:
    return load_runbook(SOP_RUNBOOK).runbook


@pytest.mark.parametrize(
    "status", [Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.STALE, Verdict.WAIVED]
)
@pytest.mark.parametrize("operation_id", ["production.deploy", "production.rollback", "staging.deploy"])
def test_the_screen_and_the_engine_say_the_same(runbook: Runbook, operation_id: str, status: Verdict) -> None:
    operation = runbook.operation(operation_id)
    assert operation is not None
    known = view(*(gate(n, status if n == 3 else Verdict.PASS) for n in range(1, 11)))
    engine = [
        f.words
        for f in findings(known, runbook, operation, (), NOW_US)
        if f.words.startswith(("gate ", "stage "))
    ]
    screen = [lock.words for lock in locks(known, spec_of(operation), NOW_US) if lock.kind.by_judgement]
    assert engine == screen


@pytest.mark.parametrize("state", LaunchState)
def test_only_a_held_launch_is_held(state: LaunchState) -> None:
    assert bool(hold_words(LaunchView(state=state))) is (state is LaunchState.HELD)


async def test_the_operations_screen_shows_what_locks() -> None:
    told = story.ready()
    told.tell(LaunchHeld.KIND, {"reason": "lunch"}, actor="ann")
    app, _ = app_of(told)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("d")
        await pilot.pause(0.1)
        rows = {row.key: row.cells for row in app.screen.query_one(Table).rows}
        assert str(rows["production.deploy"][1]).count("✖ hold")
        assert "✔ unlocked" in str(rows["production.rollback"][1])
        assert any("locked       the launch is held (lunch)" in line for line in picture(app))
