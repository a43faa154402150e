from __future__ import annotations

import json
import math
from itertools import pairwise

import pytest

from console.rehearsal.dotmac.metrics import PROGRAM, fresh_traffic
from console.rehearsal.sim.prometheus.columns import Vector
from console.rehearsal.sim.prometheus.evaluate import at_steps
from console.rehearsal.sim.prometheus.series import label
from console.rehearsal.world.traffic import Behaviour, Traffic
from console.rehearsal.world.traffic.behaviour import BOUNDS_S, below_bounds
from console.rehearsal.world.traffic.course import Waves
from tests.clocks import ManualClock

_PODS = ("api-a", "api-b", "api-c")
_NOISE = 'namespace="dotmac-production",endpoint!~"/(health.*|ready|metrics.*)"'
_AUTH = 'namespace="dotmac-production",endpoint=~"/api/v1/auth/.*"'


def _ratio(chosen: str = _NOISE, status: str = "5..", window: str = "2m") -> str:
    total = f"dotmac_http_requests_total{{{chosen}}}[{window}]"
    bad = f'dotmac_http_requests_total{{{chosen},status_code=~"{status}"}}[{window}]'
    return f"sum(rate({bad})) / sum(rate({total}))"


def _quantile(fraction: float, window: str = "2m") -> str:
    buckets = f"dotmac_http_request_duration_seconds_bucket{{{_NOISE}}}[{window}]"
    return f"histogram_quantile({fraction}, sum by (le) (rate({buckets})))"


