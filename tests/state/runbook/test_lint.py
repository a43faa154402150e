from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from state.runbook.load import RunbookError, load_runbook
from tests.paths import ROOT

SOP = ROOT / "runbook.yaml"
RATE = "sum(rate(x_total[1m]))"
VALUE = {
    "bad": None,
    "total": None,
    "value": "max(x)",
    "unit": "count",
    "threshold": 5,
    "bad_absent_is_zero": None,
}
SLOW = {"bad": "sum(rate(x_total[2m]))", "total": "sum(rate(y_total[2m]))"}
NO_ZERO = {"bad_absent_is_zero": False}


def told(tmp_path: Path, **changes: object) -> str:
    data = yaml.safe_load(SOP.read_text())
    data["conditions"] = [{**data["conditions"][0], **changes}]
    for key in [key for key, value in data["conditions"][0].items() if value is None]:
        del data["conditions"][0][key]
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump(data))
    try:
        load_runbook(path)
    except RunbookError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"total": "sum(rate(x_total[5m]))"}, "a short outage trips"),
        ({"total": "sum(rate(x_total[30s]))"}, "at least four scrapes"),
        ({"window": "75s"}, "its rate window is 60s and window: says 75s"),
        ({"window": "2m"}, "at most a quarter of for"),
        (
            {"scrape": "30s"},
            "the rate window of 1m does not fit, 2m does: a window holds at least four scrapes of 30s",
        ),
        ({"scrape": "1m"}, "no rate window fits: with scrapes of 1m, for is at least 8m"),
        ({**SLOW, "scrape": "30s", "window": "2m"}, ""),
        (
            {**SLOW, "scrape": "30s", "window": "2m", "total": RATE},
            "[1m]: the rate window of 1m does not fit, 2m does",
        ),
        ({"bad": f"max_over_time({RATE}[10m:1m])"}, "[10m:]: the rate window of 11m does not fit"),
        ({"bad": f"max_over_time({RATE}[30s:5s])"}, "[30s:]: the rate window of 90s"),
        ({**VALUE, "value": f"max_over_time({RATE}[15s:5s])"}, ""),
        (
            {**VALUE, "value": "max(job:http_errors:ratio_rate5m)"},
            "job:http_errors:ratio_rate5m: the rate window of 5m",
        ),
        ({**VALUE, "value": "max(job:http_errors:ratio_rate1m)"}, ""),
        ({**VALUE, "value": "max(errors_rate5m)"}, "errors_rate5m: the rate window of 5m"),
        ({**VALUE, "value": "max(node_load15) + max(queue_5m)"}, ""),
        (
            {"bad": "sum(increase(x_total[1m]))"},
            "one part counts events per second (rate), another events (increase)",
        ),
        ({"bad": "sum(increase(x_total[1m]))", "total": "sum(increase(y_total[1m]))"}, ""),
        ({"threshold": None}, "either threshold: or below:"),
        ({"below": "5"}, "either threshold: or below:"),
        ({**VALUE, "threshold": None, "below": "5"}, ""),
        ({**VALUE, "threshold": None, "below": "0"}, "nothing is below 0"),
        ({"bad": None, "good": RATE, "threshold": None, "below": "99%", **NO_ZERO}, ""),
        ({"bad": None, "good": RATE, "threshold": None, "below": "99%"}, "not with bad_absent_is_zero"),
        ({"bad": None, "good": RATE}, "it goes with below:"),
        ({"bad": None, "good": RATE, "threshold": None, "below": "99", **NO_ZERO}, "100 % or more"),
        ({"good": RATE}, "either bad: (or good:) and total:"),
        ({"warn": "0.5%"}, ""),
        ({"warn": "1%"}, "so it lies below threshold:"),
        ({**VALUE, "threshold": None, "below": "5", "warn": "8"}, ""),
        ({**VALUE, "threshold": None, "below": "5", "warn": "3"}, "so it lies above below:"),
        ({"threshold": "100%"}, "100% is 100 % or more, which a share never exceeds"),
        ({"total": "rate(x_total[1m])"}, "one series for each label set"),
        ({"total": "sum by (pod) (rate(x_total[1m]))"}, "one series for each pod"),
        ({"total": "sum by (pod) (rate(x_total[1m]))", "reduce": "any"}, ""),
        ({"total": "x_total["}, "PromQL"),
        ({"threshold": "1"}, "100 % or more"),
        ({"threshold": "500ms"}, "500ms is a time, and the unit is ratio"),
        ({"unit": "seconds"}, "bad and total give a ratio"),
        (
            {"bad": None, "total": None, "value": "max(x)", "unit": "seconds", "threshold": "1%"},
            "1% is a share",
        ),
        ({"bad": None, "total": None, "value": "max(x)", "unit": "seconds", "threshold": "500ms"}, ""),
        ({"second": {"value": "max(x)"}}, "as the condition itself has"),
        ({"second": {"bad": RATE, "total": "rate(y_total[1m])"}}, "second.total"),
        ({"second": {"bad": RATE, "total": RATE}}, ""),
        ({"baseline": {"offset": "1d", "factor": 1}}, "expected more than 1"),
        ({"baseline": {"offset": "7d", "factor": 2}}, ""),
        ({"for": "15s", "window": "3s", "scrape": "500ms"}, "at least two intervals"),
    ],
)
def test_a_condition_is_held_against_its_queries(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    found = told(tmp_path, **changes)
    assert words in found
    assert bool(found) == bool(words)


def test_the_queries_of_the_monitors_are_read_too(tmp_path: Path) -> None:
    data = yaml.safe_load(SOP.read_text())
    data["bake"]["monitors"] |= {"up": "up{namespace=", "counters": ["ok_total", "x_total["]}
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(RunbookError) as caught:
        load_runbook(path)
    assert [p.key for p in caught.value.problems] == ["bake.monitors.counters", "bake.monitors.up"]
    assert all("PromQL" in p.message for p in caught.value.problems)
