"""Everything that was said, judged, held, run, waived and noted is in a report, once, and nothing else is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from state.base.json import JsonObject, items, text
from state.base.times import clock, stamp
from state.events.bake import (
    BakeExtended,
    BakeStarted,
    ConditionAcknowledged,
    ConditionAnswered,
    ConditionChanged,
    ConditionCountdown,
    ConditionMuted,
)
from state.events.bodies import body_of
from state.events.event import REDACTED_BODY, Event
from state.events.gates import (
    AttestSigned,
    AttestWithdrawn,
    CheckFinished,
    GateChanged,
    GateRecycled,
    ItemWaived,
)
from state.events.launch import (
    ConsoleOpened,
    ConsoleTookOver,
    EngineStarted,
    LaunchClosed,
    LaunchHeld,
    LaunchScrubbed,
    RunbookChanged,
)
from state.events.log import LogAnchored, NoteAdded
from state.events.operations import OperationIntended
from state.events.polls import PollOpened
from state.events.requests import RequestMade
from state.fold import fold
from state.log.verify import VerifyReport, verify
from state.report.gather import launch_report
from state.report.page import ReportFormat, rendered
from tests.screens import story
from tests.state.events.test_stored_logs import NAMES, events_of, stored
from tests.state.made_events import BODIES, ITEMS, Bodies, event_lists
from tests.state.report import reading
from tests.state.report.reading import Told, words

VERIFIED = VerifyReport(
    ok=True, events=1, head="", bad_seq=None, damage=None, message="", unanchored=0, anchors=0, log_id=""
)
READ: dict[ReportFormat, Callable[[str], Told]] = {
    ReportFormat.MD: reading.of_markdown,
    ReportFormat.HTML: reading.of_html,
    ReportFormat.JSON: reading.of_json,
}
TELLS: dict[str, tuple[str, ...]] = {
    "gates": (
        *(CheckFinished.KIND, AttestSigned.KIND, AttestWithdrawn.KIND, GateChanged.KIND, GateRecycled.KIND),
    ),
    "holds": (LaunchHeld.KIND,),
    "take-overs": (ConsoleTookOver.KIND,),
    "notes": (NoteAdded.KIND,),
    "waivers": (ItemWaived.KIND,),
    "operations": (OperationIntended.KIND,),
    "requests": (RequestMade.KIND,),
    "polls": (PollOpened.KIND,),
    "bake": (BakeStarted.KIND, BakeExtended.KIND),
    "participants": (ConsoleOpened.KIND, EngineStarted.KIND),
    "head": (LogAnchored.KIND,),
    "runbook": (RunbookChanged.KIND,),
}
"""Which part tells every event of which kinds."""


def wanted(events: Sequence[Event]) -> dict[str, Counter[int]]:
    """Return what each part has to tell, read from the events alone."""
    told = {part: Counter(e.seq for e in events if e.kind in kinds) for part, kinds in TELLS.items()}
    first = next((e.seq for e in events if e.kind == BakeStarted.KIND), len(events) + 1)
    # An extension without a bake extends none; the timeline has it.
    stray = {e.seq for e in events if e.kind == BakeExtended.KIND and e.seq < first}
    told["bake"] = Counter(seq for seq in told["bake"].elements() if seq not in stray)
    told["deviations"] = Counter(one.seq for one in fold(events).deviations)
    return told


def given_words(event: Event) -> list[str]:
    """Return what must be read in the entry of an event: what a person or a check said, whole."""
    body: JsonObject = event.body
    if body == REDACTED_BODY:
        return []
    read = body_of(event)
    match read:
        case AttestSigned():
            said = [event.actor, "GO" if read.go else "NO-GO", read.comment, read.link, read.key]
            return [*said, *read.cautions] if read.key else [*said, read.how_known, *read.cautions]
        case CheckFinished():
            return [str(read.verdict.value), read.summary, *read.ways]
        case LaunchHeld() | ConsoleTookOver():
            return [event.actor, read.reason]
        case ItemWaived():
            return [event.actor, read.item, read.reason, read.second]
        case NoteAdded():
            return [event.actor, read.text]
        case OperationIntended():
            return [event.actor, read.id, read.from_, read.to, read.diff_sha, read.inputs_sha]
        case AttestWithdrawn() | GateRecycled():
            return [event.actor, read.reason]
        case RequestMade():
            return [event.actor, read.reason, *read.over]
        case _:
            return [text(body, "reason")] if event.kind == BakeExtended.KIND else []


def assert_complete(events: Sequence[Event], verified: VerifyReport = VERIFIED) -> None:
    facts = launch_report(events, verified)
    by_seq = {event.seq: event for event in events}
    parts = wanted(events)
    timeline: set[frozenset[int]] = set()
    for form, read in READ.items():
        told = read(rendered(facts, form))
        for part, counts in parts.items():
            assert Counter(seq for seq, _ in told.get(part, [])) == counts, (form, part)
        for part in TELLS:
            for seq, said in told.get(part, []):
                # A word ends where another begins, whatever marks stand between them.
                for one in given_words(by_seq[seq]):
                    assert bare(words(one)) in bare(said), (form, part, by_seq[seq])
        for seq, said in told.get("deviations", []):
            whats = [d.what for d in facts.deviations if d.seq == seq]
            assert any(bare(words(what)) in bare(said) for what in whats), (form, seq)
        seqs = [seq for seq, _ in told.get("timeline", [])]
        assert len(seqs) == len(set(seqs))
        timeline.add(frozenset(seqs))
    assert len(timeline) == 1, "the same moments in every format"


def bare(value: str) -> str:
    """Return a text without blanks, and without the marks that Markdown's reader takes away."""
    return "".join(value.split()).replace("`", "").replace("\\", "").replace("**", "")


