"""What the routes of one platform share, and what a request and an answer are to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from console.rehearsal.dotmac.platform.database import Activity, Database
from console.rehearsal.dotmac.platform.records import Line, Records
from console.rehearsal.dotmac.platform.routes.limits import Limiter
from console.rehearsal.dotmac.platform.seeds import ANONYMOUS, Account, Tenant, iso
from console.rehearsal.dotmac.platform.settings import Feature, Fixed, PlatformSettings, Recording
from console.rehearsal.sim.seeded import identifier, key
from state.base.clock import SECOND_US, Clock
from state.base.json import Json, JsonObject, obj

TENANT_REQUIRED = "Tenant ID is required"
NO_TENANT = "a tenant without anything"


@dataclass(slots=True)
class Core:
    """One environment's platform: its switches, accounts, rows and records."""

    environment: str
    settings: PlatformSettings
    clock: Clock
    seed: int
    accounts: Mapping[str, Account]
    """By user name."""
    database: Database
    metrics_text: Callable[[str], str]
    api_host: str
    admin_host: str
    records: Records = field(default_factory=Records)
    ids: Iterator[int] = field(default_factory=lambda: iter(range(1, 1 << 62)))
    limiter: Limiter = field(init=False)
    dice: Random = field(init=False)
    failed_logins: dict[str, int] = field(default_factory=dict)
    began_us: int = field(init=False)
    _late: list[tuple[int, Activity]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.limiter = Limiter(self.clock)
        self.began_us = self.now_us()
        self.dice = Random(f"{self.seed} {self.environment} requests")

    def now_us(self) -> int:
        """Return the clock's wall time, microseconds."""
        return self.clock.wall_us()

    def key(self, name: str) -> str:
        """Return one of the environment's secrets, such as "jwt" or "webhook"."""
        return key(self.seed, self.environment, name)

    def new_id(self, kind: str) -> str:
        """Return a UUID that no other call gets."""
        return identifier(self.seed, self.environment, kind, str(next(self.ids)), str(self.now_us()))

    def record(self, activity: Activity) -> None:
        """Write an audit row, now, later or not at all, as the switches say."""
        now = self.now_us()
        match self.settings.flows.audit:
            case Recording.ON:
                self.database.record(activity, now)
            case Recording.DELAYED:
                self._late.append((now, activity))
            case Recording.OFF:
                pass

    def record_from(self, activity: Activity, call: Call) -> None:
        """Write an audit row with where its request came from."""
        agent = call.headers.get("User-Agent", "")[:200]
        self.record(replace(activity, source=call.source, user_agent=agent, request_id=call.request_id))

    def settle(self) -> None:
        """Do what is due by now: late audit rows, the worker's jobs, switches of the database."""
        flows = self.settings.flows
        self.database.reconcile(self.settings.database)
        delay_us = int(flows.audit_delay_s * SECOND_US) if flows.audit is Recording.DELAYED else 0
        due = [one for one in self._late if one[0] + delay_us <= self.now_us()]
        for one in due:
            self._late.remove(one)
            self.database.record(one[1], one[0])
        if not flows.jobs_stuck:
            self.database.work(queue_s=flows.job_queue_s, run_s=flows.job_run_s, fail=flows.jobs_fail)

    def log(self, level: str, message: str, correlation_id: str = "", trace_id: str = "") -> None:
        """Add a line to the API's log; DEBUG lines only where the log's level lets them through."""
        if level != "DEBUG" or self.settings.health.log_level == "DEBUG":
            self.records.lines.append(Line(self.now_us(), level, message, correlation_id, trace_id))


@dataclass(slots=True)
class Call:
    """One request, as a route sees it."""

    core: Core
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names are matched without regard to case."""
    cookies: Mapping[str, str]
    body: bytes
    source: str
    correlation_id: str
    request_id: str
    through_ingress: bool
    account: Account | None = None
    params: dict[str, str] = field(default_factory=dict)

    @property
    def role(self) -> str:
        """The caller's role, or "anonymous"."""
        return self.account.role if self.account else ANONYMOUS

    @property
    def settings(self) -> PlatformSettings:
        """The environment's switches."""
        return self.core.settings

    def json(self) -> JsonObject:
        """Return the body as a JSON object, empty where it is none."""
        try:
            return obj(json.loads(self.body))
        except ValueError:
            return {}

    def tenant_id(self) -> str | None:
        """Return the tenant that this call is about.

        A platform admin chooses one by header; for anybody else a foreign X-Tenant-ID is silently ignored.
        """
        if self.account is None:
            return None
        asked = self.headers.get("X-Target-Tenant-ID") or self.headers.get("X-Tenant-ID")
        home = self.account.tenant
        free = home is None or self.settings.auth.foreign_tenant_served
        if home is not None and self.names_another(home):
            return NO_TENANT
        if asked and free:
            rows = self.core.database.query("SELECT id FROM tenants WHERE id = ? OR slug = ?", asked, asked)
            if rows:
                return str(rows[0]["id"])
        return home.id if home else None

    def names_another(self, home: Tenant) -> bool:
        """Return whether a member names another tenant, and is shown it although it has nothing."""
        asked = self.headers.get("X-Target-Tenant-ID") or self.headers.get("X-Tenant-ID")
        return bool(self.settings.auth.foreign_tenant_empty and asked and asked not in {home.id, home.slug})

    def number(self, name: str, default: int) -> int:
        """Return a whole number of the query string."""
        value = self.query.get(name, "")
        return int(value) if value.isdigit() else default


@dataclass(slots=True)
class Answer:
    """What a route answers."""

    status: int = 200
    body: Json | bytes = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    content_type: str = "application/json"

    def payload(self) -> bytes:
        """Return the body's bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, separators=(",", ":")).encode()


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the API: who may call it and what answers.

    ``anonymous`` is the status without a login, ``denied`` that of roles which may not.
    """

    method: str
    path: str
    handler: Handler
    anonymous: int = 400
    denied: Mapping[str, int] = field(default_factory=dict)
    feature: Callable[[PlatformSettings], Feature] | None = None


def text_answer(body: str, status: int = 200, content_type: str = "text/plain") -> Answer:
    """Return an answer in plain text or HTML."""
    return Answer(status, body.encode(), content_type=content_type)


def fixed_answer(fixed: Fixed) -> Answer:
    """Return an answer that is given whatever is asked."""
    headers = [("Location", fixed.location)] if fixed.location else []
    return Answer(fixed.status, fixed.text.encode(), headers, fixed.content_type)


def error(call: Call, status: int, message: str, code: str = "") -> Answer:
    """Return an error in the platform's format."""
    details: dict[str, Json] = {}
    if status >= 500 and call.settings.health.stack_traces:
        details["stack_trace"] = (
            "Traceback (most recent call last):\n"
            f'  File "/app/src/dotmac/platform/main.py", line 211, in {call.method} {call.path}\n'
            "RuntimeError: forced"
        )
    body: JsonObject = {
        "error_code": code or _CODES.get(status, "ERROR"),
        "message": message,
        "user_message": message,
        "correlation_id": call.correlation_id,
        "timestamp": iso(call.core.now_us()),
        "status": status,
        "severity": "critical" if status >= 500 else "warning",
        "category": "system" if status >= 500 else "request",
        "retryable": status >= 500,
        "details": details,
        "detail": message,
    }
    return Answer(status, body)


_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    422: "VALIDATION_ERROR",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "SERVICE_UNAVAILABLE",
}
