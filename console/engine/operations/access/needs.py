"""What an account needs in a cluster: verbs on resources, told for a person and as RBAC rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from console.engine.operations.access.kinds import Kinds
from state.base.json import JsonObject, obj, objs, path, text, texts

RBAC = "rbac.authorization.k8s.io"
_GRANTS = frozenset({"Role", "ClusterRole"})
_BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})
# helm waits for a deployment by its newest replica set, and for a stateful set by its own status.
_WAITED = {"Deployment": ("apps", "replicasets")}


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """One verb on one resource."""

    verb: str
    group: str
    resource: str
    """Its plural; ``pods/log`` of a subresource."""
    namespace: str = ""
    """Empty for what lives in no namespace."""
    name: str = ""
    """Of one object; empty for all of them. Only of what lives in no namespace: others are a namespace's own."""

    @property
    def words(self) -> str:
        """As it is told: ``create poddisruptionbudgets in shop``."""
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.resource}{f' {self.name}' if self.name else ''}{where}"


def needs(namespace: str, group: str, verbs: str, *resources: str) -> frozenset[Need]:
    """Return the needs of some verbs, a space between them, on resources of a group."""
    return frozenset(Need(verb, group, one, namespace) for verb in verbs.split() for one in resources)


def of_objects(things: Iterable[JsonObject], kinds: Kinds, namespace: str, verbs: str) -> Iterator[Need]:
    """Yield what some objects of a manifest need; of kinds that nobody serves nothing is known."""
    for thing in things:
        kind = kinds.get((text(thing, "apiVersion"), text(thing, "kind")))
        if kind is None:
            continue
        meta = obj(thing.get("metadata"))
        where = (text(meta, "namespace") or namespace) if kind.namespaced else ""
        name = "" if kind.namespaced else text(meta, "name")
        for verb in verbs.split():
            # A create has no name yet when it is authorized.
            named = "" if verb in {"create", "list", "watch"} else name
            yield Need(verb, kind.group, kind.plural, where, named)
        waited = _WAITED.get(text(thing, "kind"))
        if waited is not None:
            yield Need("list", *waited, where)


def granted_by(things: Sequence[JsonObject], namespace: str) -> Iterator[Need]:
    """Yield what an account must itself have to make the roles and bindings of a manifest.

    The API server lets nobody grant what he hasn't: he has every rule of a role (or ``escalate``), and may ``bind``
    what a binding names.
    """
    for thing in things:
        kind, meta = text(thing, "kind"), obj(thing.get("metadata"))
        where = text(meta, "namespace") or namespace
        if kind in _GRANTS:
            for rule in objs(thing.get("rules")):
                yield from _of_rule(rule, where if kind == "Role" else "")
        if kind in _BINDINGS:
            ref = obj(thing.get("roleRef"))
            resource = "roles" if text(ref, "kind") == "Role" else "clusterroles"
            scope = where if kind == "RoleBinding" else ""
            yield Need("bind", RBAC, resource, scope, text(ref, "name"))


def _of_rule(rule: JsonObject, namespace: str) -> Iterator[Need]:
    names = texts(rule.get("resourceNames")) or ("",)
    found = product(
        texts(rule.get("verbs")), texts(rule.get("apiGroups")), texts(rule.get("resources")), names
    )
    for verb, group, resource, name in found:
        yield Need(verb, group, resource, namespace, name)


def hook_logs(hooks: Iterable[JsonObject]) -> bool:
    """Return whether helm prints the log of a hook's pod."""
    key = "helm.sh/hook-output-log-policy"
    return any(obj(path(hook, ("metadata", "annotations"))).get(key) for hook in hooks)


def rules(found: Iterable[Need]) -> list[dict[str, object]]:
    """Return needs of one place as RBAC rules: those with the same verbs and names together, in a fixed order."""
    verbs: dict[tuple[str, str, str], set[str]] = {}
    for one in found:
        verbs.setdefault((one.group, one.resource, one.name), set()).add(one.verb)
    names: dict[tuple[str, str, tuple[str, ...], bool], set[str]] = {}
    for (group, resource, name), own in verbs.items():
        # An object by its name needs no rule of its own for what holds for all.
        left = own - verbs.get((group, resource, ""), set()) if name else own
        if left:
            names.setdefault((group, resource, tuple(sorted(left)), bool(name)), set()).add(name)
    together: dict[tuple[str, tuple[str, ...], tuple[str, ...]], set[str]] = {}
    for (group, resource, own_verbs, by_name), named in names.items():
        key = (group, own_verbs, tuple(sorted(named)) if by_name else ())
        together.setdefault(key, set()).add(resource)
    return [
        {
            "apiGroups": [group],
            "resources": sorted(resources),
            **({"resourceNames": list(of)} if of else {}),
            "verbs": list(own_verbs),
        }
        for (group, own_verbs, of), resources in sorted(together.items())
    ]
