"""Who gets in, as what, and whether it is written down."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from pydantic import JsonValue

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.http import MAIN
from checks.judging import STEADY, Findings, key, lookup
from state.base.json import Json, JsonObject, items, obj, text
from state.base.numbers import plural
from state.base.times import SECOND_US
from state.runbook.units import Seconds
from state.view.enums import Judges

if TYPE_CHECKING:
    from checks.clients.http import WebClient

ANONYMOUS: Final = "anonymous"


class ForgedSettings(Settings):
    """Tokens that nobody may be able to make."""

    path: str
    """A path that tells whether a token is good."""
    keys: tuple[str, ...] = ("",)
    """Published signing keys; the empty one is what an unset key often becomes."""
    claims: dict[str, JsonValue] = {}
    """Claims that would give the most rights."""
    refused: tuple[int, ...] = (400, 401, 403)
    """Statuses that refuse a token."""


@check("auth.forged_tokens", ForgedSettings, ttl=STEADY, judges=Judges.CANDIDATE)
async def forged_tokens(settings: ForgedSettings, context: CheckContext) -> Outcome:
    """Judge that tokens signed with an empty or published key, or not at all, are refused."""
    findings = Findings()
    now = context.clock.wall_us() // SECOND_US
    claims = {"iat": now, "exp": now + 300, **settings.claims}
    tokens = {f"key {number}": _hs256(claims, signing) for number, signing in enumerate(settings.keys)}
    if "" in settings.keys:
        tokens["the empty key"] = tokens.pop(f"key {settings.keys.index('')}")
    tokens["no signature (alg none)"] = _unsigned(claims)
    tokens["a random key"] = _hs256(claims, secrets.token_hex(32))
    for name, token in tokens.items():
        headers = {"Authorization": f"Bearer {token}"}
        reply = await findings.look(context.clients.web(context.tier).get(MAIN, settings.path, headers))
        if reply is None:
            continue
        findings.saw(key(name), reply.status)
        if 200 <= reply.status <= 299:
            findings.wrong(f"a token signed with {name} is accepted at {settings.path} ({reply.status})")
        elif reply.status not in settings.refused:
            findings.blind(f"a token signed with {name} is answered with {reply.status}; expected 401")
    return findings.outcome(
        f"{plural(len(tokens), 'forged token is', 'forged tokens are')} refused at {settings.path}"
    )


def _part(value: Mapping[str, Json]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def _hs256(claims: Mapping[str, Json], signing: str) -> str:
    body = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    mark = hmac.new(signing.encode(), body.encode(), sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"


def _unsigned(claims: Mapping[str, Json]) -> str:
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."


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


@check("auth.roles", RolesSettings, ttl=STEADY, leaves="logins of the test accounts", judges=Judges.CANDIDATE)
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
            asked += 1
            seen[key(role)] = reply.status
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
    homes = _owners(own.need_success(expected="the account's own data").json(), foreign)
    others = [text(obj(tenant), foreign.id_field) for tenant in tenants]
    other = next((one for one in others if one and one not in homes), None)
    if other is None or not homes:
        findings.blind(
            "no second tenant, or no data of the own one: reading across tenants could not be tried"
        )
        return
    reply = await web.get_as(foreign.role, foreign.path, {header: other})
    if reply.status >= 400:
        findings.saw("foreign_tenant", f"refused with {reply.status}")
        return
    leaked = _owners(reply.json(), foreign) - homes
    findings.saw("foreign_tenant", "served" if leaked else "ignored: own data")
    if leaked:
        findings.wrong(
            f"{foreign.role} reads another tenant's data at {foreign.path} by naming it in {header}"
        )


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
    findings.need(bool(row), f"a failed login is not in the audit trail after {waited}s ({settings.path})")
    if settings.sql is not None:
        findings.saw("rows_in_database", counted)
        findings.need(counted > 0, f"a failed login has no audit row in the database after {waited}s")
    return findings.outcome(f"a failed login was in the audit trail after {waited}s")


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
