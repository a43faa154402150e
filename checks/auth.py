"""Who gets in, as what, and whether it is written down."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Final

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.http import MAIN
from checks.guides import accounts
from checks.judging import STEADY, Findings, key, lookup
from checks.unobserved import unobserved
from state.base.json import Json, JsonObject, items, obj, text
from state.base.numbers import plural
from state.base.times import SECOND_US
from state.runbook.units import Seconds
from state.view.enums import Judges

if TYPE_CHECKING:
    from checks.clients.http import WebClient

ANONYMOUS: Final = "anonymous"
_OF_THE_EVENT: Final = re.compile(
    r"action|activity|event|type|status|outcome|result|severity|message", re.IGNORECASE
)
_OTHERS: Final = 2
"""Other tenants that are named: the first may be an empty one."""
_SUCCESS: Final = re.compile(r"succe|\bok\b|accept|grant|allow", re.IGNORECASE)
_FAILURE: Final = re.compile(
    r"fail|den(?:y|ied)|refus|reject|invalid|error|unsucce|wrong|bad|unauthori|forbid", re.IGNORECASE
)


class Foreign(Settings):
    """A try to read another tenant's data by naming it in a header."""

    role: str
    """Who tries."""
    path: str
    """What it tries to read."""
    list_path: str
    """Where an administrator finds tenants."""
    list_role: str
    """Who may list the tenants."""
    items: str = "items"
    """Where the tenants are in that answer, dotted."""
    id_field: str = "id"
    """Where a tenant's id is."""
    owner_field: str
    """Where a row names its tenant."""
    rows: str = "items"
    """Where the rows are in the answer, dotted."""


class RolesSettings(Settings):
    """Who may read what."""

    matrix: dict[str, dict[str, tuple[int, ...]]]
    """Path -> role (or ``anonymous``) -> the statuses that are right."""
    foreign: Foreign | None = None
    """A try to read another tenant's data; left out: none is made."""


@check(
    "auth.roles",
    RolesSettings,
    guide=accounts.ROLES,
    ttl=STEADY,
    leaves="logins of the test accounts",
    judges=Judges.CANDIDATE,
)
async def roles(settings: RolesSettings, context: CheckContext) -> Outcome:
    """Judge every role on every path, and that nobody reads another tenant's data.

    Logs the test accounts in.
    """
    findings = Findings()
    web = context.clients.web(context.tier)
    asked = 0
    for path, expected in settings.matrix.items():
        seen: dict[str, Json] = {}
        for role, statuses in expected.items():
            reply = await findings.look(web.get_as(None if role == ANONYMOUS else role, path))
            if reply is None:
                continue
            seen[key(role)] = reply.status
            if reply.status not in statuses and (why := unobserved(reply)):
                findings.blind(f"{role} at {path} {why}")
                continue
            asked += 1
            if reply.status not in statuses:
                required = " or ".join(map(str, statuses))
                findings.wrong(f"{role} gets {reply.status} at {path}; expected {required}")
        findings.saw(key(path), seen)
    if settings.foreign is not None:
        await findings.look(
            _foreign(settings.foreign, web, findings, context.environment.login.tenant_header)
        )
    return findings.outcome(
        f"{plural(asked, 'answer')} to {plural(len(settings.matrix), 'path')} as the roles allow"
    )


async def _foreign(foreign: Foreign, web: WebClient, findings: Findings, header: str) -> None:
    expected = "a list of tenants"
    own = await web.get_as(foreign.role, foreign.path)
    listing = await web.get_as(foreign.list_role, foreign.list_path)
    tenants = items(lookup(listing.need_success(expected=expected).json(expected), foreign.items))
    mine = own.need_success(expected="the account's own data").json()
    homes = _owners(mine, foreign)
    others = [text(obj(tenant), foreign.id_field) for tenant in tenants]
    others = [one for one in others if one and one not in homes]
    if not others or not homes:
        findings.blind(
            "no second tenant, or no data of the own one: reading across tenants could not be tried"
        )
        return
    seen = [await _read_as(other, foreign, web, homes, header, findings) for other in others[:_OTHERS]]
    findings.saw("foreign_tenant", seen[0] if len(set(seen)) == 1 else list(dict.fromkeys(seen)))


