"""The rehearsal's runbook: a product's own, with the rehearsal's scope, candidate, people and environments.

Gates, items, conditions, graphs and operations stay what they are: they are what is rehearsed.
"""

from __future__ import annotations

import getpass
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from console.rehearsal.sim.fast_yaml import dump
from console.rehearsal.world.cluster_seed import REGION
from state.base.clock import SECOND_US
from state.base.json import Json, JsonObject, obj, text
from state.runbook.environment import Tier

SECOND = "rehearsal-second"
"""The account of the rehearsal's simulated second person."""
TITLES = {Tier.STAGING: "rehearsal staging", Tier.PRODUCTION: "REHEARSAL PRODUCTION"}
"""The words that name an environment on every screen: they say that it is a rehearsal."""
OBSERVED = ("grafana", "traces", "logs")
"""A runbook's words for the systems that show graphs, traces and logs."""
_OPENS_BEFORE_S = 3600
_CLOSES_AFTER_S = 11 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where what all products share is found. URLs have no slash at their end.

    ``observers`` are the servers of graphs, traces, logs and continuous integration, where there are any: one
    for each environment.
    """

    kubeconfig: Path
    prometheus: str
    alertmanager: str
    registry: str
    objectstore: str
    ca: Path
    observers: Mapping[Tier, str]

    def environment(self, tier: Tier, namespace: str, watched: Collection[str]) -> dict[str, Json]:
        """Return what an environment of any runbook becomes: its title, cluster, and the systems that all share.

        ``watched`` are the runbook's words for systems of the observers.
        """
        observers = self.observers.get(tier)
        return {
            "title": TITLES[tier],
            "kube": {"kubeconfig": str(self.kubeconfig), "context": tier.value, "namespace": namespace},
            "ca_file": str(self.ca),
            "prometheus": {"url": self.prometheus},
            "alertmanager": {"url": self.alertmanager},
            "registry": {"url": self.registry},
            **{name: {"url": observers} for name in OBSERVED if observers and name in watched},
        }


def builds_at(ci: Json, url: str) -> JsonObject:
    """Return a runbook's ``ci:`` with the rehearsal's address in place of its own, and without its credentials."""
    kept = {
        key: value
        for key, value in obj(ci).items()
        if key not in {"token", "username", "password", "ca_file"}
    }
    return {**kept, "url": url}


def account() -> str:
    """Return the current Unix account's name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "captain"


def rehearsed(runbook: JsonObject, now_us: int) -> dict[str, Json]:
    """Return a product's runbook with the rehearsal's scope and people, and nothing that leads out of it."""
    book = {**runbook, "scope": _scope(obj(runbook["scope"]), now_us)}
    book.pop("webhooks", None)  # nobody is told of a rehearsal, and no secret of this machine goes into it
    book["environments"] = {
        tier: {key: value for key, value in obj(environment).items() if key != "apply_secrets"}
        for tier, environment in obj(book["environments"]).items()
    }
    book["people"] = _people()
    return book


def _scope(scope: JsonObject, now_us: int) -> JsonObject:
    return {
        **{key: value for key, value in scope.items() if key != "freezes"},
        "title": f"REHEARSAL: {text(scope, 'title')}",
        "window": {
            "start": stamp(now_us - _OPENS_BEFORE_S * SECOND_US),
            "end": stamp(now_us + _CLOSES_AFTER_S * SECOND_US),
        },
        "regions": [REGION],
    }


def stamp(wall_us: int) -> str:
    """Return a time as a runbook writes it, to the minute."""
    return datetime.fromtimestamp(wall_us // SECOND_US, UTC).replace(second=0).isoformat()


def _person(person_id: str, name: str, account_name: str, *roles: Json) -> JsonObject:
    return {"id": person_id, "name": name, "accounts": [account_name], "roles": list(roles)}


def _people() -> list[Json]:
    return [
        _person("captain", "Rehearsing captain", account(), "captain", "operator", "approver"),
        _person("rehearsal-second", "Rehearsal's second person", SECOND, "approver"),
        _person("observer", "Everybody else", "*", "observer"),
    ]


def write_runbook(file: Path, runbook: JsonObject) -> None:
    """Write the runbook for the engine and for whoever wants to read it."""
    head = "# A rehearsal, written when its world was made: nothing here is a real system.\n"
    file.write_text(head + dump(runbook))
