"""What people say, through the engine: what speaks against it is told first, and what a rule demands is asked for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from console.client.engine_client import EngineClient
from console.client.signing import KEY_FILE
from state.base.json import Json, JsonObject, text
from state.commands import Confirmation, Reply
from state.events.event import gate_key
from state.events.gates import AttestSigned, CheckStarted
from state.events.launch import DeviationFollowedUp, LaunchClosed
from state.view.enums import Danger, LaunchState, Verdict
from state.view.gates import ItemView
from tests.console.engine.stand import Stand, stand
from tests.drafts import draft
from tests.state.attest.test_sshsig import keygen

Change = Callable[[dict[str, dict[str, Json]]], None]


@asynccontextmanager
async def asking(
    folder: Path, change: Change | None = None, *, run: bool = True
) -> AsyncIterator[tuple[Stand, EngineClient]]:
    """Yield an engine whose items (by their number) are changed, and the captain's console."""
    async with stand(folder) as s:
        if change is not None:
            data = yaml.safe_load(s.runbook.read_text())
            change({i["id"]: i for g in data["gates"] for i in g["items"]})
            s.runbook.write_text(yaml.safe_dump(data))
        await s.open(run=run)
        client = await s.attach("ann")
        yield s, client
        await client.close()


def item(s: Stand, name: str) -> ItemView:
    found = s.view.item(name)
    assert found is not None
    return found


async def sign(client: EngineClient, name: str, **more: str) -> Reply:
    """Sign as a console does: preview, confirm what it shows, give it."""
    args = {"item": name, "verdict": "GO", **more}
    preview = await client.preview("attest.sign", args)
    return await client.command("attest.sign", args, Confirmation(token=preview.token))


async def judged(s: Stand, client: EngineClient, name: str) -> None:
    assert (await client.command("check.run", {"item": name})).ok
    await s.until(lambda v: all(c.finished_us for c in v.item(name).checks))  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize(
    ("name", "run", "told"),
    [
        ("3.2", False, ("test.told (production) never ran",)),
        ("3.2", True, ("test.told (production) failed",)),
        (
            "3.4",
            True,
            ("test.raises (production) could not be judged", "test.blind (production) could not be judged"),
        ),
        ("3.6", True, ()),
        ("1.1", False, ()),
    ],
)
async def test_what_speaks_against_a_go_is_told_before_it_is_taken(
    name: str, run: bool, told: tuple[str, ...], tmp_path: Path
) -> None:
    async with asking(tmp_path) as (s, ann):
        if run:
            await judged(s, ann, name)
        args = {"item": name, "verdict": "GO", "comment": "ann"}
        preview = await ann.preview("attest.sign", args)
        assert preview.cautions == told
        assert preview.danger is Danger.CAUTION
        assert (preview.token != "") is bool(told)
        assert (await ann.preview("attest.sign", {**args, "verdict": "NO-GO"})).cautions == ()
        reply = await ann.command("attest.sign", args)
        assert reply.ok is not bool(told)
        if told:
            assert reply.message == f"this needs a preview first ({'; '.join(told)}): nothing was done"
            assert item(s, name).attestation is None
            assert (await ann.command("attest.sign", args, Confirmation(token=preview.token))).ok
        (event,) = s.events(AttestSigned.KIND)
        assert event.body.get("cautions", []) == list(told)
        assert [d.what for d in s.view.deviations] == (
            [f"{name} attested GO, though {', '.join(told)}"] if told else []
        )


async def test_what_was_confirmed_is_what_is_taken(tmp_path: Path) -> None:
    async with asking(tmp_path) as (s, ann):
        args = {"item": "3.2", "verdict": "GO"}
        preview = await ann.preview("attest.sign", args)
        started = draft(CheckStarted.KIND, {"item": "3.2", "check": "3.2/0"}, "g03")
        await s.engine.journal.record(started)
        reply = await ann.command("attest.sign", args, Confirmation(token=preview.token))
        assert reply.message == "look again: test.told (production) is running"
        assert item(s, "3.2").attestation is None


@pytest.mark.needs("ssh-keygen")
async def test_the_signed_statement_holds_what_spoke_against_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keygen(tmp_path, "ed25519")
    monkeypatch.setenv(KEY_FILE, str(key))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    async with stand(tmp_path) as s:
        data = yaml.safe_load(s.runbook.read_text())
        data["people"][0]["signing_keys"] = [key.with_suffix(".pub").read_text()]
        s.runbook.write_text(yaml.safe_dump(data))
        await s.open()
        await s.until(lambda view: len(view.parts) == len(view.environments))  # part of what is signed
        ann = await s.attach("ann")
        assert (await sign(ann, "3.2")).ok
        assert (await sign(ann, "1.1")).ok
        against, plain = (
            json.loads(text(e.body, "statement"))["predicate"] for e in s.events(AttestSigned.KIND)
        )
        assert against["cautions"] == ["test.told (production) never ran"]
        assert "cautions" not in plain
        await ann.close()