async def _read_as(
    other: str, foreign: Foreign, web: WebClient, homes: set[str], header: str, findings: Findings
) -> str:
    """Name another tenant, and return what came of it: refused, ignored, or served."""
    reply = await web.get_as(foreign.role, foreign.path, {header: other})
    if (why := unobserved(reply)) or reply.status >= 500:
        findings.blind(
            f"{foreign.path} as {foreign.role} of another tenant {why or f'answers {reply.status}'}"
        )
        return f"not seen ({reply.status})"
    if reply.status >= 400:
        return f"refused with {reply.status}"
    owners = _owners(reply.need_success(expected="the account's own data, or a refusal").json(), foreign)
    if owners - homes:
        findings.wrong(
            f"{foreign.role} reads another tenant's data at {foreign.path} by naming it in {header}"
        )
        return "served"
    if not owners:
        findings.wrong(
            f"{foreign.role} is another tenant's at {foreign.path} by naming it in {header}: its own data is gone, "
            "and what is shown instead is only empty now"
        )
        return "served, and empty"
    return "ignored: own data"


def _owners(answer: Json, foreign: Foreign) -> set[str]:
    return {text(obj(row), foreign.owner_field) for row in items(lookup(answer, foreign.rows))} - {""}


class AuditSettings(Settings):
    """Where a failed login must appear."""

    path: str
    """The audit trail of the API."""
    role: str
    """Who may read the audit trail."""
    rows: str
    """Where its rows are in the answer, dotted."""
    sql: str | None = None
    """A query with ``:username`` that counts the rows in the database."""
    within: Seconds = 30.0
    """Seconds of the launch's clock."""


@check(
    "audit.recorded",
    AuditSettings,
    guide=accounts.AUDIT,
    ttl=STEADY,
    leaves="a failed login in the audit trail",
    judges=Judges.CANDIDATE,
)
async def recorded(settings: AuditSettings, context: CheckContext) -> Outcome:
    """Judge that a failed login with a unique name is in the audit trail soon afterwards."""
    findings = Findings()
    web = context.clients.web(context.tier)
    login = context.environment.login
    username = f"launch-console-{secrets.token_hex(6)}"
    body = {login.username_field: username, login.password_field: "not-the-password"}
    attempt = await web.send("POST", MAIN, login.path, json=body)
    findings.saw("probe", username)
    findings.saw("attempt", attempt.status)
    if attempt.status not in {400, 401, 403, 422}:
        findings.blind(f"the failed login was answered with {attempt.status}; expected 401")
        return findings.outcome("")
    started = context.clock.mono_us()
    row: JsonObject = {}
    counted = 0
    while True:
        row = await _find(settings, web, username)
        if settings.sql is not None:
            counted = await _count(settings.sql, context, username)
        waited = (context.clock.mono_us() - started) // SECOND_US
        if (row and (counted or settings.sql is None)) or waited >= settings.within:
            break
        await context.clock.sleep(1.0)
    findings.saw("waited_s", waited)
    findings.saw(
        "row", {name: text(row, name) for name in ("id", "activity_type", "action", "timestamp") if row}
    )
    findings.need(
        not as_a_success(row, username),
        f"the audit trail holds the failed login as one that succeeded ({settings.path})",
    )
    findings.need(bool(row), f"a failed login is not in the audit trail after {waited}s ({settings.path})")
    if settings.sql is not None:
        findings.saw("rows_in_database", counted)
        findings.need(counted > 0, f"a failed login has no audit row in the database after {waited}s")
    return findings.outcome(f"a failed login was in the audit trail after {waited}s")


def as_a_success(row: JsonObject, username: str) -> bool:
    """Return whether a row tells of a success, and nothing in it of a failure."""
    words = " ".join(
        str(value)
        for name, value in row.items()
        if isinstance(value, str) and username not in value and _OF_THE_EVENT.search(name)
    )
    flags = [row[name] for name in ("success", "succeeded", "successful") if isinstance(row.get(name), bool)]
    told = bool(_SUCCESS.search(words)) and not _FAILURE.search(words)
    return told or (True in flags and not _FAILURE.search(words))


async def _find(settings: AuditSettings, web: WebClient, username: str) -> JsonObject:
    reply = await web.get_as(settings.role, settings.path)
    answer = reply.need_success(expected="the audit trail", permission="read the audit trail").json(
        "the audit trail"
    )
    rows = (obj(row) for row in items(lookup(answer, settings.rows)))
    return next((row for row in rows if username in json.dumps(row)), {})


async def _count(sql: str, context: CheckContext, username: str) -> int:
    found = await context.clients.sql(context.tier).scalar(sql, {"username": username})
    return found if isinstance(found, int) else 0