@pytest.mark.parametrize("name", NAMES)
def test_of_a_stored_log(name: str, tmp_path: Path) -> None:
    assert_complete(events_of(name, tmp_path), verify(stored(name, tmp_path)))


STORIES = (
    story.ready,
    story.piped,
    story.deploying,
    story.baking,
    story.tripped,
    story.rolled_back,
    story.hostile,
)


@pytest.mark.parametrize("told", STORIES)
def test_of_a_story(told: Callable[[], story.Story]) -> None:
    assert_complete(told().events)


_word = st.text(max_size=20) | st.sampled_from(
    (
        "\n- **#7** x",
        "|a|\n| #3 |",
        "\x1b]8;;",
        "</li></ul>",
        "```\n# x",
        "`",
        "\\",
        "<!--",
        "**#1**",
        "&lt;",
        "x_y z_",
    )
)
_MORE = {
    NoteAdded.KIND: st.fixed_dictionaries({"text": _word}),
    LaunchHeld.KIND: st.fixed_dictionaries({"reason": _word}),
    LaunchScrubbed.KIND: st.fixed_dictionaries({"reason": _word}),
    LaunchClosed.KIND: st.just({}),
    ConsoleTookOver.KIND: st.fixed_dictionaries({"id": st.sampled_from("abc"), "reason": _word}),
    ItemWaived.KIND: st.fixed_dictionaries(
        {"item": st.sampled_from((*ITEMS, "7.7")), "reason": _word, "second": _word, "until_us": st.just(9)}
    ),
    AttestSigned.KIND: st.fixed_dictionaries(
        {
            "item": st.sampled_from((*ITEMS, "7.7")),
            "go": st.booleans(),
            "comment": _word,
            "link": st.sampled_from(("", "https://ci.test/1", "javascript:alert(1)")),
            "how_known": _word,
            "cautions": st.lists(_word, max_size=2).map(list),
        }
    ),
    RequestMade.KIND: st.fixed_dictionaries(
        {"title": _word, "reason": _word, "over": st.lists(_word, max_size=2)}
    ),
    "request.granted": st.fixed_dictionaries({"how_known": _word, "comment": _word}),
    PollOpened.KIND: st.fixed_dictionaries({"about": _word, "seats": st.just(["ann"])}),
    BakeExtended.KIND: st.fixed_dictionaries({"minutes": st.just(5), "reason": _word}),
    ConditionMuted.KIND: st.fixed_dictionaries({"id": st.sampled_from("abc"), "reason": _word}),
}
MORE = cast("Bodies", {**BODIES, **_MORE})


@given(event_lists(bodies=MORE))
@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
def test_of_made_up_logs(made: list[Event]) -> None:
    assert_complete(made)


DEEDS = (ConditionAcknowledged.KIND, ConditionMuted.KIND, ConditionCountdown.KIND, ConditionAnswered.KIND)


@pytest.mark.parametrize("form", ReportFormat)
@pytest.mark.parametrize("name", ["sop-bad-candidate", "muted", "trip-acknowledged", "countdown-held"])
def test_a_conditions_every_state_and_deed_is_told(name: str, form: ReportFormat, tmp_path: Path) -> None:
    events = events_of(name, tmp_path)
    states: dict[str, str] = {}
    due = []
    for event in events:
        if event.kind == ConditionChanged.KIND:
            if states.get(text(event.body, "id")) != event.body["state"]:
                due.append(event.seq)
            states[text(event.body, "id")] = text(event.body, "state")
        elif event.kind in DEEDS:
            due.append(event.seq)
    told = READ[form](rendered(launch_report(events, VERIFIED), form))
    assert Counter(seq for seq, _ in told["conditions"]) == Counter(due)


def test_every_command_is_told_whole(tmp_path: Path) -> None:
    events = events_of("sop-bad-candidate", tmp_path)
    facts = launch_report(events, VERIFIED)
    commands = [str(c) for e in events if e.kind == OperationIntended.KIND for c in items(e.body["commands"])]
    assert commands
    for form in (ReportFormat.MD, ReportFormat.HTML):
        said = " ".join(one for _, one in READ[form](rendered(facts, form))["operations"])
        shown = " ".join(said.replace("\\", " ").split())
        assert all(" ".join(command.split()) in shown for command in commands), form


def test_the_five_lines_and_the_way_back(tmp_path: Path) -> None:
    events = events_of("sop-bad-candidate", tmp_path)
    facts = launch_report(events, VERIFIED)
    assert [one.about for one in facts.summary] == ["Outcome", "Who", "How long", "Bake", "Deviations"]
    (back,) = facts.way_back
    tripped = next(e for e in events if e.kind == ConditionChanged.KIND and e.body["state"] == "TRIPPED")
    ended = next(e for e in reversed(events) if e.kind == "operation.finished")
    seconds = (ended.wall_us - tripped.wall_us) // 1_000_000
    assert (back.trip, back.seconds) == (tripped.seq, seconds)
    assert f"rollback verified {seconds // 60}:{seconds % 60:02d} later" in facts.summary[0].told


def test_the_date_is_told_once_where_all_was_on_one_day(tmp_path: Path) -> None:
    events = events_of("sop-bad-candidate", tmp_path)
    page = rendered(launch_report(events, VERIFIED), ReportFormat.MD)
    after_head = page[page.index("## Timeline") :].replace("2026-11-29T", "")
    assert clock(events[-1].wall_us) in after_head
    assert stamp(events[-1].wall_us) not in after_head
