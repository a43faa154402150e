"""The settings are production's own, final, and quiet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.http import MAIN, Surface
from checks.judging import STEADY, Findings, key, lookup
from checks.workloads import config_values, first_part, ingresses, pods
from state.base.json import objs, path, text
from state.base.numbers import plural
from state.base.text import line
from state.view.enums import Judges

if TYPE_CHECKING:
    from checks.clients.http import WebClient

_SCRIPT: Final = re.compile(r"""<script[^>]+src=["']([^"']+)["']""", re.IGNORECASE)
_SCRIPTS_READ: Final = 20


class PlaceholdersSettings(Settings):
    """What an unfinished configuration looks like."""

    address_keys: tuple[str, ...] = ("URL", "HOST", "ENDPOINT", "ORIGINS", "DOMAIN")
    """Parts of the names of settings that hold addresses."""
    placeholders: tuple[str, ...] = (
        "localhost",
        "127.0.0.1",
        "0.0.0.0",
        "example.com",
        "yourdomain",
        "change-me",
        "changeme",
    )
    """Parts that no final address has."""
    exact: dict[str, str] = {}
    """Setting -> its right value; ``{api}`` stands for the https origin of the domain ``api``."""
    ignored: tuple[str, ...] = ()
    """Settings that are not judged."""
    surface: Surface = MAIN
    """The domain of the pages."""
    pages: tuple[str, ...] = ("/",)
    """Pages whose scripts are read; none: no script is looked for."""
    baked: tuple[str, ...] = ("localhost:8000", "localhost:3000", "127.0.0.1")
    """What a script must not hold: addresses that were built in."""


@check("config.placeholders", PlaceholdersSettings, ttl=STEADY, judges=Judges.CANDIDATE, rendered=True)
async def placeholders(settings: PlaceholdersSettings, context: CheckContext) -> Outcome:
    """Judge that settings, ingress, helm values and the pages' scripts name the final domains."""
    findings = Findings()
    web = context.clients.web(context.tier)
    values = await findings.look(config_values(context))
    if values is not None:
        _settings(
            settings, values, {word: web.url(word) for word in context.environment.domains.named()}, findings
        )
    await _ingress(context, findings)
    if context.first():
        findings.defer("the scripts of the pages: nothing serves them yet")
    else:
        await _scripts(settings, web, findings)
    return findings.outcome("settings, ingress and scripts name the final domains")


def _settings(
    settings: PlaceholdersSettings, values: Mapping[str, str], origins: Mapping[str, str], findings: Findings
) -> None:
    judged = 0
    for name, value in values.items():
        if name in settings.ignored or not any(part in name.upper() for part in settings.address_keys):
            continue
        judged += 1
        hit = next(
            (placeholder for placeholder in settings.placeholders if placeholder in value.lower()), None
        )
        findings.need(hit is None, f"{name} holds the placeholder {hit}")
    for name, pattern in settings.exact.items():
        expected = pattern
        for word, origin in origins.items():
            expected = expected.replace(f"{{{word}}}", origin)
        right = values.get(name, "").rstrip("/") == expected.rstrip("/")
        findings.saw(key(name), "as expected" if right else "not as expected")
        findings.need(right, f"{name} is {'not ' + expected if name in values else 'not set'}")
    findings.saw("addresses_judged", judged)
    if not judged:
        findings.blind("the release has no setting that holds an address; expected some")


async def _ingress(context: CheckContext, findings: Findings) -> None:
    listed = await findings.look(ingresses(context))
    if listed is None:
        return
    hosts = {text(rule, "host") for item in listed for rule in objs(path(item, ("spec", "rules")))}
    expected = {domain.host for domain in context.environment.domains.all()}
    findings.saw("ingress_hosts", sorted(hosts))
    for host in sorted(expected - hosts):
        findings.wrong(f"no ingress serves {host}")
    for host in sorted(hosts - expected):
        findings.wrong(f"an ingress serves {host or 'every host'}, which the runbook does not name")


async def _scripts(settings: PlaceholdersSettings, web: WebClient, findings: Findings) -> None:
    sources: set[str] = set()
    for page in settings.pages:
        reply = await findings.look(web.get(settings.surface, page))
        if reply is None:
            continue
        if reply.status != 200:
            name = f"{web.word(settings.surface)} {page}"
            findings.blind(f"{name} answers {reply.status}; expected a page whose scripts can be read")
            continue
        sources |= {
            one for one in _SCRIPT.findall(reply.text) if one.startswith("/") and not one.startswith("//")
        }
    read = 0
    for source in sorted(sources)[:_SCRIPTS_READ]:
        reply = await findings.look(web.get(settings.surface, source))
        if reply is None:
            continue
        read += 1
        hit = next((one for one in settings.baked if one in reply.text), None)
        findings.need(
            hit is None, f"the {web.word(settings.surface)} script {line(source, 80)} has {hit} built in"
        )
    findings.saw("scripts_read", read)
    if settings.pages and not read:
        findings.blind("the pages name no script, so built-in addresses could not be looked for")


