"""``launch-console init``: a runbook that can launch, from what this machine and its clusters tell."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import yaml

from checks.clients.errors import MisconfiguredError, Where
from checks.clients.kubeconfig.access import kubeconfig_path
from checks.clients.kubeconfig.merge import contexts_of
from checks.errors import CouldNotLookError
from console.cli.runbook.fill import filled
from console.cli.runbook.survey import Surveyed, survey
from console.cli.say import out, say
from console.engine.process.socket_server import account_of
from console.exit_codes import ExitCode, FailedError
from state.base.clock import SystemClock
from state.base.json import Json, obj, text
from state.base.times import moment
from state.runbook.environment import Kube, Tier
from state.runbook.load import RunbookError, load_runbook

SOP, WEB = "sop", "web-service"
_STAGING = re.compile(r"stag|test|pre-?prod|qa", re.IGNORECASE)
_PRODUCTION = re.compile(r"prod|live", re.IGNORECASE)
_MONITORS = ("prometheus", "alertmanager", "registry")


@dataclass(slots=True, kw_only=True)
class _Place:
    """An environment as far as it is known."""

    tier: Tier
    context: str
    namespace: str
    told: Surveyed = field(default_factory=Surveyed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """The flags."""

    template: str
    kubeconfig: Path | None
    release: str
    version: str
    commit: str
    chart: str
    helm: str
    domains: Mapping[Tier, str]
    pins: Mapping[Tier, str]
    values: Mapping[Tier, Sequence[Path]]
    urls: Mapping[str, str]
    ca_file: Path | None


def run(
    target: Path,
    template: str,
    kubeconfig: Path | None,
    staging: str | None,
    production: str | None,
    release: str | None,
    version_of: str | None,
    commit: str | None,
    chart: str | None,
    staging_values: list[Path] | None,
    production_values: list[Path] | None,
    staging_domain: str | None,
    production_domain: str | None,
    staging_pin: str | None,
    production_pin: str | None,
    prometheus: str | None,
    alertmanager: str | None,
    registry: str | None,
    ca_file: Path | None,
    helm: str | None,
    force: bool,
) -> ExitCode:
    """Write a runbook to ``target`` and say what is known in it, and what is still to be filled in.

    Asks at a terminal for what no flag says. Raises FailedError where the file is there already.
    """
    if target.exists() and not force:
        raise FailedError(
            f"{target} is there already: name another file, or give --force", ExitCode.BAD_CONFIG
        )
    given = _Given(
        template=template,
        kubeconfig=kubeconfig,
        release=release or "",
        version=version_of or "",
        commit=commit or "",
        chart=chart or "",
        helm=helm or "",
        domains={Tier.STAGING: staging_domain or "", Tier.PRODUCTION: production_domain or ""},
        pins={Tier.STAGING: staging_pin or "", Tier.PRODUCTION: production_pin or ""},
        values={Tier.STAGING: staging_values or (), Tier.PRODUCTION: production_values or ()},
        urls={
            "prometheus": prometheus or "",
            "alertmanager": alertmanager or "",
            "registry": registry or "",
        },
        ca_file=ca_file,
    )
    places = _places(kubeconfig, {Tier.STAGING: staging or "", Tier.PRODUCTION: production or ""})
    for place in places:
        _look(place, given)
    written = _written(given, places)
    target.write_text(written, encoding="utf-8")
    return _told(target, places)


def _ask(question: str, default: str) -> str:
    """Return what a person answers, at a terminal; else, and for an empty line, the default."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return default
    try:
        said = input(f"{question} [{default}]: ").strip()
    except EOFError:
        return default
    return said or default


