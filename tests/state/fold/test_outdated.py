"""What an operation means for evidence: what it makes out of date, what it used, when the second look counts."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from state.base.json import Json, JsonObject
from state.events.bake import BakeFinished, BakeStarted
from state.events.declared import GateDeclared, OperationDeclared
from state.events.event import Event
from state.events.gates import CheckFinished, CheckStarted, GateRecycled
from state.events.launch import LaunchOpened
from state.events.operations import OperationFinished, OperationIntended, OperationUnknown
from state.fold import fold
from state.view.enums import GateStatus, Look, Verdict
from state.view.gates import CheckView, GateView, failing_live
from state.view.launch import LaunchView

T0, HOUR = 1_795_000_000_000_000, 3_600_000_000
CANDIDATE, LIVE = "3.2/0", "3.2/0/live"
SPECS = (("staging.deploy", 8), ("staging.migrate", 8), ("production.deploy", 9), ("production.rollback", 9))


def _check(name: str, kind: str, env: str, *after: str, look: str = "once") -> dict[str, Json]:
    about: dict[str, Json] = {"id": name, "kind": kind, "env": env, "ttl_s": 7200, "writes": False}
    return about | ({"look": look} if look != "once" else {}) | ({"after": list(after)} if after else {})


GATES: list[JsonObject] = [
    {
        "number": 3,
        "title": "Security",
        "items": [
            {
                "id": "3.2",
                "text": "CSP",
                "question": None,
                "checks": [
                    _check(CANDIDATE, "web.csp", "staging", "deploy", "rollback", look="candidate"),
                    _check(LIVE, "web.csp", "production", "deploy", "rollback", look="live"),
                ],
            }
        ],
    },
    {
        "number": 8,
        "title": "Staging",
        "items": [
            {
                "id": "8.2",
                "text": "Migrations",
                "question": None,
                "checks": [_check("8.2/0", "data.migrations", "staging", "migrate")],
            }
        ],
    },
    {
        "number": 9,
        "title": "Production",
        "items": [
            {
                "id": "9.4",
                "text": "Bake",
                "question": None,
                "checks": [_check("9.4/0", "launch.bake", "production", "deploy", "bake")],
            }
        ],
    },
]


@dataclass
class Launch:
    """Events one after the other, a second apart."""

    events: list[Event] = field(default_factory=list)
    wait_us: int = 0

    def __post_init__(self) -> None:
        self.open("sha256:1")
        for gate in GATES:
            self.tell(GateDeclared.KIND, gate)
        for name, gate_number in SPECS:
            env, _, kind = name.partition(".")
            gates: list[Json] = [3, 8] if name == "production.deploy" else []
            self.tell(
                OperationDeclared.KIND,
                {
                    "id": name,
                    "kind": kind,
                    "env": env,
                    "title": "t",
                    "gate": gate_number,
                    "gates": gates,
                    "items": [],
                },
            )

    def open(self, image: str) -> None:
        candidate: JsonObject = {
            "version": "v1", "commit": "c", "chart": "c 1", "images": [["backend", image]],
            "migration_head": "h", "backward_compatible": True,
        }  # fmt: skip
        self.tell(
            LaunchOpened.KIND,
            {
                "launch_id": "l", "title": "t", "window_start_us": 0, "window_end_us": 0,
                "modules": [], "regions": [],
                "runbook_digest": image, "candidate": candidate, "people": [],
            },
        )  # fmt: skip

    def tell(self, kind: str, body: JsonObject, ref: int | None = None) -> int:
        seq = len(self.events) + 1
        at = T0 + self.wait_us + seq * 1_000_000
        self.events.append(
            Event(seq, f"e{seq}", kind, None, ref, "ann", "s", "b", at, seq, body, f"{seq:064x}")
        )
        return seq

    def start(self, check: str) -> int:
        return self.tell(CheckStarted.KIND, {"item": check.partition("/")[0], "check": check})

    def end(self, check: str, started: int | None, verdict: Verdict = Verdict.PASS) -> None:
        about: JsonObject = {
            "item": check.partition("/")[0],
            "check": check,
            "verdict": verdict,
            "summary": "so",
            "ms": 1,
        }
        self.tell(CheckFinished.KIND, about, started)

    def judge(self, check: str, verdict: Verdict = Verdict.PASS) -> None:
        self.end(check, self.start(check), verdict)

    def intend(self, operation: str) -> int:
        env, _, kind = operation.partition(".")
        return self.tell(
            OperationIntended.KIND,
            {
                "id": operation, "kind": kind, "env": env, "title": "t", "commands": [], "from": "a", "to": "b",
                "timeout_s": 60, "good": None,
            },
        )  # fmt: skip

    def done(self, operation: str, state: str = "succeeded") -> None:
        intended = self.intend(operation)
        self.tell(
            OperationFinished.KIND,
            {"id": operation, "state": state, "verdict": "v", "revision": 2, "offers": []},
            intended,
        )

    @property
    def view(self) -> LaunchView:
        return fold(self.events)

    def check(self, name: str) -> CheckView:
        return next(c for g in self.view.gates for i in g.items for c in i.checks if c.id == name)

    def at(self, name: str) -> Verdict:
        return self.check(name).at(self.view.wall_us)

    def gate(self, number: int) -> GateView:
        found = self.view.gate(number)
        assert found is not None
        return found

    def status(self, number: int, later_us: int = 0) -> GateStatus:
        return self.gate(number).status(self.view.wall_us + later_us)


@pytest.fixture
def launch() -> Launch:
    return Launch()


def test_an_operation_makes_the_evidence_of_its_environment_stale_and_names_itself(launch: Launch) -> None:
    launch.judge("8.2/0")
    launch.judge(CANDIDATE)
    launch.done("staging.migrate")
    assert launch.at("8.2/0") is Verdict.STALE
    assert launch.check("8.2/0").since == "staging.migrate ran"
    assert launch.at(CANDIDATE) is Verdict.PASS  # declared without migrate: the engine declares it with it
    launch.done("staging.deploy")
    assert launch.at(CANDIDATE) is Verdict.STALE
    launch.judge(CANDIDATE)
    assert launch.at(CANDIDATE) is Verdict.PASS
    assert launch.check(CANDIDATE).since == ""


@pytest.mark.parametrize("state", ["failed", "aborted"])
def test_an_operation_that_went_wrong_does_so_too(launch: Launch, state: str) -> None:
    launch.judge(CANDIDATE)
    launch.done("staging.deploy", state)
    assert launch.at(CANDIDATE) is Verdict.STALE


def test_an_operation_whose_end_nobody_saw_does_so_too(launch: Launch) -> None:
    launch.judge(CANDIDATE)
    intended = launch.intend("staging.deploy")
    launch.tell(OperationUnknown.KIND, {"id": "staging.deploy", "verdict": "lost", "offers": []}, intended)
    assert launch.at(CANDIDATE) is Verdict.STALE


def test_what_began_before_an_operation_ended_is_stale_when_it_ends(launch: Launch) -> None:
    began = launch.start(CANDIDATE)
    launch.done("staging.deploy")
    launch.end(CANDIDATE, began)
    assert launch.at(CANDIDATE) is Verdict.STALE
    began = launch.start(CANDIDATE)
    launch.end(CANDIDATE, None, Verdict.UNKNOWN)  # the engine ended while it ran
    assert launch.at(CANDIDATE) is Verdict.STALE
    assert launch.check(CANDIDATE).since


def test_the_second_look_counts_from_the_promotion_on(launch: Launch) -> None:
    launch.judge(CANDIDATE)
    launch.judge("8.2/0")
    assert launch.status(3) is GateStatus.GO
    launch.done("production.deploy")
    assert launch.status(3) is GateStatus.OPEN
    assert launch.check(LIVE).since == "production.deploy ran"
    launch.judge(LIVE)
    assert launch.status(3) is GateStatus.GO
    launch.judge(LIVE, Verdict.FAIL)
    assert launch.status(3) is GateStatus.NO_GO
    assert [c.id for c in failing_live(launch.view.gates, launch.view.wall_us)] == [LIVE]
    launch.done("production.rollback")
    assert failing_live(launch.view.gates, launch.view.wall_us) == ()
    assert launch.gate(3).items[0].look(Look.CANDIDATE, launch.view.wall_us) is Verdict.PASS


def test_a_second_look_of_an_earlier_release_says_nothing_of_this_one(launch: Launch) -> None:
    launch.judge(LIVE, Verdict.FAIL)
    assert launch.status(3) is GateStatus.OPEN
    launch.done("production.deploy")
    assert launch.at(LIVE) is Verdict.PENDING


def test_gates_that_a_promotion_used_do_not_grow_old(launch: Launch) -> None:
    launch.judge(CANDIDATE)
    launch.judge("8.2/0")
    assert launch.status(3, 3 * HOUR) is GateStatus.OPEN
    launch.done("production.deploy")
    launch.judge(LIVE)
    used = launch.gate(8).used_us
    assert used
    assert [launch.status(n, 3 * HOUR) for n in (3, 8)] == [GateStatus.GO, GateStatus.GO]
    launch.done("production.rollback")
    assert [launch.gate(n).used_us for n in (3, 8)] == [0, 0]
    assert [launch.status(n, 3 * HOUR) for n in (3, 8)] == [GateStatus.OPEN, GateStatus.OPEN]


def test_a_promotion_that_failed_uses_nothing(launch: Launch) -> None:
    launch.judge(CANDIDATE)
    launch.done("production.deploy", "failed")
    assert launch.gate(3).used_us == 0
    assert not launch.check(LIVE).due


def test_another_candidate_was_not_promoted(launch: Launch) -> None:
    launch.judge(CANDIDATE)
    launch.done("production.deploy")
    launch.judge(LIVE, Verdict.FAIL)
    launch.open("sha256:2")
    launch.tell(GateRecycled.KIND, {"reason": "another candidate"})
    assert not launch.check(LIVE).due
    assert launch.gate(3).used_us == 0


def test_the_end_of_the_bake_makes_what_judges_it_stale(launch: Launch) -> None:
    launch.done("production.deploy")
    launch.tell(BakeStarted.KIND, {"minimum_s": 1800, "maximum_s": 3600})
    launch.judge("9.4/0", Verdict.UNKNOWN)
    launch.tell(BakeFinished.KIND, {"good_s": 1800, "outcome": "done", "why": ""})
    assert launch.at("9.4/0") is Verdict.STALE
    assert launch.check("9.4/0").since == "the bake ended"
