"""What the service exports, and the rules that watch it."""

from __future__ import annotations

from console.rehearsal.sim.prometheus.rules import AlertRule
from console.rehearsal.web_service.names import Names
from console.rehearsal.world.traffic.behaviour import Flow
from console.rehearsal.world.traffic.exported import Birth, Exported, Program

REQUESTS = "http_requests_total"
DURATION = "http_request_duration_seconds"
_HANDLERS = (("/", 0.4), ("/products", 0.5), ("/cart", 0.1))
_CODES = {
    "200": (Flow.OK, Flow.AUTH_OK, Flow.AUTH_REFUSED),
    "404": (Flow.NOT_FOUND,),
    "429": (Flow.TOO_MANY, Flow.AUTH_TOO_MANY),
    "500": (Flow.ERROR, Flow.AUTH_ERROR),
}


def program(names: Names) -> Program:
    """Return the service as a program that is scraped."""
    metadata = {
        REQUESTS: ("counter", "Requests by handler and status code."),
        DURATION: ("histogram", "How long requests took."),
    }
    return Program(names.part, 8080, names.part, _of_pod, metadata)


def _of_pod(birth: Birth) -> list[Exported]:
    out: list[Exported] = []
    for handler, share in _HANDLERS:
        pairs = (("handler", handler), ("method", "get"))
        for code, flows in _CODES.items():
            out.append(birth.counter(birth.named(REQUESTS, *pairs, ("code", code)), flows, share))
        out.extend(birth.histogram(DURATION, pairs, (), share))
    return out


def rules(names: Names) -> list[AlertRule]:
    """Return the alert rules of every environment of the service."""
    out = []
    for site in names.sites.values():
        where = f'namespace="{site.namespace}"'
        failed = f'sum(rate({REQUESTS}{{{where},code=~"5.."}}[2m]))'
        asked = f"sum(rate({REQUESTS}{{{where}}}[2m]))"
        slow = f"histogram_quantile(0.95, sum by (le) (rate({DURATION}_bucket{{{where}}}[2m])))"
        for name, expression, for_s, severity, words in (
            ("WebErrors", f"{failed} / {asked} > 0.05", 120, "critical", "over 5 % of requests fail"),
            ("WebSlow", f"{slow} > 2", 300, "warning", "p95 over 2 seconds"),
        ):
            labels = {"severity": severity, "namespace": site.namespace, "environment": site.tier.value}
            group = f"{site.release}-{site.tier}"
            out.append(AlertRule(name, expression, for_s, labels, {"summary": words}, group=group))
    return out