def _places(kubeconfig: Path | None, named: Mapping[Tier, str]) -> list[_Place]:
    paths = kubeconfig_path(Kube(kubeconfig=kubeconfig, context="", namespace=""))
    try:
        contexts = contexts_of(paths, Where("kubeconfig", paths))
    except MisconfiguredError as error:
        say(f"no cluster is known: {error}")
        contexts = []
    else:
        if contexts:
            out(f"contexts: {', '.join(contexts)}")
        else:
            say(f"no cluster is known: {paths} has no context")
    found = []
    for tier, pattern in ((Tier.STAGING, _STAGING), (Tier.PRODUCTION, _PRODUCTION)):
        context, _, namespace = named[tier].rpartition("/") if "/" in named[tier] else (named[tier], "", "")
        if not context:
            likely = [one for one in contexts if pattern.search(one)] or contexts or [tier.value]
            context = _ask(f"context of {tier.value}", likely[0])
        found.append(_Place(tier=tier, context=context, namespace=namespace))
    return found


def _look(place: _Place, given: _Given) -> None:
    """Ask a cluster for what is in it; where it doesn't answer, say so and go on."""
    kube = Kube(kubeconfig=given.kubeconfig, context=place.context, namespace=place.namespace or "default")
    try:
        told = asyncio.run(survey(kube, given.release))
    except CouldNotLookError as error:
        say(f"{place.tier}: {error}")
        place.namespace = place.namespace or _ask(f"namespace of {place.tier}", place.tier.value)
        return
    if not place.namespace:
        releases = [one for one in told.releases if not given.release or one.name == given.release]
        pattern = _PRODUCTION if place.tier is Tier.PRODUCTION else _STAGING
        # Where both are in one cluster, their namespaces tell them apart.
        likely = [one.namespace for one in releases if pattern.search(one.namespace)]
        default = next(iter([*likely, *(one.namespace for one in releases)]), place.tier.value)
        place.namespace = _ask(f"namespace of {place.tier} ({_names(told)})", default)
        told = asyncio.run(survey(kube.model_copy(update={"namespace": place.namespace}), given.release))
    for why in told.unread:
        say(f"{place.tier}: {why}")
    place.told = told


def _names(told: Surveyed) -> str:
    return ", ".join(f"{one.name} in {one.namespace}" for one in told.releases[:6]) or "no release found"


def _written(given: _Given, places: Sequence[_Place]) -> str:
    """Return the template with everything that is known in it."""
    production = next(one for one in places if one.tier is Tier.PRODUCTION)
    body = _template(given.template)
    known = text(obj(_path(body, "environments", "production", "kube")), "namespace")
    for written in {"NAMESPACE", known} - {"production"}:  # in the queries of conditions and graphs
        body = re.sub(
            rf'(namespace=\\?"){re.escape(written)}(\\?")', rf"\g<1>{production.namespace}\g<2>", body
        )
    found = {**_scope(), **_candidate(body, given, places)}
    if given.helm:
        found[("helm",)] = given.helm
    for place in places:
        found |= _environment(body, given, place, places)
    found[("people", "0", "accounts")] = [account_of(os.getuid())]
    return filled(body, found)


def _path(body: str, *keys: str) -> Json:
    part: Json = yaml.safe_load(body)
    for key in keys:
        part = obj(part).get(key)
    return part


def _template(name: str) -> str:
    if name == WEB:
        return (files("console.cli.runbook") / "web_service.yaml").read_text(encoding="utf-8")
    packaged = files("state.runbook") / "sop.yaml"
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[3] / "runbook.yaml").read_text(encoding="utf-8")


def _scope() -> dict[tuple[str, ...], Json]:
    """Return a window that is open from now on, for half a day: a first try is made today."""
    now = moment(SystemClock().wall_us()).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    ends = now + timedelta(hours=12)
    return {("scope", "window"): {"start": _stamp(now), "end": _stamp(ends)}}


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S+00:00}"


def _candidate(body: str, given: _Given, places: Sequence[_Place]) -> dict[tuple[str, ...], Json]:
    """Return the images that run, in staging first: what runs there is a candidate to try the runbook with."""
    images = next((one.told.images for one in places if one.told.images), {})
    known = obj(_path(body, "candidate", "images"))
    if given.template == SOP:
        images = {name: ref for name, ref in images.items() if name in known}
    found: dict[tuple[str, ...], Json] = {}
    if images and (given.template != SOP or set(images) == set(known)):
        found[("candidate", "images")] = dict(images)
    if commit := given.commit or _commit():
        found[("candidate", "commit")] = commit
    if given.version:
        found[("candidate", "version")] = given.version
    return found


