"""What every API server has from its first start: RBAC's own roles and bindings, and kube-system's accounts.

``bootstrap_rbac.json`` is the real server's (recorded by tests/console/rehearsal/sim/kubernetes).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from console.rehearsal.sim.kubernetes.objects import Value, copied, labels_of, name_of, strings
from state.base.json import JsonObject, items, obj, objs, path, text

FILE = Path(__file__).with_name("bootstrap_rbac.json")
KINDS = ("clusterroles", "clusterrolebindings", "roles", "rolebindings")


def objects() -> Iterator[tuple[str, JsonObject]]:
    """Yield (plural, object), ready to be created in this order."""
    recorded = obj(json.loads(FILE.read_text(encoding="utf-8")))
    bindings = [one for kind in ("clusterrolebindings", "rolebindings") for one in objs(recorded[kind])]
    accounts = {
        (text(subject, "namespace"), text(subject, "name"))
        for binding in bindings
        for subject in objs(binding.get("subjects"))
        if text(subject, "kind") == "ServiceAccount"
    }
    for namespace, name in sorted(accounts):
        yield "serviceaccounts", {"metadata": {"name": name, "namespace": namespace}}
    for role in aggregated(objs(recorded["clusterroles"])):
        yield "clusterroles", role
    for kind in KINDS[1:]:
        for one in objs(recorded[kind]):
            yield kind, one


def aggregated(roles: list[JsonObject]) -> Iterator[JsonObject]:
    """Yield cluster roles with the rules that a controller gathers for those that are made of others."""
    by_name = {name_of(role): role for role in roles}

    def rules(role: JsonObject) -> list[Value]:
        selectors = [
            strings(one.get("matchLabels"))
            for one in objs(path(role, ("aggregationRule", "clusterRoleSelectors")))
        ]
        if not selectors:
            return [copied(one) for one in items(role.get("rules"))]
        parts = [one for _, one in sorted(by_name.items()) if any(_has(one, wanted) for wanted in selectors)]
        gathered: list[Value] = []
        for part in parts:
            gathered += [rule for rule in rules(part) if rule not in gathered]
        return gathered

    for role in roles:
        yield {**role, "rules": rules(role)}


def _has(role: JsonObject, wanted: Mapping[str, str]) -> bool:
    return wanted.items() <= labels_of(role).items()
