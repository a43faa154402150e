"""What the launch is meant to be, held against what is there."""

from __future__ import annotations

from checks import stop_conditions
from checks.base import CheckContext, CouldNotLookError, Outcome, Settings, check
from checks.clients.http import MAIN
from checks.clients.kube_object import labels_of
from checks.guides import launches
from checks.judging import LASTING, STEADY, Findings, key, lookup
from state.base.json import JsonObject, obj
from state.base.numbers import plural
from state.base.times import moment
from state.base.times import span as length_of
from state.runbook.window import frozen_between
from state.view.enums import Judges, Tier


class WindowSettings(Settings):
    """None: the window is the runbook's."""


@check("scope.window", WindowSettings, guide=launches.WINDOW, ttl=LASTING, judges=Judges.LAUNCH)
async def window(_settings: WindowSettings, context: CheckContext) -> Outcome:
    """Judge that now is inside the launch window.

    No freeze meets what is left of it, and no helm operation is under way anywhere.
    """
    findings = Findings()
    now = moment(context.clock.wall_us())
    span = context.runbook.scope.window
    findings.saw("window_start", span.start.isoformat())
    findings.saw("window_end", span.end.isoformat())
    findings.saw("now", now.isoformat(timespec="seconds"))
    if now < span.start:
        findings.wrong(f"the window opens at {span.start:%Y-%m-%d %H:%M %Z}; it is {now:%Y-%m-%d %H:%M} UTC")
    elif now >= span.end:
        findings.wrong(f"the window closed at {span.end:%Y-%m-%d %H:%M %Z}; it is {now:%Y-%m-%d %H:%M} UTC")
    for freeze in frozen_between(context.runbook.scope.freezes, max(now, span.start), span.end):
        when = f"now, {freeze.until}" if freeze.start <= now else f"in the launch window, {freeze.words}"
        findings.wrong(f"production is frozen {when}")
    for tier in Tier:
        history = await findings.look(context.clients.helm(tier).history())
        if history is None:
            continue
        if not history and not context.first(tier):
            findings.blind(f"{tier}: helm has no record of {context.runbook.environments[tier].release}")
        # Only the newest one locks: an older one was left by a helm that was killed, and others came after it.
        for release in history[-1:]:
            findings.need(
                not release.pending,
                f"{tier}: helm revision {release.revision} is {release.status}, so another operation is under way"
                " or one was killed",
            )
        if history:
            findings.saw(f"{tier}_revision", history[-1].revision)
            findings.saw(f"{tier}_status", history[-1].status)
    left = length_of((span.end - now).total_seconds())
    return findings.outcome(f"in the launch window, {left} left; no Helm operation running")


class Module(Settings):
    """How a module of the platform shows from outside."""

    feature: str | None = None
    """Its name in the platform's feature list."""
    path: str | None = None
    """What its paths in the API's inventory begin with."""


class ModulesSettings(Settings):
    """How modules are recognised. One that is listed here but not in ``scope.modules`` must be off."""

    config_path: str
    """Where the platform tells which modules are on."""
    features: str = "features"
    """Where the features' truth values are in the answer, dotted."""
    openapi_path: str = "/openapi.json"
    """The API's own inventory."""
    modules: dict[str, Module]
    """Module -> how it is found."""
    ignored: tuple[str, ...] = ()
    """Features that are no module: whether they are on is not judged."""


@check("scope.modules", ModulesSettings, guide=launches.MODULES, ttl=STEADY, judges=Judges.CANDIDATE)
async def modules(settings: ModulesSettings, context: CheckContext) -> Outcome:
    """Judge that exactly the modules in scope are enabled."""
    findings = Findings()
    features = await findings.look(_features(settings, context))
    paths = await openapi_paths(context, settings.openapi_path, findings)
    expected = set(context.runbook.scope.modules)
    for name in sorted(expected - set(settings.modules)):
        findings.blind(f"module {name}: expected with.modules.{name} to say how it shows")
    for name, module in settings.modules.items():
        enabled = features.get(module.feature) if features is not None and module.feature else None
        served = (
            sum(path.startswith(module.path) for path in paths) if paths is not None and module.path else None
        )
        findings.saw(key(name), {"in_scope": name in expected, "feature": enabled is True, "paths": served})
        if name not in expected:
            findings.need(enabled is not True, f"module {name} is switched on and not in scope")
            findings.need(
                not served,
                f"module {name} is not in scope, and the API serves {served} of its paths below {module.path}",
            )
            if enabled is None and served is None:
                findings.blind(f"module {name}: neither its feature nor its paths could be seen")
            continue
        findings.need(enabled is not False, f"module {name} is in scope and switched off")
        findings.need(served != 0, f"module {name} is in scope and has no path below {module.path}")
        if enabled is None and served is None:
            findings.blind(f"module {name}: neither its feature nor its paths could be seen")
    known = {module.feature for module in settings.modules.values()} | set(settings.ignored)
    more = sorted(name for name, on in (features or {}).items() if on is True and name not in known)
    for name in more:
        findings.wrong(f"feature {name} is switched on and belongs to no module of the runbook")
    others = plural(len(settings.modules) - len(expected & set(settings.modules)), "other")
    return findings.outcome(
        f"{plural(len(expected), 'module in scope is', 'modules in scope are')} on; of {others} none is"
    )


