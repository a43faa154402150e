"""The same queries asked of promtool, where it is installed: every value must be the same."""

from __future__ import annotations

import math
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from console.rehearsal.sim.prometheus.columns import Scalar, Vector
from console.rehearsal.sim.prometheus.series import Labels
from console.rehearsal.sim.prometheus.tree import QueryError
from tests.console.rehearsal.sim.prometheus.samples import ask, labels
from tests.programs import path

SERIES = {
    'c{job="api",pod="a",code="200"}': "100+13x20 0+17x20",
    'c{job="api",pod="b",code="200"}': "500+11x41",
    'c{job="api",pod="a",code="500"}': "_ _ _ _ 40+1x10 60+2x25",
    'c{job="api",pod="b",code="500"}': "7x10 8x10 12+3x20",
    'c{job="web",pod="a",code="200"}': "900+2x12 stale _ _ _ 50+5x20",
    'g{job="api",pod="a"}': "1 5 3 -2 7 7 7 2 9 NaN 4 1+0.5x30",
    'g{job="api",pod="b"}': "10-1x41",
    'g{job="web",pod="a"}': "3 _ _ 4 _ 5 6 _ _ _ 8 8 8 1 stale _ _ 2x12",
    'info{job="api",pod="a",version="1"}': "1x20 stale",
    'info{job="api",pod="a",version="2"}': "_x20 _ 1x20",
    'info{job="api",pod="b",version="1"}': "1x41",
    'h_bucket{job="api",pod="a",le="0.1"}': "100+2x41",
    'h_bucket{job="api",pod="a",le="0.5"}': "150+6x41",
    'h_bucket{job="api",pod="a",le="1"}': "160+8x41",
    'h_bucket{job="api",pod="a",le="+Inf"}': "161+9x41",
    'h_bucket{job="api",pod="b",le="0.1"}': "100+1x41",
    'h_bucket{job="api",pod="b",le="0.5"}': "100+1x41",
    'h_bucket{job="api",pod="b",le="1"}': "160+8x41",
    'h_bucket{job="api",pod="b",le="+Inf"}': "160+8x41",
    'odd{le="1"}': "5x41",
    'odd{le="what"}': "5x41",
    "zero": "0x41",
    "big": "12345678901234567890x41",
}
OVER = ["rate", "increase", "delta", "irate", "idelta", "deriv", "resets", "changes"]
OVER += [f"{name}_over_time" for name in ("sum", "avg", "min", "max", "count", "stddev", "stdvar", "last")]
OVER += ["present_over_time", "absent_over_time"]
PLAIN = ["abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "sgn", "absent", "timestamp", "round"]
QUERIES = [
    *(
        f"{name}({metric}[{window}])"
        for name in OVER
        for metric in ("c", "g")
        for window in ("1m", "2m", "5m")
    ),
    *(f"{op} by (job) (g)" for op in ("sum", "min", "max", "avg", "count", "group", "stddev", "stdvar")),
    *(f"{op} without (pod) (c)" for op in ("sum", "min", "max", "avg", "count", "group")),
    *(f"g {op} 3" for op in ("+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<=")),
    *(f"3 {op} g" for op in ("-", "/", "%", "^", ">", "<=", "> bool", "== bool")),
    *(f"g {op} on(job, pod) g" for op in ("+", "/", "==", "> bool", "and", "or", "unless")),
    *(
        f"{name}(g)"
        for name in [
            "abs",
            "ceil",
            "floor",
            "exp",
            "sqrt",
            "ln",
            "log2",
            "log10",
            "sgn",
            "absent",
            "timestamp",
            "round",
        ]
    ),
    *(f"quantile({q}, c)" for q in (0, 0.3, 0.5, 0.99, 1, -1, 2)),
    *(f"histogram_quantile({q}, rate(h_bucket[2m]))" for q in (0, 0.01, 0.5, 0.9, 0.95, 0.99, 1, -1, 2)),
    "histogram_quantile(0.9, sum by (le) (rate(h_bucket[2m])))",
    "histogram_quantile(0.9, odd)",
    "c",
    "c offset 1m",
    "c @ 100",
    "rate(c[1m] @ 200 offset 30s)",
    "max_over_time(g[2m:15s])",
    "sum_over_time(g[2m:20s] offset 1m)",
    "avg_over_time(rate(c[1m])[3m:30s])",
    "sum(rate(c{code=~'5..'}[2m])) / sum(rate(c[2m]))",
    "sum by (job) (rate(c{code=~'5..'}[2m])) / on(job) sum by (job) (rate(c[2m]))",
    "g * on(job, pod) group_left(version) info",
    "info * on(job, pod) group_right g",
    "c / ignoring(code) group_left g",
    "g + on(job) g",
    "c + ignoring(code) g",
    "g * on(job) group_left(version) info",
    "topk(2, g)",
    "bottomk(1, g)",
    "topk by (job) (1, c)",
    "count_values('v', info)",
    "count_values by (job) ('v', c)",
    "label_replace(g, 'x', '$1-${1}y', 'pod', '(.).*')",
    "label_replace(g, 'pod', 'same', 'pod', '.*')",
    "label_join(g, 'x', '/', 'job', 'pod', 'none')",
    "absent(nothing{a='b',c=~'d'})",
    "absent(nothing{a='b'}) or g",
    "absent_over_time(nothing{a='b'}[1m])",
    "scalar(g{pod='b'})",
    "scalar(g)",
    "vector(7)",
    "time()",
    "clamp(g, 2, 4)",
    "clamp(g, 4, 2)",
    "clamp_min(g, 2)",
    "clamp_max(g, 2)",
    "round(g, 0.3)",
    "-g",
    "-1 ^ 2",
    "1 / 0",
    "zero / zero",
    "g / zero",
    "big * big",
    "quantile_over_time(0.7, g[3m])",
    "predict_linear(g[2m], 60)",
    "predict_linear(g[2m] offset 1m, 60)",
    "hour(vector(1000000))",
    "day_of_week(vector(1000000))",
    "days_in_month(vector(5200000))",
    "day_of_year()",
    "month(vector(5200000))",
    "g == 7 or c > 600",
    "g and on(job) c unless on(pod) info",
    "{__name__=~'c|g'}",
    "rate({__name__=~'c|g'}[1m])",
    "sum({__name__=~'c|g', job!='web'})",
    "c{code!~'5..',pod=~'a|b'}",
    "count(c) > bool 2",
    "sum(nothing) or vector(0)",
    "changes(g[2m]) > 1",
    "rate(c[15s])",
    "stddev(g)",
]
TIMES_S = (0, 60, 97, 300, 322.5, 405)


def _test_file(times: tuple[float, ...]) -> str:
    impossible = [{"labels": "impossible", "value": -987654321}]
    asked = [
        {"expr": query, "eval_time": f"{round(at * 1000)}ms", "exp_samples": impossible}
        for query in QUERIES
        for at in times
    ]
    written = [{"series": name, "values": values} for name, values in SERIES.items()]
    test = {"interval": "15s", "input_series": written, "promql_expr_test": asked}
    return yaml.safe_dump({"evaluation_interval": "15s", "tests": [test]}, sort_keys=False)


def _samples(text: str) -> dict[Labels, float]:
    if text == "nil":
        return {}
    found = re.findall(r"(\{.*?\}) (NaN|[+-]Inf|[-+\dE.]+)(?:, |$)", text)
    return {labels(pairs): float(value) for pairs, value in found}


def _theirs(output: str) -> list[dict[Labels, float] | str]:
    answers: list[dict[Labels, float] | str] = []
    for line in output.splitlines():
        if match := re.match(r"\s+got: ?(.*)", line):
            answers.append(_samples(match[1]))
        elif match := re.match(r"\s*expr: .*, err: (.*)", line):
            answers.append(match[1])
    return answers


def _ours(query: str, at: float, *, closed: bool) -> dict[Labels, float] | str:
    try:
        value = ask(SERIES, query, at, closed=closed)
    except QueryError as problem:
        return str(problem)
    if isinstance(value, Scalar):
        return {(): value.values[0]}
    assert isinstance(value, Vector)
    return {
        tuple(pair for pair in row.labels): one for row in value.rows if (one := row.values[0]) is not None
    }


def _same(ours: dict[Labels, float] | str, theirs: dict[Labels, float] | str) -> bool:
    if isinstance(ours, str) or isinstance(theirs, str):
        return isinstance(ours, str) and isinstance(theirs, str)
    if ours.keys() != theirs.keys():
        return False
    return all(
        our == theirs[key]
        or (math.isnan(our) and math.isnan(theirs[key]))
        or math.isclose(our, theirs[key], rel_tol=1e-9, abs_tol=1e-12)
        for key, our in ours.items()
    )


@pytest.mark.wire
@pytest.mark.needs("promtool")
def test_promtool_gives_the_same_values(tmp_path: Path) -> None:
    promtool = path("promtool")
    version = subprocess.run([promtool, "--version"], capture_output=True, text=True, check=True).stdout
    file = tmp_path / "test.yml"
    file.write_text(_test_file(TIMES_S))
    run = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    theirs = _theirs(run.stdout + run.stderr)
    asked = [(query, at) for query in QUERIES for at in TIMES_S]
    assert len(theirs) == len(asked), run.stdout[:2000] + run.stderr[:2000]
    closed = "version 2." in version
    wrong = []
    for (query, at), theirs_one in zip(asked, theirs, strict=True):
        ours_one = _ours(query, at, closed=closed)
        if not _same(ours_one, theirs_one):
            wrong.append(f"{query} at {at:g} s:\n  ours   {ours_one}\n  theirs {theirs_one}")
    assert not wrong, f"{len(wrong)} of {len(asked)} differ:\n" + "\n".join(wrong[:12])
