"""Hostile outputs of helm, answers of servers and bytes of terminals: nothing is obeyed, told or raised."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from textual._xterm_parser import XTermParser
from textual.message import Message

from checks.clients.redact import Redactor
from console.engine.operations.run.program import _lines
from console.engine.record.body_filter import fit
from console.engine.watch.kubernetes import _UNREADABLE
from console.engine.watch.kubernetes_events import ingress_body, pod_body
from console.ui.driver import SafeDriver
from console.ui.keys.paste import PasteGate
from state.base.json import Json
from state.base.text import line, plain
from state.events.event import Draft
from tests.hostile.made import CANARY, OBEYED, PIECES, TEXTS, VALUES, hostile

JUNK = st.sampled_from(["\x1b[31m", "\x1b[0m", "\u200b", "\x00", "\n", "\r\n", "\n    ", "\\\n"])


@st.composite
def outputs(draw: st.DrawFn) -> str:
    """What helm prints: pieces, and the canary, taken apart by escapes or the ends of lines."""
    at = draw(st.integers(1, len(CANARY) - 1))
    apart = f"{CANARY[:at]}{draw(JUNK)}{CANARY[at:]}"
    rows = draw(st.lists(st.one_of(TEXTS, PIECES, st.just(CANARY)), max_size=6))
    where = draw(st.integers(0, len(rows)))
    return "\n".join([*rows[:where], apart, *rows[where:]])


@hostile
@given(outputs())
def test_nothing_of_an_output_is_obeyed_and_no_canary_is_in_it(printed: str) -> None:
    redactor = Redactor()
    redactor.register(CANARY)
    raw = printed.encode("utf-8", "replace")
    shown = _lines(raw.split(b"\n"), redactor.clean)
    assert CANARY not in "".join(one.strip() for one in shown)
    for one in shown:
        assert not OBEYED.search(one)
        assert len(one) <= 500


@hostile
@given(st.one_of(TEXTS, st.binary(max_size=200).map(lambda raw: raw.decode("utf-8", "replace"))))
def test_the_door_lets_nothing_in_that_is_obeyed(told: str) -> None:
    assert not OBEYED.search(plain(told).replace("\n", ""))
    assert not OBEYED.search(line(told))


@hostile
@given(VALUES, VALUES, VALUES)
def test_an_object_is_recorded_or_left_out(meta: Json, spec: Json, status: Json) -> None:
    for body in (pod_body, ingress_body):
        try:
            made = body("production", {"metadata": meta, "spec": spec, "status": status})
            fit(Draft(made).fields())
        except _UNREADABLE:
            continue
        assert not OBEYED.search(json.dumps(made.name))


class Deaf(SafeDriver):
    """A driver whose keys reach no app."""

    def process_message(self, message: Message) -> None:
        """Drop a message."""


KEYS = st.sampled_from(
    [
        *(
            "\x1b[200~",
            "\x1b[201~",
            "\x1b[999999999;9999999999H",
            "\x1b[<0;1;1M",
            "\x1b[57441;9u",
            "q",
            "\x1b",
        ),
        *("\x1b[1114112;5u", "\x1b[<999999999999;1;1M", "\x1b[;;;;u", "\x1b[55296u"),
    ]
)


@hostile
@given(st.lists(st.one_of(PIECES, KEYS), max_size=12))
def test_no_bytes_of_a_terminal_end_the_console(typed: list[str]) -> None:
    driver = Deaf.__new__(Deaf)
    gate, parser = PasteGate(), XTermParser()
    for piece in typed:
        if not driver._take(parser, gate.feed(piece)):
            parser = XTermParser()
    driver._take(parser, gate.give_up())
