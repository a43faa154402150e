"""Made-up events for tests of the fold: plausible bodies, random order."""

from __future__ import annotations

from hypothesis import strategies as st

from state.base.json import Json
from state.events.event import Event, Kind
from state.events.samples import pack

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
    Kind.LOG_OPENED: _body(log_id=st.just("0193b0c4-7d3e-7c51-9a52-5f0c1d2e3a4b")),
    Kind.GATE_DECLARED: st.just(
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
    Kind.CHECK_STARTED: _body(item=_item, check=_check),
    Kind.CHECK_FINISHED: _body(
        item=_item, check=_check, verdict=st.sampled_from(("pass", "fail", "unknown")), summary=_word
    ),
    Kind.ATTEST_SIGNED: _body(item=_item, go=st.booleans(), comment=_word, evidence=st.just([1, 2])),
    Kind.ATTEST_WITHDRAWN: _body(item=_item, reason=_word),
    Kind.ITEM_WAIVED: _body(item=_item, reason=_word, until_us=_number),
    Kind.GATE_RECYCLED: _body(reason=_word),
    Kind.GATE_CHANGED: _body(to=st.sampled_from(("GO", "NO-GO", "BLIND", "OPEN"))),
    Kind.POD_CHANGED: _body(env=_name, name=_name, phase=_word, ready=_number),
    Kind.POD_GONE: _body(env=_name, name=_name),
    Kind.INGRESS_CHANGED: _body(env=_name, name=_name, hosts=st.just(["x"])),
    Kind.SOURCE_CHANGED: _body(name=_name, ok=st.booleans(), reason=_word),
    Kind.GRAPH_DECLARED: st.just(
        {"id": "e", "title": "e", "unit": "ratio", "series": [{"id": "x", "label": "x"}]}
    ),
    Kind.METRIC_BATCH: (st.none() | st.floats(0, 10)).map(
        lambda v: {"at_us": 5, "values": pack([("e", [v])])}
    ),
    Kind.METRIC_GAP: _body(from_us=_number),
    Kind.CONDITION_DECLARED: _body(id=_name, title=_word, threshold=st.just("0.01"), for_s=st.just(300)),
    Kind.CONDITION_CHANGED: _body(
        id=_name, state=st.sampled_from(("OK", "TRIPPED", "NO_DATA", "BREACHING")), value=_decimal
    ),
    Kind.CONDITION_ACKNOWLEDGED: _body(id=_name, comment=_word),
    Kind.OPERATION_INTENDED: _body(id=_name, kind=st.just("deploy"), env=_name, commands=st.just(["helm"])),
    Kind.OPERATION_STARTED: _body(id=_name, pid=_number),
    Kind.OPERATION_STEP: _body(id=_name, name=_name, state=_word),
    Kind.OPERATION_OUTPUT: _body(lines=st.lists(_word, max_size=3).map(list)),
    Kind.OPERATION_FINISHED: _body(id=_name, state=st.sampled_from(("succeeded", "failed")), verdict=_word),
    Kind.OPERATION_UNKNOWN: _body(id=_name, verdict=_word),
    Kind.BAKE_STARTED: _body(minimum_s=_number),
    Kind.BAKE_PROGRESS: _body(good_s=_number, why=_word),
    Kind.BAKE_FINISHED: _body(good_s=_number, outcome=st.just("done")),
    Kind.LAUNCH_HELD: _body(reason=_word),
    Kind.LAUNCH_RELEASED: _body(reason=_word),
    Kind.CONSOLE_OPENED: _body(id=_name, drives=st.booleans()),
    Kind.CONSOLE_CLOSED: _body(id=_name),
    Kind.NOTE_ADDED: _body(text=_word),
    "weather.changed": _body(text=_word),
}
EARLIER: dict[str, st.SearchStrategy[dict[str, Json]]] = {
    Kind.METRIC_BATCH: _decimal.map(lambda v: {"at_us": 5, "values": [["e", "x", v]]}),
}
"""Bodies as earlier versions wrote them: they are read, and not written any more."""


@st.composite
def event_lists(draw: st.DrawFn, max_size: int = 40) -> list[Event]:
    kinds = draw(st.lists(st.sampled_from(sorted(BODIES)), max_size=max_size))
    events = []
    for seq, kind in enumerate(kinds, 1):
        events.append(
            Event(
                seq=seq,
                eid=f"e{seq}",
                kind=kind,
                gate="g03",
                ref=draw(_ref) if kind.startswith("operation.") and seq > 1 else None,
                actor="ann",
                session="s",
                boot="b",
                wall_us=1_795_000_000_000_000 + seq,
                mono_us=seq,
                body=draw(BODIES[kind] | EARLIER[kind] if kind in EARLIER else BODIES[kind]),
                hash=f"{seq:064x}",
            )
        )
    return events
