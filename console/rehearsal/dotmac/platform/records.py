"""What a request leaves behind: log lines, spans, counters. Bounded, in memory."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field

from state.base.json import JsonObject

_TRACES = 2000
_LINES = 5000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the API's log."""

    at_us: int
    level: str
    message: str
    correlation_id: str = ""
    trace_id: str = ""

    def text(self) -> str:
        """Return the line as the pod prints it."""
        ids = f" correlation_id={self.correlation_id}" if self.correlation_id else ""
        trace = f" trace_id={self.trace_id}" if self.trace_id else ""
        return f"{self.level} {self.message}{ids}{trace}"


@dataclass(frozen=True, slots=True)
class Span:
    """One request as tracing sees it."""

    trace_id: str
    span_id: str
    parent_id: str
    operation: str
    start_us: int
    duration_us: int
    tags: JsonObject


@dataclass(slots=True)
class Records:
    """The log, the spans by trace id and the counted requests of one platform."""

    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=_LINES))
    spans: OrderedDict[str, list[Span]] = field(default_factory=OrderedDict)
    requests: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    """(method, path, status) -> answers, of those that the real platform counts."""

    def trace(self, span: Span) -> None:
        """Keep a span; the oldest trace goes when there are too many."""
        self.spans.setdefault(span.trace_id, []).append(span)
        while len(self.spans) > _TRACES:
            self.spans.popitem(last=False)
