"""What a redacted export leaves out: canaries in every field of every kind, in every format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from state.base.codec import LOG, Notes
from state.base.json import Json
from state.events.bodies import BODIES
from state.events.event import REDACTED_BODY, Event
from state.events.launch import LaunchOpened
from state.exports.in_toto import statements
from state.exports.judged import outcome_of
from state.exports.junit_xml import junit_xml
from state.exports.redaction import Level, Redaction
from state.exports.series_csv import series_csv
from state.fold import fold
from tests.state.events.test_stored_logs import NAMES, events_of

PEOPLE: list[Json] = [
    {"id": "ann", "name": "Ann Zebrafinch", "roles": ["captain"], "accounts": ["azebra"], "signing_keys": []},
    {"id": "ben", "name": "Ben Quokka", "roles": ["approver"], "accounts": ["ben"], "signing_keys": []},
]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJq2Kcanarycanarycanarycanarycanary0 ann@host"
CANARIES = (
    *("azebra", "Ann", "Zebrafinch", "Quokka", "ann.z@example.org", "192.0.2.77", "2001:db8::77", "1001"),
    *("SHA256:canarycanarycanarycanarycanarycanary", "canarycanary0"),
)
SAID = (
    "azebra (uid 1001) and Ann Zebrafinch, Ann, Quokka said ann.z@example.org 192.0.2.77 2001:db8::77 "
    f"SHA256:canarycanarycanarycanarycanarycanary {KEY}"
)
FREE = "plumbago"


def event(kind: str, body: dict[str, Json], seq: int = 1, actor: str = "azebra") -> Event:
    return Event(seq, f"e{seq}", kind, None, None, actor, "azebra-session", "boot", seq, seq, body, "0" * 64)


def filled(kind: str, text: str) -> dict[str, Json]:
    """Return a body of a kind with a text in every field that takes one, down to the members of its lists."""
    from tests.state.exports.fill import fill

    return LOG.dump(fill(BODIES[kind], text))


def opened() -> Event:
    body = LOG.dump(LOG.load(LaunchOpened, {"people": PEOPLE}, Notes()))
    return event(LaunchOpened.KIND, body)


@pytest.mark.parametrize("kind", sorted(set(BODIES) - {LaunchOpened.KIND}))
def test_no_kind_of_event_tells_who_it_was(kind: str) -> None:
    told = event(kind, filled(kind, SAID), 2)
    for level in (Level.PEOPLE, Level.STRICT):
        made = Redaction(level, [opened(), told])(told)
        spelt = json.dumps([made.actor, made.session, made.boot, made.body])
        kept = [one for one in CANARIES if one in spelt]
        assert not [one for one in kept if not only_structural(kind, one, made)], (level, spelt)
    assert Redaction(Level.NONE, [])(told) is told


def only_structural(kind: str, canary: str, made: Event) -> bool:
    """Return whether a canary stands only in fields that hold words of the program or ids of the runbook."""
    from state.exports.redaction import _IDS, _KEPT

    def free(value: Json, name: str) -> bool:
        if isinstance(value, str):
            return canary in value and not (name in _KEPT or (name in {"id", "name"} and kind in _IDS))
        if isinstance(value, dict):
            return any(canary in key or free(one, key) for key, one in value.items())
        return isinstance(value, list | tuple) and any(free(one, name) for one in value)

    return not free(made.body, "") and canary not in made.actor


@pytest.mark.parametrize("kind", sorted(set(BODIES) - {LaunchOpened.KIND}))
def test_strict_keeps_no_text_that_it_does_not_know(kind: str) -> None:
    told = event(kind, filled(kind, FREE), 2)
    made = Redaction(Level.STRICT, [opened(), told])(told)
    assert only_structural(kind, FREE, made), made.body


def test_a_person_has_one_pseudonym_and_two_people_two() -> None:
    told = event("note.added", {"text": "azebra, Ann and Ann Zebrafinch; ben and Quokka; annual"}, 2)
    redaction = Redaction(Level.PEOPLE, [opened(), told])
    assert redaction(told).body == {"text": "person-1, person-1 and person-1; person-2 and person-2; annual"}
    assert redaction(told).actor == "person-1"
    people = redaction(opened()).body["people"]
    assert isinstance(people, list | tuple)
    assert [one["id"] for one in people if isinstance(one, dict)] == ["person-1", "person-2"]


def test_a_part_of_a_name_that_two_share_tells_neither() -> None:
    shared: list[Json] = [
        {"id": "a", "name": "Release captain", "roles": [], "accounts": ["x1"], "signing_keys": []},
        {"id": "b", "name": "Release second", "roles": [], "accounts": ["x2"], "signing_keys": []},
    ]
    first = event(LaunchOpened.KIND, LOG.dump(LOG.load(LaunchOpened, {"people": shared}, Notes())))
    told = event("note.added", {"text": "Release captain, Release second, Release"}, 2, "x2")
    made = Redaction(Level.PEOPLE, [first, told])(told)
    assert made.body == {"text": "person-1, person-2, person"}
    assert made.actor == "person-2"


@pytest.mark.parametrize("body", [{"anything": FREE}, REDACTED_BODY])
def test_what_this_version_does_not_know_is_left_out(body: dict[str, Json]) -> None:
    assert Redaction(Level.PEOPLE, [])(event("weather.changed", body)).body == REDACTED_BODY


@pytest.mark.parametrize("level", [Level.PEOPLE, Level.STRICT])
@pytest.mark.parametrize("name", NAMES)
def test_what_was_judged_and_measured_is_the_same_after_redaction(
    name: str, level: Level, tmp_path: Path
) -> None:
    events = events_of(name, tmp_path)
    redacted = list(map(Redaction(level, events), events))
    before, after = fold(events), fold(redacted)
    assert after.statuses == before.statuses
    assert after.state is before.state
    assert [t.condition for t in after.trips] == [t.condition for t in before.trips]
    assert [(o.id, o.state) for o in after.operations] == [(o.id, o.state) for o in before.operations]
    assert "".join(series_csv(redacted)) == "".join(series_csv(events))
    assert junit_xml(outcome_of(redacted)).count("<testcase") == junit_xml(outcome_of(events)).count(
        "<testcase"
    )
    if any("sha256:" in image for _, image in before.candidate.images):
        kinds = [
            [json.loads(s)["predicateType"] for s in statements(outcome_of(e))] for e in (events, redacted)
        ]
        assert kinds[0] == kinds[1]


def test_addresses_of_people_whom_nobody_named_are_gone_and_the_same_one_stays_the_same() -> None:
    told = event(
        "note.added", {"text": "ask x.y@example.org or 192.0.2.7, again x.y@example.org at 12:30:00"}, 2
    )
    made = Redaction(Level.PEOPLE, [opened(), told])(told)
    assert made.body == {"text": "ask address-1 or address-2, again address-1 at 12:30:00"}


@pytest.mark.parametrize("kind", ["attest.signed", "request.granted", "poll.answered", "log.redacted"])
def test_a_signature_says_whose_it_is_and_is_left_out(kind: str) -> None:
    told = event(kind, filled(kind, "c2lnbmF0dXJl"), 2)
    made = Redaction(Level.PEOPLE, [opened(), told])(told)
    assert not {"statement", "signature", "key"} & set(made.body)
    assert (made.session, made.boot) == ("", "")


def test_strict_leaves_nothing_of_evidence() -> None:
    told = event("check.finished", filled("check.finished", FREE) | {"evidence": {FREE: [FREE]}}, 2)
    assert Redaction(Level.STRICT, [told])(told).body["evidence"] == {}
