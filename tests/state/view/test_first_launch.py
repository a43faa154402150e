"""A first launch by its events: when it is one, what it defers, what its gates are worth, and its way out."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from state.events.declared import Check, GateDeclared, Item, OperationDeclared
from state.events.event import Draft, Event, gate_key
from state.events.gates import CheckFinished, CheckStarted, ItemWaived
from state.events.operations import GoodRevision, OperationFinished, OperationIntended
from state.events.world import ReleaseSeen
from state.fold import fold
from state.fold.describe import words
from state.view.enums import GateStatus, OperationState, Presence, Verdict
from state.view.first_launch import began_first, is_first, offered, taken_up, way_out
from state.view.launch import LaunchView
from state.view.locks import locks

T0 = 1_795_000_000_000_000
HOUR = 3600 * 1_000_000


def event_of(draft: Draft, seq: int) -> Event:
    at = T0 + seq * 1000
    return Event(
        seq,
        f"e{seq}",
        *(draft.kind, draft.gate, draft.ref, draft.actor, "s", "b", at, at),
        body=draft.fields(),
        hash=f"{seq:064x}",
    )


def declared() -> list[Event]:
    """Return a launch of two gates, the second one that of production's deploy."""
    drafts = [
        Draft(GateDeclared(1, "Before", (_item("1.1"), _item("1.2")))),
        Draft(GateDeclared(2, "Release", (_item("2.1"),))),
        Draft(OperationDeclared("production.deploy", "deploy", "production", "t", 2, (1,), ())),
    ]
    return [event_of(draft, seq) for seq, draft in enumerate(drafts, 1)]


def _item(name: str) -> Item:
    return Item(name, "t", None, (Check(f"{name}/0", "k", "production", 7200, writes=False),))


class Log:
    """Events as an engine would write them."""

    def __init__(self) -> None:
        self.events: list[Event] = declared()

    def add(self, draft: Draft) -> int:
        self.events.append(event_of(draft, len(self.events) + 1))
        return len(self.events)

    def seen(self, presence: Presence, revision: int = 0, status: str = "") -> None:
        body = ReleaseSeen(
            env="production",
            presence=presence,
            namespace=True,
            revision=revision,
            status=status,
            reason="no route" if presence is Presence.UNKNOWN else "",
        )
        self.add(Draft(body))

    def judged(self, item: str, verdict: Verdict, check: str = "", summary: str = "s") -> None:
        name = check or f"{item}/0"
        started = self.add(Draft(CheckStarted(item, name)))
        body = CheckFinished(item=item, check=name, verdict=verdict, summary=summary, evidence={}, ms=1)
        self.add(Draft(body, ref=started))

    def run(
        self,
        kind: str,
        state: OperationState = OperationState.SUCCEEDED,
        *,
        good: GoodRevision | None = None,
        revision: int = 1,
        offers: tuple[str, ...] = (),
    ) -> None:
        name = f"production.{kind}"
        body = OperationIntended(
            id=name,
            kind=kind,
            env="production",
            title="t",
            commands=(),
            from_="",
            to="",
            timeout_s=60,
            good=good,
            diff_sha="",
            parts=(),
            before=0,
        )
        ref = self.add(Draft(body, gate_key(2), actor="ann"))
        end = OperationFinished(id=name, state=state, verdict="v", revision=revision, offers=offers)
        self.add(Draft(end, gate_key(2), ref))

    @property
    def view(self) -> LaunchView:
        return fold(self.events)


def verdicts(view: LaunchView, items: Iterable[str]) -> list[Verdict]:
    return [item.verdict(view.wall_us) for name in items if (item := view.item(name)) is not None]


def status(view: LaunchView, number: int) -> GateStatus:
    gate = view.gate(number)
    assert gate is not None
    return gate.status(view.wall_us)


@pytest.mark.parametrize(
    ("presence", "first"),
    [
        (Presence.ABSENT, True),
        (Presence.UNFINISHED, True),
        (Presence.PRESENT, False),
        (Presence.UNKNOWN, False),
        (None, False),
    ],
)
def test_what_cannot_be_seen_is_not_first(presence: Presence | None, first: bool) -> None:
    log = Log()
    if presence is not None:
        log.seen(presence)
    assert is_first(log.view) is first
    log.judged("1.1", Verdict.DEFERRED)
    assert verdicts(log.view, ["1.1"]) == [Verdict.DEFERRED if first else Verdict.UNKNOWN]


def test_deferred_opens_the_lock_of_the_first_deploy_and_is_no_go() -> None:
    log = Log()
    log.seen(Presence.ABSENT)
    log.judged("1.1", Verdict.PASS)
    log.judged("1.2", Verdict.DEFERRED)
    view = log.view
    assert status(view, 1) is GateStatus.DEFERRED
    spec = next(s for s in view.operation_specs if s.id == "production.deploy")
    assert not [lock for lock in locks(view, spec, view.wall_us) if lock.kind.by_judgement]
    log.judged("1.1", Verdict.UNKNOWN)
    assert status(log.view, 1) is GateStatus.BLIND


def test_each_is_a_deviation_once_however_often_the_deploy_is_tried() -> None:
    log = Log()
    log.seen(Presence.ABSENT)
    log.judged("1.2", Verdict.DEFERRED, summary="no numbers yet")
    log.run("deploy", OperationState.FAILED)
    log.run("deploy")
    told = [one for one in log.view.deviations if "deferred" in one.what]
    assert [(one.what, one.who) for one in told] == [("1.2 deferred: no numbers yet", "ann")]


