"""Functions that are unfinished must be finished, switched off, or known."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from checks.base import CheckContext, Outcome, Settings, check
from checks.guides import watching
from checks.judging import STEADY, Findings, key, lookup
from checks.scope import openapi_paths
from checks.unobserved import is_html, unobserved
from checks.workloads import config_values
from state.base.json import Json, items
from state.base.numbers import plural
from state.view.enums import Judges


class FeatureSettings(Settings):
    """How a part of the API shows that it is finished or off."""

    title: str
    """What a captain calls it."""
    paths: tuple[str, ...]
    """Patterns of its paths in the API's inventory, for example ``/api/v1/reports/*``."""
    openapi_path: str = "/openapi.json"
    """The API's own inventory."""
    probes: tuple[str, ...]
    """Paths to GET."""
    role: str
    """Who asks: the account that would use it."""
    tables: tuple[str, ...] = ()
    """Tables that it needs where it is implemented."""
    endpoint: str | None = None
    """A setting that must lead somewhere real where it is implemented."""
    unfinished: str | None = None
    """Where an answer's list of work is, dotted: work that nothing has started shows that nobody does it."""
    waiting: tuple[str, ...] = ("pending", "queued")
    """States of work that nothing has begun."""


@check(
    "gaps.feature",
    FeatureSettings,
    guide=watching.FEATURE,
    ttl=STEADY,
    leaves="a login of a test account",
    judges=Judges.CANDIDATE,
)
async def feature(settings: FeatureSettings, context: CheckContext) -> Outcome:
    """Judge that a part of the API is either implemented or gone: 403 and 500 are neither."""
    findings = Findings()
    inventory = await openapi_paths(context, settings.openapi_path, findings)
    listed = [path for path in inventory or () if any(fnmatchcase(path, one) for one in settings.paths)]
    findings.saw("openapi_paths", len(listed) if inventory is not None else "not served")
    statuses: dict[str, int] = {}
    for path in settings.probes:
        reply = await findings.look(context.clients.web(context.tier).get_as(settings.role, path))
        if reply is None:
            continue
        if why := unobserved(reply) or (
            200 <= reply.status <= 299 and is_html(reply) and "answers with a page"
        ):
            findings.blind(f"{settings.title}: {path} {why}; expected the API's own answer")
            continue
        statuses[path] = reply.status
        if 200 <= reply.status <= 299 and settings.unfinished is not None:
            answer = findings.read(reply.json)
            _idle(settings, path, answer, findings)
    findings.saw("statuses", [f"{path}: {status}" for path, status in statuses.items()])
    gone = [path for path, status in statuses.items() if status == 404]
    good = [path for path, status in statuses.items() if 200 <= status <= 299]
    for path, status in statuses.items():
        if path not in gone and path not in good:
            findings.wrong(
                f"{settings.title}: {path} answers {status}: neither implemented (2xx) nor disabled (404)"
            )
    if good and gone:
        findings.wrong(f"{settings.title} is half there: {good[0]} answers, {gone[0]} is 404")
    if gone and not good and listed:
        findings.wrong(
            f"{settings.title} answers 404 and is still listed in the API's inventory ({listed[0]})"
        )
    if good:
        await _implemented(settings, context, findings)
    state = "implemented" if good else "disabled: 404 and not in the API's inventory"
    return findings.outcome(f"{settings.title}: {state}")


def _idle(settings: FeatureSettings, path: str, answer: Json, findings: Findings) -> None:
    work = items(lookup(answer, settings.unfinished or ""))
    states = [str(one.get("status")) for one in work if isinstance(one, Mapping)]
    if states and all(state in settings.waiting for state in states):
        findings.wrong(
            f"{settings.title}: {plural(len(states), 'job')} at {path}, and all wait: nothing works on them"
        )