class DebugSettings(Settings):
    """What debugging looks like."""

    forbidden: dict[str, tuple[str, ...]]
    """Setting -> values (any case) that must not be; ``*`` means any value."""
    health_path: str = "/health"
    """Where the platform tells its health."""
    environment_field: str | None = None
    """Where the health answer says which environment it believes to be."""
    environment: str = "production"
    """What it must say there."""
    closed: tuple[str, ...] = ("/docs", "/redoc")
    """Paths that only developers need: 404."""
    log_part: str | None = None
    """The part whose log is read."""
    log_pattern: str = r"\bDEBUG\b"
    """A regular expression that no line may match."""
    log_lines: int = 300
    """How many of the newest lines are read."""


@check("config.debug_off", DebugSettings, ttl=STEADY, judges=Judges.CANDIDATE, rendered=True)
async def debug_off(settings: DebugSettings, context: CheckContext) -> Outcome:
    """Judge by settings, answers and log lines that debugging is off."""
    findings = Findings()
    values = await findings.look(config_values(context))
    for name, bad in settings.forbidden.items() if values is not None else ():
        value = (values or {}).get(name)
        hit = value is not None and ("*" in bad or value.strip().lower() in {one.lower() for one in bad})
        findings.saw(key(name), "absent" if value is None else "debugging" if hit else "ok")
        findings.need(not hit, f"{name} is set for debugging")
    if context.first():
        findings.defer("the answers and the log of what will run")
    else:
        await _answers(settings, context, findings)
        await _log(settings, context, findings)
    return findings.outcome("no setting, answer or log line shows debugging")


async def _answers(settings: DebugSettings, context: CheckContext, findings: Findings) -> None:
    web = context.clients.web(context.tier)
    health = await findings.look(web.get(MAIN, settings.health_path))
    if health is not None and settings.environment_field is not None:
        answer = findings.read(
            lambda: health.need_success(expected="a health answer").json("a health answer")
        )
        said = lookup(answer, settings.environment_field)
        findings.saw("environment", str(said))
        if answer is not None:
            findings.need(
                said == settings.environment,
                f"the platform says that it is {said!r}, not {settings.environment}",
            )
    for closed in settings.closed:
        reply = await findings.look(web.get(MAIN, closed))
        if reply is not None:
            findings.saw(key(closed), reply.status)
            findings.need(reply.status in {401, 403, 404, 400}, f"{closed} is open ({reply.status})")


async def _log(settings: DebugSettings, context: CheckContext, findings: Findings) -> None:
    running = await findings.look(pods(context, settings.log_part or first_part(context)))
    if running is None:
        return
    name = str(path(running[0], ("metadata", "name")))
    log = await findings.look(context.clients.kube(context.tier).pod_logs(name, tail=settings.log_lines))
    if log is None:
        return
    lines = log.splitlines()
    hits = sum(bool(re.search(settings.log_pattern, one)) for one in lines)
    findings.saw("log_lines", len(lines))
    findings.saw("log_debug_lines", hits)
    findings.saw("log_of", name)
    findings.need(hits == 0, f"{hits} of the last {plural(len(lines), 'log line')} of {name} at DEBUG")


class StackTracesSettings(Settings):
    """An answer to an error, which must tell nobody how the program is made."""

    path: str
    """A path that fails, or that a broken request would fail at."""
    role: str | None = None
    """Who asks; none: nobody is logged in."""
    trace_field: str | None = None
    """Where an answer would hold the trace, dotted."""


@check(
    "config.no_stack_traces",
    StackTracesSettings,
    ttl=STEADY,
    leaves="a login of a test account and an error in the log",
    judges=Judges.CANDIDATE,
)
async def no_stack_traces(settings: StackTracesSettings, context: CheckContext) -> Outcome:
    """Judge that an error's answer holds no stack trace, as it does where the root logger is at DEBUG."""
    findings = Findings()
    reply = await context.clients.web(context.tier).get_as(settings.role, settings.path)
    findings.saw("status", reply.status)
    answer = findings.read(reply.json) if reply.status >= 400 and reply.body else None
    trace = (
        settings.trace_field and lookup(answer, settings.trace_field)
    ) or "Traceback (most recent" in reply.text
    findings.need(not trace, f"the answer of {settings.path} ({reply.status}) holds a stack trace")
    return findings.outcome(f"{settings.path} answers {reply.status} without a stack trace")
