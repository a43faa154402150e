"""Gate 1: what the launch is meant to be, held against what is there."""

from __future__ import annotations

from checks import stop_conditions
from checks.base import Around, CouldNotLookError, Outcome, Settings, check
from checks.clients.http import MAIN
from checks.clients.kube import labels_of
from checks.judging import LASTING, STEADY, Findings, key, lookup
from state.base.json import JsonObject, obj
from state.base.numbers import plural
from state.base.times import moment
from state.view.enums import Tier


class WindowSettings(Settings):
    """None: the window is the runbook's."""


@check("scope.window", WindowSettings, ttl=LASTING)
async def window(_settings: WindowSettings, around: Around) -> Outcome:
    """Judge that now is inside the launch window and that no helm operation is under way anywhere."""
    found = Findings()
    now = moment(around.clock.wall_us())
    span = around.runbook.scope.window
    found.saw("window_start", span.start.isoformat())
    found.saw("window_end", span.end.isoformat())
    found.saw("now", now.isoformat(timespec="seconds"))
    if now < span.start:
        found.wrong(f"the window opens at {span.start:%Y-%m-%d %H:%M %Z}; it is {now:%Y-%m-%d %H:%M} UTC")
    elif now >= span.end:
        found.wrong(f"the window closed at {span.end:%Y-%m-%d %H:%M %Z}; it is {now:%Y-%m-%d %H:%M} UTC")
    for tier in Tier:
        history = await found.look(around.systems.helm(tier).history()) or ()
        for release in history:
            found.need(
                not release.pending,
                f"{tier}: helm revision {release.revision} is {release.status}, so another operation is under way"
                " or one was killed",
            )
        if history:
            found.saw(f"{tier}_revision", history[-1].revision)
            found.saw(f"{tier}_status", history[-1].status)
    left = int((span.end - now).total_seconds() // 60)
    return found.outcome(f"inside the window, {plural(left, 'minute')} left; no helm operation under way")


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


@check("scope.modules", ModulesSettings, ttl=STEADY)
async def modules(settings: ModulesSettings, around: Around) -> Outcome:
    """Judge that exactly the modules in scope are enabled."""
    found = Findings()
    features = await found.look(_features(settings, around))
    paths = await openapi_paths(around, settings.openapi_path, found)
    wanted = set(around.runbook.scope.modules)
    for name in sorted(wanted - set(settings.modules)):
        found.blind(f"module {name}: expected with.modules.{name} to say how it shows")
    for name, module in settings.modules.items():
        enabled = features.get(module.feature) if features is not None and module.feature else None
        served = (
            sum(path.startswith(module.path) for path in paths) if paths is not None and module.path else None
        )
        found.saw(key(name), {"in_scope": name in wanted, "feature": enabled is True, "paths": served})
        if name not in wanted:
            found.need(enabled is not True, f"module {name} is switched on and not in scope")
            continue
        found.need(enabled is not False, f"module {name} is in scope and switched off")
        found.need(served != 0, f"module {name} is in scope and has no path below {module.path}")
        if enabled is None and served is None:
            found.blind(f"module {name}: neither its feature nor its paths could be seen")
    return found.outcome(
        f"{plural(len(wanted), 'module in scope is', 'modules in scope are')} on; no other is"
    )


async def _features(settings: ModulesSettings, around: Around) -> JsonObject:
    reply = await around.systems.web(around.tier).get(MAIN, settings.config_path)
    expected = "the platform's feature list"
    features = obj(lookup(reply.need_success(expected=expected).object(expected), settings.features))
    if not features:
        raise CouldNotLookError(
            f"{reply.where}: {settings.config_path} has no {settings.features}; expected {expected}"
        )
    return features


async def openapi_paths(around: Around, path: str, found: Findings) -> tuple[str, ...] | None:
    """Return the paths of the API's public inventory, or None where it isn't served or can't be read."""
    reply = await found.look(around.systems.web(around.tier).get(MAIN, path))
    if reply is None or reply.status in {401, 403, 404}:
        return None
    told = found.read(
        lambda: reply.need_success(expected="an OpenAPI document").object("an OpenAPI document")
    )
    return tuple(obj(told.get("paths"))) if told is not None else None


class RegionsSettings(Settings):
    """Where a node says its region."""

    label: str = "topology.kubernetes.io/region"
    """The label of a node that names its region."""


@check("scope.regions", RegionsSettings, ttl=LASTING)
async def regions(settings: RegionsSettings, around: Around) -> Outcome:
    """Judge that nodes and object store are in the target regions and in no other."""
    found = Findings()
    wanted = set(around.runbook.scope.regions)
    nodes = await around.systems.kube(around.tier).list_objects("/api/v1/nodes")
    told = [labels_of(node).get(settings.label) for node in nodes.items]
    seen = {region for region in told if isinstance(region, str)}
    found.saw("node_regions", sorted(seen))
    found.saw("nodes", len(told))
    held = around.environment.objectstore
    store = held.region if held is not None else None
    found.saw("objectstore_region", store)
    if not told:
        found.blind("the cluster lists no nodes; expected some with a region")
    elif len(seen) == 0 or None in told:
        found.blind(
            f"{told.count(None)} of {plural(len(told), 'node')} without a region; expected label {settings.label}"
        )
    for region in sorted(seen - wanted):
        found.wrong(f"nodes run in {region}, which is not a target region")
    for region in sorted(wanted - seen):
        found.wrong(f"no node runs in target region {region}")
    found.need(store in wanted, f"the object store is in {store}, which is not a target region")
    return found.outcome(
        f"{plural(len(told), 'node')} and the object store are in {', '.join(sorted(wanted))}"
    )


class ConditionsSettings(Settings):
    """None: the conditions are the runbook's."""


@check("scope.conditions", ConditionsSettings, ttl=STEADY)
async def conditions(_settings: ConditionsSettings, around: Around) -> Outcome:
    """Judge that every stop condition can be judged.

    Each of its queries gives one number now, of metrics that exist, and is scraped often enough.
    """
    found = Findings()
    if not around.runbook.conditions:
        found.wrong("the runbook has no stop condition; expected at least one")
    for condition in around.runbook.conditions:
        await stop_conditions.look(condition, around, found)
    return found.outcome(
        f"{plural(len(around.runbook.conditions), 'stop condition gives', 'stop conditions give')} numbers now"
    )
