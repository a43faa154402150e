"""The settings are production's own, final, and quiet."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from checks.base import CheckContext, Outcome, Settings, check
from checks.clients.http import MAIN, Surface
from checks.guides import configuration
from checks.judging import STEADY, Findings, key, lookup
from checks.unobserved import is_html, is_login_redirect, unobserved
from checks.workloads import config_values, first_part, ingresses, parts_env, pods, serves_host
from state.base.json import JsonObject, objs, path, text
from state.base.numbers import plural
from state.base.text import line
from state.view.enums import Judges, Tier

if TYPE_CHECKING:
    from checks.clients.http import WebClient

_SCRIPT: Final = re.compile(r"""<script[^>]+src=["']([^"']+)["']""", re.IGNORECASE)
_SCRIPTS_READ: Final = 60
_EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::", "[::]"})


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
    library_defaults: tuple[str, ...] = (
        "http://localhost:3000/api/auth",
        '"http://localhost:3000"===',
        "http://localhost:3000/_next",
    )
    """What published libraries hold in every bundle and never use where the address is set."""


@check(
    "config.placeholders",
    PlaceholdersSettings,
    guide=configuration.PLACEHOLDERS,
    ttl=STEADY,
    judges=Judges.CANDIDATE,
    rendered=True,
)
async def placeholders(settings: PlaceholdersSettings, context: CheckContext) -> Outcome:
    """Judge that settings, ingress, helm values and the pages' scripts name the final domains."""
    findings = Findings()
    web = context.clients.web(context.tier)
    origins = {word: web.url(word) for word in context.environment.domains.named()}
    envs = await parts_env(context, findings)
    main = envs.get(first_part(context))
    if main is not None:
        _settings(settings, main.values, origins, findings)
    foreign = others_hosts(context)
    for part, env in envs.items():
        told = env.values if part == first_part(context) or main is None else _unlike(env.values, main.values)
        of = "" if part == first_part(context) else f" of {part}"
        _addresses(settings, told, of, foreign, findings)
    await _ingress(context, findings)
    if context.first():
        findings.defer("the scripts of the pages: nothing serves them yet")
    else:
        await _scripts(settings, web, foreign, findings)
    return findings.outcome("settings, ingress and scripts name the final domains")


def _settings(
    settings: PlaceholdersSettings, values: Mapping[str, str], origins: Mapping[str, str], findings: Findings
) -> None:
    for name, pattern in settings.exact.items():
        expected = pattern
        for word, origin in origins.items():
            expected = expected.replace(f"{{{word}}}", origin)
        right = values.get(name, "").rstrip("/") == expected.rstrip("/")
        findings.saw(key(name), "as expected" if right else "not as expected")
        findings.need(right, f"{name} is {'not ' + expected if name in values else 'not set'}")


def _unlike(values: Mapping[str, str], main: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if main.get(name) != value}


def _addresses(
    settings: PlaceholdersSettings,
    values: Mapping[str, str],
    of: str,
    foreign: Collection[str],
    findings: Findings,
) -> None:
    """Judge the settings of one part that hold addresses: no placeholder, and no other environment's host."""
    judged = 0
    for name, value in values.items():
        if name in settings.ignored or not any(part in name.upper() for part in settings.address_keys):
            continue
        judged += 1
        if value.strip() in _EVERY_ADDRESS:
            continue  # where a server listens, not where it leads
        low = value.lower()
        hit = next((placeholder for placeholder in settings.placeholders if placeholder in low), None)
        findings.need(hit is None, f"{name}{of} holds the placeholder {hit}")
        host = next((host for host in foreign if holds_host(low, host)), None)
        findings.need(host is None, f"{name}{of} leads to {host}, which is another environment's")
    findings.saw(key("addresses_judged", of), judged)
    if not judged and not of:
        findings.blind("the release has no setting that holds an address; expected some")


def others_hosts(context: CheckContext) -> tuple[str, ...]:
    """Return the hosts of staging, which production must not name; for staging none: it may link to production."""
    if context.tier is not Tier.PRODUCTION:
        return ()
    own = {domain.host.lower() for domain in context.environment.domains.all()}
    staging = context.runbook.environments.get(Tier.STAGING)
    there = {domain.host.lower() for domain in staging.domains.all()} if staging is not None else set()
    return tuple(sorted(there - own))