def _commit() -> str:
    """Return the commit that is checked out here, as git keeps it, or nothing."""
    folder = next(
        (one / ".git" for one in (Path.cwd(), *Path.cwd().parents) if (one / ".git").is_dir()), None
    )
    if folder is None:
        return ""
    try:
        head = (folder / "HEAD").read_text().strip()
        found = (folder / head[5:]).read_text().strip() if head.startswith("ref: ") else head
    except OSError:
        return ""
    return found if re.fullmatch(r"[0-9a-f]{40}", found) else ""


def _environment(
    body: str, given: _Given, place: _Place, places: Sequence[_Place]
) -> dict[tuple[str, ...], Json]:
    at = ("environments", place.tier.value)
    template = obj(_path(body, *at))
    told = place.told
    kubeconfig = {"kubeconfig": str(given.kubeconfig.resolve())} if given.kubeconfig else {}
    found: dict[tuple[str, ...], Json] = {
        (*at, "title"): place.context if place.tier is Tier.STAGING else place.context.upper(),
        (*at, "kube"): {**kubeconfig, "context": place.context, "namespace": place.namespace},
        (*at, "chart"): _chart(obj(template["chart"]), given, place),
        (*at, "domains"): _domains(obj(template["domains"]), given, place),
    }
    release = given.release or next((r.name for r in told.releases if r.namespace == place.namespace), "")
    if release:
        found[(*at, "release")] = release
    naming = told.deployment or next((one.told.deployment for one in places if one.told.deployment), "")
    if naming:
        found[(*at, "deployment")] = naming
    for name in _MONITORS:
        url = given.urls[name] or (f"https://{told.monitors[name]}" if name in told.monitors else "")
        if name == "registry" and not url:
            url = _registry(told) or next((_registry(one.told) for one in places if _registry(one.told)), "")
        if url:
            found[(*at, name)] = {"url": url}
    if given.ca_file is not None:
        found[(*at, "ca_file")] = str(given.ca_file.resolve())
    return found


def _registry(told: Surveyed) -> str:
    for reference in told.images.values():
        host, slash, _ = reference.partition("/")
        if slash and ("." in host or ":" in host):
            return f"https://{host}"
    return ""


def _chart(template: Mapping[str, Json], given: _Given, place: _Place) -> Json:
    path = given.chart or text(template, "path")
    version = text(template, "version")
    about = Path(path) / "Chart.yaml"
    if about.is_file():
        version = text(obj(yaml.safe_load(about.read_text())), "version") or version
        path = str(Path(path).resolve())
    values = given.values[place.tier]
    kept: Json = list(template.get("values") or []) if not given.chart else []  # type: ignore[arg-type]  # of a template
    return {"path": path, "version": version, "values": [str(one.resolve()) for one in values] or kept}


def _domains(template: Mapping[str, Json], given: _Given, place: _Place) -> Json:
    """Return the template's words for domains with the hosts that there are; the first where there are too few."""
    hosts = [given.domains[place.tier]] if given.domains[place.tier] else list(place.told.hosts)
    if not hosts:
        return dict(template)
    pin: dict[str, Json] = {"pin": given.pins[place.tier]} if given.pins[place.tier] else {}
    return {
        word: {"host": hosts[index] if index < len(hosts) else hosts[0], **pin}
        for index, word in enumerate(template)
    }


def _told(target: Path, places: Sequence[_Place]) -> ExitCode:
    """Say what was written, and what is left to do, with the commands for it."""
    try:
        load_runbook(target)
    except RunbookError as error:  # a name of a cluster that no runbook takes
        say("\n".join(map(str, error.problems)))
        return ExitCode.BAD_CONFIG
    for place in places:
        out(f"{place.tier}: context {place.context}, namespace {place.namespace}, {_names(place.told)}")
    out(f"wrote {target}. Next:")
    out(f"  launch-console runbook check {target}    what is still a placeholder, or wrong")
    out(f"  launch-console doctor {target}           what is missing here and in the clusters")
    out(f"  launch-console {target}                  the launch")
    return ExitCode.GO