def test_a_deploy_makes_them_due_and_its_own_gate_waits_until_each_has_passed() -> None:
    log = Log()
    log.seen(Presence.ABSENT)
    log.judged("1.1", Verdict.DEFERRED)
    log.judged("1.2", Verdict.DEFERRED)
    log.judged("2.1", Verdict.PASS)
    log.run("deploy")
    view = log.view
    assert not is_first(view)
    assert began_first(view)
    assert verdicts(view, ["1.1", "1.2"]) == [Verdict.STALE, Verdict.STALE]
    log.judged("2.1", Verdict.PASS)
    gate = log.view.gate(2)
    assert gate is not None
    assert set(gate.owed) == {"1.1/0", "1.2/0"}
    assert status(log.view, 2) is GateStatus.OPEN
    log.judged("1.1", Verdict.PASS)
    log.judged("1.2", Verdict.FAIL)
    assert status(log.view, 2) is GateStatus.OPEN
    log.judged("1.2", Verdict.PASS)
    assert status(log.view, 2) is GateStatus.GO
    assert status(log.view, 1) is GateStatus.GO


def test_a_waiver_settles_what_is_owed() -> None:
    log = Log()
    log.seen(Presence.ABSENT)
    log.judged("1.1", Verdict.DEFERRED)
    log.judged("2.1", Verdict.PASS)
    log.run("deploy")
    log.judged("2.1", Verdict.PASS)
    assert status(log.view, 2) is GateStatus.OPEN
    until = log.view.wall_us + HOUR
    log.add(Draft(ItemWaived("1.1", "agreed", "ben", until), gate_key(1), actor="ann"))
    assert status(log.view, 2) is GateStatus.GO


def test_a_release_that_turns_up_makes_them_stale_and_nothing_is_deferred_any_more() -> None:
    log = Log()
    log.seen(Presence.ABSENT)
    log.judged("1.1", Verdict.DEFERRED)
    log.seen(Presence.PRESENT, 3, "deployed")
    check = log.view.gates[0].items[0].checks[0]
    assert check.at(log.view.wall_us) is Verdict.STALE
    assert check.since == "a release was found"
    log.judged("1.1", Verdict.DEFERRED)
    assert verdicts(log.view, ["1.1"]) == [Verdict.UNKNOWN]


GOOD = GoodRevision(1, "deployed", "0" * 64, ())
WELL = (OperationState.SUCCEEDED, None)


@pytest.mark.parametrize(
    ("seen", "runs", "out"),
    [
        ((Presence.ABSENT, 0, ""), [], False),
        ((Presence.PRESENT, 3, "deployed"), [], False),
        ((Presence.UNFINISHED, 1, "failed"), [], True),
        ((Presence.UNFINISHED, 1, "pending-install"), [], False),
        ((Presence.UNFINISHED, 1, "failed"), [(OperationState.FAILED, None)], True),
        ((Presence.PRESENT, 1, "deployed"), [WELL], True),
        (
            (Presence.PRESENT, 2, "deployed"),
            [(OperationState.SUCCEEDED, None), (OperationState.SUCCEEDED, GOOD)],
            False,
        ),
        ((Presence.PRESENT, 2, "failed"), [(OperationState.FAILED, GOOD)], False),
    ],
)
def test_the_way_out_is_there_where_there_is_nothing_to_go_back_to(
    seen: tuple[Presence, int, str],
    runs: list[tuple[OperationState, GoodRevision | None]],
    out: bool,
) -> None:
    log = Log()
    for state, good in runs:
        log.run("deploy", state, good=good)
    log.seen(*seen)
    view = log.view
    assert (way_out(view) is not None) is out
    assert ("production.uninstall" in [spec.id for spec in offered(view)]) is out


def test_the_way_out_is_there_as_soon_as_the_deploy_offers_it() -> None:
    log = Log()
    log.seen(Presence.ABSENT)  # helm's history is looked at again only after the deploy has ended
    log.run("deploy", OperationState.FAILED, offers=("retry", "uninstall"))
    assert way_out(log.view) is not None
    log.run("uninstall", revision=0)
    assert way_out(log.view) is None
    assert "production.uninstall" in [spec.id for spec in offered(log.view)]  # its run is to be seen


def test_uninstalled_it_is_a_first_launch_again() -> None:
    log = Log()
    log.seen(Presence.UNFINISHED, 1, "failed")
    log.run("deploy", OperationState.FAILED, offers=("retry", "uninstall"))
    failed = log.view.operations[-1]
    assert [taken_up(log.view, failed, choice) for choice in failed.offers] == [
        "production.deploy",
        "production.uninstall",
    ]
    log.run("uninstall", revision=0)
    view = log.view
    assert view.releases["production"].presence is Presence.ABSENT
    assert way_out(view) is None
    assert view.offering() is None


@pytest.mark.parametrize(
    ("presence", "said"),
    [
        (Presence.ABSENT, "production: FIRST LAUNCH, there is no release"),
        (Presence.UNFINISHED, "production: FIRST LAUNCH, revision 1 (failed) never ran completely"),
        (Presence.PRESENT, "production: the release is there, revision 1 (failed)"),
        (Presence.UNKNOWN, "production: whether there is a release can't be seen: no route"),
    ],
)
def test_it_is_told_in_words(presence: Presence, said: str) -> None:
    log = Log()
    log.seen(presence, 1, "failed")
    assert words(log.events[-1]) == said