def holds_host(text: str, host: str) -> bool:
    """Return whether a text names a host: whole, and not as the end or the beginning of another name."""
    return re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-]|\.\w)", text) is not None


async def _ingress(context: CheckContext, findings: Findings) -> None:
    listed = await findings.look(ingresses(context))
    if listed is None:
        return
    hosts = {text(rule, "host") for item in listed for rule in objs(path(item, ("spec", "rules")))}
    expected = {domain.host for domain in context.environment.domains.all()}
    findings.saw("ingress_hosts", sorted(hosts))
    for host in sorted(expected):
        findings.need(any(serves_host(one, host) for one in hosts), f"no ingress serves {host}")
    for host in sorted(hosts):
        if any(serves_host(host, one) for one in expected):
            continue
        findings.wrong(f"an ingress serves {host or 'every host'}, which the runbook does not name")


async def _scripts(
    settings: PlaceholdersSettings, web: WebClient, foreign: Collection[str], findings: Findings
) -> None:
    """Read the scripts of the pages, and the pages themselves, for addresses that were built in."""
    sources: dict[tuple[str, str], None] = {}
    elsewhere: set[str] = set()
    for page in settings.pages:
        reply = await findings.look(web.get(settings.surface, page))
        if reply is None:
            continue
        name = f"{web.word(settings.surface)} {page}"
        if reply.status != 200 or unobserved(reply):
            findings.blind(f"{name} answers {reply.status}; expected a page whose scripts can be read")
            continue
        _built_in(settings, f"page {name}", reply.text, foreign, findings)
        for source in _SCRIPT.findall(reply.text):
            place = script_place(source, page, web, settings.surface)
            if place is None:
                elsewhere.add(urlsplit(source).hostname or "")
            else:
                sources[place] = None
    read = 0
    for surface, source in sorted(sources)[:_SCRIPTS_READ]:
        reply = await findings.look(web.get(surface, source))
        if reply is None:
            continue
        told = f"script {line(source, 80)}"
        if reply.status != 200 or is_html(reply):
            findings.blind(f"{web.word(surface)} {told} answers {reply.status}, and with no script")
            continue
        read += 1
        _built_in(settings, f"{web.word(surface)} {told}", reply.text, foreign, findings)
    _unread(sources, elsewhere, web, settings.surface, findings)
    findings.saw("scripts_read", read)
    if settings.pages and not read:
        findings.blind("the pages name no script, so built-in addresses could not be looked for")


def _built_in(
    settings: PlaceholdersSettings, what: str, text: str, foreign: Collection[str], findings: Findings
) -> None:
    for harmless in settings.library_defaults:
        text = text.replace(harmless, "")
    hit = next((one for one in settings.baked if one in text), None)
    findings.need(hit is None, f"the {what} has {hit} built in")
    low = text.lower()
    host = next((one for one in foreign if one in low and holds_host(low, one)), None)
    findings.need(host is None, f"the {what} has {host} built in, which is another environment's")


def script_place(source: str, page: str, web: WebClient, surface: Surface) -> tuple[str, str] | None:
    """Return the domain's word and the path of a script as a page names it; None where another host serves it."""
    target = urlsplit(urljoin(f"{web.url(surface)}{page}", html.unescape(source)))
    names = {web.domain(word).host: word for word in reversed(list(web.environment.domains.named()))}
    word = names.get(target.hostname or "")
    return (word, target.path + (f"?{target.query}" if target.query else "")) if word is not None else None


def _unread(
    sources: Collection[object],
    elsewhere: Collection[str],
    web: WebClient,
    surface: Surface,
    findings: Findings,
) -> None:
    """Note scripts that were not read: too many, or on a host of the same owner that the runbook doesn't name."""
    if len(sources) > _SCRIPTS_READ:
        findings.blind(f"{len(sources) - _SCRIPTS_READ} more scripts were not read")
    owner = ".".join(web.domain(surface).host.split(".")[-2:])
    findings.saw("scripts_elsewhere", sorted(elsewhere))
    for host in sorted(one for one in elsewhere if one.endswith(f".{owner}") or one == owner):
        findings.blind(f"scripts from {host} were not read: the runbook names no such domain")