def _at(traffic: Traffic, clock: ManualClock, query: str) -> float | None:
    value = at_steps(traffic, query, [clock.wall_us() // 1000])
    assert isinstance(value, Vector)
    assert len(value.rows) < 2
    return value.rows[0].values[0] if value.rows else None


def _need(traffic: Traffic, clock: ManualClock, query: str) -> float:
    value = _at(traffic, clock, query)
    assert value is not None, query
    return value


def _platform(clock: ManualClock, behaviour: Behaviour | None = None, seed: int = 7) -> Traffic:
    traffic = fresh_traffic(seed, clock).with_monitors()
    traffic.set("production", behaviour or Behaviour(pods=_PODS))
    traffic.set("staging", Behaviour(rps=6, pods=("stage-a",)))
    return traffic


@pytest.mark.parametrize("error_ratio", [0.005, 0.02, 0.2, 1.0])
async def test_the_error_ratio_is_the_one_that_was_set(error_ratio: float) -> None:
    clock = ManualClock()
    traffic = _platform(clock)
    traffic.set("production", Behaviour(pods=_PODS, error_ratio=error_ratio, auth_error_ratio=error_ratio))
    await clock.advance(600)
    tolerance = 0.15 if error_ratio < 0.01 else 0.05
    assert _need(traffic, clock, _ratio(window="5m")) == pytest.approx(error_ratio, rel=tolerance)
    ingress = (
        'sum(rate(nginx_ingress_controller_requests{namespace="dotmac-production",status=~"5.."}[5m]))'
        ' / sum(rate(nginx_ingress_controller_requests{namespace="dotmac-production"}[5m]))'
    )
    assert _need(traffic, clock, ingress) == pytest.approx(error_ratio, rel=tolerance)


@pytest.mark.parametrize(
    ("p50_s", "p95_s"), [(0.045, 0.18), (0.2, 1.2), (0.012, 0.6), (0.8, 3.0), (0.06, 0.09)]
)
async def test_the_latencies_are_those_that_were_set(p50_s: float, p95_s: float) -> None:
    clock = ManualClock()
    traffic = _platform(clock, Behaviour(rps=120, pods=_PODS, p50_s=p50_s, p95_s=p95_s))
    assert _need(traffic, clock, _quantile(0.95, "5m")) == pytest.approx(p95_s, rel=0.08)
    assert _need(traffic, clock, _quantile(0.5, "5m")) == pytest.approx(p50_s, rel=0.3)
    assert _need(traffic, clock, _quantile(0.99, "5m")) >= _need(traffic, clock, _quantile(0.95, "5m"))


async def test_auth_errors_show_at_the_auth_paths_alone() -> None:
    clock = ManualClock()
    traffic = _platform(clock, Behaviour(pods=_PODS, auth_error_ratio=0.3, too_many_ratio=0.05, rps=100))
    assert _need(traffic, clock, _ratio(_AUTH, "5..", "10m")) == pytest.approx(0.3, rel=0.03)
    assert _need(traffic, clock, _ratio(_AUTH, "5..|429", "10m")) == pytest.approx(0.35, rel=0.03)
    other = _NOISE.replace('"/(', '"/(api/v1/auth/.*|')
    assert _at(traffic, clock, _ratio(other, "5..", "10m")) in {None, 0.0}


async def test_a_change_ramps_within_half_a_minute() -> None:
    clock = ManualClock()
    traffic = _platform(clock)
    await clock.advance(60)
    traffic.set("production", Behaviour(pods=_PODS, error_ratio=0.3))
    seen = []
    for _ in range(12):
        await clock.advance(15)
        seen.append(_need(traffic, clock, _ratio(window="1m")))
    assert seen[0] < 0.1
    assert all(two > one - 0.02 for one, two in pairwise(seen))
    assert seen[-1] == pytest.approx(0.3, rel=0.05)
    assert seen[7] == pytest.approx(0.3, rel=0.08)


async def test_yesterday_is_there_and_looks_like_today() -> None:
    clock = ManualClock()
    traffic = _platform(clock)
    today = _need(traffic, clock, "sum(rate(dotmac_http_requests_total[10m]))")
    yesterday = _need(traffic, clock, "sum(rate(dotmac_http_requests_total[10m] offset 1d))")
    assert today == pytest.approx(yesterday, rel=0.15)
    assert _need(traffic, clock, "count(up offset 1d)") == _need(traffic, clock, "count(up)")


async def test_nothing_is_sampled_in_the_future() -> None:
    clock = ManualClock()
    traffic = _platform(clock)
    ahead = clock.wall_us() // 1000 + 3_600_000
    assert at_steps(traffic, "up", [ahead]) == Vector([])


async def test_new_pods_begin_at_zero_and_the_old_ones_go_at_once() -> None:
    clock = ManualClock()
    traffic = _platform(clock)
    await clock.advance(300)
    traffic.set("production", Behaviour(pods=("new-a", "new-b")))
    await clock.advance(120)
    pods = at_steps(traffic, 'up{namespace="dotmac-production",pod!=""}', [clock.wall_us() // 1000])
    assert isinstance(pods, Vector)
    assert {label(row.labels, "pod") for row in pods.rows} == {"new-a", "new-b"}
    counted = _need(traffic, clock, 'sum(dotmac_http_requests_total{namespace="dotmac-production"})')
    assert 0 < counted < 120 * 60
    started = _need(traffic, clock, 'min(time() - process_start_time_seconds{pod=~"new-.*"})')
    assert 100 < started <= 120
    whole = 'sum(rate(nginx_ingress_controller_requests{namespace="dotmac-production"}[1m]))'
    assert _need(traffic, clock, whole) == pytest.approx(40, rel=0.3)


async def test_a_restart_resets_counters_and_is_counted() -> None:
    clock = ManualClock()
    traffic = _platform(clock)
    await clock.advance(60)
    traffic.restarted("production", "api-b")
    await clock.advance(60)
    assert _need(traffic, clock, 'kube_pod_container_status_restarts_total{pod="api-b"}') == 1
    assert _need(traffic, clock, "sum(increase(kube_pod_container_status_restarts_total[5m]))") > 0.9
    assert _need(traffic, clock, 'resets(process_start_time_seconds{pod="api-b"}[10m])') == 0
    assert _need(traffic, clock, 'changes(process_start_time_seconds{pod="api-b"}[10m])') == 1
    assert _need(traffic, clock, 'sum(dotmac_http_requests_total{pod="api-b"})') < 2000
    assert _need(traffic, clock, 'sum(rate(dotmac_http_requests_total{pod="api-b"}[1m]))') > 5


async def test_unscraped_pods_leave_a_gap_but_the_ingress_goes_on() -> None:
    clock = ManualClock()
    traffic = _platform(clock)
    await clock.advance(60)
    traffic.set("production", Behaviour(pods=_PODS, scraped=False))
    await clock.advance(90)
    assert _need(traffic, clock, 'sum(up{namespace="dotmac-production",job="dotmac-api"})') == 0
    assert _at(traffic, clock, _ratio(window="1m")) is None
    assert _at(traffic, clock, f"count(dotmac_http_requests_total{{{_NOISE}}})") is None
    assert _need(traffic, clock, "sum(rate(nginx_ingress_controller_requests[1m]))") > 20
    shown = {label(target.labels, "pod"): target for target in traffic.targets(clock.wall_us() // 1000)}
    assert not shown["api-a"].healthy
    assert shown["stage-a"].healthy


async def test_without_pods_the_ingress_answers_503() -> None:
    clock = ManualClock()
    traffic = _platform(clock)
    traffic.set("production", Behaviour(pods=()))
    await clock.advance(180)
    assert _at(traffic, clock, 'up{namespace="dotmac-production",job="dotmac-api"}') is None
    failed = 'sum(rate(nginx_ingress_controller_requests{namespace="dotmac-production",status="503"}[1m]))'
    assert _need(traffic, clock, failed) > 25


async def test_counters_never_fall_and_buckets_are_cumulative() -> None:
    clock = ManualClock()
    traffic = _platform(clock)
    for error_ratio in (0.1, 0.0, 0.6):
        await clock.advance(40)
        traffic.set("production", Behaviour(pods=_PODS, error_ratio=error_ratio))
    await clock.advance(200)
    now = clock.wall_us() // 1000
    for metric in ("requests_total", "request_duration_seconds_bucket", "request_duration_seconds_sum"):
        resets = at_steps(traffic, f"resets(dotmac_http_{metric}[1h])", [now])
        assert isinstance(resets, Vector)
        assert len(resets.rows) > 10
        assert all(row.values[0] == 0 for row in resets.rows)
    name = "dotmac_http_request_duration_seconds"
    buckets = at_steps(traffic, f'{name}_bucket{{pod="api-a",endpoint="/api/v1/jobs"}}', [now])
    assert isinstance(buckets, Vector)
    by_bound = sorted((float(label(row.labels, "le")), row.values[0]) for row in buckets.rows)
    assert [bound for bound, _ in by_bound] == list(BOUNDS_S)
    counts = [count for _, count in by_bound if count is not None]
    assert counts == sorted(counts)
    assert counts[-1] == _need(traffic, clock, f'{name}_count{{pod="api-a",endpoint="/api/v1/jobs"}}')


async def test_the_same_seed_and_story_give_the_same_samples() -> None:
    clock = ManualClock()
    first = _platform(clock)
    await clock.advance(100)
    first.set("production", Behaviour(pods=("n1", "n2"), error_ratio=0.1))
    steps = range(clock.wall_us() // 1000 - 900_000, clock.wall_us() // 1000 + 900_000, 15_000)
    query = "sum by (namespace, pod, status_code) (dotmac_http_requests_total)"
    at_steps(first, query, steps)
    await clock.advance(200)
    first.restarted("production", "n2")
    first.notified("webhook", failed=True)
    await clock.advance(100)
    answer = json.loads(json.dumps(first.to_json()))
    second = Traffic.from_json(answer, clock, PROGRAM).with_monitors()
    everything = '{job=~".+"}'
    assert at_steps(first, everything, steps) == at_steps(second, everything, steps)
    assert second.to_json() == first.to_json()
    assert second.behaviour("production") == first.behaviour("production")
    other = _platform(ManualClock(clock.wall_us() - 400_000_000), seed=8)
    assert at_steps(first, query, steps) != at_steps(other, query, steps)


async def test_notifications_are_counted() -> None:
    clock = ManualClock()
    traffic = _platform(clock)
    webhook = '{integration="webhook"}'
    assert _need(traffic, clock, f"alertmanager_notifications_total{webhook}") == 0
    traffic.notified("webhook")
    traffic.notified("webhook", failed=True)
    await clock.advance(16)
    assert _need(traffic, clock, f"alertmanager_notifications_total{webhook}") == 2
    assert _need(traffic, clock, f"alertmanager_notifications_failed_total{webhook}") == 1


async def test_a_change_of_the_past_is_seen() -> None:
    clock = ManualClock()
    traffic = _platform(clock)
    before = _need(traffic, clock, _ratio(window="5m"))
    traffic.set("production", Behaviour(pods=_PODS, error_ratio=0.5), at_s=clock.wall_us() / 1e6 - 900)
    assert before < 0.01
    assert _need(traffic, clock, _ratio(window="5m")) == pytest.approx(0.5, rel=0.05)


def test_the_shares_below_the_bounds_rise_to_one() -> None:
    for p50_s, p95_s in [(0.001, 0.002), (0.045, 0.18), (0.5, 9.0), (3.0, 30.0), (0.25, 0.25)]:
        shares = below_bounds(p50_s, p95_s)
        assert shares == sorted(shares)
        assert shares[-1] == 1.0
        assert all(0 <= share <= 1 for share in shares)


def test_the_sums_of_waves_are_their_integrals() -> None:
    waves = Waves("seed")
    start, end, count = 1234.5, 1934.5, 20_000
    width = (end - start) / count
    flat = sloped = 0.0
    for index in range(count):
        low = start + index * width
        part, _ = waves.sums(low, low + width)
        flat += part
        sloped += part * (low + width / 2 - start)
    exact_flat, exact_sloped = waves.sums(start, end)
    assert math.isclose(flat, exact_flat, rel_tol=1e-6)
    assert math.isclose(sloped, exact_sloped, rel_tol=1e-6)


async def test_samples_that_were_dropped_are_made_again_the_same() -> None:
    clock = ManualClock()
    traffic = _platform(clock)
    now = clock.wall_us() // 1000
    steps = range(now - 3_600_000, now, 60_000)
    query = 'dotmac_http_requests_total{pod="api-a"}'
    first = at_steps(traffic, query, steps)
    long_ago = at_steps(traffic, query, range(now - 40 * 3_600_000, now, 3_600_000))
    assert at_steps(traffic, query, steps) == first
    assert isinstance(long_ago, Vector)
    assert all(
        values == sorted(values)
        for values in ([value or 0.0 for value in row.values] for row in long_ago.rows)
    )
    target = next(one for key, one in traffic._targets.items() if key[1] == "pod/api-a")
    assert len(target._chunks) <= 16
