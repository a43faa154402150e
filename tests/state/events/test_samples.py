from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from state.base.json import Json
from state.events.samples import by_series, count, pack

_value = st.none() | st.floats(allow_nan=False, allow_infinity=False)
_rows = st.dictionaries(st.text(max_size=8), st.lists(_value, min_size=1, max_size=4), max_size=4)


@given(_rows)
def test_what_is_packed_comes_back(rows: dict[str, list[float | None]]) -> None:
    declared = {graph: [f"s{n}" for n in range(len(values))] for graph, values in rows.items()}
    body = pack(list(rows.items()))
    found = by_series(body, declared)
    assert count(body) == len(found) == sum(map(len, rows.values()))
    for (graph, series), value in found.items():
        wanted = rows[graph][int(series[1:])]
        assert (value is None) == (wanted is None)
        if wanted is not None and value is not None and not math.isinf(value):
            assert math.isclose(value, wanted, rel_tol=1e-5)


def test_a_graph_with_another_number_of_series_is_left_out() -> None:
    body = "errors=0.1;latency=1,2;gone=3"
    assert by_series(body, {"errors": ["5xx"], "latency": ["p50"]}) == {("errors", "5xx"): 0.1}


def test_the_list_of_earlier_logs_is_read() -> None:
    body: Json = [["errors", "5xx", "0.25"], ["latency", "p50", None], ["short"]]
    assert by_series(body, {}) == {("errors", "5xx"): 0.25, ("latency", "p50"): None}
    assert count(body) == 3
