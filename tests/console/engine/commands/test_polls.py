"""Go/no-go polls: seats in the runbook's order, captains last, any NO-GO holds, time and change end them."""

from __future__ import annotations

from base64 import b64encode
from itertools import product
from pathlib import Path
from struct import pack

import pytest

from console.client.engine_client import EngineClient
from console.engine.commands.handler import CommandRefusedError, CommandRequest
from console.engine.commands.polls import PollClock, _seat
from console.engine.commands.signatures import Proof
from console.engine.ports import Who
from screens.kit.screen_state import Mode, ScreenState
from screens.sections.banner import Notice, notices
from state.attest.sshsig import fingerprint, public_key
from state.base.frozen import replace
from state.base.json import JsonObject, integer, objs, text
from state.commands import BY_NAME, Reply
from state.events.event import Draft
from state.events.launch import LaunchHeld
from state.events.operations import CandidateSeen
from state.events.polls import PollAnswered, PollEnded, PollOpened
from state.fold import fold
from state.log.reader import LogReader
from state.log.verify import verify
from state.report.page import report
from state.view.enums import GateStatus, LaunchState, PollState
from state.view.launch import LaunchView, PersonView
from state.view.polls import PollView, SeatView
from state.view.seats import seats_of
from tests.console.engine.commands.test_alone import people, person
from tests.console.engine.stand import Stand, stand

SEATS = (
    person("cap", "ann", "captain", "operator"),
    person("qa", "eve", "approver"),
    person("sec", "sue", "security-lead"),
    person("ops", "bob", "operator"),
    person("all", "*", "observer"),
)


async def opened(client: EngineClient) -> int:
    reply = await client.command("poll.open", {"about": "promote"})
    assert reply.ok, reply.message
    return integer(reply.result, "poll")


async def say(s: Stand, account: str, poll: int, verdict: str = "GO", comment: str = "") -> Reply:
    client = await s.attach(account)
    args: JsonObject = {"poll": str(poll), "verdict": verdict, "comment": comment}
    shown = await client.preview("poll.answer", args)
    reply = await client.command("poll.answer", args)
    assert shown.allowed or not reply.ok, "what the preview refuses isn't taken"
    await client.close()
    return reply


def on_screen(s: Stand, account: str) -> list[Notice]:
    shown = ScreenState(s.view, s.clock.wall_us(), Mode.LIVE, account=account)
    return [one for one in notices(shown) if "POLL" in one.text]


