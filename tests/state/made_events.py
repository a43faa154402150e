"""Made-up events for tests of the fold: plausible bodies, random order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from hypothesis import strategies as st

from state.base.json import Json
from state.events.bake import BakeFinished, BakeProgress, BakeStarted, ConditionAcknowledged, ConditionChanged
from state.events.declared import ConditionDeclared, GateDeclared, GraphDeclared
from state.events.event import Event
from state.events.gates import (
    AttestSigned,
    AttestWithdrawn,
    CheckFinished,
    CheckStarted,
    GateChanged,
    GateRecycled,
    ItemWaived,
)
from state.events.launch import ConsoleClosed, ConsoleOpened, LaunchHeld, LaunchReleased
from state.events.log import LogOpened, NoteAdded
from state.events.operations import (
    OperationFinished,
    OperationIntended,
    OperationOutput,
    OperationStarted,
    OperationStep,
    OperationUnknown,
)
from state.events.samples import pack
from state.events.world import IngressChanged, MetricBatch, MetricGap, PodChanged, PodGone, SourceChanged

ITEMS = ("3.1", "3.2", "9.4")
_name = st.sampled_from(("a", "b", "c"))
_word = st.text(max_size=12)
_number = st.integers(0, 10_000)
_decimal = st.one_of(st.none(), st.floats(0, 10).map(lambda v: f"{v:.4g}"))


def _body(**fields: st.SearchStrategy[Json]) -> st.SearchStrategy[dict[str, Json]]:
    return st.fixed_dictionaries(dict(fields))


_item = st.sampled_from(ITEMS)
_check = _item.map(lambda i: f"{i}/0")
_ref = st.integers(1, 40)

BODIES: dict[str, st.SearchStrategy[dict[str, Json]]] = {
    LogOpened.KIND: _body(log_id=st.just("0193b0c4-7d3e-7c51-9a52-5f0c1d2e3a4b")),
    GateDeclared.KIND: st.just(
        {
            "number": 3,
            "title": "Security",
            "items": [
                {
                    "id": i,
                    "text": "t",
                    "question": None,
                    "checks": [{"id": f"{i}/0", "kind": "k", "ttl_s": 60}],
                }
                for i in ITEMS
            ],
        }
    ),
    CheckStarted.KIND: _body(item=_item, check=_check),
    CheckFinished.KIND: _body(
        item=_item, check=_check, verdict=st.sampled_from(("pass", "fail", "unknown")), summary=_word
    ),
    AttestSigned.KIND: _body(item=_item, go=st.booleans(), comment=_word, evidence=st.just([1, 2])),
    AttestWithdrawn.KIND: _body(item=_item, reason=_word),
    ItemWaived.KIND: _body(item=_item, reason=_word, until_us=_number),
    GateRecycled.KIND: _body(reason=_word),
    GateChanged.KIND: _body(to=st.sampled_from(("GO", "NO-GO", "BLIND", "OPEN"))),
    PodChanged.KIND: _body(env=_name, name=_name, phase=_word, ready=_number),
    PodGone.KIND: _body(env=_name, name=_name),
    IngressChanged.KIND: _body(env=_name, name=_name, hosts=st.just(["x"])),
    SourceChanged.KIND: _body(name=_name, ok=st.booleans(), reason=_word),
    GraphDeclared.KIND: st.just(
        {"id": "e", "title": "e", "unit": "ratio", "series": [{"id": "x", "label": "x"}]}
    ),
    MetricBatch.KIND: (st.none() | st.floats(0, 10)).map(
        lambda v: {"at_us": 5, "values": pack([("e", [v])])}
    ),
    MetricGap.KIND: _body(from_us=_number),
    ConditionDeclared.KIND: _body(id=_name, title=_word, threshold=st.just("0.01"), for_s=st.just(300)),
    ConditionChanged.KIND: _body(
        id=_name, state=st.sampled_from(("OK", "TRIPPED", "NO_DATA", "BREACHING")), value=_decimal
    ),
    ConditionAcknowledged.KIND: _body(id=_name, comment=_word),
    OperationIntended.KIND: _body(id=_name, kind=st.just("deploy"), env=_name, commands=st.just(["helm"])),
    OperationStarted.KIND: _body(id=_name, pid=_number),
    OperationStep.KIND: _body(id=_name, name=_name, state=_word),
    OperationOutput.KIND: _body(lines=st.lists(_word, max_size=3).map(list)),
    OperationFinished.KIND: _body(id=_name, state=st.sampled_from(("succeeded", "failed")), verdict=_word),
    OperationUnknown.KIND: _body(id=_name, verdict=_word),
    BakeStarted.KIND: _body(minimum_s=_number),
    BakeProgress.KIND: _body(good_s=_number, why=_word),
    BakeFinished.KIND: _body(good_s=_number, outcome=st.just("done")),
    LaunchHeld.KIND: _body(reason=_word),
    LaunchReleased.KIND: _body(reason=_word),
    ConsoleOpened.KIND: _body(id=_name, drives=st.booleans()),
    ConsoleClosed.KIND: _body(id=_name),
    NoteAdded.KIND: _body(text=_word),
    "weather.changed": _body(text=_word),
}
EARLIER: dict[str, st.SearchStrategy[dict[str, Json]]] = {
    MetricBatch.KIND: _decimal.map(lambda v: {"at_us": 5, "values": [["e", "x", v]]}),
}
"""Bodies as earlier versions wrote them: they are read, and not written any more."""


Bodies: TypeAlias = "Mapping[str, st.SearchStrategy[dict[str, Json]]]"


@st.composite
def event_lists(draw: st.DrawFn, max_size: int = 40, bodies: Bodies = BODIES) -> list[Event]:
    kinds = draw(st.lists(st.sampled_from(sorted(bodies)), max_size=max_size))
    events = []
    for seq, kind in enumerate(kinds, 1):
        events.append(
            Event(
                seq=seq,
                eid=f"e{seq}",
                kind=kind,
                gate="g03",
                ref=draw(_ref) if kind.startswith(("operation.", "request.", "poll.")) and seq > 1 else None,
                actor="ann",
                session="s",
                boot="b",
                wall_us=1_795_000_000_000_000 + seq,
                mono_us=seq,
                body=draw(bodies[kind] | EARLIER[kind] if kind in EARLIER else bodies[kind]),
                hash=f"{seq:064x}",
            )
        )
    return events