async def _implemented(settings: FeatureSettings, context: CheckContext, findings: Findings) -> None:
    if settings.tables:
        tables = await findings.look(context.clients.sql(context.tier).tables())
        missing = sorted(set(settings.tables) - tables) if tables is not None else []
        for table in missing:
            findings.wrong(f"{settings.title} answers, and its table {table} does not exist")
    if settings.endpoint is not None:
        values = await findings.look(config_values(context))
        address = (values or {}).get(settings.endpoint, "")
        if values is not None:
            real = bool(address) and "localhost" not in address and "127.0.0.1" not in address
            findings.saw("endpoint_set", real)
            findings.need(
                real, f"{settings.title} answers, and {settings.endpoint} is unset or leads to localhost"
            )


class Probe(Settings):
    """An answer that must not be a placeholder."""

    path: str
    """What is asked for."""
    role: str
    """Who asks."""
    field: str
    """What must be neither zero nor empty, dotted."""
    only_if: str | None = None
    """A path whose ``only_if_field`` shows that there is something to tell; where there isn't, zero is right."""
    only_if_field: str = ""
    """Where that answer must have something, dotted."""


class PlaceholdersSettings(Settings):
    """Where placeholders are known to hide."""

    probes: tuple[Probe, ...]
    """What is asked, and where real data must be."""
    documented: tuple[str, ...] = ()
    """Paths whose placeholder is documented and accepted."""


async def _something_to_tell(probe: Probe, context: CheckContext, findings: Findings) -> bool:
    if probe.only_if is None:
        return True
    reply = await findings.look(context.clients.web(context.tier).get_as(probe.role, probe.only_if))
    answer = findings.read(reply.json) if reply is not None else None
    return bool(lookup(answer, probe.only_if_field))


@check(
    "gaps.placeholders",
    PlaceholdersSettings,
    guide=watching.GAPS,
    ttl=STEADY,
    leaves="logins of the test accounts",
    judges=Judges.CANDIDATE,
)
async def placeholders(settings: PlaceholdersSettings, context: CheckContext) -> Outcome:
    """Judge that no answer is a constant zero or an empty list.

    Each probe follows a login, so there is something.
    """
    findings = Findings()
    documented = removed = real = 0
    for probe in settings.probes:
        reply = await findings.look(context.clients.web(context.tier).get_as(probe.role, probe.path))
        if reply is None:
            continue
        if why := unobserved(reply):
            findings.blind(f"{probe.path} {why}")
            continue
        if reply.status == 404:
            removed += 1  # the SOP's words: documented or removed
            findings.saw(key(probe.path), "removed: 404")
            continue
        if reply.status >= 500:
            known = probe.path in settings.documented
            documented += known
            findings.need(known, f"{probe.path} answers {reply.status}")
            findings.saw(key(probe.path), reply.status)
            continue
        answer = findings.read(lambda reply=reply: reply.need_success(expected="an answer with data").json())  # type: ignore[misc]  # mypy can't infer a lambda's default
        if answer is None:
            continue
        value = lookup(answer, probe.field)
        empty = is_empty(value)
        real += not empty
        findings.saw(key(probe.path), "empty" if empty else "has data")
        if empty and probe.path in settings.documented:
            documented += 1
        elif empty and await _something_to_tell(probe, context, findings):
            findings.wrong(
                f"{probe.path}: {probe.field} is zero or empty although there is something to tell"
            )
    gone = f", {removed} removed" if removed else ""
    accepted = plural(documented, "documented placeholder")
    return findings.outcome(f"{plural(real, 'probe gives', 'probes give')} real data; {accepted}{gone}")


def is_empty(value: Json) -> bool:
    """Return whether a value says nothing: none, nothing, zero in whatever form, or only such in it."""
    if isinstance(value, str):
        return not value.strip(" 0.,%$€£+-") and not any(char in "123456789" for char in value)
    if isinstance(value, Mapping):
        return all(map(is_empty, value.values()))
    if isinstance(value, list | tuple):
        return all(map(is_empty, value))
    return not value