async def test_seats_answer_in_order_captain_last_and_one_event_has_all_of_it(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        people(s, *SEATS)
        await s.open(run=False)
        ann = await s.attach("ann")
        poll = await opened(ann)
        (event,) = s.events(PollOpened.KIND)
        assert event.body["seats"] == ["qa", "sec", "ops", "cap"]
        assert not (await ann.command("poll.open", {"about": "again"})).ok
        for account, told in (
            ("ann", "qa and sec and ops answer before cap"),
            ("sue", "qa answers before sec"),
            ("tom", "you are tom (observer)"),
        ):
            assert told in (await say(s, account, poll)).message
        assert (await say(s, "eve", poll)).message == f"poll #{poll}: sec answers next"
        assert (await say(s, "eve", poll)).message == "qa said GO already"
        (line,) = on_screen(s, "sue")
        assert line.text.startswith(f"! POLL #{poll} promote: qa GO, sec ·, ops ·, cap · (sec answers next, ")
        assert line.keys == "v: answer"
        assert [one.keys for one in on_screen(s, "tom")] == [""]
        assert (await say(s, "sue", poll)).ok
        assert (await say(s, "bob", poll, comment="all quiet")).ok
        assert not s.events(PollEnded.KIND)
        assert (await say(s, "ann", poll)).message == f"poll #{poll}: everybody said GO"
        (ended,) = s.events(PollEnded.KIND)
        assert (ended.ref, ended.body["outcome"]) == (poll, "GO")
        assert [(text(a, "seat"), text(a, "answer"), text(a, "actor")) for a in objs(ended.body["answers"])] == [
            ("qa", "GO", "eve"), ("sec", "GO", "sue"), ("ops", "GO", "bob"), ("cap", "GO", "ann"),
        ]  # fmt: skip
        assert s.view.state is LaunchState.RUNNING
        assert "there is no open poll" in (await say(s, "eve", poll, "NO-GO", "late")).message
    with LogReader(s.log) as reader:
        every = list(reader.every())
    view = fold(every)
    assert view.polls[-1].state is PollState.GO, "a replay shows the same"
    page = report(every, verify(s.log))
    assert f"- **#{poll} GO** promote, asked by ann" in page
    assert "    - ops GO by bob (in the engine's process (bob)) at" in page


@pytest.mark.parametrize("account", ["bob", "ann", "sue"])
async def test_any_no_go_holds_at_any_time(account: str, tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        people(s, *SEATS)
        await s.open(run=False)
        poll = await opened(await s.attach("ann"))
        assert (await say(s, account, poll, "NO-GO")).message == "say why it is NO-GO"
        assert (await say(s, account, poll, "NO-GO", "the queue grows")).ok
        (held,) = s.events(LaunchHeld.KIND)
        assert "NO-GO by" in text(held.body, "reason")
        assert "the queue grows" in text(held.body, "reason")
        (ended,) = s.events(PollEnded.KIND)
        assert ended.body["outcome"] == "NO-GO"
        assert s.view.state is LaunchState.HELD
        assert not (await say(s, "eve", poll)).ok


async def test_who_said_go_may_still_say_no_go(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        people(s, *SEATS)
        await s.open(run=False)
        poll = await opened(await s.attach("ann"))
        assert (await say(s, "eve", poll)).ok
        assert (await say(s, "eve", poll, "NO-GO", "wait")).ok
        assert s.view.state is LaunchState.HELD


async def test_time_and_change_end_it_without_a_hold(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        people(s, *SEATS)
        await s.open(run=False)
        ann = await s.attach("ann")
        clock = PollClock(s.engine.journal)
        first = await opened(ann)
        assert (await say(s, "eve", first)).ok
        await s.clock.advance(15 * 60)
        assert f"poll #{first} is expired" in (await say(s, "sue", first)).message
        await clock.tick()
        second = await opened(ann)
        await s.engine.journal.record(Draft(CandidateSeen("production", (("values", "1" * 64),))))
        assert "has changed: open another" in (await say(s, "eve", second)).message
        await clock.tick()
        ends = [(e.ref, e.body["outcome"], e.body["reason"]) for e in s.events(PollEnded.KIND)]
        assert ends[0] == (first, "expired", "no answer of sec, ops, cap")
        assert ends[1][:2] == (second, "void")
        assert s.view.state is LaunchState.RUNNING


async def test_one_person_has_one_seat(tmp_path: Path) -> None:
    """What ``runbook check`` refuses holds in the engine too, where a view came from an older runbook."""
    async with stand(tmp_path) as s:
        people(s, *SEATS)
        await s.open(run=False)
        ann = await s.attach("ann")
        journal = s.engine.journal
        twin = PersonView("twin", "E", ("approver",), ("eve",))
        journal.view = replace(journal.view, people=(*journal.view.people, twin))
        poll = await opened(ann)
        answer = await say(s, "eve", poll)
        assert "signs a GO with an SSH key" in answer.message, "whose word it is isn't known"
        assert not s.events(PollAnswered.KIND)


@pytest.mark.parametrize(
    ("qa", "sec", "second"),
    [
        ((), ("eve",), "eve"),  # the same account, which is somebody else's now
        (("eve",), ("eve", "eva"), "eva"),  # another account of who answered
    ],
)
async def test_who_answered_answers_for_no_other_seat(
    qa: tuple[str, ...], sec: tuple[str, ...], second: str, tmp_path: Path
) -> None:
    """The net below: should accounts come to be another's while a poll is open, a person still answers once."""
    async with stand(tmp_path) as s:
        people(s, *SEATS)
        await s.open(run=False)
        poll = await opened(await s.attach("ann"))
        assert (await say(s, "eve", poll)).ok
        journal, now = s.engine.journal, {"qa": qa, "sec": sec}
        moved = tuple(replace(p, accounts=now.get(p.id, p.accounts)) for p in s.view.people)
        journal.view = replace(journal.view, people=moved)
        told = (await say(s, second, poll)).message
        assert told == f"{second} answered for qa already: one person has one seat"
        assert len(s.events(PollAnswered.KIND)) == 1


K, L = (
    f"ssh-ed25519 {b64encode(pack('>I11sI32s', 11, b'ssh-ed25519', 32, bytes([n]) * 32)).decode()}"
    for n in (1, 2)
)
WORDS = [(account, key) for account in ("ann", "bob", "tom") for key in ("", K, L)]
NAMED = [
    (accounts, keys)
    for accounts in (("ann",), ("bob",), ("ann", "bob"), ("ann", "*"), ("*",))
    for keys in ((), (K,), (K, L))
]


def answered(view: LaunchView, poll: PollView, account: str, key: str) -> PollView:
    """Return a poll after somebody's GO; raises RefusedError where it isn't taken."""
    name = fingerprint(public_key(key)) if key else ""
    request = CommandRequest(BY_NAME["poll.answer"], {}, Who(account, "here"))
    seat = _seat(view, poll, request, Proof("", "", name) if name else None, go=True)
    said = replace(seat, answer=GateStatus.GO, actor=account, key=name)
    return replace(poll, seats=tuple(said if one.person == seat.person else one for one in poll.seats))


def test_no_two_seats_are_one_persons_whatever_the_runbook_calls_them() -> None:
    """One key under two names, one account under two names, ``*``: every pair of people, and every pair of words."""
    taken = refused = 0
    for one, two in product(NAMED, NAMED):
        both = (PersonView("p", "P", ("approver",), *one), PersonView("q", "Q", ("approver",), *two))
        view = LaunchView(people=both)
        seats = tuple(SeatView(person=person.id) for person in seats_of(view))
        poll = PollView(seq=1, by="", at_us=0, until_us=0, about="", shown="", seats=seats)
        for first, second in product(WORDS, WORDS):
            try:
                answered(view, answered(view, poll, *first), *second)
            except CommandRefusedError:
                refused += 1
                continue
            taken += 1
            (a, key), (b, other) = first, second
            assert key != other or not key, (both, first, second)
            assert a != b or (key and other), (both, first, second)
    assert taken > 50
    assert refused > 1_000


async def test_a_poll_takes_several_people_and_who_drives(tmp_path: Path) -> None:
    async with stand(tmp_path) as s:
        people(s, person("cap", "ann", "captain"), person("all", "*", "observer"))
        await s.open(run=False)
        ann = await s.attach("ann")
        assert "names one who may answer" in (await ann.command("poll.open", {"about": "x"})).message
        assert not s.events(PollOpened.KIND)
