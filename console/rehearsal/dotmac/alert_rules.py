"""The alert rules that watch the platform: every metric in them exists."""

from __future__ import annotations

from console.rehearsal.dotmac.names import Env
from console.rehearsal.sim.prometheus.rules import AlertRule

_NOISE = 'endpoint!~"/(health.*|ready|metrics.*)"'


def rules() -> list[AlertRule]:
    """Return the rules of both environments."""
    return [rule for env in Env for rule in _rules(env)]


def _rules(env: Env) -> list[AlertRule]:
    where = f'namespace="{env.namespace}"'
    asked = f"sum(rate(dotmac_http_requests_total{{{where},{_NOISE}}}[2m]))"
    failed = f'sum(rate(dotmac_http_requests_total{{{where},{_NOISE},status_code=~"5.."}}[2m]))'
    buckets = f"rate(dotmac_http_request_duration_seconds_bucket{{{where},{_NOISE}}}[2m])"
    auth = f'endpoint=~"/api/v1/auth/.*",{where}'
    auth_asked = f"sum(rate(dotmac_http_requests_total{{{auth}}}[2m]))"
    auth_failed = f'sum(rate(dotmac_http_requests_total{{{auth},status_code=~"5..|429"}}[2m]))'

    def rule(name: str, expression: str, for_s: float, severity: str, words: str) -> AlertRule:
        labels = {"severity": severity, "namespace": env.namespace, "environment": env.value}
        return AlertRule(name, expression, for_s, labels, {"summary": words}, group=f"dotmac-{env}")

    return [
        rule("HighErrorRate", f"{failed} / {asked} > 0.05", 120, "critical", "over 5 % of requests fail"),
        rule("AuthErrors", f"{auth_failed} / {auth_asked} > 0.05", 120, "critical", "logins fail"),
        rule(
            "HighLatency",
            f"histogram_quantile(0.95, sum by (le) ({buckets})) > 2",
            300,
            "warning",
            "p95 over 2 seconds",
        ),
        rule("TargetDown", f"up{{{where}}} == 0", 60, "critical", "Prometheus cannot reach a target"),
        rule(
            "ContainerRestarting",
            f"increase(kube_pod_container_status_restarts_total{{{where}}}[15m]) > 2",
            0,
            "warning",
            "a container restarts again and again",
        ),
    ]