async def test_a_question_that_asks_for_names_gets_some(tmp_path: Path) -> None:
    def change(items: dict[str, dict[str, Json]]) -> None:
        items["1.2"]["attest"] = {"question": "Which?", "requires": ["comment", "link"]}

    async with asking(tmp_path, change) as (s, ann):
        reply = await sign(ann, "1.2")
        assert reply.message == "a GO on 1.2 needs a comment and a link"
        reply = await sign(ann, "1.2", comment="all")
        assert reply.message == "a GO on 1.2 needs a link"
        assert (await sign(ann, "1.2", comment="all", link="https://wiki.example/1")).ok
        assert (await sign(ann, "1.2", verdict="NO-GO", comment="none of them")).ok
        assert item(s, "1.2").verdict(s.clock.wall_us()) is Verdict.FAIL


async def test_the_sop_asks_for_names_where_its_questions_do(tmp_path: Path) -> None:
    async with asking(tmp_path) as (_, ann):
        for name in ("3.1", "6.6"):
            assert f"a GO on {name} needs a comment" in (await sign(ann, name)).message
            assert (await sign(ann, name, comment="Ann, last week")).ok


async def test_two_people_and_a_role(tmp_path: Path) -> None:
    def change(items: dict[str, dict[str, Json]]) -> None:
        items["1.2"]["attest"] = {"question": "Which?", "people": 2}
        items["1.3"]["attest"] = {"question": "Where?", "role": "approver"}

    async with asking(tmp_path, change) as (s, ann):
        eve = await s.attach("eve")
        assert (await sign(ann, "1.2")).message.startswith("1.2 attested GO (1 of 2), event")
        assert (await sign(ann, "1.2")).message.startswith("1.2 attested GO (1 of 2), event")
        assert item(s, "1.2").verdict(s.clock.wall_us()) is Verdict.PENDING
        assert (await sign(eve, "1.2")).message.startswith("1.2 attested GO (2 of 2), event")
        assert item(s, "1.2").verdict(s.clock.wall_us()) is Verdict.PASS
        # Their own is what somebody takes back, whoever signed last.
        assert (await ann.command("attest.withdraw", {"item": "1.2", "reason": "not yet"})).ok
        assert [word.actor for word in item(s, "1.2").words] == ["eve"]
        refused = await sign(ann, "1.3")
        assert refused.message == "item 1.3 is signed by approver, and ann is not"
        assert (await sign(ann, "1.3", verdict="NO-GO", comment="nowhere")).ok
        assert (await sign(eve, "1.3")).ok
        await eve.close()


async def test_whoever_ran_it_does_not_say_that_it_went_well(tmp_path: Path) -> None:
    def change(items: dict[str, dict[str, Json]]) -> None:
        items["9.1"]["attest"] = {"question": "Is it?", "not": ["the one who ran production.deploy"]}
        items["1.3"]["attest"] = {"question": "Where?", "not": [{"signed": "1.2"}]}

    async with asking(tmp_path, change) as (s, ann):
        eve = await s.attach("eve")
        await s.released()
        refused = await sign(ann, "9.1")
        assert (
            refused.message
            == "item 9.1 is signed by somebody else than who ran production.deploy: that was ann"
        )
        assert (await sign(eve, "9.1")).ok
        assert (await sign(ann, "1.3")).ok
        assert (await sign(ann, "1.2")).ok
        assert item(s, "1.3").verdict(s.clock.wall_us()) is Verdict.STALE
        assert "somebody else than who signed 1.2" in (await sign(ann, "1.3")).message
        await eve.close()


async def test_what_does_not_apply_is_not_signed_and_not_run(tmp_path: Path) -> None:
    def change(items: dict[str, dict[str, Json]]) -> None:
        items["3.2"]["not_applicable"] = "there is no page"

    async with asking(tmp_path, change) as (s, ann):
        assert item(s, "3.2").verdict(s.clock.wall_us()) is Verdict.PASS
        refused = await sign(ann, "3.2")
        assert (
            refused.message
            == "item 3.2 doesn't apply to this launch (there is no page): only a NO-GO can be added"
        )
        assert not (await ann.command("check.run", {"item": "3.2"})).ok
        assert s.view.deviations == ()