async def _features(settings: ModulesSettings, context: CheckContext) -> JsonObject:
    reply = await context.clients.web(context.tier).get(MAIN, settings.config_path)
    expected = "the platform's feature list"
    features = obj(lookup(reply.need_success(expected=expected).object(expected), settings.features))
    if not features:
        raise CouldNotLookError(
            f"{reply.where}: {settings.config_path} has no {settings.features}; expected {expected}"
        )
    return features


async def openapi_paths(context: CheckContext, path: str, findings: Findings) -> tuple[str, ...] | None:
    """Return the paths of the API's public inventory, or None where it isn't served or can't be read."""
    reply = await findings.look(context.clients.web(context.tier).get(MAIN, path))
    if reply is None or reply.status in {401, 403, 404}:
        return None
    answer = findings.read(
        lambda: reply.need_success(expected="an OpenAPI document").object("an OpenAPI document")
    )
    return tuple(obj(answer.get("paths"))) if answer is not None else None


class RegionsSettings(Settings):
    """Where a node says its region."""

    label: str = "topology.kubernetes.io/region"
    """The label of a node that names its region."""


@check("scope.regions", RegionsSettings, guide=launches.REGIONS, ttl=LASTING, judges=Judges.LAUNCH)
async def regions(settings: RegionsSettings, context: CheckContext) -> Outcome:
    """Judge that nodes and object store are in the target regions and in no other."""
    findings = Findings()
    expected = set(context.runbook.scope.regions)
    nodes = await context.clients.kube(context.tier).list_objects("/api/v1/nodes")
    labels = [labels_of(node).get(settings.label) for node in nodes.items]
    seen = {region for region in labels if isinstance(region, str)}
    findings.saw("node_regions", sorted(seen))
    findings.saw("nodes", len(labels))
    held = context.environment.objectstore
    store = (
        await findings.look(context.clients.objectstore(context.tier).region()) if held is not None else None
    )
    findings.saw("objectstore_region", store)
    if not labels:
        findings.blind("the cluster lists no nodes; expected some with a region")
    elif len(seen) == 0 or None in labels:
        findings.blind(
            f"{labels.count(None)} of {plural(len(labels), 'node')} without a region; expected label {settings.label}"
        )
    for region in sorted(seen - expected):
        findings.wrong(f"nodes run in {region}, which is not a target region")
    for region in sorted(expected - seen):
        findings.wrong(f"no node runs in target region {region}")
    if store:
        findings.need(store in expected, f"the object store is in {store}, which is not a target region")
    elif store == "" and held is not None:
        findings.blind(f"the object store doesn't tell its region; the runbook says {held.region}")
    and_store = " and the object store are" if held is not None else " is" if len(labels) == 1 else " are"
    return findings.outcome(f"{plural(len(labels), 'node')}{and_store} in {', '.join(sorted(expected))}")


class ConditionsSettings(Settings):
    """None: the conditions are the runbook's."""


@check("scope.conditions", ConditionsSettings, guide=launches.CONDITIONS, ttl=STEADY, judges=Judges.LAUNCH)
async def conditions(_settings: ConditionsSettings, context: CheckContext) -> Outcome:
    """Judge that every stop condition can be judged.

    Each of its queries gives one number now, of metrics that exist, and is scraped often enough.
    """
    findings = Findings()
    if not context.runbook.conditions:
        findings.wrong("the runbook has no stop condition; expected at least one")
    for condition in context.runbook.conditions:
        await stop_conditions.look(condition, context, findings)
    return findings.outcome(
        f"{plural(len(context.runbook.conditions), 'stop condition gives', 'stop conditions give')} numbers now"
    )
