"""How an environment behaves, and what that means as rates of requests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from state.base.json import FieldError, JsonObject, decimal

BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf)
"""Upper bounds of every histogram of latencies, as programs export them."""

AUTH_SHARE = 0.12
"""The share of requests that log somebody in or ask who that is."""

NOT_FOUND_SHARE = 0.008
"""The share of other requests that ask for something which is not there, in any state of health."""

_Z95 = NormalDist().inv_cdf(0.95)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What an environment does from some time on.

    ``error_ratio`` is the share of all requests answered with 5xx; ``auth_error_ratio`` that of logins,
    ``auth_refused_ratio`` the share of those answered with 401, ``too_many_ratio`` the
    share of all answered with 429, ``limited_ratio`` that of all that are no logins. Latencies are in
    seconds. Without pods the ingress alone answers, with 503. ``scraped`` says whether Prometheus reaches
    the pods.
    """

    rps: float = 40.0
    error_ratio: float = 0.001
    auth_error_ratio: float = 0.0005
    p50_s: float = 0.045
    p95_s: float = 0.18
    too_many_ratio: float = 0.0
    scraped: bool = True
    pods: tuple[str, ...] = ()
    auth_refused_ratio: float = 0.004
    limited_ratio: float = 0.0


def need_number(body: JsonObject, key: str) -> float:
    """Return a number.

    Raises FieldError where there is none.
    """
    value = decimal(body, key)
    if value is None:
        raise FieldError(f"field {key!r}: a number was expected")
    return value


@dataclass(frozen=True, slots=True)
class Flow:
    """Places in the vector of rates."""

    OK = 0
    NOT_FOUND = 1
    ERROR = 2
    TOO_MANY = 3
    AUTH_OK = 4
    AUTH_REFUSED = 5
    AUTH_ERROR = 6
    AUTH_TOO_MANY = 7
    UNSERVED = 8
    SECONDS = 9
    BUCKETS = 10
    LENGTH = 10 + len(BOUNDS_S)


def rates(behaviour: Behaviour) -> list[float]:
    """Return requests per second by ``Flow``; SECONDS is the time spent, BUCKETS are cumulative."""
    out = [0.0] * Flow.LENGTH
    rps = max(0.0, behaviour.rps)
    if not behaviour.pods:
        out[Flow.UNSERVED] = rps
        return out
    auth = rps * AUTH_SHARE
    other = rps - auth
    too_many = _share(behaviour.too_many_ratio)
    auth_error = min(_share(behaviour.auth_error_ratio), 1 - too_many)
    auth_refused = min(_share(behaviour.auth_refused_ratio), 1 - too_many - auth_error)
    limited = max(too_many, _share(behaviour.limited_ratio))
    error = (_share(behaviour.error_ratio) * rps - auth_error * auth) / other if other else 0.0
    error = max(0.0, min(error, 1 - limited))
    not_found = min(NOT_FOUND_SHARE, 1 - limited - error)
    out[Flow.OK] = other * (1 - limited - error - not_found)
    out[Flow.NOT_FOUND] = other * not_found
    out[Flow.ERROR] = other * error
    out[Flow.TOO_MANY] = other * limited
    out[Flow.AUTH_OK] = auth * (1 - too_many - auth_error - auth_refused)
    out[Flow.AUTH_REFUSED] = auth * auth_refused
    out[Flow.AUTH_ERROR] = auth * auth_error
    out[Flow.AUTH_TOO_MANY] = auth * too_many
    for index, below in enumerate(below_bounds(behaviour.p50_s, behaviour.p95_s)):
        out[Flow.BUCKETS + index] = rps * below
    sigma = _sigma(behaviour.p50_s, behaviour.p95_s)
    out[Flow.SECONDS] = rps * behaviour.p50_s * math.exp(sigma * sigma / 2)
    return out


def _share(ratio: float) -> float:
    return max(0.0, min(1.0, ratio))


def _sigma(p50_s: float, p95_s: float) -> float:
    return max(0.05, math.log(max(p95_s, p50_s * 1.01) / p50_s) / _Z95)


def below_bounds(p50_s: float, p95_s: float) -> list[float]:
    """Return the share of requests at or below each bound of the histogram.

    A log-normal distribution, bent so that interpolation within buckets gives ``p95_s``, and ``p50_s`` where
    the two lie in different buckets.
    """
    spread = NormalDist(math.log(p50_s), _sigma(p50_s, p95_s))
    shares = [1.0 if bound == math.inf else spread.cdf(math.log(bound)) for bound in BOUNDS_S]
    _bend(shares, 0.5, p50_s, 0)
    _bend(shares, 0.95, p95_s, _bucket(p50_s) + 1)
    for index in range(1, len(shares)):
        shares[index] = max(shares[index], shares[index - 1])
    return shares


def _bucket(value: float) -> int:
    return next(index for index, bound in enumerate(BOUNDS_S) if value <= bound)


def _bend(shares: list[float], fraction: float, value: float, fixed: int) -> None:
    """Change the shares round ``value`` so that its quantile is ``fraction``; those below ``fixed`` stay."""
    index = _bucket(value)
    bound = BOUNDS_S[index]
    if bound == math.inf:
        return
    low = BOUNDS_S[index - 1] if index else 0.0
    below = shares[index - 1] if index else 0.0
    part = (value - low) / (bound - low)
    if index - 1 >= fixed and part < 1:
        expected = (fraction - part * shares[index]) / (1 - part)
        least = shares[index - 2] if index > 1 else 0.0
        if least <= expected <= fraction:
            shares[index - 1] = expected
            return
    shares[index] = min(0.9995, max(fraction, below + (fraction - below) / part))