async def test_a_deviation_is_followed_up(tmp_path: Path) -> None:
    async with asking(tmp_path) as (s, ann):
        assert (await sign(ann, "1.1", verdict="NO-GO", comment="not today")).ok
        assert (await sign(ann, "1.2", verdict="NO-GO", comment="none")).ok
        first, second = s.view.deviations
        args: JsonObject = {
            "deviation": first.seq,
            "owner": "the shop team",
            "text": "move the date",
            "link": "https://t/1",
        }
        preview = await ann.preview("deviation.follow_up", args)
        assert (preview.title, preview.to_what) == (f"Follow up deviation #{first.seq}", first.what)
        reply = await ann.command("deviation.follow_up", args)
        assert reply.message == f"the shop team sees to deviation #{first.seq}; 1 deviation left"
        for wrong, why in (
            ({"deviation": 1, "owner": "a", "text": "b"}, "event 1 is no deviation"),
            ({"deviation": second.seq, "owner": "a"}, "needs a follow-up"),
            ({"deviation": second.seq, "text": "b"}, "needs an owner"),
        ):
            refused = await ann.command("deviation.follow_up", wrong)  # type: ignore[arg-type]  # JSON
            assert not refused.ok
            assert why in refused.message
        found = s.view.deviations[0]
        assert (found.owner, found.follow_up, found.link) == ("the shop team", "move the date", "https://t/1")
        (event,) = s.events(DeviationFollowedUp.KIND)
        assert (event.ref, event.actor) == (first.seq, "ann")
        words = f"the shop team sees to deviation #{first.seq}: move the date (https://t/1)"
        assert words in [one.words for one in s.view.tail]


async def test_a_launch_is_closed_by_what_its_promotion_used_and_what_is_fresh_since(tmp_path: Path) -> None:
    def change(items: dict[str, dict[str, Json]]) -> None:
        items["3.2"]["checks"] = [{"kind": "test.told"}]
        items["3.4"].pop("checks")
        items["3.5"].pop("checks")

    # Nothing is watched: a condition that is blind for three hours holds a launch.
    async with asking(tmp_path, change, run=False) as (s, ann):
        for name in ("3.1", "3.2", "3.6"):
            await judged(s, ann, name)
        early = [i.id for g in s.view.gates if g.number < 9 for i in g.items]
        for name in early:
            assert (await sign(ann, name, comment="ann")).ok
        await s.released()
        # 3.6 holds for a minute; what the deploy used stays as it was.
        await s.clock.advance(3 * 3600)
        refused = (await ann.command("launch.close")).message
        assert refused.startswith("the launch can't be closed: gate 9 is OPEN (9.1 pending, 9.2 pending, ")
        assert "gate 3" not in refused
        assert refused.endswith("To end it now, scrub it")
        for name in [i.id for g in s.view.gates if g.number >= 9 for i in g.items]:
            assert (await sign(ann, name, comment="ann")).ok
        failed = {"item": "3.2", "check": "3.2/0", "verdict": "fail", "summary": "", "evidence": {}, "ms": 1}
        await s.engine.journal.record(draft("check.finished", failed, "g03"))  # type: ignore[arg-type]  # JSON
        assert "gate 3 is NO-GO (3.2 fail" in (await ann.command("launch.close")).message
        await judged_again(s, ann, "3.2")
        assert "gate 3 is OPEN (3.2 stale)" in (await ann.command("launch.close")).message
        assert (await sign(ann, "3.2")).ok
        preview = await ann.preview("launch.close")
        assert preview.allowed, preview.reason
        assert any(line.startswith("gate 3 ") and " GO at " in line for line in preview.checks)
        assert (await ann.command("launch.close")).ok
        assert s.view.state is LaunchState.CLOSED
        assert s.events(LaunchClosed.KIND)


async def judged_again(s: Stand, client: EngineClient, name: str) -> None:
    before = s.view.seq
    assert (await client.command("check.run", {"item": name})).ok
    await s.until(lambda v: all(c.seq > before for c in v.item(name).checks))  # type: ignore[union-attr]  # it is there


async def test_closing_waits_for_a_hold_and_for_who_sees_to_a_deviation(tmp_path: Path) -> None:
    async with asking(tmp_path) as (s, ann):
        waived: JsonObject = {"item": "1.1", "reason": "r", "second": "", "until_us": 2**52}
        event = await s.engine.journal.record(draft("item.waived", waived, gate_key(1), actor="ann"))
        assert (await ann.command("launch.hold", {"reason": "lunch"})).ok
        told = (await ann.command("launch.close")).message
        assert "the launch is held (lunch): release it first" in told
        assert f"1 deviation lacks an owner or a follow-up (#{event.seq})" in told
        assert "gates 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 are OPEN" in told
