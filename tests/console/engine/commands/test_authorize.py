"""Who may do what, as a table; and what a confirmation is worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checks.looks import CheckRef
from console.engine.commands.authorize import refusal
from console.engine.commands.dispatch import EFFECTS
from console.engine.ports import ENGINE, Who
from state.base.json import Json
from state.commands import BY_NAME, COMMANDS, Confirmation
from state.events.gates import ItemWaived
from state.events.launch import CommandRefused
from state.events.log import NoteAdded
from state.runbook.models import CheckSpec
from state.view.enums import GateStatus, LaunchState
from state.view.launch import ConsoleView, HoldView, LaunchView, PersonView
from tests.console.engine.stand import confirmed, granted, stand
from tests.drafts import draft

PEOPLE = (
    PersonView("cap", "C", ("captain",), ("ann",)),
    PersonView("op", "O", ("operator",), ("bob",)),
    PersonView("app", "A", ("approver",), ("eve",)),
    PersonView("all", "E", ("observer",), ("*",)),
)
DRIVING = ConsoleView("c1", "ann", "", 0, drives=True)
BESIDE = ConsoleView("c2", "bob", "", 0, drives=False)
VIEW = LaunchView(people=PEOPLE, consoles=(DRIVING, BESIDE))
ANN, BOB, EVE, TOM = (
    Who(a, "test", c) for a, c in (("ann", "c1"), ("bob", "c2"), ("eve", "c3"), ("tom", "c4"))
)

EVERYBODY = {"note.add", "pod.describe"}
APPROVERS = {
    *("attest.sign", "attest.withdraw", "deviation.follow_up", "request.grant", "request.refuse"),
    "poll.answer",
}
EVERY_OPERATOR = {
    *("operation.abort", "launch.hold", "console.take_over", "attest.sign", "attest.withdraw"),
    *("deviation.follow_up", "request.withdraw", "poll.answer"),
}


def test_every_command_has_an_effect_and_a_heading() -> None:
    assert set(EFFECTS) == {command.name for command in COMMANDS}
    for command in COMMANDS:
        told = command.about({parameter.name: "3.2" for parameter in command.parameters})
        assert told[0].isupper()
        assert "{" not in told
        assert ":" not in told
    assert BY_NAME["item.waive"].about({}) == "Waive item"


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_roles_and_driving(name: str) -> None:
    assert refusal(VIEW, name, ANN) == ""
    assert (refusal(VIEW, name, BOB) == "") == (name in EVERYBODY | EVERY_OPERATOR)
    assert (refusal(VIEW, name, EVE) == "") == (name in EVERYBODY | APPROVERS)
    assert (refusal(VIEW, name, TOM) == "") == (name in EVERYBODY)
    assert refusal(VIEW, name, ENGINE) == ""


@pytest.mark.parametrize("state", [LaunchState.SCRUBBED, LaunchState.CLOSED])
def test_nothing_after_the_end(state: LaunchState) -> None:
    view = replace(VIEW, state=state)
    allowed = {name for name in EFFECTS if not refusal(view, name, ANN)}
    assert allowed == {"note.add", "engine.stop", "console.take_over"}
    assert refusal(view, "operation.run", ENGINE)


def test_nobody_drives() -> None:
    assert "take over" in refusal(replace(VIEW, consoles=(BESIDE,)), "check.run", BOB)
    assert "ann drives" in refusal(VIEW, "check.run", BOB)


async def test_a_refusal_is_an_event(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        client = await s.attach("tom")
        reply = await client.command("attest.sign", {"item": "1.1", "verdict": "GO"})
        assert not reply.ok
        assert reply.message == "you are tom (observer); this needs approver or captain or operator"
        (event,) = s.events(CommandRefused.KIND)
        assert (event.actor, event.body["command"]) == ("tom", "attest.sign")
        assert (await client.command("note.add", {"text": "I saw \x1b[31msomething"})).ok
        assert s.events(NoteAdded.KIND)[0].body["text"] == "I saw something"
        assert not (await client.command("no.such")).ok
        await client.close()


async def test_attestations(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        ann, eve = await s.attach("ann"), await s.attach("eve")
        assert ann.welcome.drives
        assert not eve.welcome.drives
        assert not (await eve.command("attest.sign", {"item": "3.2", "verdict": "NO-GO"})).ok
        args = {"item": "3.2", "verdict": "NO-GO", "comment": "unsafe", "link": "https://x"}
        assert (await eve.command("attest.sign", args)).ok
        signed = s.view.item("3.2").attestation  # type: ignore[union-attr]  # it is there
        assert signed is not None
        assert (signed.actor, signed.go, signed.comment) == ("eve", False, "unsafe")
        assert "eve" in signed.how_known
        assert s.view.gate(3).status(s.clock.wall_us()) is GateStatus.NO_GO  # type: ignore[union-attr]  # there
        assert not (await ann.command("attest.withdraw", {"item": "3.2"})).ok
        assert (await ann.command("attest.withdraw", {"item": "3.2", "reason": "fixed"})).ok
        assert not (await ann.command("attest.sign", {"item": "99.9", "verdict": "GO"})).ok
        assert not (await ann.command("attest.sign", {"item": "1.1", "verdict": "MAYBE"})).ok
        await ann.close()
        await eve.close()


async def test_danger_needs_the_preview_and_the_name(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        ann = await s.attach("ann")
        args: dict[str, Json] = {"item": "1.1", "reason": "why", "minutes": 5}
        preview = await ann.preview("item.waive", args)
        assert (preview.allowed, preview.override_allowed, preview.phrase) == (
            False,
            True,
            f"waive {args['item']}",
        )
        assert preview.against == ("a waiver takes a second person",)
        assert preview.title == "Waive item 1.1"
        until = datetime.fromtimestamp(s.clock.wall_us() / 1_000_000 + 300, UTC)
        assert preview.blast == (
            f"item 1.1: {s.view.item('1.1').text}",  # type: ignore[union-attr]  # it is there
            "reason: why",
            f"until about {until:%Y-%m-%d %H:%M}Z (5 min)",
        )
        alone = await ann.command("item.waive", args, confirmed(preview.phrase, preview.token))
        assert "a second person can open it, request it first" in alone.message
        await granted(s, ann, "item.waive", args)
        for wrong in (
            Confirmation(),
            confirmed(preview.phrase, ""),
            confirmed(preview.phrase, "0" * 32),
            confirmed("wrong", preview.token),
        ):
            assert not (await ann.command("item.waive", args, wrong)).ok
        other = {**args, "item": "1.2"}
        assert not (await ann.command("item.waive", other, confirmed(preview.phrase, preview.token))).ok
        assert (await ann.command("item.waive", args, confirmed(preview.phrase, preview.token))).ok
        waiver = s.view.item("1.1").waiver  # type: ignore[union-attr]  # it is there
        assert waiver is not None
        assert waiver.second == "eve (in the engine's process (eve))"
        assert len(s.events(CommandRefused.KIND)) == 6
        await ann.close()


async def test_a_changed_candidate_voids_a_confirmation(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        ann = await s.attach("ann")
        preview = await ann.preview("launch.scrub", {})
        journal = s.engine.journal
        changed = replace(journal.view.candidate, images=(("backend", "other@sha256:1"),))
        journal.view = replace(journal.view, candidate=changed)
        reply = await ann.command("launch.scrub", {"reason": "x"}, confirmed(preview.phrase, preview.token))
        assert not reply.ok
        assert "changed" in reply.message
        await ann.close()


async def test_hold_release_recycle_take_over_and_close(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        ann, bob = await s.attach("ann"), await s.attach("bob")
        assert (await bob.command("launch.hold", {"reason": "wait"})).ok
        assert s.view.hold == HoldView("bob", "wait", s.clock.wall_us())
        meant = await ann.preview("operation.run", {"operation": "staging.deploy"})
        assert (meant.title, meant.environment) == ("Deploy the candidate to staging", "staging")
        assert meant.reason == "the launch is held (wait): release the hold first (h)"
        held = await ann.command("operation.run", {"operation": "staging.deploy"})
        assert "held (wait)" in held.message
        assert (await ann.command("launch.release", {"reason": "go"})).ok
        assert not (await bob.command("gate.recycle", {"gate": "3", "reason": "again"})).ok
        assert (await bob.command("console.take_over", {"reason": "ann left"})).ok
        assert (await bob.command("gate.recycle", {"gate": 3, "reason": "again"})).ok
        assert not (await bob.command("launch.close")).ok
        assert not (await bob.command("clock.rate", {"rate": "60"})).ok
        assert not (await bob.command("condition.acknowledge", {"condition": "error-rate"})).ok
        preview = await bob.preview("launch.scrub")
        assert (
            await bob.command("launch.scrub", {"reason": "no"}, confirmed(preview.phrase, preview.token))
        ).ok
        assert not (await bob.command("launch.hold", {"reason": "late"})).ok
        await ann.close()
        await bob.close()


async def test_a_running_operation_can_be_aborted_only_where_there_is_one(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        bob = await s.attach("bob")
        reply = await bob.command("operation.abort", {"reason": "stop"})
        assert reply.message == "no operation is under way"
        await bob.close()


async def test_checks_that_leave_traces_say_so(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open(run=False)
        ann = await s.attach("ann")
        asked = await ann.preview("check.run", {"item": "3.6"})
        assert (asked.danger, asked.title) == ("caution", "Run the checks of item 3.6")
        assert asked.blast == ("3.6 test.writes leaves traces (production)",)
        limit = CheckRef("3.5/0", "3.5", 3, CheckSpec(kind="web.rate_limit"))
        assert (limit.leaves_traces, limit.leaves) == (True, "a burst of failed logins (production)")
        assert (await ann.preview("check.run", {"item": "3.1"})).danger == "safe"
        assert "no automatic check" in (await ann.preview("check.run", {"item": "1.1"})).reason
        await ann.close()


async def test_a_closed_launch_ends_its_engine(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        await s.open()
        ann = await s.attach("ann")
        for gate in s.view.gates:
            for item in gate.items:
                body: dict[str, Json] = {"item": item.id, "reason": "r", "second": "", "until_us": 2**52}
                await s.engine.journal.record(
                    draft(ItemWaived.KIND, body, f"g{gate.number:02d}", actor="ann")
                )
        refused = await ann.command("launch.close")
        assert "42 deviations lack an owner or a follow-up (#" in refused.message
        for one in s.view.deviations:
            args: dict[str, Json] = {"deviation": one.seq, "owner": "ann", "text": "look at it"}
            assert (await ann.command("deviation.follow_up", args)).ok
        assert (await ann.command("launch.close")).ok
        assert s._running is not None
        await s._running
        await s.close()
        assert ann.lost is None or "closed" in ann.lost
        await ann.close()
