"""The rehearsal's runbook: the SOP's own, with the rehearsal's scope, candidate, people and environments.

Gates, items, conditions, graphs and operations stay what they are: they are what is rehearsed.
"""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from console.rehearsal.dotmac.names import (
    CANDIDATE_VERSION,
    CHART_VERSION,
    COMMIT,
    LOGINS,
    REGION,
    RELEASE,
    SECRET,
    Env,
)
from console.rehearsal.sim.fast_yaml import dump, load
from state.base.clock import SECOND_US
from state.base.json import Json, JsonObject, obj, text

_OPENS_BEFORE_S = 3600
_CLOSES_AFTER_S = 11 * 3600


@dataclass(frozen=True, slots=True)
class Site:
    """Where one environment is found. Ports are on 127.0.0.1, URLs have no slash at their end."""

    https_port: int
    http_port: int
    observers: str
    files: Mapping[str, Path]
    """The secrets' files: roles, ``s3-access-key``, ``s3-secret-key``, ``database-url``."""
    values: Path


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the whole world is found."""

    kubeconfig: Path
    prometheus: str
    alertmanager: str
    registry: str
    objectstore: str
    ca: Path
    chart: Path
    helm: Path
    launches: Path
    sites: Mapping[Env, Site]


def sop_text() -> str:
    """Return the text of the SOP's runbook, from the wheel or from the checkout."""
    packaged = files("state.runbook") / "sop.yaml"
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).parents[3] / "runbook.yaml").read_text(encoding="utf-8")


def account() -> str:
    """Return the current Unix account's name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "captain"


def rehearsal_runbook(
    given: str, addresses: Addresses, images: Mapping[str, str], head: str, now_us: int
) -> dict[str, Json]:
    """Return the SOP's runbook as data: candidate ``images`` by part, its migration's ``head``, the clock's now."""
    sop = load(given)
    sop["scope"] = _scope(sop, now_us)
    migration = {**obj(obj(sop["candidate"]).get("migration")), "head": head, "backward_compatible": True}
    sop["candidate"] = {
        "version": CANDIDATE_VERSION,
        "commit": COMMIT,
        "images": dict(images),
        "migration": migration,
    }
    known = obj(sop["environments"])
    sop["environments"] = {env.value: {**obj(known[env]), **_environment(env, addresses)} for env in Env}
    return _of_the_world(sop, addresses)


def service_runbook(
    given: str,
    addresses: Addresses,
    images: Mapping[str, str],
    environments: Mapping[Env, JsonObject],
    now_us: int,
) -> dict[str, Json]:
    """Return another runbook as data: its own names, with the addresses, images and time of the world."""
    told = load(given)
    told["scope"] = _scope(told, now_us)
    told["candidate"] = {**obj(told["candidate"]), "images": dict(images)}
    known = obj(told["environments"])
    told["environments"] = {
        env.value: {**_reached(obj(known[env]), env, addresses), **environments[env]} for env in Env
    }
    return _of_the_world(told, addresses)


def _reached(known: JsonObject, env: Env, addresses: Addresses) -> JsonObject:
    """Return an environment with what everything in the world shares, and nothing that leads out of it."""
    watching = {"url": addresses.sites[env].observers}
    outside = {"objectstore", "database", "accounts"}
    return {
        **{key: value for key, value in known.items() if key not in outside},
        "title": env.words,
        "kube": {**obj(known["kube"]), "kubeconfig": str(addresses.kubeconfig), "context": env.value},
        "ca_file": str(addresses.ca),
        "prometheus": {"url": addresses.prometheus},
        "alertmanager": {"url": addresses.alertmanager},
        "registry": {"url": addresses.registry},
        **{name: watching for name in ("grafana", "traces", "logs", "ci") if name in known},
    }


def _scope(runbook: JsonObject, now_us: int) -> JsonObject:
    scope = obj(runbook["scope"])
    return {
        **{key: value for key, value in scope.items() if key != "freezes"},
        "title": f"REHEARSAL: {text(scope, 'title')}",
        "window": {
            "start": stamp(now_us - _OPENS_BEFORE_S * SECOND_US),
            "end": stamp(now_us + _CLOSES_AFTER_S * SECOND_US),
        },
        "regions": [REGION],
    }


def _of_the_world(runbook: dict[str, Json], addresses: Addresses) -> dict[str, Json]:
    runbook.pop("webhooks", None)  # nobody is told of a rehearsal, and no secret of this machine goes into it
    runbook["environments"] = {
        tier: {key: value for key, value in obj(environment).items() if key != "apply_secrets"}
        for tier, environment in obj(runbook["environments"]).items()
    }
    runbook["people"] = _people()
    runbook["helm"] = str(addresses.helm)
    runbook["launches"] = str(addresses.launches)
    return runbook


def stamp(wall_us: int) -> str:
    """Return a time as a runbook writes it, to the minute."""
    return datetime.fromtimestamp(wall_us // SECOND_US, UTC).replace(second=0).isoformat()


def _people() -> list[Json]:
    return [
        {
            "id": "captain",
            "name": "Rehearsing captain",
            "accounts": [account()],
            "roles": ["captain", "operator", "approver"],
        },
        {
            "id": "second",
            "name": "Rehearsing second person",
            "accounts": ["rehearsal-second"],
            "roles": ["approver"],
        },
        {
            "id": "rehearsal-second",
            "name": "Rehearsal's second person",
            "accounts": ["rehearsal-second"],
            "roles": ["approver"],
        },
        {"id": "observer", "name": "Everybody else", "accounts": ["*"], "roles": ["observer"]},
    ]


def _environment(env: Env, addresses: Addresses) -> JsonObject:
    site = addresses.sites[env]
    pins = {"pin": f"127.0.0.1:{site.https_port}", "http_pin": f"127.0.0.1:{site.http_port}"}

    def file(name: str) -> JsonObject:
        return {"file": str(site.files[name])}

    return {
        "tier": env.value,
        "title": env.words,
        "kube": {
            "kubeconfig": str(addresses.kubeconfig),
            "context": env.value,
            "namespace": env.namespace,
        },
        "release": RELEASE,
        "chart": {"path": str(addresses.chart), "version": CHART_VERSION, "values": [str(site.values)]},
        "domains": {part: {"host": f"{part}.{env.domain}", **pins} for part in ("api", "admin")},
        "ca_file": str(addresses.ca),
        "prometheus": {"url": addresses.prometheus},
        "alertmanager": {"url": addresses.alertmanager},
        "grafana": {"url": site.observers},
        "traces": {"url": site.observers},
        "logs": {"url": site.observers},
        "ci": {"url": site.observers},
        "registry": {"url": addresses.registry},
        "objectstore": {
            "url": addresses.objectstore,
            "bucket": env.bucket,
            "region": REGION,
            "access_key": file("s3-access-key"),
            "secret_key": file("s3-secret-key"),
        },
        "database": {"url": file("database-url")},
        "accounts": {role: _login(role, file(role)) for role in LOGINS},
        "secrets": [SECRET],
    }


def _login(role: str, password: JsonObject) -> JsonObject:
    login = LOGINS[role]
    found: dict[str, Json] = {"username": login.username, "password": password}
    return found | ({"tenant": login.tenant} if login.tenant else {})


def write_runbook(file: Path, runbook: JsonObject) -> None:
    """Write the runbook for the engine and for whoever wants to read it."""
    head = "# A rehearsal, written when its world was made: nothing here is a real system.\n"
    file.write_text(head + dump(runbook))