_PODS_READ: Final = 10


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
    log_pattern: str = (
        r"^(?:(?!\b(?:INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b).)*?(?<![\w=])DEBUG(?![\w=])"
        r"|\"(?:level|levelname|severity|log\.level|lvl)\"\s*:\s*\"(?i:debug|trace)\"|\b(?:level|lvl)=\"?(?i:debug|trace)\b"
    )
    """A regular expression that no line may match: as it is, lines whose own level is DEBUG, and not those that only
    name the word."""
    log_lines: int = 300
    """How many of the newest lines are read."""


@check(
    "config.debug_off",
    DebugSettings,
    guide=configuration.DEBUG,
    ttl=STEADY,
    judges=Judges.CANDIDATE,
    rendered=True,
)
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
            if why := unobserved(reply):
                findings.blind(f"{closed} {why}")
                continue
            shut = reply.status in {401, 403, 404, 400} or is_login_redirect(reply)
            findings.need(shut, f"{closed} is open ({reply.status})")


async def _log(settings: DebugSettings, context: CheckContext, findings: Findings) -> None:
    part = settings.log_part or first_part(context)
    running = await findings.look(pods(context, part))
    if running is None:
        return
    lines = hits = 0
    for pod in running[:_PODS_READ]:
        name = str(path(pod, ("metadata", "name")))
        log = await findings.look(
            context.clients.kube(context.tier).pod_logs(
                name, container=_container(pod, part), tail=settings.log_lines
            )
        )
        if log is None:
            continue
        read = log.splitlines()
        bad = sum(bool(re.search(settings.log_pattern, one)) for one in read)
        lines, hits = lines + len(read), hits + bad
        findings.need(bad == 0, f"{bad} of the last {plural(len(read), 'log line')} of {name} at DEBUG")
        if not read:
            findings.blind(f"the log of {name} is empty, so nothing of its level was seen")
    findings.saw("log_lines", lines)
    findings.saw("log_debug_lines", hits)
    findings.saw("logs_read", min(len(running), _PODS_READ))


def _container(pod: JsonObject, part: str) -> str | None:
    """Return the part's own container where a pod has several: then a log is asked for by its name."""
    names = [text(one, "name") for one in objs(path(pod, ("spec", "containers")))]
    return None if len(names) < 2 else part if part in names else names[0]


_TRACE: Final = re.compile(
    r"Traceback \(most recent call last\)|File \"[^\"\n]+\", line \d"  # Python
    r"|\n\s*at [^\n]*\(?(?:/|file:|node:|[A-Za-z]:\\)[^\n]*:\d+:\d+\)?"  # JavaScript
    r"|\bat [\w$.<>]+\([\w$]+\.(?:java|kt|scala|groovy):\d+\)|\((?:Native Method|Unknown Source)\)"  # JVM
    r"|goroutine \d+ \[|\bpanic: [^\n]+\n"  # Go
    r"|\.rb:\d+:in [`']"  # Ruby
    r"|#\d+ /[^\n]+\.php\(\d+\):|\.php on line \d+|\bStack trace:"  # PHP
    r"|\bat [\w.`<>]+\([^)\n]*\) in [^\n]+:line \d+"  # .NET
    r"|stack backtrace:|panicked at "  # Rust
)


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
    guide=configuration.TRACES,
    ttl=STEADY,
    leaves="a login of a test account and an error in the log",
    judges=Judges.CANDIDATE,
)
async def no_stack_traces(settings: StackTracesSettings, context: CheckContext) -> Outcome:
    """Judge that an error's answer holds no stack trace, as it does where the root logger is at DEBUG."""
    findings = Findings()
    reply = await context.clients.web(context.tier).get_as(settings.role, settings.path)
    findings.saw("status", reply.status)
    if (why := unobserved(reply)) or reply.status < 400:
        findings.blind(
            f"{settings.path} {why or f'answers {reply.status}'}: nothing failed, so no trace was to be seen"
        )
    answer = findings.read(reply.json) if reply.status >= 400 and reply.body and not is_html(reply) else None
    told = bool(settings.trace_field and lookup(answer, settings.trace_field)) or holds_trace(reply.text)
    findings.need(not told, f"the answer of {settings.path} ({reply.status}) holds a stack trace")
    return findings.outcome(f"{settings.path} answers {reply.status} without a stack trace")


def holds_trace(body: str) -> bool:
    """Return whether a text holds a stack trace of a common language, plain or within JSON or HTML."""
    plain = (
        html.unescape(body).replace("\\n", "\n").replace("\\t", "\t").replace("\\/", "/").replace('\\"', '"')
    )
    return _TRACE.search(plain) is not None
